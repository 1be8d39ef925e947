"""One step under way: what it aims at, what it has tried, and the ways to wait."""

from __future__ import annotations

from typing import Any

import msgspec

from provisioner.engine.compare import Difference, compare, fingerprints
from provisioner.engine.context import Context
from provisioner.engine.decide import Sight
from provisioner.engine.loop import Sleep, Task
from provisioner.engine.retry import Tries
from provisioner.errors import BusyError, CloudError, InvalidRequestError, StepTimeoutError
from provisioner.model import Key, Observed, Phase, format_duration
from provisioner.plan.model import StepDecl
from provisioner.refs import UnresolvedError, freeze, resolve
from provisioner.resource import Resource, Spec
from provisioner.spec import complaints, decode, fields, values
from provisioner.state.records import Action, Record, Status

WAIT_SHARE = 0.02
"""A poll comes after this share of the time already waited: what took five minutes is noticed within six seconds."""

BRISK = 0.25
"""Seconds between two looks at what takes no more than a dozen seconds; an eighth of the time waited, before that."""

LATE = 10.0
"""Seconds in which a call whose answer was lost may still take effect and be seen: five, and as many again."""

LEAST = 0.001
"""Seconds of the shortest wait: what is left of a timeout may be too little for a clock to show that it passed."""

READBACK = 30.0
"""Seconds in which a cloud may still report what was before an update or a delete that it accepted."""


def poll(kind: type[Resource], waited: float) -> float:
    """Seconds until the next look at what has been waited for so long.

    >>> [round(poll(Resource, waited), 2) for waited in (0, 1, 10, 60, 300, 3600)]
    [0.1, 0.12, 0.25, 1.2, 6.0, 15.0]
    """
    return min(max(kind.poll_first, min(waited / 8, BRISK), waited * WAIT_SHARE), kind.poll_most)


class Target(msgspec.Struct, frozen=True):
    """What a step aims at, resolved. ``wanted``: the spec's managed fields in plain form, with secrets: memory only."""

    resource: Resource
    key: Key
    spec: Spec
    wanted: dict[str, Any]
    frozen: dict[str, Any]
    decl: StepDecl


def aim(ctx: Context, decl: StepDecl) -> Target:
    """Resolves a step; everything above it must be ready."""
    resource = ctx.drivers.resource(decl.type)
    try:
        tree = resolve(decl.tree, ctx.lookup)
    except UnresolvedError as error:
        raise ctx.unresolved(decl.name, error) from error
    spec = decode(resource.Spec, tree)
    wanted = fields(spec)
    broken = [f"{field}: {message}" for field, message in complaints(type(resource), values(spec))]
    if broken:
        raise InvalidRequestError("; ".join(broken), hint="mend the plan and deploy again")
    key = resource.key(ctx.state.deployment, decl.name, spec, ctx.drivers.region)
    return Target(resource, key, spec, wanted, freeze(decl.tree, ctx.lookup), decl)


