"""One step towards the plan: look, decide, announce, act, look again, until it is what the plan asks for.

Start here: :func:`pursue`. Each verdict of the table has one function below; each returns what it saw last, and the
table is asked again. So a crash at any point is not a special case: the next process enters the same loop with the
record that the last one left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from provisioner.engine.claim import claim
from provisioner.engine.compare import Difference, gap
from provisioner.engine.context import Context, Seen
from provisioner.engine.course import READBACK, Course, aim
from provisioner.engine.decide import Sight, Verdict, decide, sight
from provisioner.engine.loop import Task
from provisioner.engine.lost import known
from provisioner.engine.remove import remove
from provisioner.engine.stop import broken, missing
from provisioner.errors import (
    AlreadyExistsError,
    CloudError,
    ForeignObjectError,
    StepError,
)
from provisioner.model import Observed, Phase
from provisioner.plan.model import StepDecl
from provisioner.refs import freeze
from provisioner.secret import MASK, Secret
from provisioner.spec import defaults
from provisioner.state.records import Action, Change, DropRecord, PutChange, Record, Status, Undo, UndoKind

UPDATES = 3

FRESH = 2.0
"""Seconds for which a preview's look at something incomplete is good enough to decide on."""


def deploy_step(ctx: Context, decl: StepDecl) -> Task:
    """Brings one object to what the plan says; returns the :class:`Action` that this took."""
    yield from ctx.reveal(decl.tree, decl.name)
    course = Course(ctx, aim(ctx, decl), data_may_go=ctx.allow_data_loss, discard=ctx.allow_data_loss)
    yield from _leave_other(course)
    prior = ctx.seen.pop(decl.name, None)
    if prior is None or prior.key != course.key or course.action is not Action.KEEP or _stale(ctx, decl, prior):
        return (yield from pursue(course, (yield from course.look())))
    return (yield from pursue(course, prior.seen))


def _stale(ctx: Context, decl: StepDecl, known: Seen) -> bool:
    """What this run changed above an object may show in the object itself (a parameter that waits for a restart)."""
    if known.seen is not None and any(ctx.change(need) is not None for need in decl.needs):
        return True
    record = ctx.record(decl.name)
    complete = record is not None and record.status is Status.READY and known.seen is not None
    return not complete and ctx.clock.now() - known.at > FRESH


def pursue(course: Course, seen: Observed | None) -> Task:
    """The loop: asks the table until it says that nothing is left to do."""
    while True:
        record = course.record
        adopted = record is not None and record.adopted
        what = sight(seen, course.key.owner, adopted=adopted, known=known(course.resource, record, seen))
        told = what in (Sight.READY, Sight.FAILED, Sight.UNTAGGED)
        differences = course.differences(seen) if seen is not None and told else []
        verdict = decide(
            record.status if record else None,
            what,
            gap(differences),
            adopt=course.target.decl.adopt,
            young=course.young(what),
        )
        if verdict in (Verdict.KEEP, Verdict.FINISH):
            assert seen is not None
            yield from _finish(course, seen, verdict)
            return course.action
        seen = yield from _HANDLERS[verdict](course, seen, differences)


# -- acting ---------------------------------------------------------------------------------------------------


