"""``state.json``: the whole record as indented JSON that people can read, with a checksum over its content.

The checksum covers the content in its order, not the white space: a file that an editor has re-indented is
still good, one value changed by hand is not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from provisioner.errors import StateDamagedError
from provisioner.state.records import FORMAT, State
from provisioner.state.upgrade import Upgrade, way

NAME: Final = "state.json"
BACKUP: Final = "state.json.backup"
RECOVER: Final = "provisioner state recover PLAN  (nothing was changed)"

_HEAD: Final = ("format", "lineage", "serial")


class Snapshot(NamedTuple):
    """What a snapshot's bytes hold. ``upgrades`` lead from its format to the present one; ``edited`` if the
    checksum does not fit."""

    state: State
    format: int
    upgrades: tuple[Upgrade, ...]
    edited: bool


def encode(state: State) -> bytes:
    """The file's content for a state."""
    head: dict[str, Any] = {name: getattr(state, name) for name in _HEAD}
    rest = {name: getattr(state, name) for name in state.__struct_fields__ if name not in _HEAD}
    checksum = _digest({**head, **rest})
    return msgspec.json.format(msgspec.json.encode({**head, "checksum": checksum, **rest}), indent=2) + b"\n"


def _digest(tree: Mapping[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(tree)).hexdigest()


def decode(raw: bytes, where: str, upgrades: Mapping[int, Upgrade], *, accept_edited: bool = False) -> Snapshot:
    """The state in a file's content, upgraded to the present format.

    StateDamagedError says what is wrong with it; StateFormatError if it is newer. ``accept_edited`` lets a
    checksum that does not fit pass.
    """
    tree = _tree(raw, where)
    number = tree.get("format")
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise damaged('it has no "format" number, so it is not a state file', where)
    steps = way(number, upgrades, where)
    checksum = tree.pop("checksum", None)
    edited = checksum != _digest(tree)
    if edited and not accept_edited:
        raise damaged(
            "its content does not fit its checksum: something other than provisioner changed it",
            where,
            hint=f"{RECOVER}; if the change was meant: provisioner state recover PLAN --accept-edited",
        )
    for step in steps:
        tree = step.snapshot(tree)
    try:
        state = msgspec.convert({**tree, "format": FORMAT}, State)
    except msgspec.ValidationError as err:
        raise damaged(f"it is JSON, but not a state: {err}", where) from err
    return Snapshot(state, number, steps, edited)


def serial_of(raw: bytes) -> int:
    """The serial that a snapshot says it has, however damaged the rest is; 0 where it says none."""
    found = re.search(rb'"serial":\s*(\d{1,15})\b', raw[:4096])
    return int(found.group(1)) if found else 0


def damaged(message: str, where: str, *, hint: str = RECOVER) -> StateDamagedError:
    """The refusal of a file that cannot be trusted."""
    return StateDamagedError(message, where=where, hint=hint)


def _tree(raw: bytes, where: str) -> dict[str, Any]:
    if not raw.strip(b"\0 \t\r\n"):
        raise damaged("it is empty" if not raw else f"it holds nothing but {len(raw)} blank bytes", where)
    try:
        tree = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise damaged(*_position(raw, str(err), where)) from err
    if not isinstance(tree, dict):
        raise damaged("it is JSON, but not an object", where)
    return tree


def _position(raw: bytes, complaint: str, where: str) -> tuple[str, str]:
    """What is wrong and ``file:line:column`` of it."""
    byte = re.search(r"\(byte (\d+)\)", complaint)
    at = int(byte.group(1)) if byte else len(raw)
    line = raw.count(b"\n", 0, at) + 1
    column = at - (raw.rfind(b"\n", 0, at) + 1) + 1
    if byte is None and "truncated" in complaint:
        return f"it ends too early, after {len(raw)} bytes: it was truncated", f"{where}:{line}:{column}"
    return f"it is not JSON ({complaint})", f"{where}:{line}:{column}"
