"""``audit.jsonl``: who did what and when, append only, each line carrying the hash of the one before.

A line is ``{"seq", "at", "by", "event", …facts, "prev"}``. A changed, removed or inserted line breaks the
chain and :func:`verify_audit` finds it. Weakness: lines cut off at the very end leave a chain that is whole;
copy the last line's hash elsewhere where that matters. Lines survive the death of the process at once, and a
power cut from the next line about a run, or the close, on: the journal, not this file, is what recovery reads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from provisioner.state.backend import Ledgerbook
from provisioner.state.files import writing
from provisioner.state.journal import refuse_secret
from provisioner.state.lock import LockInfo

NAME: Final = "audit.jsonl"
GENESIS: Final = "0" * 64
"""``prev`` of the first line."""

_OWN: Final = frozenset({"seq", "at", "by", "event", "prev"})
_ENCODER: Final = msgspec.json.Encoder(enc_hook=refuse_secret)


class Audit:
    """The audit of one store: gives each line its number and its link to the line before."""

    def __init__(self, book: Ledgerbook, where: str, owner: LockInfo, clock: Callable[[], float]) -> None:
        self._book = book
        self._where = where
        self._by = f"{owner.user}@{owner.host}"
        self._clock = clock
        self._begun = False
        self._seq = 0
        self._prev = GENESIS

    def append(self, event: str, facts: Mapping[str, object]) -> None:
        """TypeError for a secret or a fact called like a field of ours; StateWriteError."""
        if taken := _OWN & facts.keys():
            raise TypeError(f"{', '.join(sorted(taken))}: the audit line has fields of that name")
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        with writing(self._where, "write the audit file, so the run stops"):
            self._begin()
            body = _ENCODER.encode(
                {"seq": self._seq + 1, "at": at, "by": self._by, "event": event, **facts, "prev": self._prev}
            )
            self._book.append(body + b"\n")
        self._seq += 1
        self._prev = hashlib.sha256(body).hexdigest()

    def _begin(self) -> None:
        if self._begun:
            return
        if last := self._book.tail():
            self._prev = hashlib.sha256(last).hexdigest()
            self._seq = _number(last)
        self._begun = True

    def sync(self) -> None:
        """Durable when it returns. StateWriteError."""
        with writing(self._where, "write the audit file"):
            self._book.sync()


def _fields(line: bytes) -> dict[str, Any]:
    try:
        tree = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _number(line: bytes) -> int:
    number = _fields(line).get("seq")
    return number if isinstance(number, int) else 0


def verify_audit(raw: bytes) -> int | None:
    """The number (from 1) of the first line that does not follow from the one before; None if all do.

    A last line without an end is a write that a crash cut short, and no breach.
    """
    prev = GENESIS
    for number, line in enumerate(raw.split(b"\n")[:-1], 1):
        fields = _fields(line)
        if fields.get("seq") != number or fields.get("prev") != prev:
            return number
        prev = hashlib.sha256(line).hexdigest()
    return None
