"""What secrets and their versions promise beyond the suite."""

from __future__ import annotations

import json
import string

import msgspec
import pytest

from provisioner.errors import AlreadyExistsError, BusyError, InvalidRequestError
from provisioner.model import Key
from tests.contract.world import World, gone, patiently, settle

TEMPLATE = {"generate": {"template": {"engine": "postgres", "username": "app"}}, "recovery_days": 7}


def _stored(world: World, name: str) -> str:
    return str(world.session().client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])


def test_the_value_is_the_generated_member_of_the_document(lone_world: World) -> None:
    key, seen = lone_world.make("aws.secret", "db", TEMPLATE)
    document = json.loads(_stored(lone_world, key.name))
    assert document == {"engine": "postgres", "username": "app", "password": seen.outputs["value"].reveal()}


def test_the_value_without_a_template_is_the_whole_secret(lone_world: World) -> None:
    key, seen = lone_world.make("aws.secret", "token", {"generate": {"length": 64, "exclude": "-01lO"}})
    value = seen.outputs["value"].reveal()
    assert value == _stored(lone_world, key.name)
    assert len(value) == 64 and not set(value) & set("-01lO")
    assert set(value) <= set(string.ascii_letters + string.digits)


def test_nothing_that_an_observation_shows_holds_the_value(lone_world: World) -> None:
    _, seen = lone_world.make("aws.secret", "db", TEMPLATE)
    assert seen.outputs["value"].reveal() not in repr(seen)


def test_a_secret_scheduled_for_deletion_does_not_exist_and_comes_back_with_its_value(
    lone_world: World,
) -> None:
    driver = lone_world.driver("aws.secret")
    key, seen = lone_world.make("aws.secret", "db", TEMPLATE)
    value = seen.outputs["value"].reveal()
    driver.delete(key)
    gone(driver, key)
    driver.create(key, lone_world.spec("aws.secret", {**TEMPLATE, "description": "back again"}))
    again = settle(driver, key)
    assert again.outputs["value"].reveal() == value
    assert (again.spec["description"], again.owner) == ("back again", key.owner)


def _back_with(world: World, tree: dict[str, object], then: dict[str, object]) -> tuple[str, str]:
    """The whole value before a deletion, and after the step came back with another wish."""
    driver = world.driver("aws.secret")
    key, _ = world.make("aws.secret", "db", tree)
    before = _stored(world, key.name)
    driver.delete(key)
    driver.create(key, world.spec("aws.secret", then))
    settle(driver, key).outputs["value"].reveal()
    return before, _stored(world, key.name)


_UNWANTED = "abcdefghijklmnopqrstuvwxyz"
"""So many that a value of 48 characters has one of them."""


@pytest.mark.parametrize(
    "then",
    [
        {"generate": {"length": 64}},
        {"generate": {"exclude": _UNWANTED}},
        TEMPLATE,
        {"generate": {"template": {"engine": "postgres", "username": "other"}}},
        {"generate": {"template": {"engine": "postgres", "username": "app"}, "key": "pass"}},
    ],
)
def test_a_secret_that_comes_back_in_another_shape_gets_a_new_value_of_that_shape(
    lone_world: World, then: dict[str, object]
) -> None:
    """Else whatever refers to it would fail at its old value, for ever."""
    shape: dict[str, object] = {"generate": {"length": 48}} if then == {"generate": {"exclude": _UNWANTED}} else {}
    tree = TEMPLATE if "template" in str(then) and then != TEMPLATE else shape
    before, after = _back_with(lone_world, tree, then)
    assert before != after
    assert ("pass" in after) == ("pass" in str(then) or then == TEMPLATE or "other" in str(then))


