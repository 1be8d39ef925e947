"""How a deployment stands, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from provisioner.cli.style import accent, bad, bold, dim, good, plural, table, warn, width
from provisioner.cli.text.outcome import counted
from provisioner.cli.text.times import age, ago, iso
from provisioner.model import format_duration
from provisioner.operations.status import DeploymentStatus, StepStatus
from provisioner.state.records import Run, RunResult

_STANDING: Final[Mapping[str, tuple[Callable[[str], str], str]]] = {
    "complete": (good, "everything in the plan is there"),
    "partial": (warn, "not everything in the plan is there; deploy brings the rest"),
    "running": (accent, "a run is at work"),
    "interrupted": (warn, "a run never came to its end; deploy goes on with it, rollback returns"),
    "failed": (bad, "the last run left something behind; run it again"),
    "empty": (dim, "nothing is there"),
}
_NAME: Final = 4  # the column of the names
_MARK: Final = {
    "ready": good("✓"),
    "missing": dim("·"),
    "check": dim("?"),
    "creating": accent("…"),
    "updating": accent("…"),
    "deleting": warn("…"),
}


def status_json(status: DeploymentStatus) -> dict[str, Any]:
    """``{deployment, standing, region, accounts, progress, owner, last_run, steps: […]}``; times are UTC."""
    return {
        "deployment": status.deployment,
        "standing": status.standing,
        "region": status.region,
        "accounts": status.accounts,
        "progress": {"ready": status.ready, "steps": len([s for s in status.steps if s.status != "check"])},
        "owner": str(status.owner.info) if status.owner else None,
        "last_run": run_json(status.last) if status.last else None,
        "steps": [_step_json(step) for step in status.steps],
    }


def _step_json(step: StepStatus) -> dict[str, Any]:
    return {
        "step": step.step,
        "type": step.type,
        "stage": step.stage,
        "name": step.name,
        "status": step.status,
        "since": iso(step.since),
        "seconds": step.seconds,
        "adopted": step.adopted,
        "protect": step.protect,
        "leaving": step.leaving,
        "undo_failed": step.undo_failed,
    }


def run_json(run: Run) -> dict[str, Any]:
    """One run; ``changes`` without what it left as it was."""
    return {
        "id": run.id,
        "kind": run.kind,
        "started": iso(run.started),
        "finished": iso(run.finished),
        "seconds": None if run.finished is None else round(run.finished - run.started, 3),
        "by": run.by,
        "version": run.version,
        "result": run.result.value,
        "exit_code": run.exit_code,
        "attempts": run.attempts,
        "of": run.of,
        "error": run.error,
        "changes": [
            {"step": c.step, "type": c.type, "action": c.action.value, "undone": c.undone, "seconds": c.seconds}
            for c in run.changes
        ],
    }


def status_text(status: DeploymentStatus, now: float, columns: int = 1000) -> list[str]:
    """A line a step, the last run, and a word on the whole. Where it would not fit, the objects' names are left out."""
    colour, words = _STANDING[status.standing]
    accounts = ", ".join(status.accounts.values())
    place = dim(f"({', '.join(word for word in (accounts, status.region) if word)})") if status.region else ""
    lines = [f"{bold(status.deployment)} {place}".rstrip(), f"  {colour(status.standing)}: {words}"]
    if status.owner is not None:
        alive = status.owner.alive
        lines.append(
            f"  {accent('at work:')} {status.owner.info}"
            if alive is not False
            else f"  {warn('died:')} {status.owner.info}"
        )
    if status.last is not None:
        lines.append(f"  {dim('last run:')} {last_run(status.last, now)}")
    objects = [step for step in status.steps if step.status != "check"]
    if objects:
        lines.append(f"  {dim('progress:')} {status.ready} of {plural(len(objects), 'object')} ready")
    rows = [_row(step, now) for step in status.steps]
    if rows:
        if len(objects) < len(rows):
            lines.append(
                f"  {dim('checks:')}   {plural(len(rows) - len(objects), 'check')}, run again with every deploy"
            )
        lines += ["", *_steps(rows, columns)]
    return lines


def _steps(rows: list[tuple[str, ...]], columns: int) -> list[str]:
    head = ("", "stage", "step", "type", "name", "status", "since", "took")
    lines = table(rows, head=head, indent="  ")
    if max(map(width, lines)) <= columns:
        return lines
    return table([row[:_NAME] + row[_NAME + 1 :] for row in rows], head=head[:_NAME] + head[_NAME + 1 :], indent="  ")


def _row(step: StepStatus, now: float) -> tuple[str, ...]:
    notes = [
        word
        for word, holds in (("adopted", step.adopted), ("protected", step.protect), ("leaving", step.leaving))
        if holds
    ]
    status = step.status + (f" ({', '.join(notes)})" if notes else "")
    if step.undo_failed:
        status += bad(f" undo failed: {step.undo_failed}")
    since = age(now - step.since) if step.since else ""
    took = format_duration(step.seconds) if step.seconds is not None else ""
    return (
        _MARK.get(step.status, " "),
        accent(step.stage),
        bold(step.step),
        step.type,
        dim(step.name),
        status,
        since,
        took,
    )


def last_run(run: Run, now: float) -> str:
    """A run in a line."""
    colour = {RunResult.SUCCEEDED: good, RunResult.FAILED: bad, RunResult.REVERSED: bad}.get(run.result, warn)
    did = counted([change for change in run.changes if not change.undone])
    by = f" by {run.by}" if run.by else ""
    error = f": {run.error}" if run.error else ""
    result = colour(run.result.value) + (f" ({did})" if did else "")
    return f"{run.id}, {run.kind} {ago(now - run.started)}{by}, {result}{error}"


def history_text(runs: list[Run]) -> list[str]:
    """A line a run, newest first."""
    from provisioner.cli.text.times import moment

    rows = []
    for run in reversed(runs):
        colour = {RunResult.SUCCEEDED: good, RunResult.FAILED: bad, RunResult.REVERSED: bad}.get(run.result, warn)
        kind = f"{run.kind} of {run.of}" if run.of is not None else run.kind
        took = format_duration(run.finished - run.started) if run.finished is not None else ""
        what = counted([change for change in run.changes if not change.undone])
        rows.append(
            (
                str(run.id),
                kind,
                moment(run.started),
                run.by,
                colour(run.result.value),
                what or dim("-"),
                took,
                run.error,
            )
        )
    return table(rows, head=("run", "kind", "when", "by", "result", "changes", "took", "error")) or [dim("no runs")]
