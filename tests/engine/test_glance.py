"""A first look may come from a list that lags: what it says is believed only where nothing is done for it."""

from __future__ import annotations

import shutil
from collections import Counter

import msgspec
import pytest

from provisioner.model import Observed, Phase
from provisioner.plan.model import Plan
from provisioner.state.records import Action
from tests.engine.world import World, agree, plan, step

NAME = "shop-test-a"


def _two(size: int = 1) -> Plan:
    return plan(step("a", "toy.light", size=size), step("b", "toy.light", size=size))


def _deployed(world: World) -> Observed:
    """Both are there; how the first is seen."""
    assert world.deploy(_two()).exit_code == 0
    thing = world.cloud.named("light", NAME)
    assert thing is not None
    world.cloud.calls.clear()
    spec = {name: value for name, value in thing.spec.items() if value is not None}
    return Observed(phase=Phase.READY, owner="shop-test/a", spec=spec, outputs={"id": thing.ident, "size": 1})


@pytest.mark.parametrize("what", ["missing", "another size", "another owner", "on its way"])
def test_what_a_list_shows_otherwise_than_recorded_is_asked_again_and_nothing_is_done(world: World, what: str) -> None:
    seen = _deployed(world)
    world.cloud.stale[NAME] = {
        "missing": None,
        "another size": msgspec.structs.replace(seen, spec={**seen.spec, "size": 9}),
        "another owner": msgspec.structs.replace(seen, owner="shop-test/other"),
        "on its way": msgspec.structs.replace(seen, phase=Phase.PENDING),
    }[what]
    assert {entry.action for entry in world.preview(_two()).values()} == {Action.KEEP}
    assert world.deploy(_two()).exit_code == 0
    assert world.writes() == []
    agree(world)


def test_what_a_list_shows_as_wanted_is_not_asked_again(world: World) -> None:
    _deployed(world)
    world.deploy(_two())
    assert Counter(verb for verb, _ in world.cloud.calls) == {"list": 1}


def test_a_difference_that_is_true_is_found_all_the_same(world: World) -> None:
    _deployed(world)
    assert world.deploy(_two(size=2)).exit_code == 0
    assert world.writes() == ["update a", "update b"]


def test_what_was_never_recorded_and_is_not_listed_is_made_without_another_look(world: World) -> None:
    world.deploy(_two())
    reads = [verb for verb, _ in world.cloud.calls[: [v for v, _ in world.cloud.calls].index("create")]]
    assert reads == ["list"]


def test_what_is_ours_and_not_listed_yet_is_found_by_its_create(world: World) -> None:
    """The record was lost, and the list is older than the object."""
    _deployed(world)
    shutil.rmtree(world.directory)
    world.cloud.stale = {NAME: None, "shop-test-b": None}
    assert world.deploy(_two()).exit_code == 0
    agree(world)


def test_a_value_that_is_taken_back_is_taken_back_though_the_list_still_shows_it(world: World) -> None:
    first = _deployed(world)
    assert world.deploy(_two(size=2)).exit_code == 0
    world.writes()
    world.cloud.stale[NAME] = first
    assert world.deploy(_two(size=1)).exit_code == 0
    assert world.writes() == ["update a", "update b"]
