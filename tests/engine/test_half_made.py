"""A create of several calls that stops after the first: what it made is this run's work, and is taken back with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provisioner.errors import (
    AlreadyExistsError,
    BusyError,
    CloudError,
    InvalidRequestError,
    NotFoundError,
    ThrottledError,
)
from tests.crash.dying import Killed, release
from tests.engine.toycloud import dropped
from tests.engine.world import World, agree, plan, step

ERRORS: dict[str, Callable[[], CloudError]] = {
    "throttled": lambda: ThrottledError("slow down"),
    "not known everywhere yet": lambda: BusyError("no such object"),
}


@pytest.mark.parametrize("lag", [0.0, 5.0], ids=["seen at once", "seen late"])
def test_a_part_that_is_taken_already_does_not_make_the_whole_somebody_elses(world: World, lag: float) -> None:
    world.cloud.lag = lag
    world.cloud.fail("create", "half", lambda: AlreadyExistsError("a part of it"), times=1, after=True)
    world.cloud.fail("create", "bad", lambda: InvalidRequestError("no"), times=9)
    assert world.deploy(plan(step("half"), step("bad", after=("half",)))).exit_code == 4
    assert (world.names(), world.state.steps) == ([], {})


@pytest.mark.parametrize("lag", [0.0, 5.0], ids=["seen at once", "seen late"])
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("type_", ["toy.thing", "toy.network"])
def test_what_a_create_made_before_it_was_stopped_goes_with_the_run_that_fails(
    world: World, type_: str, error: Callable[[], CloudError], lag: float
) -> None:
    world.cloud.lag = lag
    world.cloud.fail("create", "half", error, times=1, after=True)
    world.cloud.fail("create", "bad", lambda: InvalidRequestError("no"), times=9)
    outcome = world.deploy(plan(step("half", type_), step("bad", after=("half",))))
    assert (outcome.exit_code, outcome.remains) == (4, [])
    assert world.names() == []
    agree(world)


@pytest.mark.parametrize("lag", [0.0, 5.0], ids=["seen at once", "seen late"])
@pytest.mark.parametrize("type_", ["toy.thing", "toy.network"])
def test_what_a_create_made_before_it_was_refused_is_taken_away_although_nobody_sees_it_yet(
    world: World, type_: str, lag: float
) -> None:
    world.cloud.lag = lag
    world.cloud.fail("create", "half", lambda: NotFoundError("no such object"), times=1, after=True)
    outcome = world.deploy(plan(step("half", type_)))
    assert (outcome.exit_code, outcome.remains) == (4, [])
    world.clock.pass_time(60)
    assert world.names() == []


def test_a_name_that_an_own_create_took_is_waited_for_as_long_as_the_step_has_time(world: World) -> None:
    world.cloud.lag = 60.0
    world.cloud.fail("create", "half", lambda: BusyError("wait"), times=1, after=True)
    assert world.deploy(plan(step("half"), attempts=2)).exit_code == 0
    assert world.names() == ["half"]


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_what_was_there_all_the_time_is_not_the_work_of_a_run_whose_every_create_was_refused(
    world: World, error: Callable[[], CloudError]
) -> None:
    world.cloud.plant("thing", "shop-test-old", "shop-test/old").seen_from = 3.0
    world.cloud.fail("create", "old", error, times=1)
    world.cloud.fail("create", "bad", lambda: InvalidRequestError("no"), times=9)
    outcome = world.deploy(plan(step("old"), step("bad", after=("old",))))
    assert outcome.exit_code == 4
    assert world.names() == ["old"]


@pytest.mark.parametrize("answer", ["accepted", "lost"])
def test_a_new_object_that_shows_before_its_tags_do_is_waited_for_and_not_taken_for_somebody_elses(
    world: World, answer: str
) -> None:
    world.cloud.tag_lag = 3.0
    if answer == "lost":
        world.cloud.fail("create", "db", dropped, times=1, after=True)
    assert world.deploy(plan(step("db"))).exit_code == 0
    assert (world.names(), list(world.state.steps)) == (["db"], ["db"])
    assert [line for line in world.writes() if line.startswith("create")] == ["create db"]


@pytest.mark.parametrize("then", ["deploy", "rollback"])
def test_what_a_killed_run_made_is_had_back_although_its_tags_do_not_show_yet(world: World, then: str) -> None:
    world.cloud.tag_lag = 3.0

    def kill(when: str, verb: str, name: str) -> None:
        if (when, verb) == ("after", "create"):
            raise Killed

    world.cloud.hooks.append(kill)
    with pytest.raises(Killed):
        world.deploy(plan(step("db")))
    release(world.directory)
    world.cloud.hooks.clear()
    outcome = world.deploy(plan(step("db"))) if then == "deploy" else world.rollback()
    assert (outcome.exit_code, outcome.remains) == (0, [])
    agree(world)
    assert world.names() == (["db"] if then == "deploy" else [])


def test_a_new_object_whose_tags_never_show_stays_recorded_and_is_told(world: World) -> None:
    world.cloud.tag_lag = 1e6
    outcome = world.deploy(plan(step("db")))
    assert (outcome.exit_code, [left.step for left in outcome.remains]) == (5, ["db"])
    assert list(world.state.steps) == ["db"]


def test_an_untagged_object_that_was_there_when_every_create_was_refused_is_not_waited_for(world: World) -> None:
    world.cloud.plant("thing", "shop-test-db", None).seen_from = 0.5
    begun = world.clock.now()
    outcome = world.deploy(plan(step("db")))
    assert (outcome.exit_code, outcome.remains, world.state.steps) == (4, [], {})
    assert world.clock.now() - begun < 5.0


def test_an_update_that_is_refused_outright_leaves_nothing_to_take_back(world: World) -> None:
    made = plan(step("pw", "toy.vault"), step("db", password="${pw.value}", colour="red"))
    assert world.deploy(made).exit_code == 0
    world.cloud.fail("update", "db", lambda: InvalidRequestError("no"), times=9)
    before = world.state.steps["db"]
    outcome = world.deploy(plan(step("pw", "toy.vault"), step("db", password="${pw.value}", colour="blue")))
    assert (outcome.exit_code, outcome.result, outcome.remains) == (4, "reversed", [])
    assert world.state.steps["db"] == before
    assert world.cloud.only("db").spec["colour"] == "red"


def test_an_update_that_is_refused_after_one_that_got_no_answer_is_taken_back(world: World) -> None:
    made = plan(step("pw", "toy.vault"), step("db", password="${pw.value}", colour="red"))
    assert world.deploy(made).exit_code == 0
    world.cloud.fail("update", "db", dropped, times=1, after=True)
    world.cloud.fail("update", "db", lambda: InvalidRequestError("no"), times=1)
    outcome = world.deploy(plan(step("pw", "toy.vault"), step("db", password="${pw.value}", colour="blue")))
    assert (outcome.exit_code, outcome.remains) == (4, [])
    assert world.cloud.only("db").spec["colour"] == "red"
    agree(world)


def test_what_loses_its_tag_while_it_goes_is_waited_for_until_it_is_gone(world: World) -> None:
    """Whose an object is may stand on another one, where the news of its going comes first."""
    made = plan(step("a"))
    world.deploy(made)
    world.cloud.linger = 5.0

    def untagged(when: str, verb: str, name: str) -> None:
        if (when, verb) == ("after", "delete"):
            world.cloud.things["thing-1"].owner = None

    world.cloud.hooks.append(untagged)
    outcome = world.destroy(made)
    assert (outcome.exit_code, outcome.remains) == (0, [])
    assert world.names() == []


def test_a_name_that_others_have_for_good_is_not_waited_for(world: World) -> None:
    def taken() -> CloudError:
        error = AlreadyExistsError("scheduled for deletion, and somebody else's")
        error.nothing_done = error.for_good = True
        return error

    world.cloud.fail("create", "half", taken, times=9)
    begun = world.clock.now()
    assert world.deploy(plan(step("half"))).exit_code == 4
    assert (world.writes(), world.state.steps, world.clock.now() - begun < 1.0) == (["create half"], {}, True)


def test_what_lost_its_tag_before_its_maker_saw_it_is_named_and_not_forgotten(world: World) -> None:
    """Nobody can tell it from somebody else's, so it stays in the record until a person has looked."""
    world.cloud.fail("create", "half", dropped, after=True)

    def untag(when: str, verb: str, name: str) -> None:
        if (when, verb) == ("after", "create"):
            world.cloud.only("half").owner = None

    world.cloud.hooks.append(untag)
    outcome = world.deploy(plan(step("half")))
    assert (outcome.exit_code, [remain.step for remain in outcome.remains]) == (5, ["half"])
    assert "lost its owner's tag" in outcome.remains[0].reason
    world.cloud.hooks.clear()
    world.cloud.only("half").owner = "shop-test/half"
    assert world.rollback().exit_code == 0
    assert (world.names(), world.state.steps) == ([], {})
