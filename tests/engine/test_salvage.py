"""``recover``: what carries our tag and is in no record gets one again, and after that everything works as before."""

from __future__ import annotations

import shutil

import msgspec
import pytest

from provisioner.errors import AccessDeniedError, ConnectionFailedError
from provisioner.state.records import Action, DropRecord
from provisioner.state.store import Owner, Store
from tests.crash.stories import ALL_OF_FIRST, FIRST, complete
from tests.engine.world import DEPLOYMENT, World, agree, plan, step


def lose_record(world: World) -> None:
    shutil.rmtree(world.directory)
    world.writes()


def forget(world: World, *steps: str) -> None:
    """Somebody took steps out of the record."""
    with Store.open(world.directory, DEPLOYMENT, who=Owner(user="x", command="x")) as store:
        store.commit([DropRecord(step=name) for name in steps])
    world.writes()


def test_a_record_that_was_lost_whole_is_had_back_and_the_next_deploy_does_nothing(world: World) -> None:
    world.deploy(FIRST)
    before = world.state.steps
    lose_record(world)
    outcome = world.salvage(FIRST)
    assert (outcome.exit_code, {change.action for change in outcome.changes}) == (0, {Action.RECOVER})
    after = world.state.steps
    assert after.keys() == before.keys()
    for name, record in after.items():
        was = before[name]
        assert msgspec.structs.replace(record, fingerprints={}, since=0.0) == msgspec.structs.replace(
            was, fingerprints={}, since=0.0
        )
        assert record.fingerprints.keys() == was.fingerprints.keys()
    assert world.drift(FIRST) == {}
    assert world.deploy(FIRST).changes == []
    assert world.writes() == []
    complete(world, ALL_OF_FIRST)
    assert world.destroy(allow_data_loss=True).exit_code == 0
    assert world.names() == []


def test_steps_that_are_missing_in_the_record_are_written_back(world: World) -> None:
    world.deploy(FIRST)
    forget(world, "db", "mail", "net")
    world.salvage(FIRST)
    assert sorted(one.record.step for one in world.haul.found) == ["db", "mail", "net"]
    assert world.drift(FIRST) == {}
    complete(world, ALL_OF_FIRST)


def test_it_is_a_run_in_the_history_and_asks_first(world: World) -> None:
    world.deploy(FIRST)
    forget(world, "db")
    assert world.salvage(FIRST, yes=False).result == "declined"
    assert "db" not in world.state.steps
    world.salvage(FIRST)
    run = world.state.runs[-1]
    assert (run.kind, run.result.value, [change.step for change in run.changes]) == ("recover", "succeeded", ["db"])
    assert '"event":"recover"' in (world.directory / "audit.jsonl").read_text()
    assert world.salvage(FIRST).run is None
    assert world.rollback(FIRST).exit_code == 0  # of the deploy: a recovery is nothing to take back
    assert world.names() == []


def test_what_was_changed_since_is_recorded_as_it_is_and_the_plan_says_what_it_would_change(world: World) -> None:
    made = plan(step("box", size=2, colour="red"))
    world.deploy(made)
    world.cloud.only("box").spec["size"] = 9
    lose_record(world)
    world.salvage(made)
    assert world.state.steps["box"].spec == {"size": 9, "colour": "red"}
    assert world.drift() == {}
    assert [d.field for d in world.preview(made)["box"].differences] == ["size"]


LAYERS = plan(
    step("net", "toy.network"),
    step("subnet", uses=["${net.id}"]),
    step("pw", "toy.vault"),
    step("db", "toy.database", uses=["${subnet.id}"], password="${pw.value}"),
)


@pytest.mark.parametrize("kept", [(), ("net",), ("net", "subnet", "pw")], ids=lambda kept: "+".join(kept) or "none")
def test_what_the_plan_has_no_more_is_recorded_well_enough_to_be_destroyed_in_order(
    world: World, kept: tuple[str, ...]
) -> None:
    world.deploy(LAYERS)
    lose_record(world)
    smaller = plan(*(one for one in LAYERS.steps if one.name in kept), step("other"))
    world.deploy(plan(step("other")))
    world.writes()
    world.salvage(smaller)
    assert {one.record.step: one.planned for one in world.haul.found} == {
        name: name in kept for name in ("net", "subnet", "pw", "db")
    }
    steps = world.state.steps
    assert ("subnet" in steps["db"].needs) == ("db" not in kept)
    assert "net" in steps["subnet"].needs
    agree(world)
    assert world.destroy(allow_data_loss=True).exit_code == 0
    assert world.names() == []
    removed = [line.split()[1] for line in world.writes() if line.split()[0] in ("delete", "discard")]
    assert removed.index("db") < removed.index("subnet") < removed.index("net")
    assert len(removed) == 5  # none had to be tried twice


def test_without_any_plan_everything_of_the_deployment_is_found(world: World) -> None:
    world.deploy(LAYERS)
    forget(world, "net", "subnet")
    world.salvage()
    agree(world)
    assert world.destroy(allow_data_loss=True).exit_code == 0
    assert world.names() == []


