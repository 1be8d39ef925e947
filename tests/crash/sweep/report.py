"""The results: one JSON line a point in a file that an interrupted sweep goes on from, and a table at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tests.crash.sweep.points import VERBS, Counted, parse
from tests.crash.sweep.stories import Outcome

COLUMNS: Final = ("orphan", "duplicate", "dead end", "leak")
"""Complaints that have a column of their own; the others share the last one."""


class Head(msgspec.Struct, kw_only=True):
    """The first line: what was counted, and how points were chosen, so that a resumed sweep has the same ones."""

    counted: Counted
    chosen: dict[str, str]


class Results:
    """The file. A line that a killed sweep left half written is passed over, and its point played again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head: Head | None = None
        self.outcomes: dict[str, Outcome] = {}
        lines = path.read_bytes().splitlines() if path.exists() else []
        for number, line in enumerate(lines):
            try:
                if number == 0:
                    self.head = msgspec.json.decode(line, type=Head)
                else:
                    self.add(msgspec.json.decode(line, type=Outcome))
            except msgspec.DecodeError:
                continue

    def begin(self, head: Head) -> None:
        """A new file."""
        self.head = head
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(msgspec.json.encode(head) + b"\n")

    def write(self, outcome: Outcome) -> None:
        """One more line."""
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(outcome) + b"\n")
        self.add(outcome)

    def add(self, outcome: Outcome) -> None:
        """The last word on a point counts, but for a complaint: that stays."""
        before = self.outcomes.get(outcome.point)
        if before is None or not before.complaints:
            self.outcomes[outcome.point] = outcome

    def done(self, key: str) -> bool:
        """Played, and where it was to die it died, or it never will."""
        found = self.outcomes.get(key)
        return found is not None


def row_of(key: str) -> str:
    """The row of the table that a point belongs to."""
    point = parse(key)
    return f"{point.verb} ×2" if point.second else point.verb


def table(outcomes: Iterable[Outcome]) -> str:
    """One row a verb, and one for its double deaths."""
    rows: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        rows.setdefault(row_of(outcome.point), []).append(outcome)
    order = [name for verb in VERBS for name in (verb, f"{verb} ×2") if name in rows]
    cells = [("verb", "points", "killed", "not reached", *(f"{name}s" for name in COLUMNS), "other", "s/point")]
    cells += [_row(name, rows[name]) for name in order]
    cells.append(_row("all", [outcome for name in order for outcome in rows[name]]))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if not column else cell.rjust(width) for column, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(line, widths, strict=True)) for line in cells)
    )


def _row(name: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    kinds: Mapping[str, int] = Counter(kind for outcome in outcomes for kind in {c.kind for c in outcome.complaints})
    deaths = sum(len(outcome.died) for outcome in outcomes)
    missed = sum(not outcome.reached for outcome in outcomes)
    other = sum(count for kind, count in kinds.items() if kind not in COLUMNS)
    seconds = sum(outcome.seconds for outcome in outcomes) / max(len(outcomes), 1)
    numbers = [len(outcomes), deaths, missed, *(kinds.get(column, 0) for column in COLUMNS), other]
    return (name, *(str(number) for number in numbers), f"{seconds:.2f}")


_USUAL: Final = {"plan": "credlink", "record": "home"}


def failures(outcomes: Iterable[Outcome], chosen: Mapping[str, str] = _USUAL) -> str:
    """Each wrong outcome with the command that plays it again; ``chosen``: the plan, and where the record was."""
    where = "".join(f"--{name} {chosen[name]} " for name, usual in _USUAL.items() if chosen.get(name, usual) != usual)
    lines: list[str] = []
    for outcome in outcomes:
        if outcome.complaints:
            lines += ["", f"scripts/crash-sweep {where}--point '{outcome.point}'"]
            lines += [f"    {kind}: {text}" for kind, text in outcome.complaints]
            if outcome.chain:
                lines.append(f"    after, in the same home: {'; '.join(outcome.chain)}")
    return "\n".join(lines)
