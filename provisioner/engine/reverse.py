"""Undoes the changes of a run, last intent first, in parallel where the references allow.

A change's undo is data in the state, so this needs no plan and works as well a week later. Every undo is a step like
any other: announced, carried out, read back. One that fails is written down and the others go on; a later run of the
same command takes up what is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from provisioner.engine.context import Context
from provisioner.engine.course import Course, Target
from provisioner.engine.forward import pursue
from provisioner.engine.loop import Result, Task
from provisioner.engine.remove import remove, undone
from provisioner.engine.schedule import Schedule, reversed_needs
from provisioner.errors import InterruptedRunError, StateError
from provisioner.model import Position
from provisioner.plan import StepDecl
from provisioner.refs import UnresolvedError, freeze, parse, resolve
from provisioner.spec import decode, fields
from provisioner.state.records import Action, Change, DropRecord, PutChange, PutRecord, Record, UndoKind


def reverse(ctx: Context, *, discard: bool) -> dict[str, BaseException]:
    """Undoes all that the run changed and that is not undone yet; returns step → why it could not be undone.

    ``discard``: what the run made goes for good (it failed, so nobody relied on it); else databases leave a copy.
    """
    changes = {change.step: change for change in reversed(ctx.run.changes) if not change.undone}
    order = list(changes)
    schedule = Schedule(
        ctx.loop,
        order,
        reversed_needs(order, _needs(ctx, changes)),
        lambda step: _undo(ctx, changes[step], discard=discard),
        lambda step, result: _landed(ctx, changes[step], result),
        halt=False,
    )
    schedule.begin()
    ctx.loop.run()
    _raise_fatal(schedule.failed)
    if ctx.loop.stopping and schedule.held_back:
        raise InterruptedRunError("stopped by a signal while reversing")
    remains = dict(schedule.failed)
    for step in schedule.held_back:
        remains[step] = InterruptedRunError("not reached: what hangs on it could not be undone")
    return remains


def _needs(ctx: Context, changes: Mapping[str, Change]) -> dict[str, list[str]]:
    needs: dict[str, list[str]] = {}
    for step, change in changes.items():
        record = ctx.record(step)
        needs[step] = list(record.needs) if record else []
        if change.undo.before is not None:
            needs[step] += change.undo.before.needs
    return needs


def _raise_fatal(failed: Mapping[str, BaseException]) -> None:
    for error in failed.values():
        if isinstance(error, InterruptedRunError | StateError):
            raise error


def _landed(ctx: Context, change: Change, result: Result) -> None:
    if result.error is None:
        ctx.events.emit("step.undone", step=change.step, type=change.type, seconds=round(result.value, 3))
        return
    if not isinstance(result.error, InterruptedRunError):
        failed = msgspec.structs.replace(change, failed=str(result.error))
        ctx.loop.spawn(ctx.commit(PutChange(run=ctx.run_id, change=failed)), _ignore)
    ctx.events.emit("step.failed", step=change.step, type=change.type, **describe(result.error))


def _ignore(result: Result) -> None:
    """Nothing waits for this commit; a failed one is raised by the loop itself."""


def describe(error: BaseException) -> dict[str, Any]:
    """An error as event facts."""
    return {
        "error": str(error) or type(error).__name__,
        "code": getattr(error, "code", "error"),
        "hint": getattr(error, "hint", ""),
    }


def _undo(ctx: Context, change: Change, *, discard: bool) -> Task:
    begun = ctx.clock.now()
    record = ctx.record(change.step)
    ctx.events.emit(
        "step.started", step=change.step, type=change.type, stage=record.stage if record else "", action="undo"
    )
    kind = change.undo.kind
    if kind is UndoKind.DELETE and record is not None:
        yield from remove(ctx, record, None, discard=discard)
    elif kind is UndoKind.NOTHING and change.action is Action.ADOPT and record is not None:
        yield from ctx.commit(DropRecord(step=change.step))
    elif kind is UndoKind.NOTHING and change.action is Action.FORGET and change.undo.before is not None:
        yield from ctx.commit(PutRecord(record=change.undo.before))
    elif kind in (UndoKind.RESTORE, UndoKind.RECREATE):
        assert change.undo.before is not None
        yield from _bring_back(ctx, change, change.undo.before)
    yield from ctx.commit(undone(ctx, change))
    return ctx.clock.now() - begun


def _bring_back(ctx: Context, change: Change, before: Record) -> Task:
    """Drives the object to the recorded earlier spec; the table decides how (update, create, replace)."""
    tree = parse(before.spec)
    yield from ctx.ensure(tree)
    record = ctx.record(change.step)
    if record is not None and (record.key != before.key or record.type != before.type):
        yield from remove(ctx, record, None, discard=not ctx.drivers.resource(record.type).holds_data, drop=False)
    course = Course(ctx, _target(ctx, before, tree), data_may_go=True)  # what is there now, this run made
    course.action = change.action  # undoing announces itself once, above
    yield from pursue(course, (yield from course.look()))


def _target(ctx: Context, before: Record, tree: Any) -> Target:
    resource = ctx.drivers.resource(before.type)
    try:
        spec = decode(resource.Spec, resolve(tree, ctx.lookup))
    except UnresolvedError as error:
        raise ctx.unresolved(before.step, error) from error
    decl = StepDecl(
        name=before.step,
        type=before.type,
        where=Position("state"),
        tree=tree,
        stage=before.stage,
        needs=tuple(before.needs),
        protect=before.protect,
        adopt=False,
    )
    return Target(resource, before.key, spec, fields(spec), freeze(tree, ctx.lookup), decl)
