"""``adopt``: what the cloud has becomes the record; no object is touched, and a rollback puts the record back."""

from __future__ import annotations

import pytest

from provisioner.engine.drift import Kind
from provisioner.engine.fields import Cause
from provisioner.errors import RefusedError, UsageError
from provisioner.state.records import Action
from tests.engine.world import World, agree, plan, step

TWO = plan(step("box", size=2, uses=["a"]), step("lid", size=3))


def drifted(world: World) -> None:
    world.deploy(TWO)
    box = world.cloud.only("box")
    box.spec["size"], box.spec["uses"], box.spec["colour"] = 9, ["a", "b"], "blue"
    world.cloud.only("lid").spec["size"] = 4
    world.writes()


def test_what_is_accepted_is_no_drift_any_more_and_the_plan_still_says_what_it_would_change(world: World) -> None:
    drifted(world)
    outcome = world.adopt(TWO)
    assert (outcome.exit_code, [change.action for change in outcome.changes]) == (0, [Action.ACCEPT] * 2)
    assert world.writes() == []
    assert not any(finding.drifted for finding in world.drift(TWO).values())
    assert world.drift() == {}
    found = world.drift(TWO)["box"]
    assert {field.field: (field.plan, field.record, field.cloud, field.cause) for field in found.fields} == {
        "size": (2, 9, 9, Cause.PLAN),
        "uses": (["a"], ["a", "b"], ["a", "b"], Cause.PLAN),
        "colour": ("red", "blue", "blue", Cause.PLAN),
    }
    assert {d.field for d in world.preview(TWO)["box"].differences} == {"size", "uses", "colour"}


def test_once_the_plan_says_it_too_a_deploy_finds_nothing_to_do(world: World) -> None:
    drifted(world)
    world.adopt(TWO)
    agreed = plan(step("box", size=9, uses=["a", "b"], colour="blue"), step("lid", size=4))
    assert world.drift(agreed) == {}
    assert world.deploy(agreed).changes == []
    assert world.writes() == []


def test_a_step_or_a_field_alone_can_be_accepted(world: World) -> None:
    drifted(world)
    world.adopt(TWO, "box.size")
    left = world.drift(TWO)
    assert {field.field for field in left["box"].fields if field.cause is not Cause.PLAN} == {"uses", "colour"}
    assert left["lid"].kind is Kind.CHANGED
    world.adopt(TWO, "lid", "box.colour", "box.uses")
    assert not any(finding.drifted for finding in world.drift(TWO).values())


def test_it_is_a_run_with_a_history_and_a_rollback_that_touches_no_object(world: World) -> None:
    drifted(world)
    before = world.state.steps["box"]
    world.adopt(TWO)
    run = world.state.runs[-1]
    assert (run.kind, run.result.value, [change.step for change in run.changes]) == (
        "adopt",
        "succeeded",
        ["box", "lid"],
    )
    assert '"event":"accept"' in (world.directory / "audit.jsonl").read_text()
    assert world.rollback(TWO).exit_code == 0
    assert world.writes() == []
    assert world.state.steps["box"] == before
    assert {name: finding.kind for name, finding in world.drift(TWO).items()} == {
        "box": Kind.CHANGED,
        "lid": Kind.CHANGED,
    }
    assert world.rollback(TWO).exit_code == 0  # and the next one takes the deploy back
    assert world.names() == []


def test_a_later_deploy_that_is_reversed_returns_to_what_was_accepted(world: World) -> None:
    drifted(world)
    world.adopt(TWO)
    world.deploy(TWO)
    assert world.cloud.only("box").spec["size"] == 2
    assert world.rollback(TWO).exit_code == 0
    assert world.cloud.only("box").spec["size"] == 9
    assert not any(finding.drifted for finding in world.drift(TWO).values())


def test_declined_or_without_drift_nothing_is_written(world: World) -> None:
    drifted(world)
    runs = len(world.state.runs)
    assert world.adopt(TWO, yes=False).result == "declined"
    world.deploy(TWO)
    assert (world.adopt(TWO).run, world.adopt(TWO).exit_code) == (None, 0)
    assert [run.kind for run in world.state.runs] == ["deploy"] * (runs + 1)


def test_what_is_gone_can_be_accepted_as_gone(world: World) -> None:
    world.deploy(TWO)
    world.cloud.lose("lid")
    world.adopt(TWO, "lid")
    agree(world)
    assert world.drift(TWO) == {}
    assert world.preview(TWO)["lid"].action is Action.CREATE
    assert world.rollback(TWO).exit_code == 0
    assert world.drift(TWO)["lid"].kind is Kind.GONE


def test_another_object_that_carries_our_tag_can_be_accepted(world: World) -> None:
    world.deploy(TWO)
    world.cloud.lose("box")
    ident = world.cloud.plant("thing", "shop-test-box", "shop-test/box", size=7).ident
    world.adopt(None, "box")
    assert world.drift() == {}
    assert (world.state.steps["box"].outputs["id"], world.state.steps["box"].spec["size"]) == (ident, 7)


def test_somebody_elses_object_is_refused_and_the_plan_s_own_way_is_named(world: World) -> None:
    world.deploy(TWO)
    world.cloud.only("box").owner = "other/box"
    with pytest.raises(RefusedError, match="adopt: existing"):
        world.adopt(TWO, "box")
    assert world.adopt(TWO).run is None  # of all it takes what it can
    assert world.state.steps["box"].spec["size"] == 2


def test_what_lost_its_tag_and_what_is_in_no_record_is_refused_with_the_verb_that_helps(world: World) -> None:
    world.deploy(TWO)
    world.cloud.only("box").owner = None
    world.cloud.plant("thing", "shop-test-old", "shop-test/old")
    with pytest.raises(RefusedError, match="deploy puts it back"):
        world.adopt(TWO, "box")
    with pytest.raises(RefusedError, match="state recover"):
        world.adopt(TWO, "old")


@pytest.mark.parametrize("word", ["nope", "lid", "box.colour", "box.nope"])
def test_what_did_not_drift_cannot_be_accepted(world: World, word: str) -> None:
    world.deploy(TWO)
    world.cloud.only("box").spec["size"] = 9
    with pytest.raises(UsageError):
        world.adopt(TWO, word)


def test_of_a_secret_that_the_cloud_does_not_report_the_fingerprint_is_taken(world: World) -> None:
    """Somebody changed the secret and the database by hand."""
    made = plan(step("pw", "toy.vault"), step("db", "toy.database", password="${pw.value}"))
    world.deploy(made)
    world.cloud.only("pw").spec["value"] = "canary-by-hand"
    world.cloud.only("db").spec["password"] = "canary-by-hand"
    world.adopt(made, "db")
    assert world.drift(made) == {}
    world.writes()
    assert world.deploy(made).changes == []
    assert world.writes() == []
    assert b"canary" not in b"".join(path.read_bytes() for path in world.directory.iterdir() if path.is_file())
