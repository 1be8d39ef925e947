"""Whether anybody would be told, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from provisioner.cli.style import bad, cut, dim, good, plural, table, warn
from provisioner.operations.monitor import Report, Shown
from provisioner.proof import Standing

_SIGNS: Final[Mapping[Standing, tuple[str, Callable[[str], str]]]] = {
    Standing.OK: ("✓", good),
    Standing.WARNING: ("!", warn),
    Standing.FAILED: ("✗", bad),
}


def monitor_json(report: Report) -> dict[str, Any]:
    """``{deployment, healthy, checks: […], summary: {standing: number}}``."""
    return {
        "deployment": report.deployment,
        "healthy": report.healthy,
        "checks": [_line(one) for one in report.shown],
        "summary": {standing.value: report.count(standing) for standing in Standing},
    }


def _line(one: Shown) -> dict[str, str]:
    told = {"step": one.step, "type": one.type, "standing": one.standing.value}
    return told | {"subject": one.subject, "detail": one.detail, "hint": one.hint}


def statements_text(found: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    """A line a statement, cut to the terminal."""
    if not found:
        return [dim("no statements yet")]
    rows = [
        (
            f"{one['total_ms']:.0f}",
            f"{one['mean_ms']:.2f}",
            str(one["calls"]),
            f"{one['share_percent'] or 0:.0f}%",
            cut(" ".join(str(one["query"]).split()), max(width - 40, 30)),
        )
        for one in found
    ]
    return table(rows, head=("total ms", "mean ms", "calls", "share", "statement"))


def baseline_text(found: Mapping[str, Any]) -> list[str]:
    """A line a number."""
    rows = []
    for name, value in found.items():
        told = ", ".join(f"{part} {one:g}" for part, one in value.items()) if isinstance(value, Mapping) else value
        rows.append(
            (name.replace("_", " "), "-" if told is None else f"{told:g}" if isinstance(told, float) else str(told))
        )
    return table(rows)


def monitor_text(report: Report) -> list[str]:
    """A line a thing; a hint below what is not well."""
    if not report.shown:
        return [bad("nothing watches this deployment")]
    lines = []
    for one in report.shown:
        sign, colour = _SIGNS[one.standing]
        lines.append(f"{colour(sign)} {one.subject}  {dim(one.detail)}")
        if one.hint and one.standing is not Standing.OK:
            lines.append(f"    {one.hint}")
    failed, warned = report.count(Standing.FAILED), report.count(Standing.WARNING)
    total = f"{plural(len(report.shown), 'check')}, {failed} failed, {plural(warned, 'warning')}"
    return [*lines, bad(total) if failed else good(total)]
