"""How many calls a look and a create take, and when a list that may lag is believed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from provisioner.drivers.aws.session import AwsSession, open_session
from provisioner.model import Key
from provisioner.resource import CanGlance, CanLeaveOut, Registry
from provisioner.sandbox import supervisor
from tests.contract.conftest import REGION
from tests.contract.world import World, look_at_many

TOPIC, SECRET, LOGS = "aws.sns_topic", "aws.secret", "aws.log_group"
SECRET_TREE = {"generate": {"length": 32}, "recovery_days": 7}


class Log:
    """What the sandbox was asked since the last look at it."""

    def __init__(self) -> None:
        self._sandbox = Path(os.environ["PROVISIONER_ENDPOINTS"]).parent
        self.since()

    def since(self) -> list[str]:
        found = supervisor.admin(self._sandbox, "GET", "/_sandbox/requests")["requests"]
        supervisor.admin(self._sandbox, "DELETE", "/_sandbox/requests")
        return [request["operation"] for request in found]

    def fault(self, **what: Any) -> None:
        supervisor.admin(self._sandbox, "POST", "/_sandbox/faults", what)

    def close(self) -> None:
        supervisor.admin(self._sandbox, "DELETE", "/_sandbox/faults")


@pytest.fixture
def log() -> Iterator[Log]:
    made = Log()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def glancing() -> AwsSession:
    """A session of its own that believes lists."""
    session = open_session(REGION)
    session.caller()
    assert isinstance(session, CanGlance) and isinstance(session, CanLeaveOut)
    session.glancing = True
    return session


def _many(world: World, name: str, tree: dict[str, Any], count: int) -> list[Key]:
    return [world.make(name, f"step{number}", tree)[0] for number in range(count)]


@pytest.mark.parametrize(
    ("name", "tree", "calls"),
    [
        (TOPIC, {}, ["GetTopicAttributes"]),
        (LOGS, {"retention_days": 30}, ["DescribeLogGroups"]),
        (SECRET, SECRET_TREE, ["DescribeSecret"]),
        ("aws.security_group", {}, ["DescribeSecurityGroups"]),
        ("aws.elastic_ip", {}, ["DescribeAddresses"]),
        ("aws.kms_key", {}, ["DescribeKey", "GetKeyRotationStatus", "GetKeyPolicy"]),
        (
            "aws.cache_parameter_group",
            {"family": "redis7"},
            ["DescribeCacheParameterGroups", "DescribeCacheParameters"],
        ),
    ],
)
def test_the_first_look_after_a_create_does_not_ask_for_what_the_create_has_just_told(
    lone_world: World, log: Log, name: str, tree: dict[str, Any], calls: list[str]
) -> None:
    driver, key, spec = lone_world.driver(name), lone_world.key(name, "one", tree), lone_world.spec(name, tree)
    lone_world.watch(driver, key)
    driver.session.caller()
    driver.create(key, spec)
    log.since()
    assert driver.read(key).owner == key.owner
    assert log.since() == calls


@pytest.mark.parametrize("name", [TOPIC, LOGS, "aws.cache_parameter_group", "aws.db_parameter_group"])
def test_a_tag_that_is_changed_after_the_first_look_is_seen_by_the_second(lone_world: World, name: str) -> None:
    tree = {"family": "redis7" if "cache" in name else "postgres15"} if "group" in name and "log" not in name else {}
    driver = lone_world.driver(name)
    key, _ = lone_world.make(name, "one", tree)
    other = msgspec.structs.replace(key, deployment="other")
    driver.claim(other, "")
    assert driver.read(key).owner == other.owner
    driver.claim(key, "")


def test_at_a_glance_tags_of_all_topics_take_one_call_and_so_does_the_question_which_there_are(
    lone_world: World, registry: Registry, glancing: AwsSession, log: Log
) -> None:
    keys = _many(lone_world, TOPIC, {}, 3)
    topics: Any = registry.type(TOPIC)(glancing)
    missing = msgspec.structs.replace(keys[0], step="missing", name="missing")
    log.since()
    seen = look_at_many(topics, [*keys, missing])
    assert {owner: one.owner for owner, one in seen.items()} == {key.owner: key.owner for key in keys}
    assert sorted(log.since()) == ["GetResources", *["GetTopicAttributes"] * 3, "ListTopics"]


def test_without_a_glance_no_list_that_lags_is_asked(lone_world: World, log: Log) -> None:
    keys = _many(lone_world, TOPIC, {}, 2)
    log.since()
    assert len(look_at_many(lone_world.driver(TOPIC), keys)) == 2
    assert sorted(set(log.since())) == ["GetTopicAttributes", "ListTagsForResource"]


def test_who_may_not_ask_for_all_tags_at_once_is_asked_for_each(
    lone_world: World, registry: Registry, glancing: AwsSession, log: Log
) -> None:
    keys = _many(lone_world, LOGS, {}, 2)
    log.fault(service="resourcegroupstaggingapi", error="AccessDenied")
    log.since()
    groups: Any = registry.type(LOGS)(glancing)
    for _ in range(2):
        seen = look_at_many(groups, keys)
        assert {one.owner for one in seen.values()} == {key.owner for key in keys}
    calls = log.since()
    assert calls.count("GetResources") == 1 and calls.count("ListTagsForResource") == 4


def test_a_secret_just_made_may_be_read_from_the_list_and_one_that_was_changed_since_may_not(
    lone_world: World, log: Log
) -> None:
    driver = lone_world.driver(SECRET)
    keys = [lone_world.key(SECRET, f"step{number}", SECRET_TREE) for number in range(3)]
    for key in keys:
        lone_world.watch(driver, key)
        driver.create(key, lone_world.spec(SECRET, SECRET_TREE))
    log.since()
    assert set(look_at_many(driver, keys)) == {key.owner for key in keys}
    assert log.since() == ["ListSecrets"]
    changed = lone_world.spec(SECRET, {**SECRET_TREE, "description": "changed"})
    driver.update(keys[0], changed)
    log.since()
    assert look_at_many(driver, keys)[keys[0].owner].spec["description"] == "changed"
    assert sorted(log.since()) == ["DescribeSecret", "ListSecrets"]


def test_a_secret_that_another_session_made_is_described_unless_a_glance_is_enough(
    lone_world: World, registry: Registry, glancing: AwsSession, log: Log
) -> None:
    keys = _many(lone_world, SECRET, SECRET_TREE, 2)
    own: Any = registry.type(SECRET)(open_session(REGION))
    secrets: Any = registry.type(SECRET)(glancing)
    log.since()
    exact = look_at_many(own, keys)
    assert log.since() == ["DescribeSecret", "DescribeSecret"]
    glanced = look_at_many(secrets, keys)
    assert log.since() == ["ListSecrets"]
    for key in keys:
        assert (exact[key.owner].spec, exact[key.owner].owner) == (glanced[key.owner].spec, glanced[key.owner].owner)
        assert exact[key.owner].outputs["value"].reveal() == glanced[key.owner].outputs["value"].reveal()


def test_more_than_ten_secrets_are_listed_by_the_deployments_tag(
    lone_world: World, registry: Registry, glancing: AwsSession, log: Log
) -> None:
    keys = _many(lone_world, SECRET, SECRET_TREE, 11)
    secrets: Any = registry.type(SECRET)(glancing)
    log.since()
    assert set(look_at_many(secrets, keys)) == {key.owner for key in keys}
    assert log.since() == ["ListSecrets"]


def test_a_value_is_fetched_once_for_the_secret_and_for_what_is_written_into_it(lone_world: World, log: Log) -> None:
    _, seen = lone_world.make(SECRET, "secret", SECRET_TREE)
    lone_world.make("aws.secret_version", "version", {"secret": seen.outputs["arn"], "value": {"user": "app"}})
    driver = lone_world.driver("aws.secret_version")
    version = lone_world.key("aws.secret_version", "version", {"secret": seen.outputs["arn"], "value": {"user": "app"}})
    log.since()
    first, second = driver.read(version), driver.read(version)
    assert first.spec["value"].reveal() == second.spec["value"].reveal() == '{"user": "app"}'
    assert log.since() == ["DescribeSecret", "DescribeSecret", "GetSecretValue"]
    driver.update(
        version, lone_world.spec("aws.secret_version", {"secret": seen.outputs["arn"], "value": {"user": "b"}})
    )
    assert driver.read(version).spec["value"].reveal() == '{"user": "b"}'


def test_what_the_plan_does_not_manage_and_would_take_a_call_is_left_out(
    lone_world: World, registry: Registry, log: Log
) -> None:
    session = open_session(REGION)
    key, _ = lone_world.make("aws.vpc", "net", {"cidr": "10.0.0.0/24"})
    vpcs: Any = registry.type("aws.vpc")(session)
    log.since()
    assert vpcs.read(key).spec.keys() >= {"dns_support", "dns_hostnames"}
    session.unmanaged[key.owner] = frozenset({"dns_support", "dns_hostnames"})
    assert log.since() == ["DescribeVpcs", "DescribeVpcAttribute", "DescribeVpcAttribute"]
    assert not {"dns_support", "dns_hostnames"} & vpcs.read(key).spec.keys()
    assert log.since() == ["DescribeVpcs"]


def test_a_glance_finds_a_key_by_its_tag_without_asking_every_key_of_the_account(
    lone_world: World, registry: Registry, glancing: AwsSession, log: Log
) -> None:
    key, made = lone_world.make("aws.kms_key", "key", {})
    keys: Any = registry.type("aws.kms_key")(glancing)
    log.since()
    assert keys.read(key).outputs == made.outputs
    assert log.since() == ["GetResources", "DescribeKey", "GetKeyRotationStatus", "GetKeyPolicy"]
