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
from provisioner.engine.course import LATE, READBACK, Course, aim
from provisioner.engine.decide import Sight, Verdict, decide, sight
from provisioner.engine.intent import announce, announce_update, change_of, record_of, restoring, unannounce, withdraw
from provisioner.engine.loop import Call, Task
from provisioner.engine.lost import known
from provisioner.engine.remove import remove
from provisioner.engine.settle import settled
from provisioner.engine.stop import broken, missing
from provisioner.errors import AlreadyExistsError, CloudError, ForeignObjectError, StepError, ThrottledError
from provisioner.model import Observed, Phase
from provisioner.plan.model import StepDecl
from provisioner.refs import freeze
from provisioner.secret import Secret
from provisioner.state.records import Action, DropRecord, Record, Status, Undo, UndoKind

UPDATES = 3

FRESH = 2.0
"""Seconds for which a preview's look at something incomplete is good enough to decide on."""


def deploy_step(ctx: Context, decl: StepDecl) -> Task:
    """Brings one object to what the plan says; returns the :class:`Action` that this took."""
    yield from ctx.reveal(decl.tree, decl.name)
    target = yield from settled(ctx, aim(ctx, decl))
    course = Course(ctx, target, data_may_go=ctx.allow_data_loss, discard=ctx.allow_data_loss)
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
    if record is None and known.seen is None and not ctx.drivers.resource(decl.type).grace:
        return False  # names are unique: what somebody has made since, the create is told of
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
    yield from announce(course, Status.CREATING, Action.CREATE, Undo(kind=UndoKind.DELETE))
    course.ctx.audit("create", _present(course))
    resource, key, spec = course.resource, course.key, course.target.spec
    try:
        yield from course.ctx.retrier.once(Call(lambda: resource.create(key, spec)), resource.service)
    except CloudError as error:
        return (yield from _after_failed_create(course, error))
    course.answered = True
    course.accepted()
    return (yield from course.look())


