"""Where several misfortunes meet: nothing is lost, left behind, or taken from somebody else all the same."""

from __future__ import annotations

import shutil

import pytest

from provisioner.errors import AccessDeniedError, BusyError, CloudError, NotFoundError, RefusedError, ThrottledError
from provisioner.state.records import Action, RunResult
from tests.engine.toycloud import dropped
from tests.engine.world import World, agree, plan, step

BAD = step("bad", after=("db",))


def refuse(world: World, what: str = "bad", verb: str = "create", **how: bool) -> None:
    world.cloud.fail(verb, what, lambda: AccessDeniedError("no"), **how)


def precious(world: World) -> str:
    """Puts data into the database and returns its id."""
    thing = world.cloud.only("db")
    thing.spec["data"] = "precious"
    return thing.ident


def still_there(world: World, ident: str) -> bool:
    return any(thing.ident == ident and thing.spec.get("data") == "precious" for thing in world.cloud.live())


# -- data -----------------------------------------------------------------------------------------------------


def test_undoing_an_update_never_replaces_a_database_that_the_run_did_not_make(world: World) -> None:
    world.deploy(plan(step("db", "toy.database", shape="round", colour="red")))
    ident = precious(world)
    world.cloud.only("db").spec["shape"] = "square"  # rebuilt outside, and the plan was mended to match
    refuse(world)
    outcome = world.deploy(plan(step("db", "toy.database", shape="square", colour="blue"), BAD))
    assert outcome.exit_code == 5
    assert [remain.step for remain in outcome.remains] == ["db"]
    assert still_there(world, ident)


def test_one_read_that_misses_a_database_does_not_make_it_the_runs_own(world: World) -> None:
    world.deploy(plan(step("db", "toy.database")))
    ident = precious(world)
    world.cloud.only("db").seen_from = world.clock.now() + 0.5
    refuse(world)
    assert world.deploy(plan(step("db", "toy.database"), BAD)).exit_code == 4
    assert still_there(world, ident)


def test_what_was_kept_on_purpose_is_not_discarded_by_a_later_failure(world: World) -> None:
    made = plan(step("db", "toy.database"), BAD)
    refuse(world)
    assert world.deploy(made, on_failure="keep").exit_code == 5
    refuse(world)
    world.writes()
    assert world.deploy(made).exit_code == 4
    assert "delete db" in world.writes(), "with a snapshot, not discarded"


def test_a_database_that_left_the_plan_is_not_put_back_empty_and_called_reversed(world: World) -> None:
    world.deploy(plan(step("stays"), step("db", "toy.database"), step("other")))
    refuse(world, "other", "delete")
    outcome = world.deploy(plan(step("stays")))
    assert outcome.exit_code == 5
    assert [remain.step for remain in outcome.remains] == ["other"]
    assert world.names() == ["other", "stays"]
    assert world.deploy(plan(step("stays"))).exit_code == 0
    agree(world)


def test_rollback_refuses_a_database_that_took_anothers_place_and_is_protected_by_the_plan(world: World) -> None:
    world.deploy(plan(step("db", "toy.database", named="old")))
    assert world.deploy(plan(step("db", "toy.database", named="new")), allow_data_loss=True).exit_code == 0
    made = plan(step("db", "toy.database", named="new", protect=True))
    assert world.deploy(made).changes == []
    world.writes()
    with pytest.raises(RefusedError):
        world.rollback(made)
    assert world.writes() == []


def test_rollback_refuses_a_database_that_took_anothers_place_and_is_protected_by_the_cloud(world: World) -> None:
    world.deploy(plan(step("db", "toy.database", named="old")))
    made = plan(step("db", "toy.database", named="new", protected=True))
    assert world.deploy(made, allow_data_loss=True).exit_code == 0
    world.writes()
    with pytest.raises(RefusedError):
        world.rollback(made)
    assert world.writes() == []


# -- orphans and duplicates -----------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [AccessDeniedError("the second call"), NotFoundError("not yet")])
def test_a_create_whose_second_call_is_refused_before_the_first_shows_leaves_nothing(
    world: World, error: CloudError
) -> None:
    world.cloud.lag = 5.0
    world.cloud.fail("create", "net", lambda: error, after=True)
    assert world.deploy(plan(step("net", "toy.network"))).exit_code == 4
    world.clock.pass_time(60)
    assert world.names() == []
    agree(world)


def test_what_the_preview_did_not_see_long_ago_is_looked_for_again_before_it_is_made(world: World) -> None:
    """The step waits for a slow one; meanwhile what a killed run had made became visible."""
    made = plan(step("slow"), step("net", "toy.network", after=("slow",)))
    world.cloud.provision["slow"] = 30.0

    def appears(when: str, verb: str, name: str) -> None:
        if (when, verb) == ("after", "create") and "slow" in name:
            world.cloud.plant("network", "shop-test-net", "shop-test/net")

    world.cloud.hooks.append(appears)
    assert world.deploy(made).exit_code == 0
    assert world.names() == ["net", "slow"]


