"""The results for a page: one table of what was done on both sides, one of the goals that are ours alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.results import Document, rows_of
from bench.table import Row, number

NUMBERS = ("wall", "CPU", "memory", "calls")


def page(document: Document, order: Sequence[str]) -> str:
    """Markdown. Left out is what has no goal, neither itself nor in another number of the same work."""
    rows = rows_of(document, order)
    with_goal = {(row.section, row.what) for row in rows if row.compared and row.most is not None}
    works: dict[tuple[str, str], dict[str, Row]] = {key: {} for key in _keys(rows) if key in with_goal}
    for row in rows:
        if (row.section, row.what) in works and row.compared:
            works[row.section, row.what][row.number] = row
    lines = [f"| ours / Terraform | {' | '.join(NUMBERS)} |", f"|---{'|---' * len(NUMBERS)}|"]
    for (section, what), found in works.items():
        lines.append(f"| {section}: {what} | {' | '.join(_cell(found.get(name)) for name in NUMBERS)} |")
    lines += ["", "| ours | | goal |", "|---|---|---|"]
    lines += [_alone(row) for row in rows if not row.compared and row.most is not None]
    return "\n".join([*lines, "", *_taken(document, order)])


def _keys(rows: Iterable[Row]) -> Iterable[tuple[str, str]]:
    return dict.fromkeys((row.section, row.what) for row in rows)


def _cell(row: Row | None) -> str:
    """``0.02 ≤ 0.1 (3.1 / 180 s)``; what was missed is bold."""
    if row is None:
        return ""
    unit = f" {row.unit}" if row.unit else ""
    if row.value is None:
        return ", ".join(filter(None, (f"{number(row.ours)}{unit}", row.note)))
    goal = "" if row.most is None else f" {'≤' if row.reached else '>'} {row.most:g}"
    said = f"{number(row.value)}{goal}"
    return f"{said if row.reached is not False else f'**{said}**'} ({number(row.ours)} / {number(row.theirs)}{unit})"


def _alone(row: Row) -> str:
    unit = f" {row.unit}" if row.unit else ""
    said = f"{number(row.ours)}{unit}" + (f" (Terraform: {number(row.theirs)}{unit})" if row.theirs is not None else "")
    said = said if row.reached else f"**{said}**"
    what = ": ".join(filter(None, (row.section, row.what, row.number)))
    return f"| {what} | {said} | ≤ {row.most:g}{unit} |"


def _taken(document: Document, order: Sequence[str]) -> Iterable[str]:
    """One line for all sections that were taken on the same day, with the same programs and as often."""
    same: dict[str, list[str]] = {}
    for name in order:
        facts = document["sections"].get(name, {}).get("facts")
        if facts is not None:
            found = f"Terraform {facts['terraform']} ({facts['provider']})" if "terraform" in facts else ""
            tools = found or "without Terraform"
            often = "a full run" if facts["runs"] > 1 else "a quick run"
            line = f"{facts['taken'][:10]}, {facts['cpus']} CPUs, Python {facts['python']}, {tools}, {often}."
            same.setdefault(line, []).append(name)
    return [f"{', '.join(names)}: {line}" for line, names in same.items()]
