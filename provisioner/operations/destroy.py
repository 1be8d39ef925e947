"""Destroy: everything in the record, each object after all that need it. It needs the plan for its name alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from provisioner.engine.context import Context
from provisioner.engine.preview import look_at, preview
from provisioner.errors import InterruptedRunError, RefusedError, UsageError
from provisioner.operations.reversal import protections, remaining
from provisioner.operations.site import Options, Outcome, Site, changes_of, failures_of, lingers_of
from provisioner.operations.takedown import take_down
from provisioner.plan.model import Plan
from provisioner.resource import Resource
from provisioner.state.records import Record, Run, RunResult, Status, Undo, UndoKind

Confirm = Callable[[list[Record]], bool]


def destroy(site: Site, plan: Plan | None, options: Options, confirm: Confirm) -> Outcome:
    """One run. Raises RefusedError before anything is changed; later everything is in the Outcome.

    A failed destroy is not reversed: running it again goes on where it stopped.
    """
    state = site.store.state
    planned = [step.type for step in plan.steps] if plan is not None else []
    types = [*planned, *(record.type for record in state.steps.values())]
    site.check_accounts(sorted({name.partition(".")[0] for name in types}))
    last = site.last_run("deploy", "destroy")
    again = last is not None and last.kind == "destroy" and last.open
    run = last if again and last is not None else site.new_run("destroy")
    ctx = site.context(run, plan, options)
    found = _unrecorded(ctx, plan) if plan is not None and not options.targets else []
    records = [*found, *_doomed(site, options.targets)]
    look_at(ctx, records)
    reasons = protections(ctx, records, plan, allow_data_loss=options.allow_data_loss)
    if reasons:
        raise RefusedError(
            "; ".join(reasons),
            hint="nothing was changed. To keep a final snapshot, switch the protection off in the plan, deploy, and "
            "destroy then; --allow-data-loss switches it off and keeps nothing",
        )
    if not confirm(records):
        return Outcome(deployment=state.deployment, run=None, result="declined", exit_code=0)
    site.record_run(run, RunResult.RUNNING)
    site.started(run, len(records))
    undo = Undo(kind=UndoKind.NOTHING, note="a destroy is not rolled back")
    failed, held_back = take_down(ctx, records, lambda record: undo, discard=options.allow_data_loss)
    return site.finished(_ended(site, ctx, run, failed, held_back))


def _unrecorded(ctx: Context, plan: Plan) -> list[Record]:
    """Objects of the plan that carry our tag and are not in the record, because it was lost: they go too."""
    missing = [step for step in plan.steps if step.name not in ctx.state.steps]
    if not any(issubclass(ctx.drivers.registry.type(step.type), Resource) for step in missing):
        return []
    preview(ctx, plan, plan.steps)
    found = []
    for step in reversed(missing):
        prior = ctx.seen.get(step.name)
        if prior is not None and prior.seen is not None and prior.seen.owner == prior.key.owner:
            facts: dict[str, Any] = {"needs": list(step.needs), "stage": step.stage, "protect": step.protect}
            found.append(Record(step=step.name, type=step.type, status=Status.READY, key=prior.key, **facts))
    return found


def _doomed(site: Site, targets: Sequence[str]) -> list[Record]:
    """Every record, or the targets and all that need them; last made first."""
    records = list(reversed(site.store.state.steps.values()))
    if not targets:
        return records
    names = {record.step for record in records}
    for target in targets:
        if target not in names:
            raise UsageError(f"nothing is recorded for step {target!r}", hint=f"recorded: {', '.join(sorted(names))}")
    dependents: dict[str, list[str]] = {}
    for record in records:
        for need in record.needs:
            dependents.setdefault(need, []).append(record.step)
    wanted: set[str] = set()
    waiting = list(targets)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting.extend(dependents.get(name, ()))
    return [record for record in records if record.step in wanted]


def _ended(site: Site, ctx: Context, run: Run, failed: dict[str, BaseException], held_back: dict[str, str]) -> Outcome:
    own = {step: error for step, error in failed.items() if not isinstance(error, InterruptedRunError)}
    if ctx.loop.stopping and (failed or held_back):
        result, exit_code = RunResult.INTERRUPTED, InterruptedRunError.exit_code
    else:
        result, exit_code = (RunResult.FAILED, 5) if own or held_back else (RunResult.SUCCEEDED, 0)
    remains = remaining(site, ctx, {**own, **held_back}, "destroy") if exit_code == 5 else []
    error = str(next(iter(own.values()))) if own else ""
    site.record_run(run, result, exit_code=exit_code, error=error)
    return Outcome(
        deployment=ctx.state.deployment,
        run=run.id,
        result=result.value,
        exit_code=exit_code,
        changes=changes_of(ctx.run),
        remains=remains,
        lingers=lingers_of(ctx),
        failures=failures_of(own),
    )
