"""Undoes the changes of a run, last intent first, in parallel where the references allow.

A change's undo is data in the state, so this needs no plan and works as well a week later. Every undo is a step like
any other: announced, carried out, read back. One that fails is written down and the others go on; a later run of the
same command takes up what is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from provisioner.engine.context import Context
from provisioner.engine.course import Course, Target
from provisioner.engine.forward import pursue
from provisioner.engine.loop import Result, Task
from provisioner.engine.remove import remove, undone
from provisioner.engine.schedule import Schedule
from provisioner.errors import InterruptedRunError, StateError
from provisioner.model import Position
from provisioner.plan.model import StepDecl
from provisioner.refs import UnresolvedError, freeze, parse, resolve
from provisioner.spec import decode, fields
from provisioner.state.records import Action, Change, DropRecord, PutChange, PutRecord, Record, UndoKind

_RECORD_ONLY = (Action.FORGET, Action.ACCEPT)
"""The object was left alone, so all that there is to undo is in the record."""


def reverse(ctx: Context, *, discard: bool) -> dict[str, BaseException]:
    """Undoes all that the run changed and that is not undone yet; returns step → why it could not be undone.

    ``discard``: what the run made goes for good (it failed, so nobody relied on it); else databases leave a copy.
    """
    intents = sorted(ctx.run.changes, key=lambda change: change.at)  # a step that was taken up again keeps its place
    changes = {change.step: change for change in reversed(intents) if not change.undone}
    order = list(changes)
    schedule = Schedule(
        ctx.loop,
        order,
        _waits(ctx, changes),
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
        remains[step] = InterruptedRunError(not_reached(schedule.blockers(step)))
    return remains


def not_reached(blockers: Sequence[str]) -> str:
    """Why a step's turn never came.

    >>> not_reached(["db", "cache"])
    'not reached: db and cache must go first'
    """
    who = f"{', '.join(blockers[:-1])} and {blockers[-1]}" if len(blockers) > 1 else "".join(blockers)
    return f"not reached: {who or 'what hangs on it'} must go first"


def _waits(ctx: Context, changes: Mapping[str, Change]) -> dict[str, list[str]]:
    """Step → the steps whose undo comes before its own.

    Two steps of which one needs, or needed, the other wait for each other in one order that all share, so there is no
    cycle even where the run turned a need around.
    """
    place = {step: number for number, step in enumerate(_order(ctx, changes))}
    waits: dict[str, list[str]] = {step: [] for step in changes}
    for step, change in changes.items():
        record, before = ctx.record(step), change.undo.before
        for need in {*(record.needs if record else ()), *(before.needs if before else ())}:
            if need in place:
                first, second = sorted((step, need), key=place.__getitem__)
                waits[second].append(first)
    return waits


def _order(ctx: Context, changes: Mapping[str, Change]) -> list[str]:
    """The reverse order of intents, but where that cannot be right: what is deleted goes after all that use it now,
    and what comes back comes before all that used it then."""
    first: dict[str, set[str]] = {step: set() for step in changes}
    for step, change in changes.items():
        record, before = ctx.record(step), change.undo.before
        for need in before.needs if before else ():
            if need in changes and changes[need].undo.kind is UndoKind.RECREATE:
                first[step].add(need)
        for need in record.needs if record else ():
            if need in changes and changes[need].undo.kind is UndoKind.DELETE:
                first[need].add(step)
    order: dict[str, None] = {}
    waiting = dict.fromkeys(changes)
    while waiting:
        free = (step for step in waiting if all(other in order for other in first[step]))
        step = next(free, next(iter(waiting)))
        order[step] = waiting.pop(step)
    return list(order)


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
    elif kind is UndoKind.NOTHING and change.action in _RECORD_ONLY and change.undo.before is not None:
        yield from ctx.commit(PutRecord(record=change.undo.before))
    elif kind in (UndoKind.RESTORE, UndoKind.RECREATE):
        assert change.undo.before is not None
        yield from _bring_back(ctx, change, change.undo.before, discard=discard)
        if change.action is Action.ADOPT:
            yield from ctx.commit(DropRecord(step=change.step))
    yield from ctx.commit(undone(ctx, change))
    return ctx.clock.now() - begun


def _bring_back(ctx: Context, change: Change, before: Record, *, discard: bool) -> Task:
    """Drives the object to the recorded earlier spec; the table decides how (update, create, replace)."""
    record = ctx.record(change.step)
    if record is not None and (record.key != before.key or record.type != before.type):
        worthless = discard or not ctx.drivers.resource(record.type).holds_data
        yield from remove(ctx, record, None, discard=worthless, drop=False)
    if before.adopted and (record is None or (record.type, record.key) != (before.type, before.key)):
        yield from ctx.commit(
            PutRecord(record=before)
        )  # it was let go, and is still there: without its record, foreign
        if change.undo.kind is UndoKind.RECREATE:
            return
    tree = parse(_renewed(ctx, before))
    yield from ctx.ensure(tree)
    yield from ctx.reveal(tree, change.step)
    # What this run put in another's place may give way again; what it only changed, it did not make.
    made = change.undo.kind is UndoKind.RECREATE and change.action is Action.REPLACE
    course = Course(ctx, _target(ctx, before, tree), data_may_go=made, discard=discard and made)
    course.action = change.action  # undoing announces itself once, above
    seen = yield from course.look()
    if seen is not None or not before.adopted:  # what its owner has deleted since is not made in its place
        yield from pursue(course, seen)


def _renewed(ctx: Context, before: Record) -> dict[str, Any]:
    """The earlier spec, with the ids that objects have now which were made anew since."""
    ids: dict[str, str] = {}
    for need in before.needs:
        was, now = _outputs_before(ctx, need), ctx.record(need)
        for name, value in (was or {}).items():
            new = now.outputs.get(name) if now is not None else None
            if isinstance(value, str) and isinstance(new, str) and value and value != new:
                ids[freeze(value, ctx.lookup)] = freeze(new, ctx.lookup)
    if not ids:
        return before.spec
    words = "|".join(re.escape(old) for old in sorted(ids, key=len, reverse=True))
    whole = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])")
    renewed: dict[str, Any] = _replaced(before.spec, lambda text: whole.sub(lambda found: ids[found.group()], text))
    return renewed


def _outputs_before(ctx: Context, step: str) -> Mapping[str, Any] | None:
    change = next((change for change in ctx.run.changes if change.step == step), None)
    before = change.undo.before if change is not None and change.undo.kind is UndoKind.RECREATE else None
    return before.outputs if before is not None else None


def _replaced(tree: Any, words: Callable[[str], str]) -> Any:
    if isinstance(tree, str):
        return words(tree)
    if isinstance(tree, list):
        return [_replaced(item, words) for item in tree]
    if isinstance(tree, dict):
        return {key: _replaced(value, words) for key, value in tree.items()}
    return tree


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
