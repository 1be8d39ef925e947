"""The toy cloud's types: named things, listable ones, ones whose id the cloud assigns, ones that hold data, a gate."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar

import msgspec

from provisioner.charge import Charge, Uses, months, nothing
from provisioner.errors import AccessDeniedError, NotFoundError, NotOfferedError, UnavailableError
from provisioner.model import Key, Observed, Phase
from provisioner.powers import Point
from provisioner.resource import Gate, Holder, Registry, Resource, Spec, Verdict, outright, resource
from provisioner.secret import Secret
from tests.engine.toycloud import Thing, ToyCloud


class ThingSpec(Spec, frozen=True):
    """A thing of the toy cloud."""

    size: Annotated[int, msgspec.Meta(ge=1, description="How big it is, in toys.")] = 1
    colour: str = "red"
    uses: list[str] = []
    password: Secret | None = None
    protected: bool = False
    shape: str = "round"
    name: str | None = None
    note: str | None = None


class _Base(Resource):
    Spec: ClassVar[type[ThingSpec]] = ThingSpec
    kind = "thing"
    unique = True
    poll_first = 1.0
    service = "toy"
    outputs = {"id": str, "size": int}
    identifier = "id"
    immutable = frozenset({"shape"})
    protection = "protected"
    unprotect = "toy unprotect {name}"
    timeout = 600.0

    session: ToyCloud

    def read(self, key: Key) -> Observed | None:
        fault = self.session.enter("read", key.name)
        seen = self._observe(key)
        self.session.leave("read", key.name, fault)
        return seen

    def _observe(self, key: Key) -> Observed | None:
        thing = self.session.named(self.kind, key.name)
        return self._seen(thing) if thing is not None else None

    def _seen(self, thing: Thing) -> Observed:
        spec = {name: value for name, value in thing.spec.items() if name != "password" and value is not None}
        return Observed(
            phase=_phase(thing, self.session.clock.now()),
            owner=thing.owner if self.session.clock.now() >= thing.tagged_from else None,
            spec=spec,
            outputs={"id": thing.ident, "size": thing.spec["size"]},
            detail=thing.failed,
            protected=thing.protected,
            made=thing.made,
        )

    def claim(self, key: Key, identifier: str) -> None:
        fault = self.session.enter("claim", key.name)
        self.session.things[identifier].owner = key.owner
        self.session.leave("claim", key.name, fault)

    def create(self, key: Key, spec: ThingSpec) -> None:
        with outright():
            fault = self.session.enter("create", key.name)
            self.session.create(self.kind, key.name, key.owner, _values(spec), unique=self.unique)
        self.session.leave("create", key.name, fault)

    def update(self, key: Key, spec: ThingSpec, changed: Collection[str] = ()) -> None:
        self.session.told.append(set(changed))
        with outright():
            fault = self.session.enter("update", key.name)
        thing = self.session.named(self.kind, key.name)
        if thing is None:
            raise NotFoundError(key.name)
        wanted = {name: v for name, v in _values(spec).items() if v is not None and (not changed or name in changed)}
        self.session.update(thing, wanted)
        self.session.leave("update", key.name, fault)

    def delete(self, key: Key) -> None:
        self._remove("delete", key)

    def holders(self, key: Key) -> Sequence[Holder]:
        """Whatever uses it."""
        self.session.leave("holders", key.name, self.session.enter("holders", key.name))
        thing = self.session.named(self.kind, key.name)
        return [
            Holder(f"{user.kind} {user.name}", user.owner, user.deleted_at is not None, f"toy show {user.name}")
            for user in self.session.things.values()
            if thing is not None and thing.ident in user.spec["uses"]
        ]

    def lingers(self, key: Key) -> str | None:
        self.session.leave("lingers", key.name, self.session.enter("lingers", key.name))
        return self.session.kept(key.name)

    def _remove(self, verb: str, key: Key) -> None:
        fault = self.session.enter(verb, key.name)
        thing = self.session.named(self.kind, key.name)
        if thing is not None:
            self.session.remove(thing)
        self.session.leave(verb, key.name, fault)


def _owned(thing: Thing, kind: str, deployment: str, region: str) -> Key | None:
    """The key of a thing that carries the deployment's tag."""
    whose, _, step = (thing.owner or "").partition("/")
    if thing.kind != kind or whose != deployment:
        return None
    return Key(deployment=whose, step=step, name=thing.name, region=region)


def _phase(thing: Thing, now: float) -> Phase:
    if thing.deleted_at is not None and now < thing.deleted_at:
        return Phase.DELETING
    if now < thing.ready_at:
        return Phase.PENDING
    return Phase.FAILED if thing.failed else Phase.READY


def _values(spec: ThingSpec) -> dict[str, Any]:
    values = {name: getattr(spec, name) for name in spec.__struct_fields__ if name != "name"}
    values["password"] = spec.password.reveal() if spec.password else None
    return values


