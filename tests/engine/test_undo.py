"""Undoing: what a failure takes back by itself, and what ``rollback`` takes back later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from provisioner.errors import AccessDeniedError, RefusedError, UsageError
from provisioner.plan.model import Plan
from tests.engine.world import World, agree, plan, step


def denied() -> Exception:
    return AccessDeniedError("not allowed", cloud_code="AccessDenied")


BAD = step("bad")


def fails(world: World, made: Plan, **options: Any) -> None:
    """Deploys a plan whose step ``bad`` is refused; all is reversed."""
    world.cloud.fail("create", "-bad", denied)
    outcome = world.deploy(made, **options)
    assert (outcome.result, outcome.exit_code, outcome.remains) == ("reversed", 4, [])
    assert [failure.step for failure in outcome.failures] == ["bad"]
    agree(world)


def picture(world: World) -> dict[str, dict[str, object]]:
    """What exists, without ids: they are new where an object was made anew."""
    return {
        thing.name: {name: value for name, value in thing.spec.items() if name not in ("uses", "note")}
        for thing in world.cloud.live()
    }


# -- after a failure ------------------------------------------------------------------------------------------


def test_what_was_made_is_taken_away_in_reverse_order_and_in_parallel_where_nothing_hangs_on_it(world: World) -> None:
    made = plan(
        step("net", "toy.network"),
        step("db", uses=["${net.id}"]),
        step("cache", uses=["${net.id}"]),
        step("bad", after=("db", "cache")),
    )
    world.cloud.removal = {"db": 50.0, "cache": 50.0}
    fails(world, made)
    trace = world.trace()
    assert trace[trace.index("reversing") :] == [
        "reversing",
        "cache undo",
        "db undo",
        "cache undone",
        "db undone",
        "net undo",
        "net undone",
    ]
    assert world.names() == []
    assert world.clock.now() < 60.0


def test_nothing_new_starts_after_a_failure_and_what_runs_is_finished_first(world: World) -> None:
    world.cloud.provision = {"slow": 30.0}
    fails(world, plan(step("slow"), BAD, step("late", after=("slow",))))
    assert world.trace() == [
        "slow create",
        "bad create",
        "bad failed",
        "slow finished",
        "reversing",
        "slow undo",
        "slow undone",
    ]


def test_an_update_is_taken_back_to_the_values_before(world: World) -> None:
    world.deploy(plan(step("box", size=2, colour="green")))
    before = picture(world)
    fails(world, plan(step("box", size=5, colour="blue"), step("bad", after=("box",))))
    assert picture(world) == before


def test_a_field_that_was_not_managed_before_gets_back_what_the_cloud_had(world: World) -> None:
    world.deploy(plan(step("box")))
    world.cloud.only("box").spec["note"] = "written by hand"
    fails(world, plan(step("box", note="planned"), step("bad", after=("box",))))
    assert world.cloud.only("box").spec["note"] == "written by hand"


def test_a_replaced_object_is_made_anew_as_it_was(world: World) -> None:
    world.deploy(plan(step("box", size=2)))
    before = picture(world)
    fails(world, plan(step("box", size=2, shape="square"), step("bad", after=("box",))))
    assert picture(world) == before


def test_a_renamed_object_gets_its_old_name_back(world: World) -> None:
    world.deploy(plan(step("box")))
    fails(world, plan(step("box", named="crate"), step("bad", after=("box",))))
    assert world.names() == ["box"]


def test_an_object_of_another_type_gives_way_to_the_one_before(world: World) -> None:
    world.deploy(plan(step("box")))
    fails(world, plan(step("box", "toy.light"), step("bad", after=("box",))))
    assert [thing.kind for thing in world.cloud.live()] == ["thing"]


def test_a_step_that_had_left_the_plan_comes_back(world: World) -> None:
    world.deploy(plan(step("keep"), step("old", size=4)))
    before = picture(world)
    world.cloud.removal = {"old": 5.0}
    world.deploy(plan(step("keep")))
    assert world.names() == ["keep"]
    assert world.rollback().exit_code == 0
    assert picture(world) == before
    agree(world)


def test_steps_that_had_left_come_back_in_order_and_with_each_others_new_ids(world: World) -> None:
    """The record has the ids of objects that are no more; whoever is made anew must not point to them."""
    net = step("net", "toy.network")
    world.deploy(plan(net, step("subnet", uses=["${net.id}"], note="in ${net.id}!"), step("keep")))
    world.deploy(plan(step("keep")))
    assert world.rollback().exit_code == 0
    ident = world.cloud.only("-net").ident
    assert world.cloud.only("subnet").spec["uses"] == [ident]
    assert world.cloud.only("subnet").spec["note"] == f"in {ident}!"
    world.writes()
    assert world.deploy(plan(net, step("subnet", uses=["${net.id}"], note="in ${net.id}!"), step("keep"))).changes == []


def test_what_comes_back_comes_before_all_that_used_it_then(world: World) -> None:
    """The user let go first, or the used one could not have been replaced; it must not get the dead one's id back."""
    world.deploy(plan(step("net", "toy.network"), step("box", uses=["${net.id}"])))
    fails(world, plan(step("net"), step("box", uses=[]), step("bad", after=("net", "box"))))
    assert world.cloud.only("-net").kind == "network"
    assert world.cloud.only("box").spec["uses"] == [world.cloud.only("-net").ident]


