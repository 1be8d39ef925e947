"""Checklists that were gone through."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

from provisioner.cli.style import bad, bold, dim, good, plural, warn
from provisioner.operations.verify import Verified

_SIGNS: Final = {"ok": good("✓"), "failed": bad("✗"), "off": dim("–"), "open": warn("?")}


def verify_json(found: Verified) -> dict[str, Any]:
    """``{deployment, summary: {ok, failed, off, open}, points: [{step, type, title, state, detail}]}``."""
    return {
        "deployment": found.deployment,
        "summary": {state: len(found.of(state)) for state in _SIGNS},
        "points": [
            {"step": one.step, "type": one.type, "title": one.title, "state": one.state, "detail": one.detail}
            for one in found.answers
        ],
    }


def verify_text(found: Verified) -> list[str]:
    """A block a step that has more than one point or a failure; of the others how many there are."""
    lines = [bold(found.deployment), ""]
    quiet = 0
    for (step, type_), group in groupby(found.answers, key=lambda one: (one.step, one.type)):
        answers = list(group)
        if len(answers) == 1 and answers[0].state == "ok":
            quiet += 1
            continue
        lines.append(f"  {bold(step)}  {dim(type_)}")
        for one in answers:
            detail = f"  {dim(one.detail)}" if one.detail else ""
            lines.append(f"    {_SIGNS[one.state]} {one.title}{detail}")
    if quiet:
        lines += ["", dim(f"  ✓ {plural(quiet, 'other step')} as planned")]
    failed, opened = len(found.of("failed")), len(found.of("open"))
    rest = dim(f"; {plural(opened, 'point')} left to a person") if opened else ""
    if failed:
        return [*lines, "", bad(f"✗ {plural(failed, 'point')} not as it should be") + rest]
    return [*lines, "", good("✓ everything is as it should be") + rest]