class _Searched(_Base):
    def search(self, deployment: str, region: str) -> Iterable[Key]:
        fault = self.session.enter("search", self.kind)
        found = [key for thing in self.session.live() if (key := _owned(thing, self.kind, deployment, region))]
        self.session.leave("search", self.kind, fault)
        return found


@resource("toy.thing")
class ToyThing(_Searched):
    """A named thing."""


@resource("toy.light")
class ToyLight(_Base):
    """A thing that can be listed, and not be searched for."""

    kind = "light"
    poll_first = 0.1

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed]:
        fault = self.session.enter("list", "light")
        stale = self.session.stale if self.session.glancing else {}
        found = {key.owner: stale[key.name] if key.name in stale else self._observe(key) for key in keys}
        self.session.leave("list", "light", fault)
        return {owner: seen for owner, seen in found.items() if seen is not None}


@resource("toy.network")
class ToyNetwork(_Searched):
    """A thing whose id the cloud assigns: two creates make two."""

    kind = "network"
    unique = False
    grace = 15.0


@resource("toy.tagged")
class ToyTagged(_Searched):
    """A thing that is found by its tag alone, as a VPC is."""

    kind = "tagged"
    unique = False

    def _observe(self, key: Key) -> Observed | None:
        return self._shown(key, lambda thing: thing.owner == key.owner)

    def find(self, key: Key, identifier: str) -> Observed | None:
        fault = self.session.enter("find", key.name)
        seen = self._shown(key, lambda thing: thing.ident == identifier)
        self.session.leave("find", key.name, fault)
        return seen

    def _shown(self, key: Key, wanted: Callable[[Thing], bool]) -> Observed | None:
        found = next((thing for thing in self.session.live() if thing.kind == self.kind and wanted(thing)), None)
        return self._seen(found) if found is not None else None


@resource("toy.database")
class ToyDatabase(_Searched):
    """A thing that holds data."""

    kind = "database"
    holds_data = True
    poll_first = 2.0
    one_way = frozenset({"size"})

    @staticmethod
    def charges(item: Any, outline: Any, use: Uses) -> list[Charge]:
        """There are no price lists of toys: a toy database costs as much as dashboards do elsewhere."""
        looks = use("looks", "times that somebody looked", 0)
        return [
            months("aws.watch/dashboard", "toys", item.get("size"), region="us-east-1"),
            months("aws.watch/alarm", "looks", looks, region="us-east-1"),
        ]

    @staticmethod
    def points() -> tuple[Point, ...]:
        """One of each kind."""
        return (
            Point("it is available"),
            Point("as large as planned", ("size",)),
            Point("protected", ("protected",)),
            Point("reached through its network", walls="uses"),
            Point("it answers", gate=True),
            Point("somebody likes it", unseen="that is a matter of taste"),
        )

    def discard(self, key: Key) -> None:
        self._remove("discard", key)


class EngineSpec(ThingSpec, frozen=True, kw_only=True):
    """A thing of a version: a major one, or an exact one."""

    version: str


def _of_version(wanted: str, seen: str) -> bool:
    return seen == wanted or seen.startswith(f"{wanted}.") or (wanted.count(".") == 1 and seen > wanted)


@resource("toy.engine")
class ToyEngine(_Searched):
    """A thing whose plan may leave its minor version open."""

    Spec = EngineSpec
    kind = "engine"
    settles = frozenset({"version"})
    one_way = frozenset({"version"})
    matches = {"version": _of_version}

    def settle(self, key: Key, known: Mapping[str, Any], seen: Observed | None) -> Mapping[str, Any]:
        self.session.leave("settle", key.name, self.session.enter("settle", key.name))
        wish = known["version"]
        found = [version for version in self.session.offers if version == wish or version.startswith(f"{wish}.")]
        if not found:
            raise NotOfferedError(f"no version {wish}", where=key.name, hint=f"write {max(self.session.offers)}")
        return {"version": max(found)}


class InsideSpec(Spec, frozen=True, kw_only=True):
    """A thing inside another one."""

    host: str
    password: Secret | None = None
    size: int = 1