def _create(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    course.show(Action.CREATE)
    course.announced = course.announced or course.ctx.change(course.step) is None
    # First the queue, then the intent: the grace period counts from the intent, and a queue may be longer than it.
    yield from course.ctx.retrier.turn(course.resource.service)
    yield from _announce(course, Status.CREATING, Action.CREATE, Undo(kind=UndoKind.DELETE))
    course.ctx.audit("create", _present(course))
    resource, key, spec = course.resource, course.key, course.target.spec
    try:
        yield from course.ctx.retrier.once(lambda: resource.create(key, spec), resource.service)
    except CloudError as error:
        return (yield from _after_failed_create(course, error))
    course.answered = True
    course.accepted()
    return (yield from course.look())


def _after_failed_create(course: Course, error: CloudError) -> Task:
    """An exception is a question, not an answer: read what became of it."""
    if error.retryable and not error.nothing_made:
        course.maybe_made = True
    seen: Observed | None = yield from course.look()
    if seen is not None:
        if seen.owner == course.key.owner and not (error.retryable or isinstance(error, AlreadyExistsError)):
            raise error  # half made, and the rest was refused: the undo takes it away
        return seen
    if error.retryable or (isinstance(error, AlreadyExistsError) and not error.nothing_made):
        # A taken name with nothing to be seen behind it is one that the cloud still holds back.
        yield from course.pause(error)
        return (yield from course.look())
    if error.nothing_made and not course.maybe_made:
        yield from _withdraw(course)
    # Else an earlier call or try may show any moment: the announcement stays, for the undo to see.
    raise error


def _withdraw(course: Course) -> Task:
    """The cloud refused and nothing is there: take the announcement back, so that there is nothing to undo."""
    change = course.ctx.change(course.step)
    if change is not None and change.undo.kind is UndoKind.DELETE:
        done = msgspec.structs.replace(change, undone=True)
        yield from course.ctx.commit(DropRecord(step=course.step), PutChange(run=course.ctx.run_id, change=done))


def _update(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    now = course.ctx.clock.now()
    names = frozenset(d.field for d in differences)
    if names != course.asked:
        course.updates = 0  # something came of it: a type may take one kind of change at a time
    if course.updates and now - course.updated_at < READBACK:
        yield from course.tick(course.updated_at, "the new values to show")
        return (yield from course.look())
    if course.updates >= UPDATES:
        raise StepError(
            f"after {UPDATES} accepted updates the cloud still reports other values for: {', '.join(sorted(names))}",
            where=course.step,
            hint="change these values in the plan to what the cloud reports, and please report this",
        )
    course.show(Action.UPDATE)
    yield from course.ctx.retrier.turn(course.resource.service)
    yield from _announce_update(course, differences)
    course.ctx.audit("update", _present(course), fields=[d.field for d in differences])
    resource: Any = course.resource
    key, spec = course.key, course.target.spec
    try:
        yield from course.ctx.retrier.once(lambda: resource.update(key, spec, names), resource.service)
    except CloudError as error:
        if not error.retryable:
            raise
        yield from course.pause(error)
        return (yield from course.look())
    course.asked, course.sent = names, True
    course.updates += 1
    course.updated_at = course.ctx.clock.now()
    course.accepted()
    return (yield from course.look())


def _announce_update(course: Course, differences: list[Difference]) -> Task:
    record = course.record
    if record is None:
        # Ours by its tag, but the record of it was lost. It may hold data, so it must not pass for half made.
        undo = Undo(kind=UndoKind.NOTHING, note="there was no record of how it was before")
        yield from _announce(course, Status.UPDATING, Action.UPDATE, undo)
    elif record.status is Status.CREATING:
        yield from _announce(course, Status.CREATING, Action.CREATE, Undo(kind=UndoKind.DELETE))
    else:
        yield from _announce(course, Status.UPDATING, Action.UPDATE, _restore(course, record, differences))


def _replace(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    record = course.record
    if record is None:
        names = ", ".join(d.field for d in differences)
        raise StepError(
            f"the object exists and only a new one can have another {names}; but there is no record of how it was made",
            where=course.step,
            hint="put these values into the plan as they are, deploy, then change them",
        )
    if record.adopted and record.key == course.key:
        names = ", ".join(d.field for d in differences if d.replaces)
        raise StepError(
            f"{course.key.name} is adopted, and only another object can have another {names}",
            where=course.step,
            hint="put what it has into the plan, or leave the field out",
        )
    failed = seen is not None and seen.phase is Phase.FAILED
    if failed and (course.answered or (record.status is Status.DELETING and not record.discard)):
        # A second try of our own would end the same way; and what was not to be discarded may hold data.
        return (yield from broken(course, seen, differences))
    course.show(Action.CREATE if record.status is Status.CREATING else Action.REPLACE)
    yield from _take_away(course, record)
    return (yield from course.look())


def _leave_other(course: Course) -> Task:
    """A record under this step's name may mean another object (renamed, moved, of another type): that goes first."""
    record = course.record
    if record is None or (record.type == course.resource.type and record.key == course.key):
        return
    course.show(Action.REPLACE)
    yield from _take_away(course, record)


def _take_away(course: Course, record: Record) -> Task:
    unfinished = record.status is Status.CREATING
    _guard(course, record)
    undo = Undo(kind=UndoKind.DELETE) if unfinished else Undo(kind=UndoKind.RECREATE, before=record)
    change = _change(course, Action.REPLACE, undo)
    if record.adopted:
        # It is left as it is. Its record must go too: it would pass its immunity on to what takes its place.
        yield from course.ctx.commit(DropRecord(step=course.step), *course.ctx.announce(change))
    else:
        discard = unfinished or course.discard or not course.ctx.drivers.resource(record.type).holds_data
        yield from remove(course.ctx, record, change, discard=discard, drop=False)
    course.answered = course.maybe_made = course.cut_off = False


def _guard(course: Course, record: Record) -> None:
    """The preview refuses this before anything starts, but it cannot foresee values that come up on the way."""
    if record.status is Status.CREATING:
        return
    if course.target.decl.protect or record.protect:
        raise StepError(f"{record.key.name} would have to be replaced, and the plan protects it", where=course.step)
    if course.ctx.drivers.resource(record.type).holds_data and not course.data_may_go:
        raise StepError(
            f"{record.key.name} holds data and would have to be replaced",
            where=course.step,
            hint="keep the old value in the plan, or pass --allow-data-loss",
        )


def _adopt(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    assert seen is not None
    course.show(Action.ADOPT)
    record = _record(course, Status.READY)
    record.adopted = True
    # As it was: should a later update of this run be undone, these are the values to go back to.
    mine = {name: seen.spec[name] for name in course.target.decl.tree if name in seen.spec}
    record.spec |= freeze(mine, course.ctx.lookup)
    change = _change(course, Action.ADOPT, Undo(kind=UndoKind.NOTHING))
    yield from course.ctx.commit(*course.ctx.put(record, change))
    course.ctx.audit("adopt", record)
    return seen


def _claim(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    course.show(Action.UPDATE)
    change = _change(course, Action.UPDATE, _restore(course, _present(course), differences))
    return (yield from claim(course, change))


# -- waiting and stopping -------------------------------------------------------------------------------------


def _wait(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    course.show(Action.RESUME)
    yield from course.tick(course.started, "the new object to become visible")
    return (yield from course.look())


def _settle(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    course.show(Action.RESUME)
    return (yield from course.settle(seen))


def _foreign(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    assert seen is not None
    if course.ctx.change(course.step) is not None:
        yield from _withdraw(course)
    whose = f"it belongs to {seen.owner}" if seen.owner else "it carries no owner's tag"
    raise ForeignObjectError(
        f"{course.key.name} exists already, and {whose}",
        where=course.step,
        hint="choose another name, remove it, or take it over with `adopt: existing`",
    )


_Handler = Callable[[Course, Observed | None, list[Difference]], Task]
_HANDLERS: Mapping[Verdict, _Handler] = {
    Verdict.CREATE: _create,
    Verdict.WAIT: _wait,
    Verdict.SETTLE: _settle,
    Verdict.UPDATE: _update,
    Verdict.REPLACE: _replace,
    Verdict.ADOPT: _adopt,
    Verdict.CLAIM: _claim,
    Verdict.FOREIGN: _foreign,
    Verdict.MISSING: missing,
    Verdict.BROKEN: broken,
}


# -- recording ------------------------------------------------------------------------------------------------


def _finish(course: Course, seen: Observed, verdict: Verdict) -> Task:
    ctx = course.ctx
    ctx.learn(course.step, seen.outputs)
    before = course.record
    record = _record(course, Status.READY)
    record.outputs = {name: value for name, value in seen.outputs.items() if not isinstance(value, Secret)}
    record.adopted = before is not None and before.adopted
    if verdict is Verdict.KEEP and before is not None and _same_record(before, record):
        return
    change = ctx.change(course.step)
    if before is None:
        # Ours by its tag, but not in the record: the state was lost. Nothing was made, so nothing is to be undone.
        course.show(Action.RESUME)
        change = _change(course, Action.RESUME, Undo(kind=UndoKind.NOTHING))
    if change is not None and course.announced and not (course.answered or course.maybe_made):
        # Every create was refused because it was there all the time, though a read had missed it: not this run's work.
        change = msgspec.structs.replace(change, action=Action.RESUME, undo=Undo(kind=UndoKind.NOTHING))
    if change is not None:
        change = msgspec.structs.replace(change, seconds=round(ctx.clock.now() - course.started, 3))
    yield from ctx.commit(*ctx.put(record, change))


def _same_record(before: Record, after: Record) -> bool:
    return before == msgspec.structs.replace(after, since=before.since)


def _announce(course: Course, status: Status, action: Action, undo: Undo) -> Task:
    """The intent, on disk before the call."""
    record = _record(course, status)
    # What we make ourselves is ours, even where an adopted object stood before.
    record.adopted = status is not Status.CREATING and course.record is not None and course.record.adopted
    yield from course.ctx.commit(*course.ctx.put(record, _change(course, action, undo)))


def _record(course: Course, status: Status) -> Record:
    decl = course.target.decl
    return Record(
        step=decl.name,
        type=decl.type,
        status=status,
        key=course.key,
        spec=course.target.frozen,
        fingerprints=course.fingerprints(),
        needs=list(decl.needs),
        stage=decl.stage,
        since=course.ctx.clock.wall(),
        protect=decl.protect,
    )


def _change(course: Course, action: Action, undo: Undo) -> Change:
    """A step has one change a run: the first, for its undo leads to where the run began.

    Adopting changes nothing yet, so what follows it in the same run says how to undo both.
    """
    existing = course.ctx.change(course.step)
    if existing is not None and existing.action is Action.ADOPT and undo.kind is UndoKind.RESTORE:
        return msgspec.structs.replace(existing, undo=undo)
    if existing is not None:
        return existing
    return Change(step=course.step, type=course.resource.type, action=action, undo=undo, at=course.ctx.clock.wall())


def _restore(course: Course, record: Record, differences: list[Difference]) -> Undo:
    """The record as it was; but what cannot be taken back keeps its new value, and the note says so.

    A field that nobody managed so far gets the value that the cloud showed, so that it can be put back.
    """
    forward_only = [d.field for d in differences if d.field in course.resource.one_way]
    free = {name for name, default in defaults(course.resource.Spec).items() if default is None}
    spec = {d.field: d.before for d in differences if d.field in free and d.before not in (None, MASK)}
    spec = freeze(spec, course.ctx.lookup) | record.spec
    for name in forward_only:
        spec[name] = course.target.frozen[name]
    note = f"cannot be taken back: {', '.join(forward_only)}" if forward_only else ""
    before = msgspec.structs.replace(record, spec=spec, status=Status.READY, discard=False)
    return Undo(kind=UndoKind.RESTORE, before=before, note=note)


def _present(course: Course) -> Record:
    record = course.record
    assert record is not None
    return record
