"""A signal that comes when everything is done takes nothing away from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.state.records import RunResult
from tests.engine.world import World, plan, step


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def stop_when(world: World, verb: str, name: str) -> None:
    def stop(when: str, what: str, which: str) -> None:
        there = any(thing.name.endswith(name) for thing in world.cloud.live())
        if when == "before" and what == verb and which.endswith(name) and (there or verb == "check"):
            assert world.last is not None
            world.last.loop.stop()

    world.cloud.hooks.append(stop)


def test_a_signal_during_the_very_last_call_of_a_deploy_leaves_it_a_success(world: World) -> None:
    stop_when(world, "check", "thing-1")
    outcome = world.deploy(plan(step("net"), step("gate", "toy.gate", thing="${net.id}"), outputs={"id": "${net.id}"}))
    assert (outcome.exit_code, outcome.result, outcome.failures) == (0, "succeeded", [])
    assert outcome.outputs == {"id": "thing-1"}
    assert world.state.runs[-1].result is RunResult.SUCCEEDED


def test_a_signal_before_a_step_could_start_ends_a_deploy_as_interrupted(world: World) -> None:
    stop_when(world, "read", "net")
    outcome = world.deploy(plan(step("net"), step("late", after=("net",))))
    assert (outcome.exit_code, outcome.result) == (130, "interrupted")


def test_a_signal_before_what_left_the_plan_is_gone_ends_a_deploy_as_interrupted(world: World) -> None:
    world.deploy(plan(step("net"), step("old")))
    stop_when(world, "check", "thing-1")
    outcome = world.deploy(plan(step("net"), step("gate", "toy.gate", thing="${net.id}")))
    assert (outcome.exit_code, outcome.result) == (130, "interrupted")
    assert len(world.cloud.live()) == 2