def test_what_lost_its_owners_tag_is_not_reported_as_destroyed(world: World) -> None:
    made = plan(step("db", "toy.database"), step("x"))
    world.deploy(made)
    world.cloud.only("db").owner = None
    outcome = world.destroy(made)
    assert (outcome.exit_code, [remain.step for remain in outcome.remains]) == (5, ["db"])
    assert "tag" in outcome.remains[0].reason
    world.cloud.only("db").owner = "shop-test/db"
    assert world.destroy(made).exit_code == 0
    assert world.names() == []


def test_a_killed_rollback_is_finished_even_behind_a_run_that_was_rolled_back(world: World) -> None:
    first, second = plan(step("a")), plan(step("a"), step("b"))
    world.deploy(first)
    world.deploy(second)
    assert world.rollback(second).exit_code == 0
    world.cloud.fail("delete", "a", lambda: ThrottledError("wait"), times=1)
    world.cloud.hooks.append(
        lambda when, verb, name: world.last.loop.stop() if verb == "delete" and world.last else None
    )
    assert world.rollback(first).exit_code == 130
    world.cloud.hooks.clear()
    assert world.deploy(first).exit_code == 0
    assert world.names() == ["a"]
    assert not any(run.result in (RunResult.RUNNING, RunResult.REVERSING) for run in world.state.runs)


@pytest.mark.parametrize("there", [False, True], ids=["first made", "replaced"])
def test_what_the_cloud_makes_otherwise_than_asked_ends_in_an_error_and_is_not_made_again_and_again(
    world: World, there: bool
) -> None:
    if there:
        world.deploy(plan(step("key", shape="round")))
        world.writes()

    def bend(when: str, verb: str, name: str) -> None:
        if (when, verb) == ("after", "create"):
            world.cloud.only("key").spec["shape"] = "round"

    world.cloud.hooks.append(bend)
    outcome = world.deploy(plan(step("key", shape="square")), allow_data_loss=True)
    assert (outcome.exit_code, outcome.remains) == (4, [])
    assert "shape" in str(outcome.failures[0].error)
    assert world.names() == (["key"] if there else [])
    agree(world)


# -- adoption -------------------------------------------------------------------------------------------------


def test_an_adopted_object_that_the_plan_contradicts_is_refused_before_anything_is_called(world: World) -> None:
    world.cloud.plant("thing", "theirs", None, shape="square")
    made = plan(step("net", adopt=True, named="theirs", shape="round"))
    with pytest.raises(RefusedError, match="adopted"):
        world.deploy(made)
    assert world.writes() == []


def test_the_preview_of_an_adoption_shows_what_it_would_change_and_defaults_change_nothing(world: World) -> None:
    thing = world.cloud.plant("thing", "theirs", None, size=1, colour="green")
    made = plan(step("net", adopt=True, named="theirs", size=5))
    planned = world.preview(made)["net"]
    assert (planned.action, [d.field for d in planned.differences]) == (Action.ADOPT, ["size"])
    assert world.deploy(made).exit_code == 0
    assert (thing.spec["size"], thing.spec["colour"]) == (5, "green")


def test_what_we_make_in_place_of_a_lost_adopted_object_is_ours_and_goes_with_us(world: World) -> None:
    world.cloud.plant("thing", "theirs", None)
    world.deploy(plan(step("net", adopt=True, named="theirs")))
    world.cloud.lose("theirs")
    made = plan(step("net", named="theirs"))
    assert world.deploy(made).exit_code == 0
    assert world.destroy(made).exit_code == 0
    assert world.cloud.live() == []


def test_going_back_from_an_adopted_object_to_our_own_leaves_it_ours(world: World) -> None:
    world.deploy(plan(step("db")))
    world.cloud.plant("thing", "theirs", None)
    refuse(world)
    assert world.deploy(plan(step("db", adopt=True, named="theirs"), BAD)).exit_code == 4
    assert not world.state.steps["db"].adopted
    assert world.destroy().exit_code == 0
    assert [thing.name for thing in world.cloud.live()] == ["theirs"]


def test_an_adopted_objects_protection_does_not_stop_a_destroy_that_lets_it_go(world: World) -> None:
    world.cloud.plant("database", "theirs", None, protected=True)
    made = plan(step("db", "toy.database", adopt=True, named="theirs"), step("x"))
    world.deploy(made)
    assert world.destroy(made).exit_code == 0
    assert [thing.name for thing in world.cloud.live()] == ["theirs"]