def test_a_secret_that_comes_back_with_what_a_rotation_added_keeps_its_value(lone_world: World) -> None:
    driver, client = lone_world.driver("aws.secret"), lone_world.session().client("secretsmanager")
    key, _ = lone_world.make("aws.secret", "db", TEMPLATE)
    rotated = {"engine": "postgres", "username": "app", "password": "r" * 40, "host": "db.example"}
    client.put_secret_value(SecretId=key.name, SecretString=json.dumps(rotated))
    driver.delete(key)
    driver.create(key, lone_world.spec("aws.secret", TEMPLATE))
    assert json.loads(_stored(lone_world, key.name)) == rotated


def test_a_secret_that_comes_back_before_its_key_says_so_and_can_be_scheduled_again(lone_world: World) -> None:
    driver, kms = lone_world.driver("aws.secret"), lone_world.session().client("kms")
    number = kms.create_key()["KeyMetadata"]["KeyId"]
    tree = {"kms_key_id": number}
    key, seen = lone_world.make("aws.secret", "db", tree)
    value = seen.outputs["value"].reveal()
    driver.delete(key)
    kms.schedule_key_deletion(KeyId=number, PendingWindowInDays=7)
    with pytest.raises(InvalidRequestError) as refused:
        driver.create(key, lone_world.spec("aws.secret", tree))
    assert "aws kms cancel-key-deletion" in refused.value.hint and "force-delete" in refused.value.hint
    driver.discard(key)
    gone(driver, key)
    kms.cancel_key_deletion(KeyId=number)
    kms.enable_key(KeyId=number)
    driver.create(key, lone_world.spec("aws.secret", tree))
    assert settle(driver, key).outputs["value"].reveal() == value


def test_how_old_a_secret_is_is_what_the_cloud_says(lone_world: World) -> None:
    key, seen = lone_world.make("aws.secret", "db", {})
    found = lone_world.session().client("secretsmanager").describe_secret(SecretId=key.name)
    assert seen.made == found["CreatedDate"].timestamp()


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_secret_that_was_taken_back_is_never_destroyed_at_once(lone_world: World, by_hand: bool) -> None:
    """An undo discards what its run made; this value was made by an earlier run."""
    driver, client = lone_world.driver("aws.secret"), lone_world.session().client("secretsmanager")
    key, seen = lone_world.make("aws.secret", "db", TEMPLATE)
    value = seen.outputs["value"].reveal()
    if by_hand:
        client.delete_secret(SecretId=key.name, RecoveryWindowInDays=7)
    else:
        driver.delete(key)
    driver.create(key, lone_world.spec("aws.secret", TEMPLATE))
    assert settle(driver, key).spec["tags"] == {}, "the mark is not the plan's business"
    for remove in (driver.discard, driver.delete, driver.discard):
        remove(key)
        assert driver.read(key) is None and "DeletedDate" in client.describe_secret(SecretId=key.name)
    driver.create(key, lone_world.spec("aws.secret", TEMPLATE))
    assert settle(driver, key).outputs["value"].reveal() == value


def test_a_deleted_secret_carries_its_mark_before_anybody_takes_it_back(lone_world: World) -> None:
    """So a run that dies right after taking it back has not lost it either."""
    driver, client = lone_world.driver("aws.secret"), lone_world.session().client("secretsmanager")
    key, _ = lone_world.make("aws.secret", "db", TEMPLATE)
    driver.delete(key)
    client.restore_secret(SecretId=key.name)
    driver.discard(key)
    assert "DeletedDate" in client.describe_secret(SecretId=key.name)


def test_an_update_of_a_secret_touches_what_it_is_told(lone_world: World) -> None:
    driver = lone_world.driver("aws.secret")
    key, before = lone_world.make("aws.secret", "db", {**TEMPLATE, "description": "theirs"})
    driver.update(key, lone_world.spec("aws.secret", {"tags": {"team": "x"}}), {"tags"})
    assert driver.read(key).spec == {**before.spec, "tags": {"team": "x"}}


