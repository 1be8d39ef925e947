"""Drift, lost records, answers that got lost, objects that show late: the next deploy puts it right."""

from __future__ import annotations

import shutil

import pytest

from provisioner.errors import AccessDeniedError, AlreadyExistsError, ConnectionFailedError, RefusedError
from provisioner.state.records import Action
from tests.crash.stories import ALL_OF_FIRST, FIRST, complete
from tests.engine.toycloud import dropped
from tests.engine.world import World, agree, plan, step

NET = plan(step("net", "toy.network"))


# -- drift ----------------------------------------------------------------------------------------------------


def test_what_was_deleted_outside_is_made_again_and_so_is_what_hung_on_its_id(world: World) -> None:
    made = plan(step("net", "toy.network"), step("box", note="in ${net.id}"))
    world.deploy(made)
    world.cloud.lose("net")
    planned = world.preview(made)
    assert (planned["net"].action, planned["net"].reason) == (Action.CREATE, "it was there and is gone")
    assert world.deploy(made).exit_code == 0
    assert world.cloud.only("box").spec["note"] == f"in {world.cloud.only('net').ident}"
    agree(world)


def test_what_was_changed_outside_is_set_back(world: World) -> None:
    made = plan(step("box", size=2))
    world.deploy(made)
    world.cloud.only("box").spec["size"] = 9
    assert [change.action for change in world.deploy(made).changes] == [Action.UPDATE]
    assert world.cloud.only("box").spec["size"] == 2


def test_a_recorded_default_is_no_drift(world: World) -> None:
    world.deploy(plan(step("box")))
    assert world.deploy(plan(step("box", size=1, colour="red"))).changes == []


# -- a lost record --------------------------------------------------------------------------------------------


def lose_record(world: World) -> None:
    shutil.rmtree(world.directory)
    world.writes()


def test_without_its_record_the_next_deploy_finds_everything_by_its_tag_and_makes_nothing(world: World) -> None:
    world.deploy(FIRST)
    lose_record(world)
    assert world.deploy(FIRST).exit_code == 0
    assert world.writes() == []
    complete(world, ALL_OF_FIRST)
    assert world.destroy(FIRST, allow_data_loss=True).exit_code == 0
    assert world.names() == []


def test_what_was_found_again_is_not_undone_by_a_failure_or_a_rollback(world: World) -> None:
    world.deploy(plan(step("db", "toy.database")))
    lose_record(world)
    world.cloud.fail("create", "bad", lambda: ConnectionFailedError("gone"), times=99)
    assert world.deploy(plan(step("db", "toy.database"), step("bad", after=("db",)))).exit_code == 4
    assert world.names() == ["db"]
    agree(world)


def test_a_database_that_was_found_again_is_never_taken_for_half_made(world: World) -> None:
    """It is updated on the way and then fails: it may hold data all the same."""
    world.deploy(plan(step("db", "toy.database")))
    lose_record(world)
    ident = world.cloud.only("db").ident

    def break_it(when: str, verb: str, name: str) -> None:
        if (when, verb) == ("after", "update"):
            world.cloud.only("db").failed = "storage-full"

    world.cloud.hooks.append(break_it)
    changed = plan(step("db", "toy.database", colour="blue"))
    assert world.deploy(changed).exit_code in (4, 5)
    with pytest.raises(RefusedError, match="storage-full"):
        world.deploy(changed)
    assert world.cloud.only("db").ident == ident
    assert not {"delete db", "discard db"} & set(world.writes())


def test_what_was_found_again_is_not_replaced_for_nobody_knows_what_it_holds(world: World) -> None:
    world.deploy(plan(step("box")))
    lose_record(world)
    outcome = world.deploy(plan(step("box", shape="flat")))
    assert outcome.exit_code == 4
    assert "no record of how it was made" in str(outcome.failures[0].error)
    assert world.names() == ["box"]


# -- eventual consistency -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [0.5, 5.0, 14.0, 120.0])
def test_an_object_that_shows_late_is_waited_for_and_made_once(world: World, lag: float) -> None:
    world.cloud.lag = lag
    assert world.deploy(NET).exit_code == 0
    assert world.writes() == ["create net"]
    agree(world)


@pytest.mark.parametrize("lag", [0.5, 5.0, 14.0])
def test_a_lost_answer_and_an_object_that_shows_within_its_grace_make_no_duplicate(world: World, lag: float) -> None:
    world.cloud.lag = lag
    world.cloud.fail("create", "net", dropped, after=True)
    assert world.deploy(NET).exit_code == 0
    assert world.writes() == ["create net"]
    agree(world)


def test_a_request_that_never_arrived_is_made_again_after_the_grace(world: World) -> None:
    world.cloud.fail("create", "net", dropped)
    assert world.deploy(NET).exit_code == 0
    assert world.writes() == ["create net", "create net"]
    assert world.clock.now() >= 15.0
    agree(world)


def test_where_names_are_unique_a_second_create_needs_no_grace(world: World) -> None:
    world.cloud.lag = 3.0
    world.cloud.fail("create", "box", dropped, after=True)
    assert world.deploy(plan(step("box"))).exit_code == 0
    agree(world)


def test_a_refusal_after_a_lost_answer_does_not_forget_what_the_lost_one_made(world: World) -> None:
    """First try: made, answer lost, not visible. Second: refused. What the first made is waited for and taken away."""
    world.cloud.lag = 4.0
    world.cloud.fail("create", "box", dropped, after=True)
    world.cloud.fail("create", "box", lambda: AccessDeniedError("the policy changed"))
    assert world.deploy(plan(step("box"))).exit_code == 4
    world.clock.pass_time(60.0)
    assert (world.names(), world.state.steps) == ([], {})


def test_an_object_that_shows_after_its_undo_began_is_taken_away_too(world: World) -> None:
    world.cloud.lag = 4.0
    world.cloud.fail("create", "-bad", dropped, times=10, after=True)
    assert world.deploy(plan(step("box"), step("bad", "toy.network", timeout=1.0))).exit_code == 4
    world.clock.pass_time(60.0)
    assert world.names() == []


# -- taken names ----------------------------------------------------------------------------------------------


def test_a_name_that_is_held_back_for_a_while_is_waited_for(world: World) -> None:
    world.cloud.reserve = 60.0
    world.deploy(plan(step("box")))
    assert world.deploy(plan(step("box", shape="flat"))).exit_code == 0
    assert 60.0 <= world.clock.now() < 130.0
    agree(world)


def test_a_name_that_is_held_back_too_long_fails_and_leaves_nothing(world: World) -> None:
    world.cloud.reserve = 86_400.0
    world.deploy(plan(step("box")))
    world.destroy()
    outcome = world.deploy(plan(step("box")))
    assert outcome.exit_code == 4
    assert isinstance(outcome.failures[0].error, AlreadyExistsError)
    assert (world.names(), world.state.steps) == ([], {})


# -- found in the middle of something -------------------------------------------------------------------------


def test_what_somebody_is_changing_is_waited_for_and_then_compared(world: World) -> None:
    made = plan(step("box"))
    world.deploy(made)
    world.cloud.only("box").ready_at = world.clock.now() + 40.0
    world.writes()
    assert world.deploy(made).changes == []
    assert world.writes() == []
    assert world.clock.now() >= 40.0


def test_what_somebody_is_deleting_is_made_again_when_it_is_gone(world: World) -> None:
    made = plan(step("box"))
    world.deploy(made)
    world.cloud.removal = {"box": 30.0}
    world.cloud.remove(world.cloud.only("box"))
    assert world.deploy(made).exit_code == 0
    assert world.names() == ["box"]
    agree(world)
