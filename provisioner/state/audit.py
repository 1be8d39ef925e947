"""``audit.jsonl``: who did what and when, append only, each line carrying the hash of the one before.

A line is ``{"seq", "at", "by", "event", …facts, "prev"}``. A changed, removed or inserted line breaks the
chain and :func:`verify_audit` finds it. Weakness: lines cut off at the very end leave a chain that is whole;
copy the last line's hash elsewhere where that matters. Lines survive the death of the process at once, and a
power cut from the next close on: the journal, not this file, is what recovery reads.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from provisioner.state.files import Files, read, writing
from provisioner.state.journal import refuse_secret
from provisioner.state.lock import LockInfo

NAME: Final = "audit.jsonl"
GENESIS: Final = "0" * 64
"""``prev`` of the first line."""

_OWN: Final = frozenset({"seq", "at", "by", "event", "prev"})
_CHUNK: Final = 65536
_ENOUGH: Final = 2  # the newline before the last whole line, and its own
_ENCODER: Final = msgspec.json.Encoder(enc_hook=refuse_secret)


class Audit:
    """The audit file of one store; opened at the first event."""

    def __init__(self, directory: Path, owner: LockInfo, clock: Callable[[], float], files: Files) -> None:
        self.path = directory / NAME
        self._by = f"{owner.user}@{owner.host}"
        self._clock = clock
        self._files = files
        self._fd: int | None = None
        self._length = 0
        self._seq = 0
        self._prev = GENESIS

    def append(self, event: str, facts: Mapping[str, object]) -> None:
        """TypeError for a secret or a fact called like a field of ours; StateWriteError."""
        if taken := _OWN & facts.keys():
            raise TypeError(f"{', '.join(sorted(taken))}: the audit line has fields of that name")
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        with writing(self.path, "write the audit file, so the run stops"):
            fd = self._open()
            body = _ENCODER.encode(
                {"seq": self._seq + 1, "at": at, "by": self._by, "event": event, **facts, "prev": self._prev}
            )
            # At the end of the last whole line, so that what a failed write left behind is written over.
            self._files.write(fd, self.path, body + b"\n", self._length)
        self._seq += 1
        self._length += len(body) + 1
        self._prev = hashlib.sha256(body).hexdigest()

    def _open(self) -> int:
        if self._fd is None:
            fd = self._files.open_kept(self.path)
            try:
                self._find_end(fd)
            except BaseException:
                os.close(fd)
                raise
            self._fd = fd
        return self._fd

    def _find_end(self, fd: int) -> None:
        """Cuts off a torn last line, and takes up number and hash of the last whole one."""
        end = os.fstat(fd).st_size
        tail, start = b"", end
        while start and tail.count(b"\n") < _ENOUGH:
            step = min(_CHUNK, start)
            start -= step
            tail = os.pread(fd, step, start) + tail
        whole, newline, torn = tail.rpartition(b"\n")
        self._length = end - len(torn)
        if torn:
            self._files.truncate(fd, self.path, self._length)
        if newline:
            last = whole.rpartition(b"\n")[2]
            self._prev = hashlib.sha256(last).hexdigest()
            self._seq = _number(last)

    def sync(self) -> None:
        """On the disk when it returns. StateWriteError."""
        if self._fd is not None:
            with writing(self.path, "write the audit file"):
                self._files.sync(self._fd, self.path)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _fields(line: bytes) -> dict[str, Any]:
    try:
        tree = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _number(line: bytes) -> int:
    number = _fields(line).get("seq")
    return number if isinstance(number, int) else 0


def verify_audit(path: Path) -> int | None:
    """The number (from 1) of the first line that does not follow from the one before; None if all do.

    A last line without an end is a write that a crash cut short, and no breach.
    """
    prev = GENESIS
    for number, line in enumerate((read(path) or b"").split(b"\n")[:-1], 1):
        fields = _fields(line)
        if fields.get("seq") != number or fields.get("prev") != prev:
            return number
        prev = hashlib.sha256(line).hexdigest()
    return None
