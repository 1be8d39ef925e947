"""The record itself, for people and for programs."""

from __future__ import annotations

from typing import Any

from provisioner.cli.style import accent, bad, bold, dim, good, pad, plural, table, warn
from provisioner.cli.text.times import age, iso
from provisioner.state.records import State
from provisioner.state.recovery import Examination, Recovery


def list_json(state: State) -> dict[str, Any]:
    """``{deployment, lineage, serial, steps: [{step, type, name, status, stage, since, adopted, protect, needs}]}``."""
    steps = [
        {
            "step": record.step,
            "type": record.type,
            "name": record.key.name,
            "status": record.status.value,
            "stage": record.stage,
            "since": iso(record.since),
            "adopted": record.adopted,
            "protect": record.protect,
            "needs": list(record.needs),
        }
        for record in state.steps.values()
    ]
    return {"deployment": state.deployment, "lineage": state.lineage, "serial": state.serial, "steps": steps}


def list_text(state: State, now: float) -> list[str]:
    """A line a step."""
    rows = [
        (
            accent(record.stage),
            bold(record.step),
            record.type,
            dim(record.key.name),
            record.status.value + (" (adopted)" if record.adopted else ""),
            age(now - record.since),
        )
        for record in state.steps.values()
    ]
    head = ("stage", "step", "type", "name", "status", "since")
    return [
        *table(rows, head=head),
        dim(f"{plural(len(rows), 'step')}, serial {state.serial}, lineage {state.lineage}"),
    ]


_VERDICTS = {"good": good, "missing": dim}


def examination_json(deployment: str, seen: Examination) -> dict[str, Any]:
    """``{deployment, healthy, problem, files: […], source, lost}``."""
    files = [{"file": p.name, "verdict": p.verdict, "detail": p.detail, "serial": p.serial} for p in seen.parts]
    problem = str(seen.problem) if seen.problem else None
    return {
        "deployment": deployment,
        "healthy": seen.healthy,
        "problem": problem,
        "files": files,
        "source": seen.source,
        "lost": list(seen.lost),
    }


def examination_text(deployment: str, seen: Examination) -> list[str]:
    """Each file's verdict, what is wrong, and what a recovery would give."""
    rows = [(part.name, pad(_VERDICTS.get(part.verdict, bad)(part.verdict), 8), part.detail) for part in seen.parts]
    lines = [bold(deployment), *table(rows, indent="  ")]
    if seen.problem is None:
        return [*lines, f"{good('✓')} the record is whole"]
    lines.append(f"{bad('✗')} {seen.problem}")
    if seen.problem.hint:
        lines.append(f"  {dim('do:')} {seen.problem.hint}")
    lines.append(
        f"  a recovery would start from {seen.source}"
        if seen.source
        else warn("  no file is good: a recovery would start from nothing")
    )
    lost = [warn(f"  would be lost: {what}") for what in seen.lost]
    return [*lines, *(lost or ["  and would lose nothing"])]


def recovery_json(done: Recovery) -> dict[str, Any]:
    """``{recovered, source, lost, kept, steps}``."""
    return {
        "recovered": done.changed,
        "source": done.source,
        "lost": list(done.lost),
        "kept": list(done.kept),
        "steps": len(done.state.steps),
    }


def recovery_text(done: Recovery) -> list[str]:
    """What was had back, what was lost, where the bad files are."""
    there = f"{plural(len(done.state.steps), 'step')}, {plural(len(done.state.runs), 'run')}"
    lines = [f"{good('✓')} recovered from {done.source or 'nothing'}: {there}"]
    lines += [warn(f"  lost: {what}") for what in done.lost]
    return [*lines, *(f"  {dim('kept:')} {path}" for path in done.kept)]