def test_two_steps_that_swap_who_needs_whom_can_be_taken_back(world: World) -> None:
    world.deploy(plan(step("a"), step("b", note="${a.id}")))
    before = picture(world)
    swapped = plan(step("b", note="first", size=2), step("a", note="${b.id}", size=2))
    assert world.deploy(swapped).exit_code == 0
    outcome = world.rollback()
    assert (outcome.exit_code, outcome.remains) == (0, [])
    assert picture(world) == before
    fails(world, plan(*swapped.steps, step("bad", after=("a",))))
    assert picture(world) == before


def test_what_cannot_be_taken_back_keeps_its_new_value_and_the_note_says_so(world: World) -> None:
    world.deploy(plan(step("db", "toy.database", size=2, colour="red")))
    fails(world, plan(step("db", "toy.database", size=5, colour="blue"), step("bad", after=("db",))))
    assert world.cloud.only("db").spec["size"] == 5
    assert world.cloud.only("db").spec["colour"] == "red"
    (change,) = [change for change in world.state.runs[-1].changes if change.step == "db"]
    assert change.undo.note == "cannot be taken back: size"


def test_a_database_that_the_failed_run_made_goes_without_a_snapshot(world: World) -> None:
    fails(world, plan(step("db", "toy.database"), step("bad", after=("db",))))
    assert "discard db" in world.writes()


def test_a_secret_that_changed_is_set_back_without_ever_being_written_down(world: World) -> None:
    old = step("pw", "toy.vault")
    new = step("pw2", "toy.vault", length=20)
    world.deploy(plan(old, step("db", password="${pw.value}")))
    fails(world, plan(old, new, step("db", password="${pw2.value}"), step("bad", after=("db",))))
    assert world.cloud.only("db").spec["password"] == "canary-shop-test-pw-12"


def test_a_step_that_was_refused_leaves_nothing_to_undo(world: World) -> None:
    world.cloud.fail("create", "-bad", denied)
    outcome = world.deploy(plan(BAD), on_failure="keep")
    assert outcome.exit_code == 4
    assert world.state.steps == {}


def test_an_object_that_the_cloud_made_before_it_refused_the_rest_is_taken_away(world: World) -> None:
    world.cloud.fail("create", "-bad", denied, after=True)
    outcome = world.deploy(plan(BAD))
    assert (outcome.exit_code, world.names()) == (4, [])
    agree(world)


def test_a_defect_in_a_driver_is_reversed_like_any_failure(world: World) -> None:
    world.cloud.fail("create", "-bad", lambda: KeyError("Endpoint"), after=True)
    outcome = world.deploy(plan(step("box"), step("bad", after=("box",))))
    assert (outcome.exit_code, world.names()) == (4, [])
    assert "defect" in outcome.failures[0].error.hint


# -- kept and resumed -----------------------------------------------------------------------------------------


