"""Deploy: finish what an earlier run left half reversed, preview, ask, go forward, and reverse if anything fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from provisioner.engine.context import Context
from provisioner.engine.forward import deploy_step
from provisioner.engine.gate import pass_gate
from provisioner.engine.loop import Result, Task
from provisioner.engine.preview import Planned, preview, removed
from provisioner.engine.reverse import describe
from provisioner.engine.schedule import Schedule
from provisioner.errors import (
    CloudError,
    ConnectionFailedError,
    InterruptedRunError,
    RefusedError,
    StateError,
    UsageError,
)
from provisioner.operations.outputs import resolve_outputs
from provisioner.operations.reversal import close_rollback, remaining, reverse_run, worthless
from provisioner.operations.site import KEPT, Options, Outcome, Site, changes_of, failures_of, lingers_of
from provisioner.operations.takedown import take_down
from provisioner.plan.model import Plan, StepDecl
from provisioner.resource import Gate
from provisioner.state.records import Action, Record, Run, RunResult, Undo, UndoKind

Confirm = Callable[[list[Planned]], bool]

STALE = 60.0
"""Seconds after which what the preview saw is read again (somebody took their time to say yes)."""


def deploy(site: Site, plan: Plan, options: Options, confirm: Confirm) -> Outcome:
    """One run. Raises before anything is changed (RefusedError, CloudError …); later everything is in the Outcome."""
    steps = targeted(plan, options.targets)
    site.check_accounts(site.clouds(steps))
    blocked = _finish_reversing(site, plan, options)
    if blocked is not None:
        return blocked
    run, resumed = _take_up(site)
    ctx = site.context(run, plan, options)
    planned = preview(ctx, plan, steps)
    if options.targets:
        names = {step.name for step in steps}
        planned = [p for p in planned if p.step in names]
    refuse(planned, options)
    asked = site.clock.now()
    if not confirm(planned):
        return Outcome(deployment=plan.deployment, run=None, result="declined", exit_code=0)
    if site.clock.now() - asked > STALE:
        ctx.seen.clear()
    site.begun = site.clock.now() if site.clock.now() - asked > 1 else site.begun
    site.record_run(run, RunResult.RUNNING)
    site.started(run, len(steps), options.checks)
    if resumed:
        site.events.emit("run.resumed", run=run.id, attempts=run.attempts)
    leaving = [] if options.targets else removed(ctx, plan)
    return site.finished(_carry_out(site, ctx, plan, steps, leaving, options))


def plan_preview(site: Site, plan: Plan, options: Options) -> list[Planned]:
    """What :func:`deploy` would do; reads only. CredentialsError where it lives in another account."""
    steps = targeted(plan, options.targets)
    site.verify_accounts(site.clouds(steps))
    ctx = site.context(site.new_run("plan"), plan, options)
    planned = preview(ctx, plan, steps)
    names = {step.name for step in steps}
    return [p for p in planned if not options.targets or p.step in names]


def targeted(plan: Plan, targets: Sequence[str]) -> list[StepDecl]:
    """The steps to work on: all, or the targets and everything they need."""
    if not targets:
        return list(plan.steps)
    by_name = {step.name: step for step in plan.steps}
    wanted: set[str] = set()
    waiting = list(targets)
    while waiting:
        name = waiting.pop()
        if name not in by_name:
            raise UsageError(f"the plan has no step {name!r}", hint=f"steps: {', '.join(by_name)}")
        if name not in wanted:
            wanted.add(name)
            waiting.extend(by_name[name].needs)
    return [step for step in plan.steps if step.name in wanted]


def refuse(planned: Sequence[Planned], options: Options) -> None:
    """RefusedError with every reason why the plan must not be carried out; nothing has been changed then."""
    reasons = [f"{p.step}: {why}" for p in planned if (why := _refusal(p, options))]
    if reasons:
        raise RefusedError("; ".join(reasons), hint="nothing was changed; see: provisioner explain refused")


def _refusal(planned: Planned, options: Options) -> str:
    if planned.problem:
        return planned.problem
    fatal = planned.action in (Action.REPLACE, Action.DELETE)
    if fatal and planned.protect:
        return f"it is protected by the plan, and would have to be {_done(planned.action)}"
    if planned.action is Action.REPLACE and planned.holds_data and not options.allow_data_loss:
        fields = ", ".join(d.field for d in planned.differences if d.replaces)
        why = f" to change {fields}" if fields else ""
        return f"it holds data and would have to be replaced{why}; --allow-data-loss permits it"
    if fatal and planned.protected and not options.allow_data_loss:
        return "it has deletion protection; switch it off in the plan first, or pass --allow-data-loss"
    return ""


def _done(action: Action) -> str:
    return "replaced" if action is Action.REPLACE else "deleted"


# -- the run --------------------------------------------------------------------------------------------------


def _finish_reversing(site: Site, plan: Plan, options: Options) -> Outcome | None:
    """A reverse that was killed is finished first; returns an Outcome only if it cannot be."""
    last = _reversing(site)
    if last is None:
        close_rollback(site, site.last_run("deploy", "destroy"))
        return None
    site.events.emit("run.resumed", run=last.id, attempts=last.attempts + 1)
    outcome = reverse_run(site, last, plan, options, discard=worthless(last))
    close_rollback(site, last)
    return site.finished(outcome) if outcome.remains or outcome.exit_code == InterruptedRunError.exit_code else None


def _reversing(site: Site) -> Run | None:
    """The deploy whose reverse or rollback was killed; a destroy since then has settled it."""
    for run in reversed(site.store.state.runs):
        if run.kind == "destroy" and run.changes:
            return None
        if run.kind in ("deploy", "adopt") and run.result is RunResult.REVERSING:
            return run
    return None


def _take_up(site: Site) -> tuple[Run, bool]:
    """The run to work in: a deploy that never came to its end goes on as the same run, so that it is undone as one.

    Not one that succeeded and whose rollback failed: what it made may hold data, which a failure now must not discard.
    """
    last = site.last_run("deploy", "destroy")
    if last is not None and last.kind == "deploy" and last.open and not last.succeeded:
        return msgspec.structs.replace(last, attempts=last.attempts + 1), True
    return site.new_run("deploy"), False


def _carry_out(
    site: Site, ctx: Context, plan: Plan, steps: Sequence[StepDecl], leaving: Sequence[Record], options: Options
) -> Outcome:
    failures, complete = _forward(ctx, steps)
    if leaving and ctx.loop.stopping:
        complete = False
    if complete and leaving:
        failed, held_back = take_down(ctx, leaving, _recreate(ctx), discard=options.allow_data_loss)
        failures, complete = _own_failures(failed), not failed and not held_back
        if failures and _data_went(ctx, leaving):
            return _left_standing(site, ctx, failures, {**failures, **held_back})
    if ctx.loop.stopping and not complete:
        return _ended(site, ctx, RunResult.INTERRUPTED, InterruptedRunError.exit_code, failures)
    if not failures:
        outcome = _ended(site, ctx, RunResult.SUCCEEDED, 0, failures)
        outcome.outputs = resolve_outputs(ctx, plan)
        return outcome
    if _keep(options, failures):
        return _left_standing(
            site, ctx, failures, {change.step: KEPT for change in ctx.run.changes if not change.undone}
        )
    if _unreachable(ctx, failures):
        why = "the cloud cannot be reached; deploy again to go on, or roll back"
        return _left_standing(
            site, ctx, failures, {c.step: why for c in ctx.run.changes if not c.undone}, kept=ctx.run.kept
        )
    ctx.events.emit("run.reversing", because=next(iter(failures)))
    outcome = reverse_run(
        site, ctx.run, plan, options, discard=worthless(ctx.run), ctx=ctx, error=str(next(iter(failures.values())))
    )
    outcome.failures = failures_of(failures)
    return outcome


def _unreachable(ctx: Context, failures: Mapping[str, BaseException]) -> bool:
    """Nothing answers at all, so reversing would only wait out the same silence again."""
    if not all(isinstance(error, ConnectionFailedError) for error in failures.values()):
        return False
    record = next((found for found in map(ctx.record, failures) if found is not None), None)
    if record is None:
        return False
    try:
        ctx.drivers.resource(record.type).read(record.key)
    except ConnectionFailedError:
        return True
    except CloudError:
        return False
    return False


def _left_standing(
    site: Site,
    ctx: Context,
    failures: dict[str, BaseException],
    reasons: Mapping[str, BaseException | str],
    *,
    kept: bool = True,
) -> Outcome:
    """The end of a run that failed and is not reversed: because somebody wants it so, or because data would be lost."""
    outcome = _ended(site, ctx, RunResult.FAILED, 5 if reasons else 4, failures, kept=kept)
    outcome.remains = remaining(site, ctx, reasons)
    return outcome


def _data_went(ctx: Context, leaving: Sequence[Record]) -> bool:
    """A database that left the plan is gone: reversing would put an empty one in its place and call that undone."""
    return any(
        ctx.drivers.resource(r.type).holds_data and ctx.record(r.step) is None and not r.adopted for r in leaving
    )


def _keep(options: Options, failures: dict[str, BaseException]) -> bool:
    if options.on_failure == "ask":
        return options.ask is not None and options.ask(failures) == "keep"
    return options.on_failure == "keep"


def _forward(ctx: Context, steps: Sequence[StepDecl]) -> tuple[dict[str, BaseException], bool]:
    """Step → why it failed, and whether every step came to a good end."""
    by_name = {step.name: step for step in steps}
    registry = ctx.drivers.registry
    begun: dict[str, float] = {}

    def start(name: str) -> Task:
        begun[name] = ctx.clock.now()
        gate = issubclass(registry.type(by_name[name].type), Gate)
        return pass_gate(ctx, by_name[name]) if gate else deploy_step(ctx, by_name[name])

    def done(name: str, result: Result) -> None:
        decl = by_name[name]
        facts: dict[str, Any] = {"step": name, "type": decl.type, "stage": decl.stage}
        if result.error is None:
            seconds = round(ctx.clock.now() - begun[name], 3)
            ctx.events.emit("step.finished", **facts, action=result.value.value, seconds=seconds)
        else:
            ctx.events.emit("step.failed", **facts, **describe(result.error))

    needs = {step.name: step.needs for step in steps}
    schedule = Schedule(ctx.loop, list(by_name), needs, start, done, halt=True)
    schedule.begin()
    ctx.loop.run()
    return _own_failures(schedule.failed), not schedule.failed and not schedule.held_back


def _recreate(ctx: Context) -> Callable[[Record], Undo]:
    def undo(record: Record) -> Undo:
        empty = ctx.drivers.resource(record.type).holds_data and not record.adopted
        note = "comes back empty; what it held is in its final snapshot, if one was kept" if empty else ""
        return Undo(kind=UndoKind.NOTHING if record.adopted else UndoKind.RECREATE, before=record, note=note)

    return undo


def _own_failures(failed: dict[str, BaseException]) -> dict[str, BaseException]:
    """Failures that a reverse answers; one of the record itself stops everything."""
    for error in failed.values():
        if isinstance(error, StateError):
            raise error
    return {step: error for step, error in failed.items() if not isinstance(error, InterruptedRunError)}


def _ended(
    site: Site,
    ctx: Context,
    result: RunResult,
    exit_code: int,
    failures: dict[str, BaseException],
    *,
    kept: bool = False,
) -> Outcome:
    error = str(next(iter(failures.values()))) if failures else ""
    site.record_run(ctx.run, result, exit_code=exit_code, error=error, kept=kept)
    return Outcome(
        deployment=ctx.state.deployment,
        run=ctx.run_id,
        result=result.value,
        exit_code=exit_code,
        changes=changes_of(ctx.run),
        lingers=lingers_of(ctx),
        failures=failures_of(failures),
    )