# -- secrets and signals --------------------------------------------------------------------------------------


def test_a_secret_that_cannot_be_fetched_at_once_is_fetched_again(world: World) -> None:
    made = plan(step("pw", "toy.vault"), step("db", "toy.database", password="${pw.value}"))
    world.cloud.fail("fetch", "pw", lambda: ThrottledError("wait"), times=2)
    assert world.deploy(made).exit_code == 0
    world.cloud.fail("fetch", "pw", lambda: ThrottledError("wait"), times=2)
    assert world.deploy(made).changes == []


def test_a_signal_during_the_last_call_of_a_run_that_is_done_does_not_make_it_unfinished(world: World) -> None:
    def stop(when: str, verb: str, name: str) -> None:
        if (when, verb) == ("after", "create") and world.last is not None:
            world.last.loop.stop()

    world.cloud.hooks.append(stop)
    assert world.deploy(plan(step("only"))).exit_code == 0


# -- no record, no network ------------------------------------------------------------------------------------


def test_destroy_finds_what_is_ours_by_its_tag_where_the_record_was_lost(world: World) -> None:
    made = plan(step("net", "toy.network"), step("db", "toy.database", uses=["${net.id}"]), step("x"))
    world.deploy(made)
    world.cloud.plant("thing", "theirs", None)
    shutil.rmtree(world.directory)
    assert world.destroy(made).exit_code == 0
    assert [thing.name for thing in world.cloud.live()] == ["theirs"]


def test_a_cloud_that_cannot_be_reached_is_not_reversed_through_the_same_silence(world: World) -> None:
    made = plan(step("a"), step("b", after=("a",)))

    def silence(when: str, verb: str, name: str) -> None:
        if (when, verb) == ("before", "create") and name.endswith("-b"):
            for deaf in ("read", "create", "delete", "list"):
                world.cloud.fail(deaf, "", dropped, times=1_000)

    world.cloud.hooks.append(silence)
    outcome = world.deploy(made)
    assert (outcome.exit_code, [remain.step for remain in outcome.remains]) == (5, ["a", "b"])
    assert not any(call.startswith("delete") for call in world.writes())
    world.cloud.hooks.clear()
    world.cloud.faults.clear()
    assert world.deploy(made).exit_code == 0
    agree(world)


# -- half made ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", ["toy.thing", "toy.network"])
@pytest.mark.parametrize("error", [AccessDeniedError, BusyError, ThrottledError])
def test_what_was_made_before_the_refusal_and_cannot_be_seen_yet_is_waited_for_and_taken_away(
    world: World, type_: str, error: type[CloudError]
) -> None:
    """A create may be several calls, and the refusal that of a later one."""
    world.cloud.lag = 3.0
    world.cloud.fail("create", "box", lambda: error("no"), after=True)
    refuse(world, "bad")
    outcome = world.deploy(plan(step("box", type_), step("bad", after=("box",))))
    assert (outcome.exit_code, outcome.remains) == (4, [])
    world.clock.pass_time(60.0)
    assert (world.names(), world.state.steps) == ([], {})


def test_what_a_busy_call_left_half_made_is_this_runs_own_and_goes_with_it(world: World) -> None:
    """Nobody else made it: only a call that is known to have made nothing lets the run say so."""
    world.cloud.fail("create", "box", lambda: BusyError("modifying"), after=True)
    refuse(world, "bad")
    assert world.deploy(plan(step("box"), step("bad", after=("box",)))).exit_code == 4
    assert (world.names(), world.state.steps) == ([], {})


def test_the_object_of_a_step_that_became_a_check_goes_like_any_that_left_the_plan(world: World) -> None:
    world.deploy(plan(step("base"), step("box", uses=["${base.id}"])))
    made = plan(step("base"), step("box", "toy.gate", thing="${base.id}"))
    assert world.preview(made)["box"].action is Action.DELETE
    assert world.deploy(made).exit_code == 0
    assert (world.names(), list(world.state.steps)) == (["base"], ["base"])
    assert world.rollback(made).exit_code == 0
    assert world.names() == ["base", "box"]


def test_a_wait_ends_at_its_time_however_little_of_it_a_clock_can_show(world: World) -> None:
    """The rest of a timeout may be less than the clock's last digit: then time stands still."""
    world.cloud.provision = {"slow": 9000.0}
    world.cloud.removal = {"slow": 9000.0}
    for passed in (0.1, 0.7, 12.3, 1254.502):
        world.clock.pass_time(passed)
        outcome = world.deploy(plan(step("slow")), timeouts={"slow": 600.1})
        assert {failure.error.code for failure in outcome.failures} == {"step.timeout"}
        assert "not gone after" in outcome.remains[0].reason
