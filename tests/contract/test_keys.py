"""What KMS keys and aliases promise beyond the suite."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from provisioner.errors import AccessDeniedError, BusyError, CloudError
from provisioner.sandbox import supervisor
from tests.contract.world import World, settle

REGION = "us-east-1"


def _state(world: World, number: str) -> str:
    return str(world.session().client("kms").describe_key(KeyId=number)["KeyMetadata"]["KeyState"])


def test_a_key_scheduled_for_deletion_does_not_exist_and_is_taken_back_by_the_next_create(
    lone_world: World,
) -> None:
    driver = lone_world.driver("aws.kms_key")
    key, seen = lone_world.make("aws.kms_key", "data", {"deletion_window_days": 7})
    number = seen.outputs["key_id"]
    driver.delete(key)
    assert driver.read(key) is None
    assert _state(lone_world, number) == "PendingDeletion"
    driver.create(key, lone_world.spec("aws.kms_key", {"description": "again"}))
    again = settle(driver, key)
    assert again.outputs["key_id"] == number
    assert (again.spec["enabled"], again.spec["rotation"], again.spec["description"]) == (True, True, "again")


def test_a_key_that_was_taken_back_always_gets_its_whole_window(lone_world: World) -> None:
    driver, kms = lone_world.driver("aws.kms_key"), lone_world.session().client("kms")
    tree = {"deletion_window_days": 30}
    key, seen = lone_world.make("aws.kms_key", "data", tree)
    driver.delete(key)
    driver.create(key, lone_world.spec("aws.kms_key", tree))
    assert settle(driver, key).spec["tags"] == {}
    driver.discard(key)
    left = kms.describe_key(KeyId=seen.outputs["key_id"])["KeyMetadata"]["DeletionDate"] - datetime.now(UTC)
    assert left > timedelta(days=29)


def test_how_old_a_key_is_is_what_the_cloud_says_also_after_it_was_taken_back(lone_world: World) -> None:
    driver, kms = lone_world.driver("aws.kms_key"), lone_world.session().client("kms")
    key, seen = lone_world.make("aws.kms_key", "data", {})
    assert seen.made == kms.describe_key(KeyId=seen.outputs["key_id"])["KeyMetadata"]["CreationDate"].timestamp()
    driver.delete(key)
    driver.create(key, lone_world.spec("aws.kms_key", {}))
    assert settle(driver, key).made == seen.made


def test_a_key_that_was_never_taken_back_gets_the_shortest_window(lone_world: World) -> None:
    driver, kms = lone_world.driver("aws.kms_key"), lone_world.session().client("kms")
    key, seen = lone_world.make("aws.kms_key", "data", {})
    driver.discard(key)
    left = kms.describe_key(KeyId=seen.outputs["key_id"])["KeyMetadata"]["DeletionDate"] - datetime.now(UTC)
    assert left < timedelta(days=8)


def test_an_update_of_a_key_touches_what_it_is_told(lone_world: World) -> None:
    driver = lone_world.driver("aws.kms_key")
    key, before = lone_world.make("aws.kms_key", "data", {"rotation": False, "description": "theirs"})
    driver.update(key, lone_world.spec("aws.kms_key", {"tags": {"team": "x"}}), {"tags"})
    assert driver.read(key).spec == {**before.spec, "tags": {"team": "x"}}


def test_a_create_that_kms_does_not_know_the_key_of_goes_on_with_it(lone_world: World) -> None:
    driver, key = lone_world.driver("aws.kms_key"), lone_world.key("aws.kms_key", "data", {})
    lone_world.watch(driver, key)
    fault = {"service": "kms", "operation": "EnableKeyRotation", "error": "NotFoundException", "times": 1}
    supervisor.admin(Path(os.environ["PROVISIONER_ENDPOINTS"]).parent, "POST", "/_sandbox/faults", fault)
    with pytest.raises(BusyError):
        driver.create(key, lone_world.spec("aws.kms_key", {}))
    driver.create(key, lone_world.spec("aws.kms_key", {}))
    assert len(list(driver._owned(key))) == 1 and settle(driver, key).spec["rotation"] is True


def test_another_session_finds_the_key_by_its_tag(lone_world: World) -> None:
    key, seen = lone_world.make("aws.kms_key", "data", {})
    session = lone_world.registry.open_session("aws", lone_world.region)
    found = type(lone_world.driver("aws.kms_key"))(session).read(key)
    assert found is not None and found.outputs == seen.outputs


def test_a_key_and_its_alias_live_in_another_region_when_they_name_it(lone_world: World) -> None:
    driver, far = lone_world.driver("aws.kms_key"), "us-west-2"
    key, seen = lone_world.make("aws.kms_key", "far", {"region": far, "tags": {"tier": "data"}})
    tree = {"region": far, "key_id": seen.outputs["key_id"]}
    alias, named = lone_world.make("aws.kms_alias", "name", tree)
    assert (key.region, seen.spec["region"], named.spec["region"]) == (far, far, far)
    assert f":kms:{far}:" in seen.outputs["arn"] and named.owner == alias.owner
    for one, own in (("aws.kms_key", key), ("aws.kms_alias", alias)):
        found = {place: list(lone_world.driver(one).search(lone_world.deployment, place)) for place in (REGION, far)}
        assert (found[REGION], [found_key.owner for found_key in found[far]]) == ([], [own.owner])
    session = lone_world.registry.open_session("aws", lone_world.region)
    again = type(driver)(session).read(key)
    assert again is not None and again.outputs == seen.outputs
    driver.update(key, lone_world.spec("aws.kms_key", {"region": far, "description": "far away"}), {"description"})
    assert driver.read(key).spec["description"] == "far away"
    assert driver.read(msgspec.structs.replace(key, region=REGION)) is None


def test_a_key_of_another_fixed_kind_is_not_taken_back_but_a_new_one_is_made(lone_world: World) -> None:
    driver = lone_world.driver("aws.kms_key")
    key, seen = lone_world.make("aws.kms_key", "data", {"multi_region": False})
    driver.delete(key)
    driver.create(key, lone_world.spec("aws.kms_key", {"multi_region": True}))
    again = settle(driver, key)
    assert (again.spec["multi_region"], again.outputs["key_id"] != seen.outputs["key_id"]) == (True, True)
    assert _state(lone_world, seen.outputs["key_id"]) == "PendingDeletion"


def test_of_several_keys_that_wait_for_their_deletion_the_one_that_has_longest_is_taken_back(lone_world: World) -> None:
    driver, kms = lone_world.driver("aws.kms_key"), lone_world.session().client("kms")
    key = lone_world.key("aws.kms_key", "data", {})
    lone_world.watch(driver, key)
    tags = [{"TagKey": "provisioner:owner", "TagValue": key.owner}]
    numbers = sorted(kms.create_key(Tags=tags)["KeyMetadata"]["KeyId"] for _ in range(3))
    for number, days in zip(numbers, (8, 30, 15), strict=True):
        kms.schedule_key_deletion(KeyId=number, PendingWindowInDays=days)
    driver.create(key, lone_world.spec("aws.kms_key", {}))
    assert settle(driver, key).outputs["key_id"] == numbers[1]


def test_every_key_of_the_step_is_deleted_should_there_be_two(lone_world: World) -> None:
    key, seen = lone_world.make("aws.kms_key", "data", {})
    tags = [{"TagKey": "provisioner:owner", "TagValue": key.owner}]
    second = lone_world.session().client("kms").create_key(Tags=tags)["KeyMetadata"]["KeyId"]
    lone_world.driver("aws.kms_key").delete(key)
    assert {_state(lone_world, number) for number in (second, seen.outputs["key_id"])} == {"PendingDeletion"}


def test_an_alias_of_somebody_else_stays_theirs_when_our_create_fails(lone_world: World) -> None:
    _, data = lone_world.make("aws.kms_key", "data", {})
    tree = {"name": f"{lone_world.deployment}/name", "key_id": data.outputs["key_id"]}
    key, _ = lone_world.make("aws.kms_alias", "name", tree)
    driver = lone_world.driver("aws.kms_alias")
    other = msgspec.structs.replace(key, deployment="other")
    try:
        driver.create(other, lone_world.spec("aws.kms_alias", tree))
    except Exception as err:
        assert type(err).__name__ == "AlreadyExistsError"
    assert driver.read(other).owner == key.owner


def test_an_alias_whose_create_is_refused_leaves_no_mark_that_would_claim_a_later_one(lone_world: World) -> None:
    _, data = lone_world.make("aws.kms_key", "data", {})
    kms, driver = lone_world.session().client("kms"), lone_world.driver("aws.kms_alias")
    tree = {"name": f"{lone_world.deployment}/name", "key_id": data.outputs["key_id"]}
    key = lone_world.key("aws.kms_alias", "name", tree)
    fault = {"service": "kms", "operation": "CreateAlias", "error": "AccessDeniedException", "times": 1}
    supervisor.admin(Path(os.environ["PROVISIONER_ENDPOINTS"]).parent, "POST", "/_sandbox/faults", fault)
    with pytest.raises(AccessDeniedError) as refused:
        driver.create(key, lone_world.spec("aws.kms_alias", tree))
    assert refused.value.nothing_done is False
    kms.create_alias(AliasName=f"alias/{tree['name']}", TargetKeyId=tree["key_id"])
    try:
        assert driver.read(key).owner is None
    finally:
        kms.delete_alias(AliasName=f"alias/{tree['name']}")


def test_an_alias_whose_create_got_no_answer_keeps_its_mark_when_the_next_try_is_refused(lone_world: World) -> None:
    _, data = lone_world.make("aws.kms_key", "data", {})
    driver = lone_world.driver("aws.kms_alias")
    tree = {"key_id": data.outputs["key_id"]}
    key, spec = lone_world.key("aws.kms_alias", "name", tree), lone_world.spec("aws.kms_alias", tree)
    lone_world.watch(driver, key)
    sandbox = Path(os.environ["PROVISIONER_ENDPOINTS"]).parent
    for error in ("KMSInternalException", "AccessDeniedException"):
        fault = {"service": "kms", "operation": "CreateAlias", "error": error, "times": 1}
        supervisor.admin(sandbox, "POST", "/_sandbox/faults", fault)
        with pytest.raises(CloudError):
            driver.create(key, spec)
    tags = lone_world.session().client("kms").list_resource_tags(KeyId=data.outputs["key_id"])["Tags"]
    assert key.owner in [tag["TagValue"] for tag in tags if tag["TagKey"].startswith("provisioner:alias/")]


def test_an_alias_goes_although_its_key_is_scheduled_for_deletion(lone_world: World) -> None:
    key, data = lone_world.make("aws.kms_key", "data", {})
    alias, _ = lone_world.make("aws.kms_alias", "name", {"key_id": data.outputs["key_id"]})
    lone_world.driver("aws.kms_key").delete(key)
    driver = lone_world.driver("aws.kms_alias")
    driver.delete(alias)
    assert driver.read(alias) is None


def test_an_alias_that_still_shows_its_old_key_is_ours_all_the_same(lone_world: World) -> None:
    """KMS may take seconds to tell that an alias was moved; meanwhile its owner must not be in doubt."""
    driver = lone_world.driver("aws.kms_alias")
    lone_world.make("aws.kms_key", "old", {})
    lone_world.make("aws.kms_key", "new", {})
    key, _ = lone_world.make("aws.kms_alias", "name", {"key_id": lone_world["old"]["key_id"]})
    sandbox = Path(os.environ["PROVISIONER_ENDPOINTS"]).parent
    fault = {"service": "kms", "operation": "UpdateAlias", "kind": "unseen", "delay": 1}
    supervisor.admin(sandbox, "POST", "/_sandbox/faults", fault)
    spec = lone_world.spec("aws.kms_alias", {"key_id": lone_world["new"]["key_id"]})
    driver.update(key, spec, {"key_id"})
    seen = driver.read(key)
    assert (seen.owner, seen.spec["key_id"]) == (key.owner, lone_world["old"]["key_id"])
    while seen.spec["key_id"] != lone_world["new"]["key_id"]:
        seen = driver.read(key)
    assert seen.owner == key.owner
