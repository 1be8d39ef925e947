"""The doctor's findings, for people."""

from __future__ import annotations

from collections.abc import Sequence

from provisioner.cli.style import bad, bold, dim, good, pad, warn
from provisioner.operations.doctor import Check, verdict

_MARK = {"ok": good("✓"), "warn": warn("!"), "fail": bad("✗")}
_LAST = {
    "ok": good("all is well"),
    "warn": warn("it works; what is marked may be missing for some things"),
    "fail": bad("something that is needed is missing"),
}


def doctor_text(checks: Sequence[Check]) -> list[str]:
    """A line a check, with what to do below it."""
    longest = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{_MARK[check.status]} {pad(bold(check.name), longest)}  {check.detail}")
        if check.hint and check.status != "ok":
            lines.append(f"  {' ' * longest}  {dim('do:')} {check.hint}")
    return [*lines, "", _LAST[verdict(checks)]]
