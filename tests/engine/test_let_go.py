"""Adopted or let go, and then something else, in one run that failed and was kept: all of it can be taken back."""

from __future__ import annotations

import pytest

from provisioner.errors import AccessDeniedError
from provisioner.plan.model import StepDecl
from tests.engine.toycloud import Thing
from tests.engine.world import World, plan, step


def refuse(world: World, what: str, verb: str = "create") -> None:
    world.cloud.fail(verb, what, lambda: AccessDeniedError("no"))


@pytest.mark.parametrize("own", [step("box"), step("box", "toy.network")])
def test_what_took_the_place_of_an_adopted_object_in_the_same_run_goes_with_a_rollback(
    world: World, own: StepDecl
) -> None:
    world.cloud.plant("thing", "corporate", "other/it")
    refuse(world, "bad")
    adopting = step("box", adopt=True, named="corporate")
    assert world.deploy(plan(adopting, step("bad", after=("box",))), on_failure="keep").exit_code == 5
    assert world.deploy(plan(own)).exit_code == 0
    assert world.names() == ["box", "corporate"]
    assert world.rollback().exit_code == 0
    assert (world.names(), world.state.steps) == (["corporate"], {})


def forgotten(world: World) -> None:
    """A run that let go of an adopted object, failed after that, and was kept."""
    world.cloud.plant("thing", "corporate", "other/it", size=7)
    world.deploy(plan(step("box", adopt=True, named="corporate"), step("gone")))
    refuse(world, "gone", "delete")
    assert world.deploy(plan(step("base")), on_failure="keep").exit_code == 5
    assert sorted(world.state.steps) == ["base", "gone"]


def test_what_took_the_place_of_a_forgotten_object_in_the_same_run_goes_with_a_rollback(world: World) -> None:
    forgotten(world)
    assert world.deploy(plan(step("base"), step("box"))).exit_code == 0
    assert world.names() == ["base", "box", "corporate"]
    assert world.rollback().exit_code == 0
    assert world.names() == ["corporate", "gone"]
    assert {name: record.adopted for name, record in world.state.steps.items()} == {"box": True, "gone": False}


def test_a_forgotten_object_that_was_adopted_again_and_changed_gets_its_values_back(world: World) -> None:
    forgotten(world)
    again = step("box", adopt=True, named="corporate", size=2)
    assert world.deploy(plan(step("base"), again)).exit_code == 0
    assert world.cloud.only("corporate").spec["size"] == 2
    assert world.rollback().exit_code == 0
    assert world.cloud.only("corporate").spec["size"] == 7
    assert world.state.steps["box"].adopted


def adopted_changed_and_left(world: World) -> Thing:
    """A run that adopted an object, gave it another size, failed after that, and was kept."""
    theirs = world.cloud.plant("thing", "corporate", "other/it", size=7)
    refuse(world, "bad")
    adopting = step("box", adopt=True, named="corporate", size=2)
    assert world.deploy(plan(adopting, step("bad", after=("box",))), on_failure="keep").exit_code == 5
    assert theirs.spec["size"] == 2
    return theirs


def test_an_adopted_object_that_was_changed_and_then_let_go_in_the_same_run_gets_its_values_back(world: World) -> None:
    theirs = adopted_changed_and_left(world)
    assert world.deploy(plan(step("box"))).exit_code == 0
    assert world.names() == ["box", "corporate"]
    assert world.rollback().exit_code == 0
    assert (world.names(), world.state.steps, theirs.spec["size"]) == (["corporate"], {}, 7)


def test_an_adopted_object_that_its_owner_has_deleted_is_not_made_again_to_give_it_its_values_back(
    world: World,
) -> None:
    adopted_changed_and_left(world)
    world.cloud.lose("corporate")
    assert world.rollback().exit_code == 0
    assert (world.names(), world.state.steps) == ([], {})