def test_somebody_elses_scheduled_secret_is_named_with_the_choices(lone_world: World) -> None:
    driver = lone_world.driver("aws.secret")
    tree = {"name": f"{lone_world.deployment}-shared"}
    key, _ = lone_world.make("aws.secret", "db", tree)
    driver.delete(key)
    other = msgspec.structs.replace(key, deployment="other")
    with pytest.raises(AlreadyExistsError, match=key.owner) as refused:
        driver.create(other, lone_world.spec("aws.secret", tree))
    assert "force-delete" in refused.value.hint
    assert driver.read(other) is None


def test_a_discarded_secrets_name_is_free_after_a_moment(lone_world: World) -> None:
    driver = lone_world.driver("aws.secret")
    key, first = lone_world.make("aws.secret", "db", TEMPLATE)
    value = first.outputs["value"].reveal()
    driver.discard(key)
    gone(driver, key)
    patiently(lambda: driver.create(key, lone_world.spec("aws.secret", TEMPLATE)), (BusyError,))
    assert settle(driver, key).outputs["value"].reveal() != value


def test_the_recovery_window_is_the_plans(lone_world: World) -> None:
    driver = lone_world.driver("aws.secret")
    key, _ = lone_world.make("aws.secret", "db", {"recovery_days": 9})
    driver.delete(key)
    found = lone_world.session().client("secretsmanager").describe_secret(SecretId=key.name)
    # DeletedDate is when AWS will delete it, or when it was asked to: both are days, not minutes, apart or now.
    assert "DeletedDate" in found


def _version(world: World, host: str) -> dict[str, object]:
    value = {"username": "app", "password": world["db"]["value"], "host": host, "port": 5432}
    return {"secret": world["db"]["arn"], "value": value}


def _versioned(world: World, host: str = "first") -> Key:
    world.make("aws.secret", "db", TEMPLATE)
    key, _ = world.make("aws.secret_version", "credentials", _version(world, host))
    return key


def test_credentials_become_the_current_version(lone_world: World) -> None:
    key = _versioned(lone_world)
    document = json.loads(_stored(lone_world, key.at["secret"]))
    assert (document["host"], document["port"]) == ("first", 5432)
    assert document["password"] == lone_world["db"]["value"].reveal()


@pytest.mark.parametrize("updates", [0, 1, 3])
def test_deleting_credentials_brings_back_what_was_current_before_them(lone_world: World, updates: int) -> None:
    key, driver = _versioned(lone_world), lone_world.driver("aws.secret_version")
    for number in range(updates):
        driver.update(key, lone_world.spec("aws.secret_version", _version(lone_world, f"host-{number}")))
    driver.delete(key)
    assert driver.read(key) is None
    document = json.loads(_stored(lone_world, key.at["secret"]))
    assert document == {"engine": "postgres", "username": "app", "password": document["password"]}
    stages = lone_world.session().client("secretsmanager").describe_secret(SecretId=key.at["secret"])
    assert not [label for labels in stages["VersionIdsToStages"].values() for label in labels if "provisioner" in label]


def test_credentials_that_somebody_rotated_meanwhile_stay_current(lone_world: World) -> None:
    key, driver = _versioned(lone_world), lone_world.driver("aws.secret_version")
    client = lone_world.session().client("secretsmanager")
    client.put_secret_value(SecretId=key.at["secret"], SecretString='{"password": "rotated"}')
    driver.delete(key)
    assert json.loads(_stored(lone_world, key.at["secret"])) == {"password": "rotated"}


def test_credentials_go_with_their_secret(lone_world: World) -> None:
    key, driver = _versioned(lone_world), lone_world.driver("aws.secret_version")
    secret = lone_world.key("aws.secret", "db", TEMPLATE)
    lone_world.driver("aws.secret").delete(secret)
    assert driver.read(key) is None
    driver.delete(key)


def test_an_observation_of_credentials_shows_no_secret(lone_world: World) -> None:
    key = _versioned(lone_world)
    seen = lone_world.driver("aws.secret_version").read(key)
    assert lone_world["db"]["value"].reveal() not in repr(seen)
