"""Deletes a set of recorded objects, each after all that need it: for destroy, and for steps that left the plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from provisioner.engine.context import Context
from provisioner.engine.loop import Result, Task
from provisioner.engine.remove import remove
from provisioner.engine.reverse import describe, not_reached
from provisioner.engine.schedule import Schedule, reversed_needs
from provisioner.errors import StateError
from provisioner.state.records import Action, Change, Record, Undo


def take_down(
    ctx: Context, records: Sequence[Record], undo: Callable[[Record], Undo], *, discard: bool
) -> tuple[dict[str, BaseException], dict[str, str]]:
    """Returns step → why it could not be deleted, and step → why it was not reached, because of those.

    What was adopted is forgotten, not deleted. One failure does not stop the others. A StateError is raised.
    """
    by_name = {record.step: record for record in records}
    begun: dict[str, float] = {}

    def start(name: str) -> Task:
        record = by_name[name]
        begun[name] = ctx.clock.now()
        action = _action(record)
        ctx.events.emit("step.started", step=name, type=record.type, stage=record.stage, action=action.value)
        fresh = Change(step=name, type=record.type, action=action, undo=undo(record), at=ctx.clock.wall())
        return remove(ctx, record, ctx.change(name) or fresh, discard=discard)

    def done(name: str, result: Result) -> None:
        record = by_name[name]
        facts = {"step": name, "type": record.type, "stage": record.stage}
        if result.error is None:
            seconds = round(ctx.clock.now() - begun[name], 3)
            ctx.events.emit("step.finished", **facts, action=_action(record).value, seconds=seconds)
        else:
            ctx.events.emit("step.failed", **facts, **describe(result.error))

    order = list(by_name)
    needs = reversed_needs(order, {name: record.needs for name, record in by_name.items()})
    schedule = Schedule(ctx.loop, order, needs, start, done, halt=False)
    schedule.begin()
    ctx.loop.run()
    for error in schedule.failed.values():
        if isinstance(error, StateError):
            raise error
    return schedule.failed, {name: not_reached(schedule.blockers(name)) for name in schedule.held_back}


def _action(record: Record) -> Action:
    return Action.FORGET if record.adopted else Action.DELETE