def _after_failed_create(course: Course, error: CloudError) -> Task:
    """An exception is a question, not an answer: read what became of it."""
    # Whatever it says, it may have been the answer to the second call of several, unless the driver knows better.
    course.maybe_made = course.maybe_made or not error.nothing_done
    if isinstance(error, ThrottledError) and not course.maybe_made:
        yield from course.pause(error)
        return None
    seen: Observed | None = yield from course.look()
    if seen is not None:
        if seen.owner == course.key.owner and not (error.retryable or isinstance(error, AlreadyExistsError)):
            raise error  # half made, and the rest was refused: the undo takes it away
        return seen
    held = isinstance(error, AlreadyExistsError) and not error.for_good
    if held and course.maybe_made:
        yield from course.tick(course.started, "the new object to become visible")  # it was we who took the name
        return (yield from course.look())
    if held or error.retryable:
        # A taken name with nothing to be seen behind it is one that the cloud still holds back.
        yield from course.pause(error)
        return (yield from course.look())
    if not course.maybe_made:
        yield from withdraw(course)
    # Else what an earlier call or try made may show any moment: the announcement stays, for the undo to see.
    raise error


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
    if course.ctx.change(course.step) is None and course.record is not None and course.record.status is Status.READY:
        course.untouched = course.record
    yield from announce_update(course, differences)
    course.ctx.audit("update", _present(course), fields=[d.field for d in differences])
    resource: Any = course.resource
    key, spec = course.key, course.target.spec
    try:
        yield from course.ctx.retrier.once(Call(lambda: resource.update(key, spec, names)), resource.service)
    except CloudError as error:
        if error.retryable:
            course.maybe_changed = course.maybe_changed or not error.nothing_done
            yield from course.pause(error)
            return (yield from course.look())
        if error.nothing_done and not course.maybe_changed:
            yield from unannounce(course)
        raise
    course.asked, course.sent = names, True
    course.maybe_changed = True
    course.updates += 1
    course.updated_at = course.ctx.clock.now()
    course.accepted()
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
    if course.answered:
        # Made a moment ago as the plan says, and made otherwise: the next one would be no better.
        names = ", ".join(d.field for d in differences if d.replaces)
        raise StepError(
            f"{course.key.name} was made anew, and the cloud still reports another {names} than the plan",
            where=course.step,
            hint="put what the cloud reports into the plan, and please report this",
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
    change = change_of(course, Action.REPLACE, undo)
    if record.adopted:
        # It is left as it is. Its record must go too: it would pass its immunity on to what takes its place.
        yield from course.ctx.commit(DropRecord(step=course.step), *course.ctx.announce(change))
    else:
        discard = unfinished or course.discard or not course.ctx.drivers.resource(record.type).holds_data
        yield from remove(course.ctx, record, change, discard=discard, drop=False)
    course.answered = course.maybe_made = course.cut_off = False
    course.untagged_at = None


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
    record = record_of(course, Status.READY)
    record.adopted = True
    # As it was: should a later update of this run be undone, these are the values to go back to.
    mine = {name: seen.spec[name] for name in course.target.decl.tree if name in seen.spec}
    record.spec |= freeze(mine, course.ctx.lookup)
    change = change_of(course, Action.ADOPT, Undo(kind=UndoKind.NOTHING))
    yield from course.ctx.commit(*course.ctx.put(record, change))
    course.ctx.audit("adopt", record)
    return seen


def _claim(course: Course, seen: Observed | None, differences: list[Difference]) -> Task:
    course.show(Action.UPDATE)
    change = change_of(course, Action.UPDATE, restoring(course, _present(course), differences))
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
    ours = seen.owner is None and (course.answered or course.maybe_made)
    if ours and (yield from _tag_may_come(course)):
        return (yield from course.look())
    # What a create of ours may have made is not given up for somebody else's: the undo looks at it once more.
    if course.ctx.change(course.step) is not None and not ours:
        yield from withdraw(course)
    whose = f"it belongs to {seen.owner}" if seen.owner else "it carries no owner's tag"
    raise ForeignObjectError(
        f"{course.key.name} exists already, and {whose}",
        where=course.step,
        hint="choose another name, remove it, or take it over with `adopt: existing`",
    )


def _tag_may_come(course: Course) -> Task:
    """Waits a moment for the owner's tag of an object that may be our own new one: False when its time is up."""
    now = course.ctx.clock.now()
    course.untagged_at = now if course.untagged_at is None else course.untagged_at
    if now - course.untagged_at >= max(LATE, course.resource.grace):
        return False
    yield from course.tick(course.started, "the new object's tags to show")
    return True


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
    record = record_of(course, Status.READY)
    record.outputs = {name: value for name, value in seen.outputs.items() if not isinstance(value, Secret)}
    record.adopted = before is not None and before.adopted
    if verdict is Verdict.KEEP and before is not None and _same_record(before, record):
        return
    change = ctx.change(course.step)
    if before is None:
        # Ours by its tag, but not in the record: the state was lost. Nothing was made, so nothing is to be undone.
        course.show(Action.RESUME)
        change = change_of(course, Action.RESUME, Undo(kind=UndoKind.NOTHING))
    if change is not None and course.announced and not (course.answered or course.maybe_made):
        # Every create was refused because it was there all the time, though a read had missed it: not this run's work.
        change = msgspec.structs.replace(change, action=Action.RESUME, undo=Undo(kind=UndoKind.NOTHING))
    if change is not None:
        change = msgspec.structs.replace(change, seconds=round(ctx.clock.now() - course.started, 3))
    yield from ctx.commit(*ctx.put(record, change))


def _same_record(before: Record, after: Record) -> bool:
    return before == msgspec.structs.replace(after, since=before.since)


def _present(course: Course) -> Record:
    record = course.record
    assert record is not None
    return record
