"""Whether anybody would be told, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from provisioner.cli.style import bad, dim, good, plural, warn
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