def test_a_failure_that_is_kept_lists_what_remains_and_the_next_deploy_goes_on_in_the_same_run(world: World) -> None:
    made = plan(step("box"), step("bad", after=("box",)))
    world.cloud.fail("create", "-bad", denied)
    outcome = world.deploy(made, on_failure="keep")
    assert outcome.exit_code == 5
    assert [remain.step for remain in outcome.remains] == ["box"]
    world.writes()
    assert world.deploy(made).exit_code == 0
    assert world.writes() == ["create bad"]
    (run,) = world.state.runs
    assert (run.attempts, run.result.value) == (2, "succeeded")
    assert world.rollback().exit_code == 0
    assert world.names() == []


@pytest.mark.parametrize(("answer", "code", "left"), [("keep", 5, ["box"]), ("reverse", 4, [])])
def test_who_is_asked_what_to_do_with_a_failure_is_told_of_it_and_obeyed(
    world: World, answer: str, code: int, left: list[str]
) -> None:
    told: list[str] = []

    def ask(failures: Mapping[str, BaseException]) -> str:
        told.extend(f"{name}: {error}" for name, error in failures.items())
        return answer

    world.cloud.fail("create", "-bad", denied)
    outcome = world.deploy(plan(step("box"), step("bad", after=("box",))), on_failure="ask", ask=ask)
    assert (outcome.exit_code, world.names()) == (code, left)
    assert told == ["bad: not allowed [AccessDenied]"]


def test_a_resumed_run_that_fails_takes_back_what_its_first_attempt_made(world: World) -> None:
    made = plan(step("box"), step("bad", after=("box",)))
    world.cloud.fail("create", "-bad", denied, times=2)
    world.deploy(made, on_failure="keep")
    assert world.deploy(made).exit_code == 4
    assert world.names() == []


# -- rollback -------------------------------------------------------------------------------------------------


def test_rollback_goes_back_run_by_run_to_nothing(world: World) -> None:
    pictures = [picture(world)]
    for made in (plan(step("a")), plan(step("a", size=2), step("b")), plan(step("b", shape="flat"), step("c"))):
        assert world.deploy(made).exit_code == 0
        pictures.append(picture(world))
    for before in reversed(pictures[:-1]):
        assert world.rollback().exit_code == 0
        assert picture(world) == before
        agree(world)
    with pytest.raises(UsageError, match="no run to roll back"):
        world.rollback()


def test_rollback_passes_over_deploys_that_changed_nothing(world: World) -> None:
    world.deploy(plan(step("a")))
    world.deploy(plan(step("a", size=2)))
    world.deploy(plan(step("a", size=2)))
    assert world.rollback().exit_code == 0
    assert world.cloud.only("a").spec["size"] == 1


def test_rollback_of_a_run_that_succeeded_leaves_a_copy_of_the_data_and_respects_protection(world: World) -> None:
    made = plan(step("db", "toy.database", protected=True))
    world.deploy(made)
    with pytest.raises(RefusedError, match="deletion protection"):
        world.rollback(made)
    assert world.names() == ["db"]
    world.cloud.only("db").protected = False
    world.writes()
    assert world.rollback(made).exit_code == 0
    assert world.writes() == ["delete db"]


def test_rollback_of_a_run_that_succeeded_refuses_what_the_plan_protects(world: World) -> None:
    world.deploy(plan(step("box", protect=True)))
    with pytest.raises(RefusedError, match="protected by the plan"):
        world.rollback()
    assert world.names() == ["box"]


def test_a_rolled_back_database_that_replaced_another_leaves_a_copy_too(world: World) -> None:
    world.deploy(plan(step("db", "toy.database")))
    world.deploy(plan(step("db", "toy.database", shape="flat")), allow_data_loss=True)
    world.writes()
    assert world.rollback().exit_code == 0
    assert world.writes() == ["delete db", "create db"]
    assert world.cloud.only("db").spec["shape"] == "round"


def test_rollback_after_a_destroy_is_refused_for_data_cannot_come_back(world: World) -> None:
    world.deploy(plan(step("box")))
    world.destroy()
    with pytest.raises(UsageError, match="destroy"):
        world.rollback()


