"""A cloud in memory with every vice of a real one: it settles late, shows late, forgets late, fails on demand.

:class:`ToyCloud` is the control plane; the types that speak to it are in :mod:`tests.engine.toytypes`.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from provisioner.engine.clock import Clock
from provisioner.errors import AlreadyExistsError, CloudError, ConnectionFailedError, InUseError
from provisioner.model import Observed

_T = TypeVar("_T")

WRITES = ("create", "update", "delete", "discard", "claim")

SPIN = 20_000
"""So many calls in one instant of virtual time are an endless loop."""

Hook = Callable[[str, str, str], None]
"""Told ``before`` or ``after``, the verb, and the object's name."""


class Thing:
    """One object. Times are the clock's; ``owner`` is the value of its ownership tag."""

    def __init__(self, ident: str, kind: str, name: str, owner: str | None, spec: dict[str, Any]) -> None:
        self.ident = ident
        self.kind = kind
        self.name = name
        self.owner = owner
        self.spec = spec
        self.ready_at = 0.0
        self.seen_from = 0.0
        self.tagged_from = 0.0
        self.deleted_at: float | None = None
        self.failed = ""
        self.protected = bool(spec.get("protected"))
        self.made: float | None = None
        """Seconds since the epoch, where the toy cloud is to tell."""


class Fault:
    """Raises ``error`` for the next ``times`` calls of ``verb`` on a matching name, before or after the effect."""

    def __init__(
        self, verb: str, match: str, error: Callable[[], Exception], *, times: int = 1, after: bool = False
    ) -> None:
        self.verb = verb
        self.match = match
        self.error = error
        self.times = times
        self.after = after