@resource("toy.inside")
class ToyInside(Resource):
    """Lives in a thing of the cloud, ``host`` being its id, and asks it for a password even to look."""

    Spec = InsideSpec
    service = "toy"
    outputs = {"name": str}
    borrows = ("host", "password")
    inside = "host"
    session: ToyCloud

    def __init__(self, session: ToyCloud) -> None:
        super().__init__(session)
        self.lent: dict[str, Mapping[str, Any]] = {}

    def lend(self, key: Key, values: Mapping[str, Any]) -> None:
        self.lent[key.owner] = values

    def _home(self, verb: str, key: Key) -> Thing:
        self.session.leave(verb, key.name, self.session.enter(verb, key.name))
        values = self.lent[key.owner]
        home = self.session.things.get(values["host"])
        if home is None or home not in self.session.live():
            raise UnavailableError("nobody answers", where=key.name)
        password = home.spec["password"]
        if password is not None and (values["password"] is None or values["password"].reveal() != password):
            raise AccessDeniedError("wrong password", where=key.name)
        return home

    def read(self, key: Key) -> Observed | None:
        found = self.session.inner.get((self._home("read", key).ident, key.name))
        if found is None:
            return None
        owner, size = found
        return Observed(phase=Phase.READY, owner=owner, spec={"size": size}, outputs={"name": key.name})

    def create(self, key: Key, spec: InsideSpec) -> None:
        self.session.inner.setdefault((self._home("create", key).ident, key.name), (key.owner, spec.size))

    def update(self, key: Key, spec: InsideSpec, changed: Collection[str] = ()) -> None:
        self.session.inner[self._home("update", key).ident, key.name] = (key.owner, spec.size)

    def delete(self, key: Key) -> None:
        self.session.inner.pop((self._home("delete", key).ident, key.name), None)


class VaultSpec(Spec, frozen=True):
    """A generated password."""

    length: int = 12


@resource("toy.vault")
class ToyVault(Resource):
    """Makes a secret value; a second create never changes it."""

    Spec = VaultSpec
    charges = staticmethod(nothing)

    @staticmethod
    def points() -> tuple[Point, ...]:
        """Its value, and no more."""
        return (Point("its value can be read", fetches="value"),)

    service = "toy"
    outputs = {"value": Secret, "id": str}
    identifier = "id"
    session: ToyCloud

    def read(self, key: Key) -> Observed | None:
        fault = self.session.enter("read", key.name)
        thing = self.session.named("vault", key.name)
        self.session.leave("read", key.name, fault)
        if thing is None:
            return None
        value = thing.spec["value"]

        def fetch() -> str:
            self.session.leave("fetch", key.name, self.session.enter("fetch", key.name))
            return str(value)

        outputs = {"value": Secret(fetch), "id": thing.ident}
        phase = _phase(thing, self.session.clock.now())
        return Observed(phase=phase, owner=thing.owner, outputs=outputs, detail=thing.failed)

    def create(self, key: Key, spec: VaultSpec) -> None:
        value = f"canary-{key.name}-{spec.length}"
        with outright():
            fault = self.session.enter("create", key.name)
            self.session.create("vault", key.name, key.owner, {"value": value, "uses": []}, unique=True)
        self.session.leave("create", key.name, fault)

    def search(self, deployment: str, region: str) -> Iterable[Key]:
        self.session.leave("search", "vault", self.session.enter("search", "vault"))
        return [key for thing in self.session.live() if (key := _owned(thing, "vault", deployment, region))]

    def delete(self, key: Key) -> None:
        fault = self.session.enter("delete", key.name)
        thing = self.session.named("vault", key.name)
        if thing is not None:
            self.session.remove(thing)
        self.session.leave("delete", key.name, fault)


class GateSpec(Spec, frozen=True):
    """A check."""

    thing: str
    password: Secret | None = None


@resource("toy.gate")
class ToyGate(Gate):
    """Passes once the named thing exists; what is called ``lost-…`` never will, and the gate knows."""

    Spec = GateSpec
    session: ToyCloud

    def check(self, spec: GateSpec) -> Verdict:
        self.session.enter("check", spec.thing)
        return Verdict(spec.thing in self.session.things, "looked", final=spec.thing.startswith("lost-"))

    def slowest(self, spec: GateSpec, limit: int) -> list[dict[str, Any]]:
        times = {"total_ms": 1500.0, "mean_ms": 1.5, "calls": 1000, "share_percent": 75.0}
        return [{"query": f"SELECT * FROM {spec.thing}", **times}][:limit]

    def sample(self, spec: GateSpec) -> dict[str, float]:
        self.session.enter("sample", spec.thing)
        return {"calls": float(self.session.clock.now())}

    def baseline(self, samples: Sequence[Mapping[str, float]]) -> dict[str, Any]:
        return {"samples": len(samples), "latency_ms": {"p50": 1.0, "p95": 2.0}}


class _ToyRegistry(Registry):
    def __init__(self, cloud: ToyCloud, types: Mapping[str, str]) -> None:
        super().__init__(types, {})
        self._cloud = cloud

    def open_session(self, cloud: str, region: str) -> Any:
        self._cloud.fence(lambda: None)  # the one cloud stands for a new session
        return self._cloud


def registry(cloud: ToyCloud) -> Registry:
    """The toy types over one toy cloud."""
    classes = (
        "ToyThing",
        "ToyLight",
        "ToyNetwork",
        "ToyTagged",
        "ToyDatabase",
        "ToyEngine",
        "ToyInside",
        "ToyVault",
        "ToyGate",
    )
    return _ToyRegistry(cloud, {f"toy.{name[3:].lower()}": f"{__name__}:{name}" for name in classes})
