"""From an older format of the state to the present one, one function a step.

A format's number is in the snapshot, and holds for the journal beside it too: a journal never outlives the
format that it was written in, because an upgrade ends with a new snapshot and an empty journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from provisioner.errors import StateFormatError
from provisioner.state.records import FORMAT

Tree = dict[str, Any]


def _same(tree: Tree) -> Tree:
    return tree


class Upgrade(NamedTuple):
    """How to get from one format to the next: the snapshot's tree, and the tree of each journal entry."""

    snapshot: Callable[[Tree], Tree]
    entry: Callable[[Tree], Tree] = _same


UPGRADES: Final[Mapping[int, Upgrade]] = {}
"""Old format → the way to the one after it. Format 1 is the first, so there is no way yet."""


def way(old: int, upgrades: Mapping[int, Upgrade], where: str) -> tuple[Upgrade, ...]:
    """The upgrades from ``old`` to FORMAT, in order; StateFormatError where there is no way."""
    if old > FORMAT:
        raise StateFormatError(
            f"the state has format {old}; this provisioner knows format {FORMAT} and older",
            where=where,
            hint="upgrade provisioner (pip install -U provisioner); nothing was changed",
        )
    missing = [step for step in range(old, FORMAT) if step not in upgrades]
    if missing:
        raise StateFormatError(
            f"the state has format {old}, which this provisioner cannot upgrade any more",
            where=where,
            hint="deploy once with an older provisioner that knows both formats; nothing was changed",
        )
    return tuple(upgrades[step] for step in range(old, FORMAT))
