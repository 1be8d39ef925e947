"""One step towards the plan: look, decide, announce, act, look again, until it is what the plan asks for.

Start here: :func:`pursue`. Each verdict of the table has one function below; each returns what it saw last, and the
table is asked again. So a crash at any point is not a special case: the next process enters the same loop with the
record that the last one left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from provisioner.engine.compare import Difference, gap
from provisioner.engine.context import Context
from provisioner.engine.course import Course, aim
from provisioner.engine.decide import Sight, Verdict, decide, sight
from provisioner.engine.loop import Call, Sleep, Task
from provisioner.engine.remove import remove
from provisioner.errors import (
    AlreadyExistsError,
    BusyError,
    CloudError,
    ForeignObjectError,
    NotFoundError,
    StepError,
    TerminalStateError,
    ThrottledError,
)
from provisioner.model import Observed
from provisioner.plan import StepDecl
from provisioner.secret import Secret
from provisioner.state.records import Action, Change, DropRecord, PutChange, Record, Status, Undo, UndoKind

READBACK = 30.0
"""Seconds in which a cloud may still report the values from before an update that it accepted."""
UPDATES = 3


def deploy_step(ctx: Context, decl: StepDecl) -> Task:
    """Brings one object to what the plan says; returns the :class:`Action` that this took."""
    course = Course(ctx, aim(ctx, decl), data_may_go=ctx.allow_data_loss)
    yield from _leave_other(course)
    known = ctx.seen.pop(decl.name, None)
    if known is None or known.key != course.key or course.action is not Action.KEEP:
        return (yield from pursue(course, (yield from course.look())))
    return (yield from pursue(course, known.seen))


def pursue(course: Course, seen: Observed | None) -> Task:
    """The loop: asks the table until it says that nothing is left to do."""
    while True:
        record = course.record
        adopted = record is not None and record.adopted
        what = sight(seen, course.key.owner, adopted=adopted)
        differences = course.differences(seen) if seen is not None and what in (Sight.READY, Sight.FAILED) else []
        verdict = decide(
            record.status if record else None,
            what,
            gap(differences),
            adopt=course.target.decl.adopt,
            young=course.young,
        )
        if verdict in (Verdict.KEEP, Verdict.FINISH):
            assert seen is not None
            yield from _finish(course, seen, verdict)
            return course.action
        seen = yield from _HANDLERS[verdict](course, seen, differences)


# -- acting ---------------------------------------------------------------------------------------------------


def _create(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    course.show(Action.CREATE)
    undo = Undo(kind=UndoKind.DELETE)
    yield from _announce(course, Status.CREATING, Action.CREATE, undo)
    course.ctx.audit("create", _present(course))
    resource, key, spec = course.resource, course.key, course.target.spec
    try:
        yield from _once(course, lambda: resource.create(key, spec))
    except CloudError as error:
        return (yield from _after_failed_create(course, error))
    course.answered = True
    return (yield from course.look())


def _after_failed_create(course: Course, error: CloudError) -> Task:
    """An exception is a question, not an answer: read what became of it."""
    if not isinstance(error, ThrottledError | BusyError) and error.retryable:
        course.maybe_made = True
    seen: Observed | None = yield from course.look()
    if seen is not None:
        if seen.owner == course.key.owner and not (error.retryable or isinstance(error, AlreadyExistsError)):
            raise error  # half made, and the rest was refused: the undo takes it away
        return seen
    if error.retryable or isinstance(error, AlreadyExistsError):
        # A taken name with nothing to be seen behind it is one that the cloud still holds back.
        yield from course.pause(error)
        return (yield from course.look())
    while course.young:
        # Refused now, but an earlier try may have been carried out: see whether it shows before saying no.
        yield from course.tick(course.started, "an earlier try to become visible")
        seen = yield from course.look()
        if seen is not None:
            return seen
    yield from _withdraw(course)
    raise error


def _withdraw(course: Course) -> Task:
    """The cloud refused and nothing is there: take the announcement back, so that there is nothing to undo."""
    change = course.ctx.change(course.step)
    if change is not None and change.undo.kind is UndoKind.DELETE:
        done = msgspec.structs.replace(change, undone=True)
        yield from course.ctx.commit(DropRecord(step=course.step), PutChange(run=course.ctx.run_id, change=done))


def _update(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    now = course.ctx.clock.now()
    if course.updates and now - course.updated_at < READBACK:
        yield from course.tick(course.updated_at, "the new values to show")
        return (yield from course.look())
    if course.updates >= UPDATES:
        names = ", ".join(d.field for d in differences)
        raise StepError(
            f"after {UPDATES} accepted updates the cloud still reports other values for: {names}",
            where=course.step,
            hint="change these values in the plan to what the cloud reports, and please report this",
        )
    course.show(Action.UPDATE)
    record = course.record
    completing = record is None or record.status is Status.CREATING
    if completing:
        yield from _announce(
            course, Status.CREATING, Action.CREATE, Undo(kind=UndoKind.NOTHING if record is None else UndoKind.DELETE)
        )
    else:
        assert record is not None
        yield from _announce(course, Status.UPDATING, Action.UPDATE, _restore(course, record, differences))
    course.ctx.audit("update", _present(course), fields=[d.field for d in differences])
    resource: Any = course.resource
    key, spec = course.key, course.target.spec
    try:
        yield from _once(course, lambda: resource.update(key, spec))
    except CloudError as error:
        if not error.retryable:
            raise
        yield from course.pause(error)
        return (yield from course.look())
    course.updates += 1
    course.updated_at = course.ctx.clock.now()
    return (yield from course.look())


def _replace(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    record = course.record
    if record is None:
        names = ", ".join(d.field for d in differences)
        raise StepError(
            f"the object exists and only a new one can have another {names}; but there is no record of how it was made",
            where=course.step,
            hint="put these values into the plan as they are, deploy, then change them",
        )
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
    discard = unfinished or course.data_may_go or not course.ctx.drivers.resource(record.type).holds_data
    yield from remove(course.ctx, record, change, discard=discard, drop=False)
    course.answered = False
    course.maybe_made = False


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
    record.spec = {name: seen.spec.get(name, value) for name, value in record.spec.items()}
    change = _change(course, Action.ADOPT, Undo(kind=UndoKind.NOTHING))
    yield from course.ctx.commit(*course.ctx.put(record, change))
    course.ctx.audit("adopt", record)
    return seen


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


def _missing(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    identity = ", ".join(f"{name} {value}" for name, value in course.key.at.items()) or course.key.name
    raise NotFoundError(
        f"there is nothing to adopt: no {course.resource.type} with {identity}",
        where=course.step,
        hint="check the parameter that names it, the region and the account",
    )
    yield


def _broken(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    assert seen is not None
    raise TerminalStateError(
        f"{course.key.name} is in a state that no waiting mends: {seen.detail or seen.phase.value}",
        where=course.step,
        hint="the cloud's console or event log has the reason; mend it there or in the plan, then deploy again",
    )
    yield


_Handler = Callable[[Course, Observed | None, list[Difference]], Task]
_HANDLERS: Mapping[Verdict, _Handler] = {
    Verdict.CREATE: _create,
    Verdict.WAIT: _wait,
    Verdict.SETTLE: _settle,
    Verdict.UPDATE: _update,
    Verdict.REPLACE: _replace,
    Verdict.ADOPT: _adopt,
    Verdict.FOREIGN: _foreign,
    Verdict.MISSING: _missing,
    Verdict.BROKEN: _broken,
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
    if change is not None:
        change = msgspec.structs.replace(change, seconds=round(ctx.clock.now() - course.started, 3))
    yield from ctx.commit(*ctx.put(record, change))


def _same_record(before: Record, after: Record) -> bool:
    return before == msgspec.structs.replace(after, since=before.since)


def _announce(course: Course, status: Status, action: Action, undo: Undo) -> Task:
    """The intent, on disk before the call."""
    record = _record(course, status)
    record.adopted = course.record is not None and course.record.adopted
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
    """A step has one change a run: the first, for its undo leads to where the run began."""
    existing = course.ctx.change(course.step)
    if existing is not None:
        return existing
    return Change(step=course.step, type=course.resource.type, action=action, undo=undo, at=course.ctx.clock.wall())


def _restore(course: Course, record: Record, differences: list[Difference]) -> Undo:
    """The record as it was; but what cannot be taken back keeps its new value, and the note says so."""
    forward_only = [d.field for d in differences if d.field in course.resource.one_way]
    spec = dict(record.spec)
    for name in forward_only:
        spec[name] = course.target.frozen[name]
    note = f"cannot be taken back: {', '.join(forward_only)}" if forward_only else ""
    before = msgspec.structs.replace(record, spec=spec, status=Status.READY)
    return Undo(kind=UndoKind.RESTORE, before=before, note=note)


def _present(course: Course) -> Record:
    record = course.record
    assert record is not None
    return record


def _once(course: Course, function: Callable[[], None]) -> Task:
    """One try of a call that changes something, in the service's pace."""
    pace = course.ctx.retrier.pace
    delay = pace.delay(course.resource.service)
    if delay:
        yield Sleep(delay)
    try:
        yield Call(function)
    except ThrottledError:
        pace.throttled(course.resource.service)
        raise
    pace.answered(course.resource.service)
