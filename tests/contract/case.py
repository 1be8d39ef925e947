"""What the suite needs to know of a type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.model import Key
from tests.contract.world import World

Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Need:
    """An object that must be there first; its outputs are ``world[step]``."""

    step: str
    type: str
    spec: Callable[[World], Tree]


@dataclass(frozen=True)
class Case:
    """One type under test.

    ``spec``: an example with as many fields as can be seen in a read. ``changed``: fields that an update
    brings about, or empty where the type cannot update. ``replaced``: a change that only a new object can
    have. ``drift`` changes the object behind our back, by boto3 itself, and returns the fields whose
    difference a read must show. ``foreign``: the key under which another deployment meets the same object;
    None: the default, the same name. ``unseen``: fields of the spec that the cloud does not report.
    ``made``: False for what can only be adopted. ``claimable``: False where two deployments cannot meet at
    all.
    """

    spec: Callable[[World], Tree]
    needs: tuple[Need, ...] = ()
    changed: Callable[[World], Tree] | None = None
    replaced: Callable[[World], Tree] | None = None
    drift: Callable[[World, Key], set[str]] | None = None
    foreign: Callable[[World, Key], Key] | None = None
    unseen: frozenset[str] = field(default_factory=frozenset)
    invalid: tuple[Tree, ...] = ()
    """Changes of ``spec`` that the type itself must refuse, by a field's limits or by a rule."""
    beside: Callable[[World, str], Tree] = lambda world, step: {}
    """What a second object needs to live beside the example, apart from another name."""
    made: bool = True
    completed: bool = False
    """An update brings what a create cannot say yet, because the object has to be up first."""
    claimable: bool = True
