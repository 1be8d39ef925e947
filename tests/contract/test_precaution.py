"""A snapshot before what cannot be taken back: taken once, waited for, kept; and not where it was not wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from provisioner.errors import BusyError
from provisioner.model import Key
from provisioner.resource import Registry
from provisioner.secret import Secret
from tests.contract.conftest import REGION
from tests.contract.world import World, patiently, settle

TYPE = "aws.rds_instance"
DATABASE = {
    "engine_version": "15.13", "instance_class": "db.t3.micro", "multi_az": False, "username": "boss",
    "password": Secret("a-password-of-the-contract"), "deletion_protection": False, "storage_type": "gp2",
}  # fmt: skip


@pytest.fixture(scope="module")
def database(registry: Registry) -> Iterator[tuple[World, Key]]:
    world = World(registry, REGION)
    try:
        yield world, world.make(TYPE, "db", DATABASE)[0]
    finally:
        world.close()
        for name, _ in _snapshots(world, world.key(TYPE, "db", DATABASE)):
            world.session().client("rds").delete_db_snapshot(DBSnapshotIdentifier=name)


def _snapshots(world: World, key: Key) -> list[tuple[str, str]]:
    found = world.session().client("rds").describe_db_snapshots(DBInstanceIdentifier=key.name)["DBSnapshots"]
    marks = [{tag["Key"]: tag["Value"] for tag in one["TagList"]} for one in found]
    return sorted(
        (one["DBSnapshotIdentifier"], mark.get("provisioner:before", ""))
        for one, mark in zip(found, marks, strict=True)
    )


def _update(world: World, key: Key, **changes: Any) -> None:
    driver = world.driver(TYPE)
    spec = world.spec(TYPE, {**DATABASE, **changes})
    patiently(lambda: driver.update(key, spec, set(changes)))
    settle(driver, key)


def test_a_change_that_can_be_taken_back_takes_none(database: tuple[World, Key]) -> None:
    world, key = database
    _update(world, key, backup_retention_days=3)
    assert _snapshots(world, key) == []


def test_nothing_is_sent_before_the_snapshot_is_there_and_a_second_call_finds_it_again(
    database: tuple[World, Key],
) -> None:
    world, key = database
    driver, spec = world.driver(TYPE), world.spec(TYPE, {**DATABASE, "engine_version": "15.14"})
    with pytest.raises(BusyError, match=f"snapshot {key.name}-before-engine-version-[0-9]+ is taken first"):
        driver.update(key, spec, {"engine_version"})
    assert driver.read(key).spec["engine_version"] == "15.13"
    patiently(lambda: driver.update(key, spec, {"engine_version"}))
    assert settle(driver, key).spec["engine_version"] == "15.14"
    ((name, mark),) = _snapshots(world, key)
    assert name.startswith(f"{key.name}-before-engine-version-") and mark == "engine-version 15.13 > 15.14"


def test_where_it_is_not_wanted_none_is_taken(database: tuple[World, Key]) -> None:
    world, key = database
    before = _snapshots(world, key)
    _update(world, key, storage_type="gp3", snapshot_before_update=False)
    assert _snapshots(world, key) == before
    assert world.driver(TYPE).read(key).spec["storage_type"] == "gp3"
