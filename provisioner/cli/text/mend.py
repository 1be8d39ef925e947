"""What is about to be taken into the record: accepted as the cloud has it, or found by its tag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from provisioner.cli.style import bad, bold, dim, good, plural, table, warn
from provisioner.cli.text.drift import finding_json, finding_text
from provisioner.operations.adopt import Acceptance, Refusal
from provisioner.operations.salvage import Found, Haul


def adopt_json(accepted: Sequence[Acceptance], refused: Sequence[Refusal]) -> dict[str, Any]:
    """``{accepted: [{…, taken}], refused: [{…, reason}]}``: each as ``drift`` shows it; ``taken``: names of fields."""
    return {
        "accepted": [{**finding_json(one.finding), "taken": list(one.fields)} for one in accepted],
        "refused": [{**finding_json(one.finding), "reason": one.reason} for one in refused],
    }


def adopt_text(
    deployment: str, accepted: Sequence[Acceptance], refused: Sequence[Refusal], columns: int, *, plan: bool
) -> list[str]:
    """What would be accepted, field by field, and what cannot be."""
    lines = [bold(deployment)]
    for one in accepted:
        lines += ["", *finding_text(one.finding, columns, plan=plan)]
        if one.partly:
            lines.append(f"      {dim('accepting only:')} {', '.join(one.fields)}")
    for refusal in refused:
        lines += ["", f"  {bad('cannot be accepted:')} {bold(refusal.finding.step)}: {refusal.reason}"]
    return [*lines, "", f"Adopt: {plural(len(accepted), 'object')} to accept; none of them is touched."]


def haul_json(haul: Haul) -> dict[str, Any]:
    """``{found: [{step, type, name, planned, adopted, status, needs}], blocked, unsearched}``."""
    return {
        "found": [
            {
                "step": one.record.step,
                "type": one.record.type,
                "name": one.record.key.name,
                "planned": one.planned,
                "adopted": one.record.adopted,
                "status": one.record.status.value,
                "needs": list(one.record.needs),
            }
            for one in haul.found
        ],
        "blocked": haul.blocked,
        "unsearched": haul.unsearched,
    }


def haul_text(deployment: str, haul: Haul) -> list[str]:
    """A line an object, and what could not be looked for."""
    if not haul.found:
        lines = [f"{good('✓')} nothing in the cloud carries the tag of {bold(deployment)} without being recorded"]
    else:
        rows = [_row(one) for one in haul.found]
        lines = [f"{bold(deployment)}: in no record, and ours by tag", "", *table(rows, indent="  ")]
    lines += [f"  {warn('cannot be recorded:')} {step}: {why}" for step, why in haul.blocked.items()]
    return lines + [f"  {warn('not searched:')} {type_}: {why}" for type_, why in haul.unsearched.items()]


def _row(one: Found) -> tuple[str, ...]:
    record = one.record
    said = "adopted, as the plan says" if record.adopted else "" if one.planned else warn("not in the plan")
    return good("+"), bold(record.step), record.type, dim(record.key.name), said
