"""Takes one object away and drops its record: for destroy, for steps that left the plan, and for undoing a create.

The intent is on disk before the first call, so a killed removal is taken up again. An object that somebody else owns
is never deleted, whatever the record says; nor is one whose deletion protection somebody else switched on, unless data
loss is allowed. What a create that was cut off may still bring forth is waited for. An object that turns out to be
older than the run that is said to have made it (its create took back what was scheduled for deletion, and died before
it could leave a mark) is deleted with its copy or recovery window, never discarded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from provisioner.engine.context import Context
from provisioner.engine.course import LATE, LEAST, READBACK, poll
from provisioner.engine.held import FOREIGN, Outlook, holders_of, named, outlook
from provisioner.engine.loop import Call, Sleep, Task
from provisioner.engine.retry import Tries
from provisioner.errors import (
    BusyError,
    CloudError,
    ForeignObjectError,
    InUseError,
    NotFoundError,
    ProtectedError,
    StepTimeoutError,
)
from provisioner.model import OWNER_TAG, Observed, Phase, format_duration
from provisioner.resource import CanDiscard, CanLinger, Resource
from provisioner.spec import defaults
from provisioner.state.records import Change, DropRecord, Entry, PutChange, Record, Status

SKEW = 60.0
"""Seconds by which the cloud's clock may be behind ours without making its objects look older than the run."""


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
        yield from _tell_what_lingers(ctx, resource, doomed)
    if drop or record.adopted:
        entries: list[Entry] = [DropRecord(step=record.step)]
        if record.adopted and change is not None:
            entries.append(PutChange(run=ctx.run_id, change=change))
        yield from ctx.commit(*entries)
    ctx.forget(record.step)


def _tell_what_lingers(ctx: Context, resource: Resource, record: Record) -> Task:
    if not isinstance(resource, CanLinger):
        return
    try:
        left: str | None = yield Call(lambda: resource.lingers(record.key))
    except CloudError:
        return  # the object is gone; whether something of it is kept is good to know, and no more
    if left:
        ctx.lingering[record.step] = (record, left)
        ctx.events.emit("step.lingers", step=record.step, type=record.type, detail=left)


class _Removal:
    def __init__(self, ctx: Context, resource: Resource, record: Record) -> None:
        self.ctx = ctx
        self.resource = resource
        self.record = record
        self.visible_from = record.since + max(resource.grace, LATE)
        self.started = ctx.clock.now()
        self.timeout = ctx.timeout(type(resource), record.step, going=resource.going)
        self.tries: Tries | None = None
        self.held_since: float | None = None
        """When others were first found to hold it."""
        self.detail = ""

    def until_gone(self) -> Task:
        """Looks, deletes, looks again, until the object is not there."""
        asked = False
        again = 0.0
        while True:
            # Before the first delete, what lost its tag is looked for too: it must not pass for gone.
            look = self.ctx.look if asked else self.ctx.look_for
            seen: Observed | None = yield from look(self.resource, self.record.key, self.record.step)
            going = asked and seen is not None and (seen.phase is Phase.DELETING or self.ctx.clock.now() < again)
            untagged = seen is not None and seen.owner is None and not going
            if untagged and self.ctx.clock.wall() < self.visible_from:
                yield from self._tick("the tags of an object that may be new")
                continue
            if untagged:
                raise ForeignObjectError(
                    f"{self.record.key.name} has lost its owner's tag, so it is not deleted",
                    where=self.record.step,
                    hint="deploy puts the tag back, or do it by hand "
                    f"({OWNER_TAG}={self.record.key.owner}); to let the object go: provisioner state rm",
                )
            if seen is not None and seen.owner not in (None, self.record.key.owner):
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
            elif (yield from self._delete(seen)):
                asked = True
                again = self.ctx.clock.now() + READBACK

    def _delete(self, seen: Observed) -> Task:
        """True when the cloud took the call."""
        retrier, service = self.ctx.retrier, self.resource.service
        discard = self.record.discard and not self._older(seen)
        self._respect(seen, discard)
        yield from retrier.turn(service)
        self.ctx.audit("delete", self.record, discard=discard)
        try:
            yield from retrier.once(Call(self._verb(discard)), service)
        except NotFoundError:
            return True
        except BusyError as error:
            yield from self._tick(str(error))
            return False
        except InUseError as error:
            yield from self._wait_for_holders(error)
            return False
        except CloudError as error:
            if not error.retryable:
                raise
            self.tries = self.tries or self.ctx.retrier.tries()
            pause = self.tries.pause(error)
            self._say(str(error))
            yield Sleep(pause)
            return False
        return True

    def _wait_for_holders(self, error: InUseError) -> Task:
        holders = yield from holders_of(self.resource, self.record.key)
        told, promise = named(error, holders), outlook(self.ctx, holders)
        if promise is Outlook.LEAVING:
            yield from self._tick(str(told))
            return
        self._say(str(told))
        self.tries = self.tries or self.ctx.retrier.tries()
        pause = self.tries.pause(told)
        now = self.ctx.clock.now()
        if promise is not Outlook.STANDING:
            self.held_since = None
        elif self.held_since is None:
            self.held_since = now
        elif now - self.held_since >= FOREIGN:
            raise told
        yield Sleep(pause)

    def _older(self, seen: Observed) -> bool:
        """It was there before the run that is to be undone, so that run did not make it."""
        return not self.ctx.allow_data_loss and seen.made is not None and seen.made < self.ctx.run.started - SKEW

    def _respect(self, seen: Observed, discard: bool) -> None:
        """ProtectedError for a protection that neither the plan nor the command line lets us switch off."""
        field = self.resource.protection
        own = self.record.spec.get(field, defaults(self.resource.Spec).get(field)) if field else False
        if seen.protected and not (discard and (own or self.ctx.allow_data_loss)):
            raise ProtectedError(
                f"{self.record.key.name} has deletion protection"
                + ("" if own else ", which somebody switched on since it was deployed"),
                where=self.record.step,
                hint=f"switch it off{self._by_hand()}; or pass --allow-data-loss, which does and keeps nothing",
            )

    def _by_hand(self) -> str:
        key = self.record.key
        command = self.resource.unprotect.format(name=key.name, region=key.region)
        return f" with `{command}`" if command else ""

    def _verb(self, discard: bool) -> Callable[[], None]:
        resource: Any = self.resource
        key = self.record.key
        if discard and isinstance(resource, CanDiscard):
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
        interval = poll(type(self.resource), elapsed)
        yield Sleep(max(min(interval, self.timeout - elapsed), LEAST))

    def _say(self, detail: str) -> None:
        if detail != self.detail:
            self.detail = detail
            self.ctx.events.emit("step.waiting", step=self.record.step, detail=detail)


def undone(ctx: Context, change: Change) -> PutChange:
    """The journal line that says that a change is no more."""
    finished = msgspec.structs.replace(change, undone=True, failed="")
    return PutChange(run=ctx.run_id, change=finished)