# -- undos that fail ------------------------------------------------------------------------------------------


def test_an_undo_that_fails_is_listed_the_others_go_on_and_a_later_rollback_finishes(world: World) -> None:
    made = plan(step("a"), step("b"), step("bad", after=("a", "b")))
    world.cloud.fail("delete", "-a", denied)
    world.cloud.fail("create", "-bad", denied)
    outcome = world.deploy(made)
    assert (outcome.result, outcome.exit_code) == ("failed", 5)
    assert [(remain.step, remain.name) for remain in outcome.remains] == [("a", "shop-test-a")]
    assert "rollback" in outcome.remains[0].command
    assert world.names() == ["a"]
    agree(world)
    assert world.rollback(made).exit_code == 0
    assert world.names() == []
    assert world.state.steps == {}


def test_what_holds_back_an_undo_is_listed_with_what_it_holds_back(world: World) -> None:
    made = plan(step("net"), step("db", uses=["${net.id}"]), step("bad", after=("db",)))
    world.cloud.fail("delete", "-db", denied)
    world.cloud.fail("create", "-bad", denied)
    outcome = world.deploy(made)
    assert {remain.step for remain in outcome.remains} == {"db", "net"}
    assert world.rollback(made).exit_code == 0
    assert world.names() == []


def test_a_deploy_after_a_failed_undo_goes_forward_instead(world: World) -> None:
    made = plan(step("a"), step("bad", after=("a",)))
    world.cloud.fail("delete", "-a", denied)
    world.cloud.fail("create", "-bad", denied)
    assert world.deploy(made).exit_code == 5
    assert world.deploy(made).exit_code == 0
    assert world.names() == ["a", "bad"]
    agree(world)


def test_a_removal_that_was_refused_never_costs_the_data_of_what_was_to_be_removed(world: World) -> None:
    """The delete is refused, the run reverses: the database is whole, so it must be left as it is."""
    both = plan(step("db", "toy.database"), step("box"))
    world.deploy(both)
    ident = world.cloud.only("db").ident
    world.cloud.fail("delete", "-db", denied)
    outcome = world.deploy(plan(step("box")))
    assert outcome.exit_code == 4
    assert world.cloud.only("db").ident == ident
    assert [call for call in world.cloud.writes() if call[1].endswith("-db")][1:] == [("delete", "shop-test-db")]
    world.writes()
    assert world.deploy(both).changes == []


def test_a_rollback_that_failed_halfway_does_not_let_a_later_failure_discard_data(world: World) -> None:
    """What a run made that succeeded once may hold data, whatever happened to the run since."""
    made = plan(step("db", "toy.database"), step("box", uses=["${db.id}"]))
    world.deploy(made)
    world.cloud.fail("delete", "-box", denied)
    assert world.rollback(made).exit_code == 5
    ident = world.cloud.only("db").ident
    fails(world, plan(*made.steps, step("bad", after=("box",))))
    assert world.cloud.only("db").ident == ident
    assert "discard db" not in world.writes()
    assert world.rollback(made).exit_code == 0
    assert world.names() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda: plan(step("net", "toy.network"), step("sub", uses=["${net.id}"], size=2)),
        lambda: plan(step("sub", size=2)),
        lambda: plan(step("net", "toy.network", size=3), step("new", uses=["${net.id}"])),
        lambda: plan(step("new"), step("sub", uses=["${new.id}"])),
        lambda: plan(step("net", "toy.network"), step("sub", uses=["${net.id}"], shape="flat")),
        plan,
    ],
    ids=["update", "leave", "swap user", "swap need", "replace", "all leave"],
)
def test_whatever_a_run_changed_rollback_returns_to_what_was_before(world: World, change: Callable[[], Plan]) -> None:
    first = plan(step("net", "toy.network"), step("sub", uses=["${net.id}"]))
    world.deploy(first)
    before = picture(world)
    assert world.deploy(change()).exit_code == 0
    assert world.rollback().exit_code == 0
    assert picture(world) == before
    agree(world)
    assert world.deploy(first).changes == []
