"""A measurement, what it is compared with, and its goal; the table of them for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

HEAD = ("", "ours", "Terraform", "ratio", "goal", "")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table: a ``number`` (wall, CPU …) of ``what`` was done, or what ``what`` itself names.

    ``ours`` and ``theirs`` are in ``unit``; ``theirs`` None: not measured, and ``note`` says why. ``compared``: the
    number that counts is ours over theirs, else it is ours. ``most``: the goal for that number, None where it is only
    for information. ``note``: which of several runs it is, or why there is none. ``taken``: the day, ISO 8601.
    """

    section: str
    what: str
    number: str = ""
    ours: float | None
    unit: str
    theirs: float | None = None
    compared: bool = False
    most: float | None = None
    note: str = ""
    taken: str = ""

    @property
    def value(self) -> float | None:
        """The number that counts; None where it cannot be told."""
        if not self.compared:
            return self.ours
        if self.ours is None or not self.theirs:
            return None
        return self.ours / self.theirs

    @property
    def reached(self) -> bool | None:
        """Whether the goal was reached; None where there is none or no number to tell by."""
        value = self.value
        return None if self.most is None or value is None else value <= self.most


def number(value: float | None) -> str:
    """Three digits that mean something, and every one of a whole number."""
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def title(row: Row) -> str:
    return ": ".join(filter(None, (row.section, row.what, row.number)))


def cells(row: Row) -> tuple[str, str, str, str, str, str]:
    """The columns of HEAD."""
    unit = f" {row.unit}" if row.unit else ""
    ours = f"{number(row.ours)}{unit}" if row.ours is not None else ""
    theirs = f"{number(row.theirs)}{unit}" if row.theirs is not None else ""
    ratio = number(row.value) if row.compared else ""
    goal = "" if row.most is None else f"≤ {row.most:g}" + ("" if row.compared else unit)
    verdict = {True: "ok", False: "MISSED", None: ""}[row.reached]
    said = ", ".join(filter(None, (verdict, row.note)))
    return title(row), ours, theirs, ratio, goal, said


def text(rows: Iterable[Row]) -> str:
    """The table for people."""
    lines = [HEAD, *map(cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, len(HEAD) - 1) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def builtins(row: Row) -> dict[str, Any]:
    """The row for programs, with what follows from it."""
    value = row.value
    facts: dict[str, Any] = msgspec.to_builtins(row)
    return facts | {
        "ratio": round(value, 4) if row.compared and value is not None else None,
        "reached": row.reached,
    }
