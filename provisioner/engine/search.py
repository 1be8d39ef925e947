"""What carries a deployment's tag, found without its record: type by type, by the power ``CanSearch``.

Types that cannot be searched are found by reading the key that the plan gives their step, if it can be known.

A type whose steps may name a ``region`` of their own is searched in each that one does, in the plan or in the record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from provisioner.engine.context import Context, Seen
from provisioner.engine.loop import Call, Result, Task
from provisioner.errors import CloudError
from provisioner.model import Key, Observed
from provisioner.plan.model import Plan
from provisioner.refs import UnresolvedError, resolve
from provisioner.resource import CanSearch, Resource, StepType


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


def search(ctx: Context, types: Iterable[str], plan: Plan | None = None) -> Searched:
    """Every object of these types that is ours and in no record; each is read once, to be sure.

    ``plan``: its steps may name further regions to look in.

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
            task = _search(ctx, ctx.drivers.resource(name), regions(ctx, name, plan))
            ctx.loop.spawn(task, lambda result, name=name: landed(name, result))  # type: ignore[misc]
        ctx.loop.run()
    for error in failures:
        raise error
    return Searched([stray for strays in found.values() for stray in strays], further, doubled, unsearched)


def regions(ctx: Context, type_: str, plan: Plan | None) -> list[str]:
    """Where objects of a type may be: in the plan's region, and where a step of such a type is or was."""
    registry = ctx.drivers.registry
    found = [ctx.drivers.region]
    if not _movable(registry.type(type_)):
        return found
    records = (one for one in ctx.state.steps.values() if one.type in registry)
    found += [one.key.region for one in records if _movable(registry.type(one.type))]
    for step in plan.steps if plan is not None else ():
        if _movable(registry.type(step.type)):
            with suppress(UnresolvedError):
                found.append(str(resolve(step.tree.get("region"), ctx.lookup) or ""))
    return [region for region in dict.fromkeys(found) if region]


def _movable(cls: type[StepType]) -> bool:
    """Whether a step of the type may name a region of its own."""
    return "region" in cls.Spec.__struct_fields__


def _search(ctx: Context, resource: Resource, places: Sequence[str]) -> Task:
    searcher: Any = resource
    deployment = ctx.state.deployment
    keys: list[Key] = []
    for region in places:
        call = Call(lambda region=region: list(searcher.search(deployment, region)))  # type: ignore[misc]
        keys += yield from ctx.retrier.fetch(call, resource.service, heard=lambda *_: None)
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
        if record is not None and _movable(type(resource)):
            mine = mine and record.key.region == key.region
        if mine and key.step not in passed:
            passed.add(key.step)
        else:
            left.append(key)
    return left
