"""Deploys, told by their events: order, what changes, and what does not."""

from __future__ import annotations

import pytest

from provisioner.errors import UsageError
from provisioner.secret import Secret
from provisioner.state.records import Action
from tests.engine.world import World, agree, plan, step


def test_steps_start_the_moment_their_inputs_are_ready_and_never_before(world: World) -> None:
    made = plan(
        step("net", "toy.network"),
        step("slow"),
        step("db", "toy.database", uses=["${net.id}"]),
        step("app", uses=["${db.id}", "${slow.id}"]),
    )
    world.cloud.provision = {"slow": 100.0, "db": 10.0}
    assert world.deploy(made).exit_code == 0
    assert world.trace() == [
        "net create",
        "slow create",
        "net finished",
        "db create",
        "db finished",
        "slow finished",
        "app create",
        "app finished",
    ]
    assert world.clock.now() == pytest.approx(100.0, rel=0.02)


def test_the_time_of_a_deploy_is_that_of_its_longest_chain(world: World) -> None:
    chain = [step("a"), step("b", uses=["${a.id}"]), step("c", uses=["${b.id}"])]
    beside = [step(f"x{number}") for number in range(20)]
    world.cloud.provision = {"-a": 120.0, "-b": 80.0, "-c": 80.0, "-x": 200.0}
    assert world.deploy(plan(*beside, *chain)).exit_code == 0
    assert world.clock.now() < 280.0 * 1.02


def test_a_second_deploy_keeps_everything_and_calls_nothing_that_writes(world: World) -> None:
    made = plan(step("pw", "toy.vault"), step("db", "toy.database", password="${pw.value}"), step("box"))
    world.deploy(made)
    world.writes()
    world.trace()
    outcome = world.deploy(made)
    assert (outcome.exit_code, outcome.changes) == (0, [])
    assert world.writes() == []
    assert world.trace() == ["pw finished", "box finished", "db finished"]


def test_a_no_op_deploy_reads_by_type_and_not_by_step(world: World) -> None:
    made = plan(*(step(f"s{number}", "toy.light") for number in range(50)))
    world.deploy(made)
    world.cloud.calls.clear()
    world.deploy(made)
    assert world.cloud.calls == [("list", "light")]


def test_a_change_is_an_update_in_place_of_that_step_alone(world: World) -> None:
    world.deploy(plan(step("box"), step("other")))
    world.writes()
    outcome = world.deploy(plan(step("box", size=3), step("other")))
    assert [(change.step, change.action) for change in outcome.changes] == [("box", Action.UPDATE)]
    assert world.writes() == ["update box"]


def test_what_only_a_new_object_can_have_replaces_it(world: World) -> None:
    world.deploy(plan(step("box")))
    world.writes()
    outcome = world.deploy(plan(step("box", shape="square")))
    assert [(change.step, change.action) for change in outcome.changes] == [("box", Action.REPLACE)]
    assert world.writes() == ["delete box", "create box"]
    agree(world)


def test_another_name_is_another_object_and_the_old_one_goes(world: World) -> None:
    world.deploy(plan(step("box")))
    world.writes()
    assert world.deploy(plan(step("box", named="crate"))).exit_code == 0
    assert world.writes() == ["delete box", "create crate"]
    assert world.names() == ["crate"]


def test_another_type_under_the_same_step_is_another_object_and_the_old_one_goes(world: World) -> None:
    world.deploy(plan(step("box")))
    world.writes()
    assert world.deploy(plan(step("box", "toy.light"))).exit_code == 0
    assert world.writes() == ["delete box", "create box"]
    assert [thing.kind for thing in world.cloud.live()] == ["light"]
    agree(world)


def test_a_step_that_leaves_the_plan_goes_after_everything_else_stands(world: World) -> None:
    world.deploy(plan(step("old"), step("older", uses=["${old.id}"])))
    world.writes()
    assert world.deploy(plan(step("new"))).exit_code == 0
    assert world.writes() == ["create new", "delete older", "delete old"]
    agree(world)


def test_a_renamed_step_is_made_under_its_new_name_and_the_old_one_goes(world: World) -> None:
    world.deploy(plan(step("cache")))
    world.writes()
    assert world.deploy(plan(step("redis"))).exit_code == 0
    assert world.writes() == ["create redis", "delete cache"]


def test_a_target_brings_what_it_needs_and_nothing_else(world: World) -> None:
    made = plan(
        step("net", "toy.network"), step("db", uses=["${net.id}"]), step("other"), step("app", uses=["${db.id}"])
    )
    assert world.deploy(made, targets=("db",)).exit_code == 0
    assert world.names() == ["db", "net"]


def test_with_a_target_nothing_leaves_although_the_plan_lacks_it(world: World) -> None:
    world.deploy(plan(step("old"), step("box")))
    assert world.deploy(plan(step("box", size=2), step("new")), targets=("box",)).exit_code == 0
    assert world.names() == ["box", "old"]


def test_an_unknown_target_is_wrong_usage_and_changes_nothing(world: World) -> None:
    with pytest.raises(UsageError, match="nope"):
        world.deploy(plan(step("box")), targets=("nope",))
    assert world.names() == []


def test_who_says_no_to_the_preview_changes_nothing(world: World) -> None:
    outcome = world.deploy(plan(step("box")), yes=False)
    assert (outcome.result, outcome.exit_code, world.names()) == ("declined", 0, [])


def test_outputs_hold_secrets_only_as_secrets(world: World) -> None:
    made = plan(
        step("pw", "toy.vault"),
        step("db", password="${pw.value}", size=3),
        outputs={"url": "toy://${pw.value}@${db.id}", "size": "${db.size}"},
    )
    outputs = world.deploy(made).outputs
    assert outputs["size"] == 3
    assert isinstance(outputs["url"], Secret)
    assert outputs["url"].reveal() == "toy://canary-shop-test-pw-12@thing-2"
    assert "canary" not in f"{outputs}"


def test_the_preview_says_what_deploy_then_does(world: World) -> None:
    world.deploy(plan(step("keep"), step("change"), step("turn"), step("leave")))
    made = plan(step("keep"), step("change", size=2), step("turn", shape="flat"), step("new", size="${change.size}"))
    found = {name: planned.action for name, planned in world.preview(made).items()}
    assert found == {
        "keep": Action.KEEP,
        "change": Action.UPDATE,
        "turn": Action.REPLACE,
        "new": Action.CREATE,
        "leave": Action.DELETE,
    }
    assert world.writes() == ["create keep", "create change", "create turn", "create leave"]
    done = {change.step: change.action for change in world.deploy(made).changes}
    assert done == {name: action for name, action in found.items() if action is not Action.KEEP}


def test_the_first_event_has_the_format_and_the_last_the_exit_code(world: World) -> None:
    world.deploy(plan(step("box")))
    assert world.events[0]["event"] == "run.started"
    assert world.events[0]["format"] == 1
    assert world.events[-1]["event"] == "run.finished"
    assert world.events[-1]["exit_code"] == 0
    assert [event["seq"] for event in world.events] == list(range(1, len(world.events) + 1))
