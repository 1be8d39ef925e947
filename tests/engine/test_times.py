"""Waiting: gates, limits that hold to the second, and states that no waiting mends."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from provisioner.errors import GateError, StepTimeoutError, TerminalStateError
from provisioner.plan.model import Plan
from tests.engine.world import World, agree, plan, step


def failed(world: World, made: Plan, **options: Any) -> BaseException:
    outcome = world.deploy(made, **options)
    assert outcome.exit_code == 4
    (failure,) = outcome.failures
    return failure.error


def gated(**extra: Any) -> Plan:
    return plan(step("box"), step("open", "toy.gate", thing="thing-99", after=("box",), **extra))


def checks(world: World) -> list[float]:
    times: list[float] = []
    world.cloud.hooks.append(lambda when, verb, name: times.append(world.clock.now()) if verb == "check" else None)
    return times


def test_a_gate_is_looked_at_for_300_seconds_at_most_every_30_seconds_and_then_reverses(world: World) -> None:
    times = checks(world)
    error = failed(world, gated())
    assert isinstance(error, GateError)
    assert "5m00s" in str(error)
    assert "looked" in str(error)
    assert times[-1] - times[0] == 300.0
    pauses = [round(later - earlier) for earlier, later in pairwise(times)]
    assert pauses[:6] == [1, 2, 4, 8, 16, 30]
    assert max(pauses) == 30
    assert world.names() == []


def test_a_gate_that_failed_for_good_is_not_looked_at_again_and_reverses_at_once(world: World) -> None:
    times = checks(world)
    error = failed(world, plan(step("box"), step("open", "toy.gate", thing="lost-1", after=("box",))))
    assert isinstance(error, GateError) and "looked" in str(error)
    assert len(times) == 1
    assert world.names() == []


def test_a_gate_that_passes_lets_what_is_below_it_start_at_once(world: World) -> None:
    made = plan(step("box"), step("open", "toy.gate", thing="${late.id}"), step("late"), step("app", after=("open",)))
    world.cloud.provision = {"late": 45.0}
    assert world.deploy(made).exit_code == 0
    assert world.names() == ["app", "box", "late"]


def test_a_plan_may_set_a_gates_time_and_interval(world: World) -> None:
    times = checks(world)
    failed(world, gated(timeout=100.0, interval=10.0))
    assert times[-1] - times[0] == 100.0
    assert max(b - a for a, b in pairwise(times)) <= 10.0


def test_an_object_that_is_ready_at_its_limit_is_in_time_and_one_a_second_later_is_not(world: World) -> None:
    world.cloud.provision = {"intime": 600.0, "late": 601.0}
    assert world.deploy(plan(step("intime"))).exit_code == 0
    begun = world.clock.now()
    error = failed(world, plan(step("intime"), step("late")))
    assert isinstance(error, StepTimeoutError)
    assert "10m00s" in str(error)
    finish = [event for event in world.events if event["event"] == "step.failed"][-1]
    assert finish["at"] - world.clock.wall() + world.clock.now() - begun == pytest.approx(600.0, abs=0.01)
    agree(world)


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ({"timeouts": {"late": 50.0}}, 50.0),
        ({}, 100.0),
    ],
)
def test_the_command_lines_limit_beats_the_steps_which_beats_the_plans(
    world: World, options: dict[str, Any], limit: float
) -> None:
    world.cloud.provision = {"late": 1000.0}
    made = plan(step("late", timeout=100.0), timeouts={"toy.thing": 200.0})
    error = failed(world, made, **options)
    assert isinstance(error, StepTimeoutError)
    assert world.clock.now() < limit + 10.0


def test_the_plans_limit_for_a_type_beats_the_one_for_its_cloud(world: World) -> None:
    world.cloud.provision = {"late": 1000.0}
    failed(world, plan(step("late"), timeouts={"toy": 50.0, "toy.thing": 120.0}))
    assert 120.0 <= world.clock.now() < 130.0


def test_after_a_timeout_that_is_kept_the_next_deploy_goes_on_waiting_and_makes_nothing(world: World) -> None:
    world.cloud.provision = {"slow": 900.0}
    made = plan(step("slow"))
    assert world.deploy(made, on_failure="keep").exit_code == 5
    assert world.deploy(made).exit_code == 0
    assert world.writes() == ["create slow"]
    agree(world)


def test_a_terminal_state_fails_at_once_and_not_at_the_limit(world: World) -> None:
    world.cloud.provision = {"box": 20.0}
    world.cloud.doomed = {"box": "incompatible-parameters"}
    error = failed(world, plan(step("box")))
    assert isinstance(error, TerminalStateError)
    assert "incompatible-parameters" in str(error)
    assert world.clock.now() < 30.0
    assert world.writes() == ["create box", "delete box"]


def test_what_failed_in_an_earlier_run_is_made_anew_once(world: World) -> None:
    world.cloud.doomed = {"box": "broken"}
    assert world.deploy(plan(step("box")), on_failure="keep").exit_code == 5
    world.cloud.doomed = {}
    assert world.deploy(plan(step("box"))).exit_code == 0
    assert world.writes() == ["create box", "delete box", "create box"]
    agree(world)


def test_a_removal_that_takes_too_long_ends_at_its_limit_and_remains_listed(world: World) -> None:
    world.deploy(plan(step("box")))
    world.cloud.removal = {"box": 700.0}
    begun = world.clock.now()
    outcome = world.destroy()
    assert outcome.exit_code == 5
    assert [remain.step for remain in outcome.remains] == ["box"]
    assert world.clock.now() - begun == pytest.approx(600.0)
    assert world.destroy().exit_code == 0
    assert world.state.steps == {}


def test_a_delete_that_shows_late_is_waited_for_and_not_repeated_in_a_hurry(world: World) -> None:
    world.deploy(plan(step("box")))
    world.cloud.linger = 20.0
    world.writes()
    assert world.destroy().exit_code == 0
    assert world.writes() == ["delete box"]


def test_an_update_that_shows_late_is_waited_for_and_not_repeated_in_a_hurry(world: World) -> None:
    made = plan(step("box", size=2))
    world.deploy(plan(step("box")))
    world.writes()

    def late(when: str, verb: str, name: str) -> None:
        if (when, verb) == ("after", "update"):
            thing = world.cloud.only("box")
            thing.spec["size"] = 1
            shows.append(world.clock.now() + 10.0)
        if (when, verb) == ("before", "read") and shows and world.clock.now() >= shows[0]:
            world.cloud.only("box").spec["size"] = 2

    shows: list[float] = []
    world.cloud.hooks.append(late)
    assert world.deploy(made).exit_code == 0
    assert world.writes() == ["update box"]
