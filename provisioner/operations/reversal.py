"""Taking a run back: after a failure, after a crash in the middle of that, and for ``rollback``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from provisioner.engine.context import Context
from provisioner.engine.preview import look_at
from provisioner.engine.reverse import reverse
from provisioner.errors import InterruptedRunError, ProvisionerError, RefusedError, UsageError
from provisioner.operations.site import Options, Outcome, Remain, Site, changes_of, lingers_of
from provisioner.plan.model import Plan
from provisioner.state.records import Action, Change, Record, Run, RunResult, UndoKind


def reverse_run(
    site: Site,
    run: Run,
    plan: Plan | None,
    options: Options,
    *,
    discard: bool,
    ctx: Context | None = None,
    error: str = "",
    undone: RunResult = RunResult.REVERSED,
    success: int = 4,
) -> Outcome:
    """Undoes a run's changes; the run ends as ``undone`` with exit code ``success``, or FAILED with what remains."""
    site.record_run(run, RunResult.REVERSING, error=error or run.error)
    ctx = ctx or site.context(run, plan, options)
    try:
        failed = reverse(ctx, discard=discard)
    except InterruptedRunError:
        # Still REVERSING in the record: the next deploy or rollback goes on with it.
        return _outcome(site, ctx, RunResult.REVERSING, InterruptedRunError.exit_code, [])
    remains = remaining(site, ctx, failed)
    result, exit_code = (RunResult.FAILED, 5) if remains else (undone, success)
    site.record_run(ctx.run, result, exit_code=exit_code, error=error or run.error)
    return _outcome(site, ctx, result, exit_code, remains)


def worthless(run: Run) -> bool:
    """Nobody can rely on what the run made: it neither succeeded once nor was left standing on purpose."""
    return not (run.succeeded or run.kept)


Confirm = Callable[[Run], bool]


def rollback(site: Site, plan: Plan | None, options: Options, confirm: Confirm = lambda target: True) -> Outcome:
    """Returns to the deployment before the last deploy that is still in force; raises before anything is changed.

    A run that never came to its end is taken away for good; one that succeeded leaves a copy of what it made, and
    refuses what is protected, unless data loss is allowed. ``confirm`` is asked about the run that would be undone.
    """
    target, run = _target(site)
    site.check_accounts(sorted({change.type.partition(".")[0] for change in target.changes}))
    discard = worthless(target) or options.allow_data_loss
    if not discard:
        _refuse_protected(site, target, plan, options)
    if not confirm(target):
        return Outcome(deployment=site.store.state.deployment, run=None, result="declined", exit_code=0)
    site.record_run(run, RunResult.RUNNING)
    site.started(run, len(target.changes))
    outcome = reverse_run(
        site, target, plan, options, discard=discard, undone=RunResult.ROLLED_BACK, success=0, error=target.error
    )
    ended = {0: RunResult.SUCCEEDED, 5: RunResult.FAILED}.get(outcome.exit_code, RunResult.INTERRUPTED)
    site.record_run(run, ended, exit_code=outcome.exit_code)
    outcome.run = run.id
    outcome.result = ended.value
    return site.finished(outcome)


def close_rollback(site: Site, target: Run | None) -> None:
    """Writes down how a rollback ended that was killed, and that something else has finished or taken up since."""
    last = site.last_run("rollback", "deploy", "destroy")
    if target is None or last is None or last.of != target.id or last.result is not RunResult.RUNNING:
        return
    now = next(run for run in site.store.state.runs if run.id == target.id)
    result, exit_code = (RunResult.FAILED, 5) if now.open else (RunResult.SUCCEEDED, 0)
    site.record_run(last, result, exit_code=exit_code)


def _target(site: Site) -> tuple[Run, Run]:
    """The deploy to undo, and the rollback to do it in.

    One that never came to its end comes first, even if it changed nothing or all is undone: whoever takes it back does
    not mean the one before it. For the same reason a rollback that was killed is gone on with.
    """
    runs = site.store.state.runs
    last = runs[-1] if runs else None
    if last is not None and last.kind == "rollback" and last.result in (RunResult.RUNNING, RunResult.INTERRUPTED):
        target = next(run for run in runs if run.id == last.of)
        return target, msgspec.structs.replace(last, attempts=last.attempts + 1)
    target = _in_force(site)
    return target, site.new_run("rollback", of=target.id)


