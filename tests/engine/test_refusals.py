"""What is refused before anything is changed, and what is never touched."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.errors import AccessDeniedError, CredentialsError, ForeignObjectError, ProvisionerError, RefusedError
from provisioner.plan.model import Plan
from tests.engine.world import World, agree, plan, step


def refused(world: World, made: Plan, words: str, **options: Any) -> None:
    """The deploy is refused with exit code 3, and neither the cloud nor the record has changed."""
    world.writes()
    before = dict(world.state.steps) if world.directory.exists() else {}
    with pytest.raises(ProvisionerError, match=words) as caught:
        world.deploy(made, **options)
    assert caught.value.exit_code == 3
    assert world.writes() == []
    assert world.state.steps == before


def test_somebody_elses_object_is_named_and_refused(world: World) -> None:
    world.cloud.plant("thing", "shop-test-box", "other/box")
    refused(world, plan(step("new"), step("box")), "belongs to other/box")


def test_an_untagged_object_of_the_same_name_is_somebody_elses(world: World) -> None:
    world.cloud.plant("thing", "shop-test-box", None)
    refused(world, plan(step("box")), "no owner's tag")


def test_all_the_reasons_are_given_at_once(world: World) -> None:
    world.cloud.plant("thing", "shop-test-a", "other/a")
    world.cloud.plant("thing", "shop-test-b", "other/b")
    with pytest.raises(RefusedError, match=r"other/a.*other/b"):
        world.deploy(plan(step("a"), step("b")))


def test_an_object_that_takes_the_name_during_the_run_is_left_alone_and_the_run_reversed(world: World) -> None:
    made = plan(step("first"), step("box", after=("first",)))

    def squat(when: str, verb: str, name: str) -> None:
        if (when, verb, name) == ("before", "create", "shop-test-box"):
            world.cloud.hooks.clear()
            world.cloud.plant("thing", "shop-test-box", "other/box")

    world.cloud.hooks.append(squat)
    outcome = world.deploy(made)
    assert outcome.exit_code == 4
    assert isinstance(outcome.failures[0].error, ForeignObjectError)
    assert [thing.owner for thing in world.cloud.live()] == ["other/box"]
    assert world.state.steps == {}


def test_what_somebody_else_owns_by_now_is_not_deleted_whatever_the_record_says(world: World) -> None:
    world.deploy(plan(step("box")))
    world.cloud.only("box").owner = "other/box"
    assert world.destroy().exit_code == 0
    assert world.writes() == ["create box"]
    assert [thing.owner for thing in world.cloud.live()] == ["other/box"]


# -- adoption -------------------------------------------------------------------------------------------------


def test_what_is_adopted_is_used_and_never_deleted(world: World) -> None:
    ident = world.cloud.plant("network", "corporate", None).ident
    made = plan(step("net", "toy.network", adopt=True, named="corporate"), step("box", uses=["${net.id}"]))
    assert world.deploy(made).exit_code == 0
    assert world.cloud.only("box").spec["uses"] == [ident]
    assert world.destroy(made).exit_code == 0
    assert world.names() == ["corporate"]
    assert world.state.steps == {}


@pytest.mark.parametrize("how", ["fail", "rollback", "leave"])
def test_what_is_adopted_outlives_every_way_to_undo(world: World, how: str) -> None:
    world.cloud.plant("network", "corporate", "other/net")
    net = step("net", "toy.network", adopt=True, named="corporate")
    if how == "fail":
        world.cloud.fail("create", "bad", lambda: AccessDeniedError("no"))
        assert world.deploy(plan(net, step("bad", after=("net",)))).exit_code == 4
    else:
        world.deploy(plan(net))
        assert (world.rollback() if how == "rollback" else world.deploy(plan())).exit_code == 0
    assert [call for call in world.cloud.writes() if "corporate" in call[1]] == []
    assert world.names() == ["corporate"]
    assert world.state.steps == {}


def test_an_adopted_object_that_a_failed_run_changed_gets_its_own_values_back(world: World) -> None:
    thing = world.cloud.plant("thing", "old", None, size=7, colour="green", note="theirs")
    world.cloud.fail("create", "bad", lambda: AccessDeniedError("no"))
    made = plan(step("box", adopt=True, named="old", size=2, note="ours"), step("bad", after=("box",)))
    assert world.deploy(made).exit_code == 4
    assert (thing.spec["size"], thing.spec["colour"], thing.spec["note"]) == (7, "green", "theirs")
    assert world.state.steps == {}


def test_what_takes_an_adopted_objects_place_is_ours_and_goes_with_us(world: World) -> None:
    """Adoption belongs to the object, not to the step's name."""
    world.cloud.plant("network", "corporate", None)
    adopting = plan(step("net", "toy.network", adopt=True, named="corporate"))
    world.deploy(adopting)
    assert world.deploy(plan(step("net", "toy.network"))).exit_code == 0
    assert world.names() == ["corporate", "net"]
    assert not world.state.steps["net"].adopted
    assert world.rollback().exit_code == 0
    assert world.names() == ["corporate"]
    assert world.state.steps["net"].adopted
    world.deploy(plan(step("net", "toy.network")))
    assert world.destroy().exit_code == 0
    assert world.names() == ["corporate"]


def test_a_forgotten_adoption_comes_back_with_a_rollback(world: World) -> None:
    world.cloud.plant("network", "corporate", None)
    adopting = plan(step("net", "toy.network", adopt=True, named="corporate"), step("box"))
    world.deploy(adopting)
    world.deploy(plan(step("box")))
    assert world.rollback().exit_code == 0
    assert world.state.steps["net"].adopted
    assert world.deploy(adopting).changes == []