class ToyCloud:
    """The control plane.

    ``provision``: seconds to become ready, by part of the name; ``modify``: the same for an update. ``lag``: seconds
    until a new object can be read; ``tag_lag``: seconds until its tags can be; ``linger``: seconds that a deleted one is still reported as it was; ``removal``:
    seconds that a delete takes; ``reserve``: seconds that a deleted name stays taken. ``doomed``: name part → the
    reason why such an object ends in a failed state.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.account = "toy:1"
        self.things: dict[str, Thing] = {}
        self.calls: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.hooks: list[Hook] = []
        self.told: list[set[str]] = []
        """For each update the fields that it was told to change."""
        self.provision: dict[str, float] = {}
        self.modify: dict[str, float] = {}
        self.removal: dict[str, float] = {}
        self.doomed: dict[str, str] = {}
        self.keeps: dict[str, str] = {}
        """Name part → what the cloud still keeps of such an object after its delete."""
        self.inner: dict[tuple[str, str], tuple[str, int]] = {}
        """What lives inside a thing: (the thing's id, name) → (owner, size)."""
        self.offers: list[str] = []
        """The versions that a new engine can be made of."""
        self.glancing = False
        self.stale: dict[str, Observed | None] = {}
        """What a list that lags shows of an object, by its name, while the engine only glances."""
        self.lag = 0.0
        self.tag_lag = 0.0
        self.linger = 0.0
        self.reserve = 0.0
        self._by_name: dict[tuple[str, str], list[Thing]] = {}
        self._used: Counter[str] = Counter()
        self._reserved: dict[tuple[str, str], float] = {}
        self._dying: list[Thing] = []
        self._serial = 0
        self._instant = (0.0, 0)
        self._check: Callable[[], None] = lambda: None

    def __getstate__(self) -> dict[str, Any]:
        """Without the fence, which belongs to the process and not to the cloud."""
        return {name: value for name, value in vars(self).items() if name != "_check"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _check=lambda: None)

    def fence(self, check: Callable[[], None]) -> None:
        """Asked before every request has any effect."""
        self._check = check

    def kept(self, name: str) -> str | None:
        return _first(self.keeps, name, "") or None

    def identity(self) -> str:
        """The account that the credentials belong to."""
        return self.account

    def twin(self, clock: Clock) -> ToyCloud:
        """A copy under another clock, which shows the same time."""
        other = ToyCloud(clock)
        shared = {"clock", "hooks", "faults", "calls", "_check"}
        for name, value in copy.deepcopy({k: v for k, v in vars(self).items() if k not in shared}).items():
            setattr(other, name, value)
        return other

    # -- what a test does -----------------------------------------------------------------------------------

    def fail(
        self, verb: str, match: str, error: Callable[[], Exception], *, times: int = 1, after: bool = False
    ) -> None:
        self.faults.append(Fault(verb, match, error, times=times, after=after))

    def writes(self) -> list[tuple[str, str]]:
        return [call for call in self.calls if call[0] in WRITES]

    def live(self) -> list[Thing]:
        """Everything that exists or is on its way, oldest first."""
        self._bury()
        return [thing for thing in self.things.values() if thing.deleted_at is None]

    def only(self, name: str) -> Thing:
        """The one object whose name ends so."""
        found = [thing for thing in self.live() if thing.name.endswith(name)]
        assert len(found) == 1, (name, [thing.name for thing in found])
        return found[0]

    def plant(self, kind: str, name: str, owner: str | None, **spec: Any) -> Thing:
        """An object that somebody else made."""
        base = {"size": 1, "colour": "red", "uses": [], "protected": False, "shape": "round", "password": None}
        return self._make(kind, name, owner, {**base, **spec})

    def lose(self, name: str) -> None:
        """Somebody deletes the object outside provisioner."""
        self.forget(self.only(name))

    def forget(self, thing: Thing) -> None:
        """The same for one thing of several that may share a name."""
        self._drop(thing)

    def free(self, kind: str, name: str) -> bool:
        """Nobody has such an object, in sight or out of it, and nothing holds its name back."""
        self._bury()
        taken = self._reserved.get((kind, name), 0.0) > self.clock.now()
        return not taken and not self._by_name.get((kind, name))

    # -- what a driver calls --------------------------------------------------------------------------------

    def enter(self, verb: str, name: str) -> Fault | None:
        self.calls.append((verb, name))
        now = self.clock.now()
        count = self._instant[1] + 1 if now == self._instant[0] else 0
        self._instant = (now, count)
        assert count < SPIN, "the engine calls and calls while no time passes"
        for hook in self.hooks:
            hook("before", verb, name)
        self._check()
        for fault in self.faults:
            if fault.verb == verb and fault.match in name and fault.times:
                fault.times -= 1
                if not fault.after:
                    raise fault.error()
                return fault
        return None

    def leave(self, verb: str, name: str, fault: Fault | None) -> None:
        for hook in self.hooks:
            hook("after", verb, name)
        if fault is not None:
            raise fault.error()

    def named(self, kind: str, name: str) -> Thing | None:
        """What a read shows."""
        self._bury()
        now = self.clock.now()
        return next((t for t in self._by_name.get((kind, name), ()) if now >= t.seen_from), None)

    def create(self, kind: str, name: str, owner: str | None, spec: dict[str, Any], *, unique: bool) -> None:
        self._bury()
        if unique and not self.free(kind, name):
            raise AlreadyExistsError(f"{name} exists", cloud_code="Exists")
        self._make(kind, name, owner, spec)

    def update(self, thing: Thing, spec: dict[str, Any]) -> None:
        self._count(thing.spec["uses"], -1)
        thing.spec.update(spec)
        self._count(thing.spec["uses"], 1)
        thing.protected = bool(spec.get("protected"))
        thing.ready_at = max(thing.ready_at, self.clock.now() + _first(self.modify, thing.name, 0.0))

    def remove(self, thing: Thing) -> None:
        if self._used[thing.ident]:
            raise InUseError(f"{thing.name} is in use")
        if thing.deleted_at is None:
            thing.deleted_at = self.clock.now() + _first(self.removal, thing.name, 0.0)
            self._dying.append(thing)
        self._bury()

    # -- inside ---------------------------------------------------------------------------------------------

    def _make(self, kind: str, name: str, owner: str | None, spec: dict[str, Any]) -> Thing:
        self._serial += 1
        thing = Thing(f"{kind}-{self._serial}", kind, name, owner, dict(spec))
        now = self.clock.now()
        thing.ready_at = now + _first(self.provision, name, 0.0)
        thing.seen_from = now + self.lag
        thing.tagged_from = now + self.tag_lag
        thing.failed = _first(self.doomed, name, "")
        self.things[thing.ident] = thing
        self._by_name.setdefault((kind, name), []).append(thing)
        self._count(spec["uses"], 1)
        return thing

    def _bury(self) -> None:
        now = self.clock.now()
        for thing in [t for t in self._dying if now >= (t.deleted_at or 0.0) + self.linger]:
            self._dying.remove(thing)
            self._drop(thing)

    def _drop(self, thing: Thing) -> None:
        del self.things[thing.ident]
        self._by_name[thing.kind, thing.name].remove(thing)
        self._count(thing.spec["uses"], -1)
        self._reserved[thing.kind, thing.name] = self.clock.now() + self.reserve

    def _count(self, idents: Iterable[str], by: int) -> None:
        for ident in idents:
            self._used[ident] += by


def _first(table: dict[str, _T], name: str, default: _T) -> _T:
    return next((value for part, value in table.items() if part in name), default)


def dropped() -> CloudError:
    return ConnectionFailedError("connection reset", cloud_code="ConnectionReset")
