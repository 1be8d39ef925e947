"""Everything that the steps of one run share: the store, the drivers, the values, the way to call.

Step code asks the context for answers as generators (``yield from ctx.look(…)``), so retries, pacing and events are
the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from provisioner.engine.clock import Clock
from provisioner.engine.events import Events
from provisioner.engine.inside import look_inside
from provisioner.engine.loop import Call, Commit, Look, Loop, Task
from provisioner.engine.lost import traceable
from provisioner.engine.retry import Retrier
from provisioner.errors import CloudError, StepError, UnresolvedReferenceError
from provisioner.model import Key, Observed, Phase
from provisioner.plan.model import Settings
from provisioner.refs import PARAM, Ref, UnresolvedError, refs_in
from provisioner.resource import (
    CanBeFenced,
    CanBorrow,
    CanClose,
    CanFind,
    CanGlance,
    CanLeaveOut,
    Registry,
    Resource,
    StepType,
)
from provisioner.secret import Secret
from provisioner.state.records import Change, Entry, PutChange, PutRecord, Record, Run, State


class Journal(Protocol):
    """What the engine needs of a store."""

    @property
    def state(self) -> State: ...

    def commit(self, entries: Any) -> None: ...

    def audit(self, event: str, /, **facts: object) -> None: ...


class Drivers:
    """Makes each type's object once, and each cloud's session when its first type is used."""

    def __init__(self, registry: Registry, region: str, fence: Callable[[], None] | None = None) -> None:
        """``fence`` is asked before every request to a cloud; it raises where the lock was lost."""
        self.registry = registry
        self.region = region
        self._fence = fence
        self._sessions: dict[str, Any] = {}
        self._types: dict[str, StepType] = {}

    def session(self, cloud: str) -> Any:
        if cloud not in self._sessions:
            session = self.registry.open_session(cloud, self.region)
            if self._fence is not None and isinstance(session, CanBeFenced):
                session.fence(self._fence)
            self._sessions[cloud] = session
        return self._sessions[cloud]

    @contextmanager
    def glancing(self) -> Iterator[None]:
        """For a while, looks may be answered from lists that lag (:class:`provisioner.resource.CanGlance`)."""
        able = [session for session in self._sessions.values() if isinstance(session, CanGlance)]
        for session in able:
            session.glancing = True
        try:
            yield
        finally:
            for session in able:
                session.glancing = False

    def close(self) -> None:
        """Closes what the sessions hold open."""
        for session in self._sessions.values():
            if isinstance(session, CanClose):
                session.close()

    def leave_out(self, type_name: str, owner: str, fields: frozenset[str]) -> None:
        """Looks at this object need not ask for these fields (:class:`provisioner.resource.CanLeaveOut`)."""
        session = self.session(type_name.partition(".")[0])
        if isinstance(session, CanLeaveOut):
            session.unmanaged[owner] = fields

    def of(self, type_name: str) -> StepType:
        made = self._types.get(type_name)
        if made is None:
            cls = self.registry.type(type_name)
            made = self._types[type_name] = cls(self.session(type_name.partition(".")[0]))
        return made

    def resource(self, type_name: str) -> Resource:
        made = self.of(type_name)
        if not isinstance(made, Resource):
            raise StepError(f"{type_name} is a check, not an object")
        return made


class Seen(NamedTuple):
    """What a read of ``key`` showed."""

    key: Key
    seen: Observed | None
    at: float
    """By the engine's clock."""
    glanced: bool = False
    """It may be from a list that lags."""


class Settled(NamedTuple):
    """What the words of a plan came to that it leaves open (:mod:`settle`), by field."""

    words: Mapping[str, Any]
    values: Mapping[str, Any]
    found: Mapping[str, Any]
    """Of the values, those that the cloud was asked for a moment ago."""