class Course:
    """A step's way through one run."""

    def __init__(self, ctx: Context, target: Target, *, data_may_go: bool, discard: bool) -> None:
        """``data_may_go``: an object that holds data may be replaced; with ``discard`` it leaves nothing behind."""
        self.ctx = ctx
        self.data_may_go = data_may_go
        self.discard = discard
        self.target = target
        self.resource = target.resource
        self.key = target.key
        self.step = target.decl.name
        ctx.lend(target.resource, target.key, {name: getattr(target.spec, name) for name in target.wanted})
        self.started = ctx.clock.now()
        self.timeout = ctx.timeout(type(target.resource), self.step, target.decl.timeout)
        self.action = Action.KEEP
        self.answered = False
        """A create of ours was accepted: the object exists even while it cannot be seen."""
        self.maybe_made = self.record is not None and self.record.status is Status.CREATING
        """A create may have been carried out without an answer (or by a process that died)."""
        self.cut_off = self.record is not None and self.record.status is Status.DELETING
        """A process that died, or gave up, may have sent a delete that does not show yet."""
        self.untagged_at: float | None = None
        """When what may be our own new object was first seen without any owner's tag."""
        self.asked: frozenset[str] = frozenset()
        """The fields of the last update that the cloud accepted; ``updates`` counts those in a row."""
        self.sent = False
        """An update of ours was accepted: what the cloud does not report is as announced."""
        self.claimed = False
        """The owner's tag was put back."""
        self.untouched: Record | None = None
        """The record before this run's first intent to update it; none where another run may have begun that."""
        self.maybe_changed = False
        """An update may have been carried out, at least in part."""
        self.announced = False
        """It wrote the run's first intent to create: if no create is ever accepted, the run did not make the object."""
        self.updates = 0
        self.updated_at = 0.0
        self._tries: Tries | None = None
        self._detail = ""

    @property
    def record(self) -> Record | None:
        return self.ctx.record(self.step)

    def young(self, what: Sight) -> bool:
        """The object may exist without being visible, or be visible and yet deleted."""
        record = self.record
        if self.answered or record is None:
            return self.answered
        if record.status is Status.DELETING and what is Sight.READY:
            return self.cut_off and self.ctx.clock.now() < self.started + LATE
        begun = self.maybe_made if record.status is Status.CREATING else self.cut_off
        return begun and self.ctx.clock.wall() < record.since + self.resource.grace

    def differences(self, seen: Observed) -> list[Difference]:
        t = self.target
        record = self.record if self.record is not None and self.record.status is not Status.CREATING else None
        adopted = t.decl.adopt or (self.record is not None and self.record.adopted)
        # Of what is adopted, only what the plan writes is managed: a default is nobody's wish.
        wanted = {name: value for name, value in t.wanted.items() if name in t.decl.tree} if adopted else t.wanted
        unsure = record is not None and record.status is Status.UPDATING and not self.sent
        return compare(type(t.resource), wanted, t.frozen, seen, record, self.ctx.state.salt, unsure=unsure)

    def fingerprints(self) -> dict[str, str]:
        return fingerprints(self.target.wanted, self.ctx.state.salt)

    def look(self) -> Task:
        seen = yield from self.ctx.look_for(self.resource, self.key, self.step)
        yield from self.ctx.unveil(seen, self.step)
        return seen

    def show(self, action: Action) -> None:
        """Says once what is being done."""
        if self.action is Action.KEEP:
            self.action = action
            decl = self.target.decl
            self.ctx.events.emit("step.started", step=decl.name, type=decl.type, stage=decl.stage, action=action.value)

    def accepted(self) -> None:
        """The cloud took a call: what comes after it may be tried as often again."""
        self._tries = None

    def pause(self, error: CloudError) -> Task:
        """Waits before another try; raises ``error`` when the tries are used up.

        A busy object is not a failed try: it is waited for until the step's time is up.
        """
        if isinstance(error, BusyError):
            yield from self.tick(self.started, str(error))
            return
        left = self.started + self.timeout - self.ctx.clock.now()
        if left <= 0:
            raise error
        self._tries = self._tries or self.ctx.retrier.tries()
        pause = min(self._tries.pause(error), left)
        self.ctx.events.emit(
            "step.retry",
            step=self.step,
            attempt=self._tries.made,
            error=str(error),
            code=error.code,
            pause=round(pause, 2),
        )
        yield Sleep(pause)

    def settle(self, seen: Observed | None) -> Task:
        """Polls while the cloud is at work; returns what it came to."""
        begun = self.ctx.clock.now()
        while seen is not None and seen.phase in (Phase.PENDING, Phase.DELETING):
            yield from self.tick(begun, seen.detail or seen.phase.value)
            seen = yield from self.look()
        return seen

    def tick(self, begun: float, detail: str) -> Task:
        """One interval of waiting for ``detail``, or StepTimeoutError when the step's time is up."""
        now = self.ctx.clock.now()
        if now - self.started >= self.timeout:
            raise StepTimeoutError(
                f"not ready after {format_duration(self.timeout)}; the cloud says: {detail}",
                where=self.step,
                hint="deploy again to go on waiting, or raise the step's timeout",
            )
        if detail != self._detail:
            self._detail = detail
            self.ctx.events.emit("step.waiting", step=self.step, detail=detail)
        interval = poll(type(self.resource), now - begun)
        yield Sleep(max(min(interval, self.started + self.timeout - now), LEAST))
