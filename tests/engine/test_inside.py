"""What lives inside another object: made and looked at with what is lent, and gone with what it lives in."""

from __future__ import annotations

import pytest

from provisioner.engine.drift import Kind
from provisioner.plan.model import Plan
from provisioner.state.records import Action
from tests.engine.world import World, plan, step


def nested(size: int = 1) -> Plan:
    return plan(
        step("vault", "toy.vault"),
        step("db", "toy.database", password="${vault.value}"),
        step("inner", "toy.inside", host="${db.id}", password="${vault.value}", size=size),
    )


def test_it_is_made_in_what_the_same_run_makes_and_kept_by_the_next(world: World) -> None:
    planned = world.preview(nested())["inner"]
    assert (planned.action, planned.reason) == (Action.CREATE, "what it lives in is not there yet")
    assert world.deploy(nested()).exit_code == 0
    assert [owner for owner, _ in world.cloud.inner.values()] == ["shop-test/inner"]
    world.writes()
    assert world.preview(nested())["inner"].action is Action.KEEP
    assert world.deploy(nested()).exit_code == 0
    assert world.writes() == []


def test_a_change_and_its_rollback_reach_it(world: World) -> None:
    world.deploy(nested())
    world.deploy(nested(size=2))
    assert [size for _, size in world.cloud.inner.values()] == [2]
    assert world.rollback().exit_code == 0
    assert [size for _, size in world.cloud.inner.values()] == [1]


@pytest.mark.parametrize("made", [nested(), None])
def test_it_goes_before_what_it_lives_in_with_the_plan_and_without(world: World, made: Plan | None) -> None:
    world.deploy(nested())
    world.writes()
    assert world.destroy(made).exit_code == 0
    assert world.writes()[:2] == ["delete inner", "delete db"]
    assert not world.cloud.inner and not world.state.steps


def test_it_is_gone_with_what_it_lived_in_and_nobody_waits_for_an_answer(world: World) -> None:
    world.deploy(nested())
    world.cloud.remove(next(thing for thing in world.cloud.live() if thing.kind == "database"))
    begun = world.clock.now()
    assert world.drift(nested())["inner"].kind is Kind.GONE
    assert world.destroy().exit_code == 0
    assert world.clock.now() - begun < 20, "it went on asking"
    assert not world.state.steps


def test_what_it_lived_in_is_made_anew_and_so_is_it(world: World) -> None:
    world.deploy(nested())
    world.cloud.remove(next(thing for thing in world.cloud.live() if thing.kind == "database"))
    before = set(world.cloud.inner)
    assert world.deploy(nested()).exit_code == 0
    assert len(set(world.cloud.inner) - before) == 1
    assert world.preview(nested())["inner"].action is Action.KEEP


def test_a_failed_run_takes_it_away_again(world: World) -> None:
    world.cloud.doomed["last"] = "out of toys"
    assert world.deploy(plan(*nested().steps, step("last", after=("inner",)))).exit_code == 4
    assert not world.cloud.inner and world.names() == []


def test_a_step_that_leaves_the_plan_takes_it_along(world: World) -> None:
    world.deploy(nested())
    assert world.deploy(plan(*nested().steps[:2])).exit_code == 0
    assert not world.cloud.inner and list(world.state.steps) == ["vault", "db"]