def test_the_next_deploy_takes_away_what_was_found_and_is_not_in_the_plan(world: World) -> None:
    world.deploy(LAYERS)
    lose_record(world)
    smaller = plan(*LAYERS.steps[:3])
    world.salvage(smaller)
    assert world.deploy(smaller, allow_data_loss=True).exit_code == 0
    assert world.names() == ["net", "pw", "subnet"]


def test_an_adopted_object_is_adopted_again_and_survives_the_destroy(world: World) -> None:
    world.cloud.plant("network", "corporate", None)
    made = plan(step("net", "toy.network", adopt=True, named="corporate"), step("box", uses=["${net.id}"]))
    world.deploy(made)
    lose_record(world)
    world.salvage(made)
    assert world.state.steps["net"].adopted
    assert world.deploy(made).changes == []
    assert world.destroy(made).exit_code == 0
    assert world.names() == ["corporate"]


def test_objects_of_others_are_left_alone(world: World) -> None:
    world.deploy(plan(step("box")))
    world.cloud.plant("thing", "shop-test-x", None)
    world.cloud.plant("thing", "shop-test-y", "other/y")
    world.cloud.plant("thing", "z", "shop-test-2/z")
    lose_record(world)
    world.salvage(plan(step("box")))
    assert list(world.state.steps) == ["box"]


def test_an_object_that_is_being_deleted_is_recorded_as_that_and_made_anew_by_a_deploy(world: World) -> None:
    made = plan(step("db", "toy.database"))
    world.cloud.removal["db"] = 30.0
    world.deploy(made)
    world.cloud.remove(world.cloud.only("db"))
    lose_record(world)
    world.salvage(made)
    assert world.state.steps["db"].status.value == "deleting"
    assert world.deploy(made).exit_code == 0
    agree(world)
    assert world.names() == ["db"]


def test_a_second_object_of_a_step_that_is_recorded_as_another_is_named_and_not_recorded(world: World) -> None:
    world.deploy(plan(step("box")))
    world.cloud.plant("database", "old-box", "shop-test/box")
    world.salvage(plan(step("box")))
    assert list(world.haul.blocked) == ["box"]
    assert world.state.steps["box"].type == "toy.thing"


def test_of_several_objects_that_carry_a_steps_tag_one_is_recorded_and_every_other_is_named(world: World) -> None:
    for kind, name in (("thing", "a"), ("thing", "b"), ("thing", "c"), ("database", "d")):
        world.cloud.plant(kind, name, "shop-test/db")
    world.salvage(plan(step("other")))
    (found,) = world.haul.found
    told = world.haul.blocked["db"]
    others = {"toy.thing a", "toy.thing b", "toy.thing c", "toy.database d"}
    others.remove(f"{found.record.type} {found.record.key.name}")
    assert all(f"{other}: " in told for other in others)


def test_two_objects_of_a_type_whose_name_says_nothing_are_told_apart_by_their_number(world: World) -> None:
    for _ in range(2):
        world.cloud.plant("tagged", "shop-test-net", "shop-test/net")
    world.salvage(plan(step("net", "toy.tagged")))
    assert [one.record.key.name for one in world.haul.found] == ["shop-test-net"]
    assert world.haul.blocked["net"].startswith("toy.tagged shop-test-net: ")


@pytest.mark.parametrize("new", [False, True], ids=["old name alone", "both"])
def test_an_object_under_a_name_that_the_plan_has_no_more_is_never_passed_over(world: World, new: bool) -> None:
    world.cloud.plant("thing", "db-old", "shop-test/db")
    if new:
        world.cloud.plant("thing", "db-new", "shop-test/db")
    world.salvage(plan(step("db", named="db-new")))
    found = [one.record.key.name for one in world.haul.found]
    told = world.haul.blocked.get("db", "")
    for name in ["db-old", "db-new"] if new else ["db-old"]:
        assert (name in found) != (f"toy.thing {name}: " in told)
    assert found == (["db-new"] if new else ["db-old"])


def test_a_second_object_of_a_recorded_step_and_type_is_named(world: World) -> None:
    world.deploy(plan(step("box")))
    world.cloud.plant("thing", "old-box", "shop-test/box")
    world.salvage(plan(step("box")))
    assert (world.haul.found, "toy.thing old-box: " in world.haul.blocked["box"]) == ([], True)


def test_a_type_that_may_not_be_searched_is_told_and_the_others_are_found(world: World) -> None:
    world.deploy(plan(step("box"), step("net", "toy.network")))
    lose_record(world)
    world.cloud.fail("search", "network", lambda: AccessDeniedError("not for you"))
    world.salvage(plan(step("other")))
    assert list(world.haul.unsearched) == ["toy.network"]
    assert [one.record.step for one in world.haul.found] == ["box"]


def test_a_cloud_that_does_not_answer_ends_it_with_nothing_written(world: World) -> None:
    world.deploy(plan(step("box")))
    lose_record(world)
    world.cloud.fail("search", "thing", lambda: ConnectionFailedError("silence"), times=99)
    with pytest.raises(ConnectionFailedError):
        world.salvage(plan(step("box")))
    assert world.state.steps == {}
    assert world.state.runs == []