def test_what_is_to_be_adopted_and_is_not_there_is_never_made(world: World) -> None:
    refused(world, plan(step("net", "toy.network", adopt=True, named="corporate")), "nothing to adopt")


# -- protection -----------------------------------------------------------------------------------------------


def test_a_protected_step_is_neither_replaced_nor_destroyed_nor_left_behind(world: World) -> None:
    made = plan(step("box", protect=True))
    world.deploy(made)
    refused(world, plan(step("box", protect=True, shape="flat")), "protected by the plan")
    refused(world, plan(), "protected by the plan")
    with pytest.raises(RefusedError, match="protect: true"):
        world.destroy(made, allow_data_loss=True)
    assert world.names() == ["box"]
    assert world.deploy(plan(step("box", protect=True, size=2))).exit_code == 0


def test_once_the_plan_no_longer_protects_it_destroy_may_take_it(world: World) -> None:
    world.deploy(plan(step("box", protect=True)))
    assert world.destroy(plan(step("box"))).exit_code == 0
    assert world.names() == []


def test_a_database_is_not_replaced_unless_data_loss_is_allowed(world: World) -> None:
    world.deploy(plan(step("db", "toy.database")))
    other = plan(step("db", "toy.database", shape="flat"))
    refused(world, other, "holds data.*shape.*--allow-data-loss")
    assert world.deploy(other, allow_data_loss=True).exit_code == 0
    assert world.writes() == ["discard db", "create db"]


def test_a_database_under_another_name_is_a_replacement_too(world: World) -> None:
    world.deploy(plan(step("db", "toy.database")))
    refused(world, plan(step("db", "toy.database", named="main")), "holds data")


def test_a_database_whose_replacement_shows_only_on_the_way_is_refused_there_and_reversed(world: World) -> None:
    """The name comes from a step that is made in this run, so no preview can see it."""
    world.deploy(plan(step("db", "toy.database")))
    ident = world.cloud.only("db").ident
    outcome = world.deploy(plan(step("namer", size=4), step("db", "toy.database", named="main-${namer.id}")))
    assert outcome.exit_code == 4
    assert "holds data" in str(outcome.failures[0].error)
    assert world.cloud.only("db").ident == ident
    agree(world)


def test_deletion_protection_is_respected_by_destroy_and_by_leaving_the_plan(world: World) -> None:
    made = plan(step("db", "toy.database", protected=True))
    world.deploy(made)
    refused(world, plan(), "deletion protection")
    with pytest.raises(RefusedError, match="deletion protection"):
        world.destroy(made)
    assert world.names() == ["db"]
    assert world.destroy(made, allow_data_loss=True).exit_code == 0
    assert world.writes()[-1] == "discard db"


def test_destroy_leaves_a_copy_of_data_unless_it_may_be_lost(world: World) -> None:
    world.deploy(plan(step("db", "toy.database")))
    assert world.destroy().exit_code == 0
    assert world.writes() == ["create db", "delete db"]


# -- account --------------------------------------------------------------------------------------------------


def test_another_account_than_the_records_is_refused(world: World) -> None:
    world.deploy(plan(step("box")))
    world.cloud.account = "toy:2"
    refused(world, plan(step("box", size=2)), "lives in toy:1, and these credentials belong to toy:2")
    with pytest.raises(CredentialsError):
        world.destroy()
    with pytest.raises(CredentialsError):
        world.rollback()
    assert world.names() == ["box"]


# -- destroy --------------------------------------------------------------------------------------------------


def test_destroy_takes_each_object_after_all_that_need_it(world: World) -> None:
    made = plan(step("net"), step("db", uses=["${net.id}"]), step("app", uses=["${db.id}", "${net.id}"]))
    world.deploy(made)
    world.writes()
    assert world.destroy().exit_code == 0
    assert world.writes() == ["delete app", "delete db", "delete net"]


def test_destroy_of_a_target_takes_what_needs_it_with_it_and_leaves_the_rest(world: World) -> None:
    world.deploy(plan(step("net"), step("db", uses=["${net.id}"]), step("app", uses=["${db.id}"]), step("other")))
    assert world.destroy(targets=("db",)).exit_code == 0
    assert world.names() == ["net", "other"]


def test_destroy_of_a_target_follows_needs_that_a_later_plan_turned_around(world: World) -> None:
    world.deploy(plan(step("a"), step("b"), step("c")))
    world.deploy(plan(step("c"), step("b", uses=["${c.id}"]), step("a", uses=["${b.id}"])))
    assert world.destroy(targets=("c",)).exit_code == 0
    assert world.names() == []


def test_a_destroy_that_fails_goes_on_where_it_stopped(world: World) -> None:
    world.deploy(plan(step("net"), step("db", uses=["${net.id}"]), step("other")))
    world.cloud.fail("delete", "-db", lambda: AccessDeniedError("no"))
    outcome = world.destroy()
    assert outcome.exit_code == 5
    assert {remain.step for remain in outcome.remains} == {"db", "net"}
    assert world.names() == ["db", "net"]
    assert world.destroy().exit_code == 0
    assert world.names() == []


def test_destroy_of_what_is_gone_already_is_a_success(world: World) -> None:
    world.deploy(plan(step("box")))
    world.cloud.lose("box")
    assert world.destroy().exit_code == 0
    assert world.state.steps == {}
