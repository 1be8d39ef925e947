"""A deployment without an engine: makes objects through drivers, waits for them, and removes them in
reverse order."""

from __future__ import annotations

import functools
import itertools
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from provisioner import spec as specs
from provisioner.errors import BusyError, CloudError, InUseError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import SINGLY, CanDiscard, Registry, Resource, Spec

_T = TypeVar("_T")
_PATIENCE = 60.0
_numbers = itertools.count(1)


@functools.cache
def _session(registry: Registry, cloud: str, region: str) -> Any:
    return registry.open_session(cloud, region)


class World:
    """One deployment with a name that nobody else has."""

    def __init__(self, registry: Registry, region: str, completing: Collection[str] = ()) -> None:
        """``completing``: types whose objects are whole after an update only, as the engine sends one."""
        self.registry = registry
        self.completing = completing
        self.region = region
        self.deployment = f"c{os.getpid()}-{next(_numbers)}"
        self._drivers: dict[str, Resource] = {}
        self._made: dict[str, tuple[Resource, Key]] = {}
        self._outputs: dict[str, Mapping[str, Any]] = {}
        self._lent: dict[str, Any] = {}
        """What the last example that needs it logs in with."""

    def __getitem__(self, step: str) -> Mapping[str, Any]:
        """The outputs of a step that was made."""
        return self._outputs[step]

    def session(self, cloud: str = "aws") -> Any:
        """The one session of the test run: making clients takes longer than most tests."""
        return _session(self.registry, cloud, self.region)

    def driver(self, name: str) -> Any:
        if name not in self._drivers:
            cls = self.registry.type(name)
            assert issubclass(cls, Resource)
            made = _lending(cls, self._lent) if hasattr(cls, "borrows") else cls
            self._drivers[name] = made(self.session(name.partition(".")[0]))
        return self._drivers[name]

    def spec(self, name: str, tree: Mapping[str, Any]) -> Spec:
        return specs.decode(self.registry.type(name).Spec, tree)

    def key(self, name: str, step: str, tree: Mapping[str, Any], deployment: str = "") -> Key:
        cls = self.registry.type(name)
        assert issubclass(cls, Resource)
        spec = self.spec(name, tree)
        if hasattr(cls, "borrows"):
            self._lent.update({field: getattr(spec, field) for field in cls.borrows})
        return cls.key(deployment or self.deployment, step, spec, self.region)

    def make(self, name: str, step: str, tree: Mapping[str, Any]) -> tuple[Key, Observed]:
        """Creates an object and waits until it is ready; it is removed when the world ends."""
        driver, key, spec = self.driver(name), self.key(name, step, tree), self.spec(name, tree)
        self._made[step] = (driver, key)
        patiently(lambda: driver.create(key, spec))
        seen = settle(driver, key)
        if name in self.completing:
            assert differing(driver, spec, seen), f"{name} is whole at once"
            patiently(lambda: driver.update(key, spec))
            seen = settle(driver, key)
        self._outputs[step] = seen.outputs
        return key, seen

    def watch(self, driver: Resource, key: Key) -> None:
        """Removes an object that a test made itself when the world ends."""
        self._made[key.step] = (driver, key)

    def close(self) -> None:
        """Removes everything for good, last made first."""
        for driver, key in reversed(self._made.values()):
            remove(driver, key)
        self._made.clear()


def _lending(cls: Any, values: Mapping[str, Any]) -> Any:
    """The type, with what it must be lent lent before each verb, as the engine does."""

    def lent(verb: str) -> Callable[..., Any]:
        def call(self: Any, key: Key, *arguments: Any) -> Any:
            self.lend(key, values)
            return getattr(cls, verb)(self, key, *arguments)

        return call

    return type(cls.__name__, (cls,), {verb: lent(verb) for verb in ("read", "delete", "claim", "lingers")})


def patiently(act: Callable[[], _T], on: tuple[type[CloudError], ...] = (BusyError,)) -> _T:
    """Repeats a call that the cloud is not ready for, as the engine would."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return act()
        except on:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def settle(driver: Resource, key: Key) -> Observed:
    """Reads until the object is ready; a failed one ends the test at once."""
    end = time.monotonic() + _PATIENCE
    while True:
        seen = driver.read(key)
        assert seen is None or seen.phase is not Phase.FAILED, f"{key}: {seen.detail}"
        if seen is not None and seen.phase is Phase.READY:
            return seen
        assert time.monotonic() < end, f"{key} is not ready: {seen}"
        time.sleep(driver.poll_first)


def gone(driver: Resource, key: Key) -> None:
    """Reads until the object does not exist."""
    end = time.monotonic() + _PATIENCE
    while driver.read(key) is not None:
        assert time.monotonic() < end, f"{key} is still there"
        time.sleep(driver.poll_first)


def remove(driver: Resource, key: Key) -> None:
    """Discards where that is possible, else deletes, and waits until the object is gone."""
    act = driver.discard if isinstance(driver, CanDiscard) else driver.delete
    patiently(lambda: act(key), (BusyError, InUseError))
    gone(driver, key)


def differing(driver: Resource, spec: Spec, seen: Observed) -> set[str]:
    """The fields of the spec that the object, as far as it is seen, does not have."""
    return {
        name
        for name, wanted in specs.fields(spec).items()
        if name in seen.spec and not _same(driver, name, wanted, seen.spec[name])
    }


def _same(driver: Resource, name: str, wanted: Any, seen: Any) -> bool:
    same = driver.matches.get(name)
    return bool(same(wanted, seen)) if same and seen is not None else bool(wanted == seen)


def look_at_many(driver: Any, keys: Sequence[Key]) -> dict[str, Observed]:
    """What the loop makes of looks that meet: a list, and a read each of those that it cannot tell of."""
    answers = driver.read_many(keys)
    seen = {key.owner: driver.read(key) if answers.get(key.owner) is SINGLY else answers.get(key.owner) for key in keys}
    return {owner: one for owner, one in seen.items() if one is not None}
