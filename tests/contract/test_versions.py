"""What a plan's version of PostgreSQL comes to: the newest minor, the very one, or a refusal that names another."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.drivers.aws.session import open_session
from provisioner.errors import NotOfferedError
from provisioner.model import Observed, Phase
from provisioner.resource import CanSettle, Registry
from tests.contract.conftest import REGION
from tests.contract.test_calls import Log
from tests.contract.world import World

TREE = {"engine_version": "15", "instance_class": "db.t3.micro", "username": "boss"}


@pytest.fixture
def driver(registry: Registry) -> Any:
    made = registry.type("aws.rds_instance")(open_session(REGION))
    assert isinstance(made, CanSettle)
    return made


def _running(version: str) -> Observed:
    return Observed(phase=Phase.READY, owner=None, spec={"engine_version": version})


def _settle(world: World, driver: Any, wish: str, have: str = "") -> str:
    key = world.key("aws.vpc", "db", {"cidr": "10.0.0.0/16"})
    answer = driver.settle(key, {**TREE, "engine_version": wish}, _running(have) if have else None)
    return str(answer["engine_version"])


def _newest(driver: Any, major: str) -> str:
    offered = driver.session.call("rds", "describe_db_engine_versions", Engine="postgres", EngineVersion=major)
    numbers = [tuple(map(int, one["EngineVersion"].split("."))) for one in offered["DBEngineVersions"]]
    return ".".join(map(str, max(numbers)))


@pytest.mark.parametrize("major", ["14", "15", "17"])
def test_a_major_version_is_its_newest_minor_on_offer(lone_world: World, driver: Any, major: str) -> None:
    assert _settle(lone_world, driver, major) == _newest(driver, major)


def test_an_exact_version_that_is_on_offer_is_itself(lone_world: World, driver: Any) -> None:
    assert _settle(lone_world, driver, "15.13") == "15.13"


def test_a_version_that_is_made_no_more_is_refused_with_the_one_to_use(lone_world: World, driver: Any) -> None:
    with pytest.raises(NotOfferedError, match=r"15\.4 cannot be made in us-east-1") as refused:
        _settle(lone_world, driver, "15.4")
    assert _newest(driver, "15") in refused.value.hint


def test_a_major_version_that_nobody_offers_is_refused_with_those_that_are(lone_world: World, driver: Any) -> None:
    with pytest.raises(NotOfferedError, match="no PostgreSQL 11") as refused:
        _settle(lone_world, driver, "11")
    assert "15" in refused.value.hint


def test_an_upgrade_goes_to_the_newest_version_that_what_runs_can_become(lone_world: World, driver: Any) -> None:
    assert _settle(lone_world, driver, "16", have="15.13") == _newest(driver, "16")
    assert _settle(lone_world, driver, "15.14", have="15.13") == "15.14"
    with pytest.raises(NotOfferedError, match=r"15 is not what 16\.9 can be upgraded to"):
        _settle(lone_world, driver, "15", have="16.9")


def test_a_session_asks_for_the_list_of_a_major_version_once(lone_world: World, driver: Any) -> None:
    log = Log()
    for _ in range(3):
        _settle(lone_world, driver, "15")
    assert log.since() == ["DescribeDBEngineVersions"]