def _in_force(site: Site) -> Run:
    for run in reversed(site.store.state.runs):
        if run.kind == "destroy" and run.changes:
            raise UsageError(
                "the last run was a destroy, and what it deleted cannot be rolled back",
                hint="deploy again; databases left a final snapshot unless --allow-data-loss was given",
            )
        over = run.result in (RunResult.REVERSED, RunResult.ROLLED_BACK)
        left = run.open or any(not change.undone for change in run.changes)
        if run.kind in ("deploy", "adopt") and not over and left:
            return run
    raise UsageError("there is no run to roll back", hint="provisioner history PLAN lists the runs")


def _refuse_protected(site: Site, run: Run, plan: Plan | None, options: Options) -> None:
    """What a successful run created may hold data by now: the cloud's protection and the plan's are respected."""
    records = [
        site.store.state.steps[change.step]
        for change in run.changes
        if not change.undone and _takes_away(change) and change.step in site.store.state.steps
    ]
    ctx = site.context(run, plan, options)
    look_at(ctx, records)
    reasons = protections(ctx, records, plan)
    if reasons:
        raise RefusedError(
            "; ".join(reasons), hint="nothing was changed; --allow-data-loss removes what has deletion protection"
        )


def _takes_away(change: Change) -> bool:
    """Undoing it deletes what is there now: what the run created, or put in another's place."""
    replaced = change.undo.kind is UndoKind.RECREATE and change.action is Action.REPLACE
    return replaced or change.undo.kind is UndoKind.DELETE


def protections(ctx: Context, records: list[Record], plan: Plan | None, *, allow_data_loss: bool = False) -> list[str]:
    """Why these records' objects must not be deleted, one reason each; they must have been looked at."""
    declared = {step.name: step.protect for step in plan.steps} if plan is not None else {}
    reasons = []
    for record in records:
        if record.adopted:
            continue  # it is let go, not deleted
        prior = ctx.seen.get(record.step)
        if declared.get(record.step, record.protect):
            reasons.append(f"{record.step}: it is protected by the plan (protect: true)")
        elif prior is not None and prior.seen is not None and prior.seen.protected and not allow_data_loss:
            reasons.append(f"{record.step}: {record.key.name} has deletion protection")
    return reasons


def remaining(
    site: Site, ctx: Context, reasons: Mapping[str, BaseException | str], verb: str = "rollback"
) -> list[Remain]:
    """What of a run is still there, told as events too; ``reasons``: step → why. ``verb`` takes it up again."""
    remains = [_remain(ctx, step, why, verb) for step, why in reasons.items()]
    for remain in remains:
        facts = msgspec.structs.asdict(remain)
        site.events.emit("step.remains", **{name: value for name, value in facts.items() if name != "name"})
    return remains


def _remain(ctx: Context, step: str, why: BaseException | str, verb: str) -> Remain:
    record = ctx.record(step)
    change = _change(ctx, step)
    deployment = ctx.state.deployment
    own = isinstance(why, ProvisionerError) and not isinstance(why, InterruptedRunError)
    return Remain(
        step=step,
        type=record.type if record else (change.type if change else ""),
        name=record.key.name if record else "",
        reason=str(why) or type(why).__name__,
        command=f"provisioner {verb} (deployment {deployment})",
        by_hand=getattr(why, "hint", ""),
        let_go=f"provisioner state rm --deployment {deployment} {step}",
        code=getattr(why, "code", "") if own else "",
    )


def _change(ctx: Context, step: str) -> Change | None:
    return next((change for change in ctx.run.changes if change.step == step), None)


def _outcome(site: Site, ctx: Context, result: RunResult, exit_code: int, remains: list[Remain]) -> Outcome:
    return Outcome(
        deployment=ctx.state.deployment,
        run=ctx.run_id,
        result=result.value,
        exit_code=exit_code,
        changes=changes_of(ctx.run),
        remains=remains,
        lingers=lingers_of(ctx),
    )
