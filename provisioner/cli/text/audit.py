"""The audit file, for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from provisioner.cli.style import bad, dim, good, plural, table

_OWN: Final = ("seq", "at", "by", "event", "prev")


def read_audit(raw: bytes) -> list[dict[str, Any]]:
    """Its lines; one that is not JSON is shown as ``{"damaged": text}``."""
    return [_line(line) for line in raw.decode(errors="replace").splitlines()]


def _line(line: str) -> dict[str, Any]:
    try:
        tree = json.loads(line)
    except (ValueError, RecursionError):
        return {"damaged": line}
    return tree if isinstance(tree, dict) else {"damaged": line}


def audit_text(path: str, entries: Sequence[dict[str, Any]], broken: int | None) -> list[str]:
    """A line an entry, and whether the chain holds."""
    rows = [_row(entry) for entry in entries]
    if broken is None:
        verdict = f"{good('✓')} {plural(len(entries), 'line')}, each follows from the one before {dim(f'({path})')}"
    else:
        what = "it or the one before was changed, or lines were removed"
        verdict = f"{bad('✗')} {path}: line {broken} does not follow from the one before: {what}"
    return [*table(rows, head=("", "when", "who", "what", "facts")), verdict]


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    if "damaged" in entry:
        return ("?", "", "", bad("damaged"), str(entry["damaged"]))
    facts = " ".join(f"{name}={value}" for name, value in entry.items() if name not in _OWN)
    return (str(entry.get("seq")), str(entry.get("at")), str(entry.get("by")), str(entry.get("event")), facts)
