"""A reverse that cannot finish: it says who is in the way, wastes no time on it, and ends once the way is free."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provisioner.errors import CloudError, InvalidRequestError, UsageError
from provisioner.operations.letgo import let_go
from provisioner.operations.site import Outcome, Remain
from provisioner.plan.model import Plan
from provisioner.state.records import RunResult
from tests.engine.toytypes import ToyThing
from tests.engine.world import World, agree, plan, step


def denied() -> CloudError:
    return InvalidRequestError("no", cloud_code="Invalid")


def only(outcome: Outcome) -> Remain:
    (remain,) = outcome.remains
    return remain


def _failing(world: World, made: Plan) -> tuple[Outcome, float]:
    """Deploys what is sure to fail at ``bad``, and tells how long that took."""
    world.cloud.fail("create", "-bad", denied)
    begun = world.clock.now()
    outcome = world.deploy(made)
    return outcome, world.clock.now() - begun


def _when(world: World, verb: str, name: str, act: Callable[[], object]) -> None:
    """Does something once, the moment before a call that changes something."""

    def hook(when: str, asked: str, of: str) -> None:
        if (when, asked) == ("before", verb) and of.endswith(name):
            world.cloud.hooks.remove(hook)
            act()

    world.cloud.hooks.append(hook)


def _hold(world: World, name: str, owner: str | None = None) -> None:
    """Somebody begins to use an object the moment that ``bad`` is asked for."""
    plant, only = world.cloud.plant, world.cloud.only
    _when(world, "create", "-bad", lambda: plant("thing", "theirs", owner, uses=[only(name).ident]))


PLAN = plan(step("net"), step("bad", after=("net",)))


@pytest.mark.parametrize("owner", [None, "other/theirs"])
def test_what_somebody_else_holds_is_given_up_soon_and_named(world: World, owner: str | None) -> None:
    _hold(world, "net", owner)
    outcome, took = _failing(world, PLAN)
    assert (outcome.exit_code, outcome.result) == (5, "failed")
    assert took < 20
    remain = only(outcome)
    assert (remain.step, remain.code) == ("net", "cloud.in-use")
    assert "held by thing theirs" in remain.reason
    assert remain.by_hand == "toy show theirs"
    assert remain.let_go == "provisioner state rm --deployment shop-test net"
    event = next(event for event in world.events if event["event"] == "step.remains")
    assert (event["reason"], event["by_hand"]) == (remain.reason, remain.by_hand)


def test_once_the_holder_is_gone_a_rollback_finishes(world: World) -> None:
    _hold(world, "net")
    _failing(world, PLAN)
    assert world.rollback().exit_code == 5
    world.cloud.lose("theirs")
    outcome = world.rollback()
    assert (outcome.exit_code, outcome.remains) == (0, [])
    assert world.names() == []
    agree(world)


def test_a_destroy_says_it_too_and_finishes_later(world: World) -> None:
    world.deploy(plan(step("net"), step("db", uses=["${net.id}"])))
    world.cloud.plant("thing", "theirs", None, uses=[world.cloud.only("-net").ident])
    begun = world.clock.now()
    outcome = world.destroy()
    assert (outcome.exit_code, only(outcome).step, only(outcome).by_hand) == (5, "net", "toy show theirs")
    assert only(outcome).command.startswith("provisioner destroy")
    assert world.clock.now() - begun < 20
    world.cloud.lose("theirs")
    assert world.destroy().exit_code == 0
    agree(world)


def test_what_was_not_reached_names_the_step_that_must_go_first(world: World) -> None:
    made = plan(
        step("far"), step("net", uses=["${far.id}"]), step("db", uses=["${net.id}"]), step("bad", after=("db",))
    )
    _hold(world, "db")
    outcome, _ = _failing(world, made)
    assert {remain.step: remain.reason for remain in outcome.remains if remain.step != "db"} == {
        "net": "not reached: db must go first",
        "far": "not reached: db must go first",
    }
    assert [remain.code for remain in outcome.remains] == ["cloud.in-use", "", ""]


def test_a_holder_that_is_on_its_way_out_is_waited_for_longer_than_any_tries_last(world: World) -> None:
    world.deploy(plan(step("net")))
    theirs = world.cloud.plant("thing", "theirs", None, uses=[world.cloud.only("-net").ident])
    world.cloud.removal["theirs"] = 400.0
    world.cloud.remove(theirs)
    assert world.destroy().exit_code == 0
    assert world.clock.now() >= 400
    assert world.names() == []


def test_a_type_may_wait_longer_for_what_leaves_than_for_anything_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ToyThing, "going", 3000.0)
    world.deploy(plan(step("net")))
    theirs = world.cloud.plant("thing", "theirs", None, uses=[world.cloud.only("-net").ident])
    world.cloud.removal["theirs"] = 2700.0
    world.cloud.remove(theirs)
    assert world.destroy(plan(step("net"), timeouts={"toy.thing": 100.0})).exit_code == 5
    assert world.clock.now() < 200
    assert world.destroy().exit_code == 0
    assert world.clock.now() >= 2700


def test_a_holder_of_our_own_is_given_the_time_to_go(world: World) -> None:
    """Nothing in the plan says that one needs the other, so both go at once."""
    world.deploy(plan(step("net"), step("db")))
    world.cloud.update(world.cloud.only("-db"), {"uses": [world.cloud.only("-net").ident]})
    world.cloud.removal["-db"] = 400.0
    assert world.destroy().exit_code == 0
    assert world.names() == []


def test_who_holds_it_is_asked_once_a_refusal_and_a_refused_question_changes_nothing(world: World) -> None:
    world.cloud.fail("holders", "-net", denied, times=99)
    _hold(world, "net")
    outcome, _ = _failing(world, PLAN)
    assert (outcome.exit_code, only(outcome).reason) == (5, "shop-test-net is in use")
    asked = sum(call[0] == "holders" for call in world.cloud.calls)
    assert 0 < asked <= sum(call[0] == "delete" for call in world.cloud.calls)


def test_an_object_that_somebody_removed_by_hand_is_no_obstacle(world: World) -> None:
    _hold(world, "net")
    _failing(world, PLAN)
    world.cloud.lose("theirs")
    world.cloud.lose("-net")
    assert world.rollback().exit_code == 0
    assert world.state.steps == {}


# -- letting go -----------------------------------------------------------------------------------------------


def _let_go(world: World, name: str) -> None:
    site = world.site()
    let_go(site.store, name)
    site.store.close()


def test_who_lets_go_of_an_object_ends_the_rollback_and_keeps_the_object(world: World) -> None:
    _hold(world, "net")
    _failing(world, PLAN)
    _let_go(world, "net")
    outcome = world.rollback()
    assert (outcome.exit_code, outcome.remains) == (0, [])
    assert world.names() == ["net", "theirs"]
    assert world.state.steps == {}


def test_who_lets_go_of_a_change_that_cannot_be_taken_back_ends_the_rollback(world: World) -> None:
    world.deploy(plan(step("a", colour="red")))
    world.cloud.fail("create", "-bad", denied)
    _when(world, "create", "-bad", lambda: world.cloud.fail("update", "-a", denied, times=99))
    outcome = world.deploy(plan(step("a", colour="blue"), step("bad", after=("a",))))
    assert (outcome.exit_code, only(outcome).step) == (5, "a")
    assert world.rollback().exit_code == 5
    _let_go(world, "a")
    assert world.rollback().exit_code == 0
    assert world.cloud.only("-a").spec["colour"] == "blue"


def test_who_lets_go_of_what_cannot_come_back_ends_the_rollback(world: World) -> None:
    """A step that left the plan, and whose name somebody else took before it could be made again."""
    world.deploy(plan(step("a"), step("b")))
    world.cloud.fail("delete", "-b", denied)

    _when(world, "delete", "-b", lambda: world.cloud.plant("thing", "shop-test-a", "other/a"))
    outcome = world.deploy(plan(step("c")))
    assert (outcome.exit_code, only(outcome).step, only(outcome).code) == (5, "a", "step.foreign")
    _let_go(world, "a")
    assert world.rollback().exit_code == 0
    assert world.state.runs[1].result is RunResult.ROLLED_BACK
    assert world.cloud.only("-a").owner == "other/a"


def test_there_is_nothing_to_let_go_of_a_step_that_nobody_knows(world: World) -> None:
    world.deploy(plan(step("a")))
    with pytest.raises(UsageError, match="nothing is recorded for step 'x'"):
        _let_go(world, "x")


# -- protection -----------------------------------------------------------------------------------------------


def _protect(world: World) -> None:
    world.cloud.only("-db").protected = True


DATABASE = plan(step("db", "toy.database"), step("bad", after=("db",)))


def test_what_somebody_else_protected_stays_with_the_command_that_goes_on(world: World) -> None:
    _when(world, "create", "-bad", lambda: _protect(world))
    outcome, _ = _failing(world, DATABASE)
    remain = only(outcome)
    assert (outcome.exit_code, remain.code) == (5, "step.protected")
    assert "somebody switched on" in remain.reason
    assert "toy unprotect shop-test-db" in remain.by_hand
    assert not [call for call in world.cloud.writes() if call[0] == "discard"]
    world.cloud.only("db").protected = False
    assert world.rollback().exit_code == 0
    assert world.names() == []


def test_data_loss_allowed_lifts_a_protection_that_somebody_else_switched_on(world: World) -> None:
    _when(world, "create", "-bad", lambda: _protect(world))
    _failing(world, DATABASE)
    assert world.rollback(allow_data_loss=True).exit_code == 0
    assert world.names() == []


def test_a_protection_that_the_plan_switched_on_does_not_stop_the_undo_of_the_run_that_failed(world: World) -> None:
    outcome, _ = _failing(world, plan(step("db", "toy.database", protected=True), step("bad", after=("db",))))
    assert (outcome.exit_code, world.names()) == (4, [])


def test_a_protection_that_comes_up_while_a_destroy_is_under_way_is_respected(world: World) -> None:
    world.deploy(plan(step("db", "toy.database"), step("app", after=("db",))))
    _when(world, "delete", "-app", lambda: _protect(world))
    outcome = world.destroy()
    assert (outcome.exit_code, only(outcome).code) == (5, "step.protected")
    assert world.names() == ["db"]


# -- older than the run -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("age", "verb"), [(3600.0, "delete"), (-1.0, "discard")])
def test_what_is_older_than_the_run_that_is_said_to_have_made_it_is_not_discarded(
    world: World, age: float, verb: str
) -> None:
    """A create that took something back from deletion, and died before anybody could note that."""
    _when(world, "create", "-bad", lambda: _date(world, age))
    _failing(world, DATABASE)
    assert [call[0] for call in world.cloud.writes() if call[1].endswith("-db")] == ["create", verb]
    assert world.names() == []


def _date(world: World, age: float) -> None:
    world.cloud.only("-db").made = world.clock.wall() - age


# -- what is kept for a time ------------------------------------------------------------------------------------


def test_what_the_cloud_keeps_for_a_time_is_listed_and_is_no_failure(world: World) -> None:
    world.cloud.keeps["-db"] = "kept for 7 days"
    outcome, _ = _failing(world, DATABASE)
    assert (outcome.exit_code, outcome.remains) == (4, [])
    (linger,) = outcome.lingers
    assert (linger.step, linger.name, linger.detail) == ("db", "shop-test-db", "kept for 7 days")
    assert [event["detail"] for event in world.events if event["event"] == "step.lingers"] == ["kept for 7 days"]
    world.deploy(plan(step("db", "toy.database")))
    assert [linger.step for linger in world.destroy().lingers] == ["db"]


def test_a_cloud_that_does_not_say_what_it_keeps_does_not_spoil_the_delete(world: World) -> None:
    world.deploy(plan(step("db", "toy.database")))
    world.cloud.fail("lingers", "-db", denied)
    outcome = world.destroy()
    assert (outcome.exit_code, outcome.lingers, world.names()) == (0, [], [])
