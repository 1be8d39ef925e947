"""What was changed outside: every kind of it is named, a deploy repairs it, and what only the plan changed is no drift."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from provisioner.engine.drift import Kind
from provisioner.engine.fields import Cause, Field
from provisioner.errors import AccessDeniedError, CredentialsError, RefusedError
from provisioner.plan.model import Plan
from provisioner.secret import Secret
from tests.crash.stories import ALL_OF_FIRST, FIRST, SECOND, complete
from tests.engine.world import World, agree, plan, step

BOX = plan(step("box", size=2, uses=["a", "b"]))


def only(world: World, made: Plan | None, name: str = "box") -> Field:
    """The one field of the one object that differs."""
    found = world.drift(made)
    assert list(found) == [name], found
    (field,) = found[name].fields
    return field


def repaired(world: World, made: Plan) -> None:
    """A deploy brings everything back; after it nothing differs, and it was right about that."""
    assert world.deploy(made).exit_code == 0
    assert world.drift(made) == {}
    assert world.drift() == {}
    agree(world)
    world.writes()
    assert world.deploy(made).changes == []
    assert world.writes() == []


def test_what_was_deployed_has_not_drifted_with_and_without_the_plan(world: World) -> None:
    world.deploy(FIRST)
    assert world.drift(FIRST) == {}
    assert world.drift() == {}


def test_looking_for_drift_writes_nothing_and_reads_every_object_once(world: World) -> None:
    world.deploy(FIRST)
    before = (world.directory / "state.json").read_bytes()
    world.cloud.calls.clear()
    world.drift(FIRST)
    read = [name for verb, name in world.cloud.calls if verb in ("read", "list")]
    assert sorted(name.removeprefix("shop-test-") for name in read) == ALL_OF_FIRST
    assert {verb for verb, _ in world.cloud.calls} == {"read", "search", "fetch"}
    assert world.writes() == []
    assert (world.directory / "state.json").read_bytes() == before


# -- fields ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [BOX, None], ids=["plan", "record alone"])
def test_a_field_that_was_changed_outside_is_named_with_all_three_values(world: World, made: Plan | None) -> None:
    world.deploy(BOX)
    world.cloud.only("box").spec["size"] = 9
    field = only(world, made)
    assert (field.field, field.record, field.cloud, field.cause) == ("size", 2, 9, Cause.OUTSIDE)
    assert field.plan == (2 if made else None)
    repaired(world, BOX)
    assert world.cloud.only("box").spec["size"] == 2


def test_a_default_that_was_changed_outside_is_drift_though_the_plan_does_not_name_it(world: World) -> None:
    world.deploy(BOX)
    world.cloud.only("box").spec["colour"] = "blue"
    for made in (BOX, None):
        field = only(world, made)
        assert (field.field, field.record, field.cloud) == ("colour", "red", "blue")
    repaired(world, BOX)


def test_a_field_that_nobody_manages_is_no_drift(world: World) -> None:
    world.deploy(BOX)
    world.cloud.only("box").spec["note"] = "by hand"
    assert world.drift(BOX) == {}


def test_of_a_list_the_items_that_came_and_went_are_told(world: World) -> None:
    world.deploy(BOX)
    world.cloud.only("box").spec["uses"] = ["b", "c"]
    field = only(world, BOX)
    assert (field.field, field.added, field.missing) == ("uses", ["c"], ["a"])
    repaired(world, BOX)


def test_what_only_the_plan_changed_is_shown_and_is_no_drift(world: World) -> None:
    world.deploy(BOX)
    wanted = plan(step("box", size=5, uses=["a", "b"]))
    found = world.drift(wanted)["box"]
    assert (found.kind, found.drifted) == (Kind.PLANNED, False)
    (field,) = found.fields
    assert (field.plan, field.record, field.cloud, field.cause) == (5, 2, 2, Cause.PLAN)


def test_changed_outside_and_in_the_plan_is_told_as_both(world: World) -> None:
    world.deploy(BOX)
    world.cloud.only("box").spec["size"] = 9
    wanted = plan(step("box", size=5, uses=["a", "b"]))
    field = only(world, wanted)
    assert (field.plan, field.record, field.cloud, field.cause) == (5, 2, 9, Cause.BOTH)
    repaired(world, wanted)


def test_changed_outside_to_what_the_plan_says_by_now_is_drift_that_a_deploy_only_writes_down(world: World) -> None:
    world.deploy(BOX)
    world.cloud.only("box").spec["size"] = 5
    wanted = plan(step("box", size=5, uses=["a", "b"]))
    assert only(world, wanted).cause is Cause.AGREED
    world.writes()
    repaired(world, wanted)
    assert world.state.steps["box"].spec["size"] == 5


def test_a_change_that_only_a_new_object_can_have_says_so(world: World) -> None:
    world.deploy(BOX)
    world.cloud.only("box").spec["shape"] = "square"
    assert only(world, BOX).replaces
    repaired(world, BOX)


# -- secrets --------------------------------------------------------------------------------------------------

SAFE = plan(step("pw", "toy.vault"), step("db", "toy.database", password="${pw.value}"))


def test_a_secret_that_was_changed_outside_shows_in_what_uses_it_and_is_never_shown(world: World) -> None:
    world.deploy(SAFE)
    world.cloud.only("pw").spec["value"] = "canary-by-hand"
    for made in (SAFE, None):
        field = only(world, made, "db")
        assert (field.field, field.secret, field.cause) == ("password", True, Cause.OUTSIDE)
        assert (field.record, field.cloud) == ("***", "***")
        assert "canary" not in repr(world.drift(made))
    repaired(world, SAFE)
    assert world.cloud.only("db").spec["password"] == "canary-by-hand"


def test_another_secret_parameter_is_a_change_of_the_plan(world: World) -> None:
    made = plan(step("db", "toy.database", password="${param.pw}"))
    old, new = ({"pw": Secret(value)} for value in ("canary-old", "canary-new"))
    world.deploy(_with(made, old))
    assert world.drift(_with(made, old)) == {}
    found = world.drift(_with(made, new))["db"]
    assert (found.kind, found.fields[0].field) == (Kind.PLANNED, "password")
    assert "canary" not in repr(found)


def test_without_the_plan_a_secret_parameter_is_not_compared_and_that_is_said(world: World) -> None:
    made = _with(plan(step("db", "toy.database", size=2, password="${param.pw}")), {"pw": Secret("canary")})
    world.deploy(made)
    world.cloud.only("db").spec["colour"] = "blue"
    found = world.drift()["db"]
    assert [field.field for field in found.fields] == ["colour"]
    assert list(found.unchecked) == ["password"]


def test_a_secret_that_may_not_be_read_is_told_and_stops_nothing(world: World) -> None:
    world.deploy(SAFE)
    world.cloud.only("db").spec["colour"] = "blue"
    world.cloud.fail("fetch", "pw", lambda: AccessDeniedError("not for you"), times=99)
    found = world.drift(SAFE)["db"]
    assert [field.field for field in found.fields] == ["colour"]
    assert "not for you" in found.unchecked["password"]


def _with(made: Plan, secrets: dict[str, Secret]) -> Plan:
    return msgspec.structs.replace(made, secrets=secrets)


# -- whole objects --------------------------------------------------------------------------------------------


def gone(world: World) -> None:
    world.cloud.lose("box")


def replaced(world: World) -> None:
    world.cloud.lose("box")
    world.cloud.plant("thing", "shop-test-box", "shop-test/box", size=2, uses=["a", "b"])


def untagged(world: World) -> None:
    world.cloud.only("box").owner = None


@pytest.mark.parametrize(
    ("happens", "kind", "says"),
    [
        (gone, Kind.GONE, ""),
        (replaced, Kind.REPLACED, "id was thing-1 and is thing-2"),
        (untagged, Kind.UNTAGGED, ""),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_happened_to_a_whole_object_is_named_and_a_deploy_repairs_it(
    world: World, happens: Callable[[World], None], kind: Kind, says: str
) -> None:
    world.deploy(BOX)
    happens(world)
    for made in (BOX, None):
        found = world.drift(made)["box"]
        assert (found.kind, found.detail, found.drifted) == (kind, says, True)
    repaired(world, BOX)
    assert world.cloud.only("box").owner == "shop-test/box"


@pytest.mark.parametrize("owner", ["other/box", None], ids=["theirs", "nobody's"])
def test_another_object_of_the_same_name_is_named_and_is_not_taken_over(world: World, owner: str | None) -> None:
    world.deploy(BOX)
    world.cloud.lose("box")
    world.cloud.plant("thing", "shop-test-box", owner)
    found = world.drift(BOX)["box"]
    assert (found.kind, found.ours, found.fields) == (Kind.REPLACED, False, [])
    with pytest.raises(RefusedError, match="exists already"):
        world.deploy(BOX)
    assert world.cloud.only("box").owner == owner


def test_an_object_that_is_not_ready_any_more_is_told_with_the_cloud_s_own_word(world: World) -> None:
    world.deploy(BOX)
    world.cloud.only("box").failed = "storage-full"
    found = world.drift(BOX)["box"]
    assert (found.kind, found.detail) == (Kind.UNSETTLED, "storage-full")


def test_a_step_that_a_run_left_half_done_is_told_as_that(world: World) -> None:
    world.cloud.provision["box"] = 60.0
    made = plan(step("box", timeout=5.0))
    assert world.deploy(made, on_failure="keep").exit_code == 5
    found = world.drift(made)["box"]
    assert found.kind is Kind.UNFINISHED
    assert "creating" in found.detail
    world.clock.pass_time(60)
    repaired(world, made)


def test_what_carries_our_tag_and_is_in_no_record_is_named(world: World) -> None:
    world.deploy(BOX)
    world.cloud.plant("thing", "shop-test-old", "shop-test/old")
    world.cloud.plant("thing", "other-box", "other/box")
    for made in (BOX, None):
        found = world.drift(made)
        assert {name: finding.kind for name, finding in found.items()} == {"old": Kind.UNRECORDED}


def test_what_cannot_be_searched_for_is_found_by_the_key_of_its_step(world: World) -> None:
    world.deploy(BOX)
    world.cloud.plant("light", "shop-test-lamp", "shop-test/lamp")
    found = world.drift(plan(*BOX.steps, step("lamp", "toy.light"), step("other", "toy.light")))
    assert {name: finding.kind for name, finding in found.items()} == {"lamp": Kind.UNRECORDED}


def test_a_type_that_may_not_be_searched_is_told_and_stops_nothing(world: World) -> None:
    world.deploy(BOX)
    world.cloud.fail("search", "thing", lambda: AccessDeniedError("not for you"))
    assert world.drift(BOX) == {}
    assert world.unsearched == {"toy.thing": "not for you"}


def test_a_copy_that_took_our_tag_with_it_is_named(world: World) -> None:
    """As a console copies a security group, tags and all: a destroy would delete both."""
    world.deploy(VPC)
    world.cloud.plant("tagged", "copy of vpc", "shop-test/vpc")
    found = world.drift(VPC)["vpc"]
    assert (found.kind, found.detail) == (Kind.DOUBLED, "2 objects carry its tag")
    assert world.adopt(VPC).run is None
    world.cloud.only("copy of vpc").owner = None
    assert world.drift(VPC) == {}


def test_an_adopted_object_is_compared_in_what_the_plan_says_of_it_alone(world: World) -> None:
    world.cloud.plant("thing", "theirs", None, size=2)
    made = plan(step("box", adopt=True, named="theirs", size=2))
    world.deploy(made)
    thing = world.cloud.only("theirs")
    thing.spec["colour"] = "blue"
    assert world.drift(made) == {}
    thing.spec["size"] = 7
    assert only(world, made).field == "size"
    repaired_size = world.deploy(made)
    assert repaired_size.exit_code == 0
    assert thing.spec["size"] == 2


def test_what_was_replaced_shows_once_and_not_again_in_all_that_hang_on_it(world: World) -> None:
    made = plan(step("net", "toy.network"), step("box", note="in ${net.id}"))
    world.deploy(made)
    world.cloud.lose("net")
    world.cloud.plant("network", "shop-test-net", "shop-test/net")
    assert {name: finding.kind for name, finding in world.drift(made).items()} == {"net": Kind.REPLACED}
    repaired(world, made)
    assert world.cloud.only("box").spec["note"] == f"in {world.cloud.only('net').ident}"


def test_everything_at_once_is_named_and_one_deploy_repairs_it(world: World) -> None:
    world.deploy(FIRST)
    world.cloud.only("group").spec["colour"] = "blue"
    world.cloud.only("cache").owner = None
    world.cloud.only("db").spec["size"] = 9
    world.cloud.lose("mail")
    found = {name: finding.kind for name, finding in world.drift(FIRST).items()}
    assert found == {"group": Kind.CHANGED, "cache": Kind.UNTAGGED, "db": Kind.CHANGED, "mail": Kind.GONE}
    repaired(world, FIRST)
    complete(world, ALL_OF_FIRST)


def test_another_plan_is_no_drift(world: World) -> None:
    world.deploy(FIRST)
    assert not any(finding.drifted for finding in world.drift(SECOND).values())


def test_drift_of_another_account_s_deployment_is_refused(world: World) -> None:
    world.deploy(BOX)
    world.cloud.account = "toy:2"
    with pytest.raises(CredentialsError, match="lives in toy:1"):
        world.drift(BOX)


# -- a lost tag -----------------------------------------------------------------------------------------------

VPC = plan(step("vpc", "toy.tagged", size=2), step("box", uses=["${vpc.id}"]))


def test_what_is_found_by_its_tag_alone_and_lost_it_is_known_again_by_its_id(world: World) -> None:
    """Taken for gone it would be made a second time, and the first would be forgotten."""
    world.deploy(VPC)
    ident = world.cloud.only("vpc").ident
    world.cloud.only("vpc").owner = None
    assert world.drift(VPC)["vpc"].kind is Kind.UNTAGGED
    assert "tag" in world.preview(VPC)["vpc"].reason
    world.writes()
    outcome = world.deploy(VPC)
    assert (outcome.exit_code, world.writes()) == (0, ["claim vpc"])
    assert world.cloud.only("vpc").ident == ident
    repaired(world, VPC)


def test_a_destroy_does_not_take_what_lost_its_tag_for_gone(world: World) -> None:
    world.deploy(VPC)
    world.cloud.only("vpc").owner = None
    outcome = world.destroy(VPC)
    assert (outcome.exit_code, [remain.step for remain in outcome.remains]) == (5, ["vpc"])
    assert "deploy puts the tag back" in str(outcome.failures[0].error.hint)
    assert world.deploy(VPC).exit_code == 0
    assert world.destroy(VPC).exit_code == 0
    assert world.names() == []


def test_a_tag_and_a_value_that_were_lost_together_come_back_together(world: World) -> None:
    world.deploy(VPC)
    world.cloud.only("vpc").owner = None
    world.cloud.only("vpc").spec["size"] = 9
    assert world.deploy(VPC).exit_code == 0
    assert world.cloud.only("vpc").spec["size"] == 2
    assert world.rollback(VPC).exit_code == 0
    assert world.cloud.only("vpc").owner == "shop-test/vpc"
    agree(world)


def test_a_tag_that_may_not_be_put_back_reverses_the_run(world: World) -> None:
    world.deploy(VPC)
    world.cloud.only("vpc").owner = None
    world.cloud.fail("claim", "vpc", lambda: AccessDeniedError("no tagging"), times=99)
    outcome = world.deploy(VPC)
    assert outcome.exit_code in (4, 5)
    assert world.names() == ["box", "vpc"]
    world.cloud.faults.clear()
    repaired(world, VPC)
