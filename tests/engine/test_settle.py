"""What a plan leaves open is settled once: shown before, on disk before the call, and the same ever after."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.errors import RefusedError
from provisioner.plan.model import StepDecl
from provisioner.state.records import Action, Status
from tests.crash.dying import Killed, release
from tests.engine.toycloud import Thing
from tests.engine.world import DEPLOYMENT, World, plan, step


def engine(version: str, **tree: Any) -> StepDecl:
    return step("db", "toy.engine", version=version, **tree)


@pytest.fixture
def offering(world: World) -> World:
    world.cloud.offers = ["15.1", "15.2", "16.1"]
    return world


def there(world: World) -> Thing:
    (found,) = world.cloud.live()
    return found


def asked(world: World) -> int:
    return sum(verb == "settle" for verb, _ in world.cloud.calls)


def test_a_preview_shows_what_a_deploy_makes_and_records(offering: World) -> None:
    planned = offering.preview(plan(engine("15")))["db"]
    assert (planned.action, planned.settled) == (Action.CREATE, {"version": "15.2"})
    offering.deploy(plan(engine("15")))
    assert there(offering).spec["version"] == "15.2"
    assert offering.state.steps["db"].spec["version"] == "15.2"
    assert asked(offering) == 2, "the deploy asks once, in its own preview"


def test_what_is_newer_by_now_changes_nothing_and_nobody_asks_for_it(offering: World) -> None:
    offering.deploy(plan(engine("15")))
    offering.cloud.offers.append("15.3")
    offering.cloud.calls.clear()
    before = offering.state.serial
    assert offering.preview(plan(engine("15")))["db"].settled == {}
    offering.deploy(plan(engine("15")))
    assert offering.cloud.calls == [("read", f"{DEPLOYMENT}-db")] * 2
    assert offering.state.steps["db"].spec["version"] == "15.2"
    assert offering.state.serial - before == 2, "the run's own beginning and end"


def test_what_the_cloud_upgraded_by_itself_stays_and_is_recorded(offering: World) -> None:
    offering.deploy(plan(engine("15")))
    there(offering).spec["version"] = "15.3"
    offering.writes()
    offering.deploy(plan(engine("15")))
    assert offering.writes() == []
    assert offering.state.steps["db"].spec["version"] == "15.3"
    assert offering.drift(plan(engine("15"))) == {}


def test_what_cannot_be_had_is_refused_before_anything_is_made_and_the_refusal_says_what_can(offering: World) -> None:
    with pytest.raises(RefusedError, match=r"db: no version 15\.0; write 16\.1"):
        offering.deploy(plan(step("first"), engine("15.0")))
    assert offering.writes() == []


def test_what_cannot_be_had_any_more_stays_where_it_is(offering: World) -> None:
    offering.deploy(plan(engine("15.1")))
    offering.cloud.offers = ["16.1"]
    offering.writes()
    assert offering.deploy(plan(engine("15.1"))).exit_code == 0
    assert offering.writes() == []


def test_an_exact_version_becomes_a_major_one_without_a_change(offering: World) -> None:
    offering.deploy(plan(engine("15.1")))
    offering.writes()
    offering.deploy(plan(engine("15")))
    assert offering.writes() == []
    assert offering.state.steps["db"].spec["version"] == "15.1"


def test_a_kill_before_the_create_leaves_the_version_on_disk_and_the_next_run_makes_that_one(offering: World) -> None:
    def die(when: str, verb: str, name: str) -> None:
        if (when, verb) == ("before", "create"):
            raise Killed

    offering.cloud.hooks.append(die)
    with pytest.raises(Killed):
        offering.deploy(plan(engine("15")))
    offering.cloud.hooks.clear()
    release(offering.directory)
    record = offering.state.steps["db"]
    assert (record.status, record.spec["version"]) == (Status.CREATING, "15.2")
    offering.cloud.offers.append("15.3")
    offering.deploy(plan(engine("15")))
    assert there(offering).spec["version"] == "15.2"


def test_a_kill_before_an_upgrade_leaves_its_target_on_disk_and_the_next_run_reaches_that_one(offering: World) -> None:
    def die(when: str, verb: str, name: str) -> None:
        if (when, verb) == ("before", "update"):
            raise Killed

    offering.deploy(plan(engine("15")))
    offering.cloud.hooks.append(die)
    with pytest.raises(Killed):
        offering.deploy(plan(engine("16")))
    offering.cloud.hooks.clear()
    release(offering.directory)
    offering.cloud.offers.append("16.2")
    offering.deploy(plan(engine("16")))
    assert there(offering).spec["version"] == offering.state.steps["db"].spec["version"] == "16.1"


def test_what_is_gone_or_replaced_is_made_of_what_is_on_offer_now(offering: World) -> None:
    offering.deploy(plan(engine("15")))
    offering.cloud.offers = ["15.3"]
    planned = offering.preview(plan(engine("15", shape="square")))["db"]
    assert (planned.action, planned.settled) == (Action.REPLACE, {"version": "15.3"})
    offering.deploy(plan(engine("15", shape="square")))
    assert there(offering).spec["version"] == "15.3"
    offering.cloud.offers = ["15.4"]
    offering.cloud.remove(there(offering))
    offering.deploy(plan(engine("15", shape="square")))
    assert there(offering).spec["version"] == offering.state.steps["db"].spec["version"] == "15.4"


def test_a_step_that_becomes_another_object_is_settled_when_its_turn_comes(offering: World) -> None:
    offering.deploy(plan(engine("15")))
    offering.cloud.offers.append("15.3")
    assert offering.deploy(plan(engine("15", named="other"))).exit_code == 0
    assert (there(offering).name, there(offering).spec["version"]) == ("other", "15.3")


def test_a_rollback_brings_back_the_recorded_version_where_the_cloud_lets_it(offering: World) -> None:
    offering.deploy(plan(step("first")))
    offering.deploy(plan(step("first"), engine("15")))
    offering.deploy(plan(step("first")))
    offering.cloud.offers = ["15.3"]
    assert offering.rollback().exit_code == 0
    brought = next(thing for thing in offering.cloud.live() if thing.kind == "engine")
    assert brought.spec["version"] == "15.2"


def test_an_adopted_engine_keeps_what_it_has(offering: World) -> None:
    values = {"version": "15.1", "uses": [], "size": 1, "colour": "red", "shape": "round", "note": None}
    offering.cloud.create("engine", f"{DEPLOYMENT}-db", None, values, unique=True)
    offering.writes()
    offering.deploy(plan(step("db", "toy.engine", adopt=True, version="15")))
    assert offering.writes() == [] and asked(offering) == 0
    assert offering.state.steps["db"].spec["version"] == "15.1"