class Context:
    """One run's shared things. Only the loop's thread uses it."""

    def __init__(
        self,
        *,
        loop: Loop,
        store: Journal,
        drivers: Drivers,
        retrier: Retrier,
        events: Events,
        clock: Clock,
        secrets: Mapping[str, Secret],
        settings: Settings,
        timeouts: Mapping[str, float],
        allow_data_loss: bool,
        run: Run,
    ) -> None:
        self.loop = loop
        self.store = store
        self.drivers = drivers
        self.retrier = retrier
        self.events = events
        self.clock = clock
        self.allow_data_loss = allow_data_loss
        self.run_id = run.id
        self._secrets = secrets
        self._settings = settings
        self._timeouts = timeouts
        self._outputs: dict[str, Mapping[str, Any]] = {}
        self._changes = {change.step: change for change in run.changes if not change.undone}
        self.seen: dict[str, Seen] = {}
        """Step → what the preview saw a moment ago; taken, not read again, by the step's first decision."""
        self.settled: dict[str, Settled] = {}
        """Step → what the preview found out of what its plan leaves open."""
        self.lent: set[str] = set()
        """Owners of the keys that something was lent for (:mod:`inside`)."""
        self.lingering: dict[str, tuple[Record, str]] = {}
        """Step → its last record, and what the cloud still keeps of the object that this run deleted."""

    @property
    def state(self) -> State:
        return self.store.state

    @property
    def run(self) -> Run:
        """The run as recorded: the store may replace the object."""
        return next(run for run in reversed(self.state.runs) if run.id == self.run_id)

    def record(self, step: str) -> Record | None:
        return self.state.steps.get(step)

    def change(self, step: str) -> Change | None:
        """The change that this run has made to a step so far."""
        return self._changes.get(step)

    # -- values ---------------------------------------------------------------------------------------------

    def learn(self, step: str, outputs: Mapping[str, Any]) -> None:
        """Outputs of a step, as read; secret ones live here and nowhere else."""
        self._outputs[step] = outputs

    def forget(self, step: str) -> None:
        self._outputs.pop(step, None)

    def lookup(self, ref: Ref) -> Any:
        """The value of a reference, or UnresolvedError."""
        if ref.step == PARAM:
            if ref.output not in self._secrets:
                raise UnresolvedError(ref)
            return self._secrets[ref.output]
        outputs = self._outputs.get(ref.step)
        if outputs is None or ref.output not in outputs:
            raise UnresolvedError(ref)
        return outputs[ref.output]

    def ensure(self, tree: Any) -> Task:
        """Reads what a tree refers to and nobody has read yet, so that it can be resolved from the state alone."""
        for ref in refs_in(tree):
            if ref.step == PARAM or ref.step in self._outputs:
                continue
            record = self.record(ref.step)
            if record is None:
                continue
            seen = yield from self.look(self.drivers.resource(record.type), record.key, ref.step)
            if seen is not None and seen.phase is Phase.READY:
                self.learn(ref.step, seen.outputs)

    def reveal(self, tree: Any, step: str) -> Task:
        """Fetches the secrets that a tree refers to, in a worker and with retries, before anybody compares them."""
        for ref in refs_in(tree):
            try:
                value = self.lookup(ref)
            except UnresolvedError:
                continue
            yield from self._fetch(value, step)

    def unveil(self, seen: Observed | None, step: str) -> Task:
        """The same for secrets that an observation holds."""
        for value in () if seen is None else seen.spec.values():
            yield from self._fetch(value, step)

    def _fetch(self, value: Any, step: str) -> Task:
        if isinstance(value, Secret) and not value.fetched:
            yield from self.retrier.fetch(Call(value.reveal), "secret values", heard=self.heard(step))

    def unresolved(self, step: str, error: UnresolvedError) -> UnresolvedReferenceError:
        return UnresolvedReferenceError(
            f"{error.ref} has no value", where=step, hint="the step above it did not produce that output"
        )

    # -- calls ----------------------------------------------------------------------------------------------

    def look(self, resource: Resource, key: Key, step: str) -> Task:
        """``Observed | None``, retried."""
        if isinstance(resource, CanBorrow):
            return look_inside(self, resource, key, step)
        return self.retrier.look(Look(resource, key), resource.service, heard=self.heard(step))

    def look_for(self, resource: Resource, key: Key, step: str) -> Task:
        """:meth:`look`; and where nothing is found, the object that the record identifies, if it lost its tag."""
        seen = yield from self.look(resource, key, step)
        ident = traceable(resource, self.record(step), key) if seen is None else ""
        if ident and isinstance(resource, CanFind):
            find = resource.find
            seen = yield from self.ask(lambda: find(key, ident), resource.service, step)
        return seen

    def lend(self, resource: Resource, key: Key, values: Mapping[str, Any]) -> None:
        """Gives a type that lives inside something what it takes to look in there; of others nothing is wanted."""
        if isinstance(resource, CanBorrow):
            resource.lend(key, {name: values.get(name) for name in resource.borrows})
            self.lent.add(key.owner)

    def ask(self, call: Callable[[], Any], service: str, step: str) -> Task:
        """What a call answers that changes nothing, retried."""
        return self.retrier.fetch(Call(call), service, heard=self.heard(step))

    def heard(self, step: str) -> Callable[[int, CloudError, float], None]:
        """Tells that a call is tried again."""

        def heard(attempt: int, error: CloudError, pause: float) -> None:
            self.events.emit(
                "step.retry", step=step, attempt=attempt, error=str(error), code=error.code, pause=round(pause, 2)
            )

        return heard

    # -- record ---------------------------------------------------------------------------------------------

    def commit(self, *entries: Entry) -> Task:
        """Durable when it returns; nothing may be done to a cloud before."""
        yield Commit(entries)

    def put(self, record: Record, change: Change | None = None) -> list[Entry]:
        entries: list[Entry] = [PutRecord(record=record)]
        return entries + self.announce(change) if change is not None else entries

    def announce(self, change: Change) -> list[Entry]:
        """The entry of a change of this run, which is from now on the step's."""
        self._changes[change.step] = change
        return [PutChange(run=self.run_id, change=change)]

    def audit(self, event: str, record: Record, **facts: object) -> None:
        self.store.audit(event, run=self.run_id, step=record.step, type=record.type, name=record.key.name, **facts)

    def timeout(self, cls: type[StepType], step: str, declared: float | None = None, *, going: float = 0.0) -> float:
        """Seconds: the command line's word, the step's own, the plan's for the type or its cloud, the type's.

        ``going``: of a removal, what the type says of that.
        """
        for said in (self._timeouts.get(step), declared, self._settings.timeout_for(cls.type)):
            if said is not None:
                return said
        return max(cls.timeout, going)
