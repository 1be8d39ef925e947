"""Which object needs which, told from what they hold of each other's ids, names and ARNs: for records without a plan.

A guess, for the order of a destroy alone. What it misses, the cloud says by refusing to delete what is in use, and the
delete is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from provisioner.resource import Resource
from provisioner.state.records import Record

_T = TypeVar("_T")

_SHORTEST = 3
"""Letters of a text that may name an object."""


class Thing(NamedTuple):
    """One object. ``names``: text that means it → how surely, 0 for an id of its own; ``holds``: the texts in it."""

    step: str
    names: dict[str, int]
    holds: frozenset[str]

    @classmethod
    def of(cls, record: Record, resource: Resource) -> Thing:
        names: dict[str, int] = {}
        for output, value in record.outputs.items():
            if isinstance(value, str) and (output in ("id", "arn", "name") or output.endswith(("_id", "_arn"))):
                sure = 0 if output == resource.identifier else 1 if output == "arn" else 2
                names[value] = min(sure, names.get(value, sure))
        names.setdefault(record.key.name, 2)
        holds = frozenset(text for text in _texts([record.spec, record.key.at]) if len(text) >= _SHORTEST)
        return cls(record.step, {text: sure for text, sure in names.items() if len(text) >= _SHORTEST}, holds)


def _texts(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _texts(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _texts(value)


def needs_of(things: Sequence[Thing], guessed: Collection[str]) -> dict[str, list[str]]:
    """Step → the steps that it needs, without cycles. Only needs of, or for, a ``guessed`` step are looked for."""
    means: dict[str, list[tuple[int, str]]] = {}
    for thing in things:
        for text, sure in thing.names.items():
            means.setdefault(text, []).append((sure, thing.step))
    needs: dict[str, list[str]] = {thing.step: [] for thing in things}
    for thing in things:
        for text in sorted(thing.holds & means.keys()):
            surest = min(sure for sure, _ in means[text])
            for sure, step in means[text]:
                known = step == thing.step or step in needs[thing.step]
                if sure > surest or known or not {step, thing.step} & set(guessed):
                    continue
                if not _leads(needs, step, thing.step):
                    needs[thing.step].append(step)
    return needs


def _leads(needs: dict[str, list[str]], start: str, end: str) -> bool:
    waiting, met = [start], {start}
    while waiting:
        step = waiting.pop()
        if step == end:
            return True
        fresh = [need for need in needs[step] if need not in met]
        met.update(fresh)
        waiting += fresh
    return False


def sorted_by_need(found: Sequence[_T], record: Callable[[_T], Record]) -> list[_T]:
    """Each after what it needs; otherwise as given."""
    waiting = {record(one).step: one for one in found}
    ordered: list[_T] = []
    while waiting:
        free = (step for step, one in waiting.items() if not any(need in waiting for need in record(one).needs))
        ordered.append(waiting.pop(next(free, next(iter(waiting)))))
    return ordered
