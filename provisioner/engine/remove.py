"""Takes one object away and drops its record: for destroy, for steps that left the plan, and for undoing a create.

The intent is on disk before the first call, so a killed removal is taken up again. An object that somebody else owns
is never deleted, whatever the record says. What a create that was cut off may still bring forth is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from provisioner.engine.context import Context
from provisioner.engine.course import LATE, READBACK, WAIT_SHARE
from provisioner.engine.loop import Sleep, Task
from provisioner.engine.retry import Tries
from provisioner.errors import (
    BusyError,
    CloudError,
    ForeignObjectError,
    InUseError,
    NotFoundError,
    StepTimeoutError,
)
from provisioner.model import OWNER_TAG, Observed, Phase, format_duration
from provisioner.resource import CanDiscard, Resource
from provisioner.state.records import Change, DropRecord, Entry, PutChange, Record, Status


def remove(ctx: Context, record: Record, change: Change | None, *, discard: bool, drop: bool = True) -> Task:
    """Deletes the record's object; with ``drop`` also the record, when the object is gone.

    ``discard``: for good, without a snapshot or a recovery window.
    """
    resource = ctx.drivers.resource(record.type)
    # `since` stays, so that a removal taken up after a crash still knows how young a cut-off create is.
    doomed = msgspec.structs.replace(record, status=Status.DELETING, discard=discard or record.discard)
    if not record.adopted:
        yield from ctx.commit(*ctx.put(doomed, change))
        yield from _Removal(ctx, resource, doomed).until_gone()
    if drop or record.adopted:
        entries: list[Entry] = [DropRecord(step=record.step)]
        if record.adopted and change is not None:
            entries.append(PutChange(run=ctx.run_id, change=change))
        yield from ctx.commit(*entries)
    ctx.forget(record.step)


class _Removal:
    def __init__(self, ctx: Context, resource: Resource, record: Record) -> None:
        self.ctx = ctx
        self.resource = resource
        self.record = record
        self.visible_from = record.since + max(resource.grace, LATE)
        self.started = ctx.clock.now()
        self.timeout = ctx.timeout(type(resource), record.step)
        self.tries: Tries | None = None
        self.detail = ""

    def until_gone(self) -> Task:
        """Looks, deletes, looks again, until the object is not there."""
        asked = False
        again = 0.0
        while True:
            # Before the first delete, what lost its tag is looked for too: it must not pass for gone.
            look = self.ctx.look if asked else self.ctx.look_for
            seen: Observed | None = yield from look(self.resource, self.record.key, self.record.step)
            if seen is not None and seen.owner is None:
                raise ForeignObjectError(
                    f"{self.record.key.name} has lost its owner's tag, so it is not deleted",
                    where=self.record.step,
                    hint="deploy puts the tag back, or do it by hand "
                    f"({OWNER_TAG}={self.record.key.owner}); to let the object go: provisioner state rm",
                )
            if seen is not None and seen.owner != self.record.key.owner:
                return  # somebody else's by now: ours is gone
            if seen is None:
                if asked or self.ctx.clock.wall() >= self.visible_from:
                    return
                yield from self._tick("an object that may not be visible yet")
            elif seen.phase is Phase.DELETING or (asked and seen.phase is Phase.PENDING):
                asked = True
                yield from self._tick(seen.detail or "deleting")
            elif asked and self.ctx.clock.now() < again:
                yield from self._tick("the delete to show")
            elif (yield from self._delete()):
                asked = True
                again = self.ctx.clock.now() + READBACK

    def _delete(self) -> Task:
        """True when the cloud took the call."""
        retrier, service = self.ctx.retrier, self.resource.service
        yield from retrier.turn(service)
        self.ctx.audit("delete", self.record, discard=self.record.discard)
        try:
            yield from retrier.once(self._verb(), service)
        except NotFoundError:
            return True
        except BusyError as error:
            yield from self._tick(str(error))
            return False
        except CloudError as error:
            if not (error.retryable or isinstance(error, InUseError)):
                raise
            self.tries = self.tries or self.ctx.retrier.tries()
            pause = self.tries.pause(error)
            self._say(str(error))
            yield Sleep(pause)
            return False
        return True

    def _verb(self) -> Callable[[], None]:
        resource: Any = self.resource
        key = self.record.key
        if self.record.discard and isinstance(resource, CanDiscard):
            return lambda: resource.discard(key)
        return lambda: resource.delete(key)

    def _tick(self, detail: str) -> Task:
        elapsed = self.ctx.clock.now() - self.started
        if elapsed >= self.timeout:
            raise StepTimeoutError(
                f"not gone after {format_duration(self.timeout)}; the cloud says: {detail}",
                where=self.record.step,
                hint="run the same command again to go on waiting",
            )
        self._say(detail)
        interval = min(max(self.resource.poll_first, elapsed * WAIT_SHARE), self.resource.poll_most)
        yield Sleep(min(interval, self.timeout - elapsed))

    def _say(self, detail: str) -> None:
        if detail != self.detail:
            self.detail = detail
            self.ctx.events.emit("step.waiting", step=self.record.step, detail=detail)


def undone(ctx: Context, change: Change) -> PutChange:
    """The journal line that says that a change is no more."""
    finished = msgspec.structs.replace(change, undone=True, failed="")
    return PutChange(run=ctx.run_id, change=finished)
