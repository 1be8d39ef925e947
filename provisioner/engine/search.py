"""What carries a deployment's tag, found without its record: type by type, by the power ``CanSearch``.

Types that cannot be searched are found by reading the key that the plan gives their step, if it can be known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from provisioner.engine.context import Context, Seen
from provisioner.engine.loop import Call, Result, Task
from provisioner.errors import CloudError
from provisioner.model import Key, Observed
from provisioner.resource import CanSearch, Resource


class Stray(NamedTuple):
    """An object with our tag, as read, that the record does not have."""

    type: str
    key: Key
    seen: Observed


class Searched(NamedTuple):
    """``strays``: one a type and step; ``further``: others of the same type and step, recorded or not.

    ``doubled``: step → how many objects of one type carry its tag, where they are more than one.

    ``unsearched``: type → why the cloud did not let us search for it.
    """

    strays: list[Stray]
    further: list[Stray]
    doubled: dict[str, int]
    unsearched: dict[str, str]


def searchable(ctx: Context, types: Iterable[str]) -> list[str]:
    """Those of the types that can be searched."""
    return [name for name in dict.fromkeys(types) if issubclass(ctx.drivers.registry.type(name), CanSearch)]


def search(ctx: Context, types: Iterable[str]) -> Searched:
    """Every object of these types that is ours and in no record; each is read once, to be sure.

    A type that may not be searched is told, and the others are searched all the same. Other errors are raised.
    """
    found: dict[str, list[Stray]] = {name: [] for name in searchable(ctx, types)}
    further: list[Stray] = []
    doubled: dict[str, int] = {}
    unsearched: dict[str, str] = {}
    failures: list[BaseException] = []

    def landed(name: str, result: Result) -> None:
        if isinstance(result.error, CloudError) and not result.error.retryable:
            unsearched[name] = str(result.error)
        elif result.error is not None:
            failures.append(result.error)
        else:
            found[name], others, more = result.value
            further.extend(others)
            doubled.update(more)

    with ctx.retrier.impatient():
        for name in found:
            task = _search(ctx, ctx.drivers.resource(name))
            ctx.loop.spawn(task, lambda result, name=name: landed(name, result))  # type: ignore[misc]
        ctx.loop.run()
    for error in failures:
        raise error
    return Searched([stray for strays in found.values() for stray in strays], further, doubled, unsearched)


def _search(ctx: Context, resource: Resource) -> Task:
    searcher: Any = resource
    deployment, region = ctx.state.deployment, ctx.drivers.region
    call = Call(lambda: list(searcher.search(deployment, region)))
    keys: Sequence[Key] = yield from ctx.retrier.fetch(call, resource.service, heard=lambda *_: None)
    strays: dict[str, Stray] = {}
    further = []
    for key in _unrecorded(ctx, resource, keys):
        seen = yield from ctx.look(resource, key, key.step)
        if seen is None or seen.owner != key.owner:
            continue
        stray = Stray(resource.type, key, seen)
        record = ctx.record(key.step)
        if key.step in strays or (record is not None and record.type == resource.type):
            further.append(stray)
        else:
            strays[key.step] = stray
            ctx.seen.setdefault(key.step, Seen(key, seen, ctx.clock.now()))
    count = Counter(key.step for key in keys)
    return list(strays.values()), further, {step: number for step, number in count.items() if number > 1}


def _unrecorded(ctx: Context, resource: Resource, keys: Sequence[Key]) -> list[Key]:
    """All but one key for each recorded object; what is found by its tag alone has one name for several objects."""
    left = []
    passed = set()
    for key in keys:
        record = ctx.record(key.step)
        mine = record is not None and record.type == resource.type and record.key.name == key.name
        if mine and key.step not in passed:
            passed.add(key.step)
        else:
            left.append(key)
    return left
