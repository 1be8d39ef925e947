"""A measurement and its goal."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import Any

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table. ``most``: the goal, None where the number is only for information."""

    section: str
    what: str
    value: float
    unit: str
    most: float | None = None

    @property
    def reached(self) -> bool:
        return self.most is None or self.value <= self.most


def text(rows: Sequence[Row]) -> str:
    """The table for people."""
    cells = [("", "measured", "goal", "")]
    for row in rows:
        goal = "" if row.most is None else f"≤ {row.most:g} {row.unit}"
        mark = "" if row.most is None else ("ok" if row.reached else "MISSED")
        cells.append((f"{row.section}: {row.what}", f"{row.value:g} {row.unit}", goal, mark))
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    return "\n".join(f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}  {d}".rstrip() for a, b, c, d in cells)


def document(rows: Sequence[Row]) -> dict[str, Any]:
    """The same for programs, with the machine that it was measured on."""
    machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    return {"machine": machine, "rows": [msgspec.to_builtins(row) | {"reached": row.reached} for row in rows]}
