"""What is written down about a step before it is acted on: the intent, and how to take it back.

On disk before the call, so that whoever comes after a crash knows what may have been done. Where the cloud refused and
nothing can have been done, the intent is taken back.
"""

from __future__ import annotations

import msgspec

from provisioner.engine.compare import Difference
from provisioner.engine.course import Course
from provisioner.engine.loop import Task
from provisioner.refs import freeze
from provisioner.secret import MASK
from provisioner.spec import defaults
from provisioner.state.records import Action, Change, DropRecord, PutChange, Record, Status, Undo, UndoKind


def announce(course: Course, status: Status, action: Action, undo: Undo) -> Task:
    """The intent, on disk before the call."""
    record = record_of(course, status)
    # What we make ourselves is ours, even where an adopted object stood before.
    record.adopted = status is not Status.CREATING and course.record is not None and course.record.adopted
    yield from course.ctx.commit(*course.ctx.put(record, change_of(course, action, undo)))


def announce_update(course: Course, differences: list[Difference]) -> Task:
    """The intent of an update; one that completes what was half made belongs to the create."""
    record = course.record
    if record is None:
        # Ours by its tag, but the record of it was lost. It may hold data, so it must not pass for half made.
        undo = Undo(kind=UndoKind.NOTHING, note="there was no record of how it was before")
        yield from announce(course, Status.UPDATING, Action.UPDATE, undo)
    elif record.status is Status.CREATING:
        yield from announce(course, Status.CREATING, Action.CREATE, Undo(kind=UndoKind.DELETE))
    else:
        yield from announce(course, Status.UPDATING, Action.UPDATE, restoring(course, record, differences))


def withdraw(course: Course) -> Task:
    """The cloud refused and nothing is there: take the announcement back, so that there is nothing to undo."""
    change = course.ctx.change(course.step)
    if change is not None and change.undo.kind is UndoKind.DELETE:
        done = msgspec.structs.replace(change, undone=True)
        yield from course.ctx.commit(DropRecord(step=course.step), PutChange(run=course.ctx.run_id, change=done))


def unannounce(course: Course) -> Task:
    """The cloud refused the first call of the first update: the record is what it was, and nothing is to be undone."""
    change = course.ctx.change(course.step)
    if change is not None and course.untouched is not None:
        done = msgspec.structs.replace(change, undone=True)
        yield from course.ctx.commit(*course.ctx.put(course.untouched, done))


def record_of(course: Course, status: Status) -> Record:
    """The step's record as it is written down now."""
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


def change_of(course: Course, action: Action, undo: Undo) -> Change:
    """A step has one change a run: the first, for its undo leads to where the run began.

    Adopting and forgetting change nothing yet, so what follows them in the same run says how to undo both.
    """
    existing = course.ctx.change(course.step)
    if existing is not None:
        let = existing.undo.kind is UndoKind.NOTHING and undo.kind is not UndoKind.NOTHING
        return _both(existing, undo) if let and existing.action in (Action.ADOPT, Action.FORGET) else existing
    return Change(step=course.step, type=course.resource.type, action=action, undo=undo, at=course.ctx.clock.wall())


def _both(existing: Change, undo: Undo) -> Change:
    """The change of a step that was adopted or forgotten in this run, and then changed or put in another's place."""
    adopted = existing.action is Action.ADOPT
    if undo.kind is UndoKind.RESTORE:
        return msgspec.structs.replace(existing, action=Action.ADOPT if adopted else Action.UPDATE, undo=undo)
    # What is made now is ours, and goes; what was adopted before it is still there, and needs its record alone.
    if adopted:
        return msgspec.structs.replace(existing, action=Action.CREATE, undo=Undo(kind=UndoKind.DELETE))
    before = Undo(kind=UndoKind.RECREATE, before=existing.undo.before)
    return msgspec.structs.replace(existing, action=Action.REPLACE, undo=before)


def restoring(course: Course, record: Record, differences: list[Difference]) -> Undo:
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
