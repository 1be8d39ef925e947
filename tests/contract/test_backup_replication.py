"""What copies of backups promise beyond the suite: what stays is told, and a source that cannot be copied is not waited
for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from provisioner.errors import InvalidRequestError
from provisioner.resource import Registry
from provisioner.secret import Secret
from tests.contract.conftest import REGION
from tests.contract.world import World, gone, settle

TYPE, WEST = "aws.rds_backup_replication", "us-west-2"
DATABASE = {
    "engine_version": "15", "instance_class": "db.t3.micro", "multi_az": False, "username": "boss",
    "password": Secret("a-password-of-the-contract"), "deletion_protection": False, "storage_encrypted": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def world(registry: Registry) -> Iterator[World]:
    made = World(registry, REGION)
    try:
        made.make("aws.rds_instance", "db", DATABASE)
        yield made
    finally:
        made.close()


def _left(world: World) -> list[Any]:
    found = (
        world.session()
        .client("rds", WEST)
        .describe_db_instance_automated_backups(Filters=[{"Name": "db-instance-id", "Values": [world["db"]["arn"]]}])
    )
    return [(one["Status"], one["DBInstanceAutomatedBackupsArn"]) for one in found["DBInstanceAutomatedBackups"]]


def test_what_was_copied_stays_when_it_is_stopped_and_is_told_and_goes_when_it_is_discarded(world: World) -> None:
    sent: list[Any] = []
    events = world.session().client("rds", WEST).meta.events
    events.register(
        "before-send.rds.StartDBInstanceAutomatedBackupsReplication", lambda request, **_: sent.append(request)
    )
    tree = {"source": world["db"]["arn"], "region": WEST, "retention_days": 3}
    driver, (key, made) = world.driver(TYPE), world.make(TYPE, "copy", tree)
    form = parse_qs(sent[0].body.decode() if isinstance(sent[0].body, bytes) else sent[0].body)
    assert parse_qs(urlsplit(form["PreSignedUrl"][0]).query)["DestinationRegion"] == [WEST]
    assert driver.lingers(key) is None
    driver.delete(key)
    gone(driver, key)
    assert _left(world) == [("retained", made.outputs["arn"])]
    told = driver.lingers(key)
    assert "3 days" in told and made.outputs["arn"] in told and f"--region {WEST}" in told
    driver.create(key, world.spec(TYPE, tree))
    assert settle(driver, key).owner == key.owner and [status for status, _ in _left(world)] == ["replicating"]
    driver.discard(key)
    gone(driver, key)
    assert _left(world) == [] and driver.lingers(key) is None


@pytest.mark.parametrize(
    ("database", "words"),
    [
        ({"backup_retention_days": 0}, "Automated backups are not enabled"),
        ({"storage_encrypted": True}, "KmsKeyId"),
    ],
)
def test_a_source_that_cannot_be_copied_is_told_at_once(
    lone_world: World, database: dict[str, Any], words: str
) -> None:
    lone_world.make("aws.rds_instance", "db", {**DATABASE, **database})
    tree = {"source": lone_world["db"]["arn"], "region": WEST}
    driver, key = lone_world.driver(TYPE), lone_world.key(TYPE, "copy", tree)
    with pytest.raises(InvalidRequestError, match=words) as refused:
        driver.create(key, lone_world.spec(TYPE, tree))
    assert refused.value.nothing_done and driver.read(key) is None


def test_the_instances_own_region_is_no_place_for_copies(world: World) -> None:
    tree = {"source": world["db"]["arn"]}
    driver, key = world.driver(TYPE), world.key(TYPE, "here", tree)
    with pytest.raises(InvalidRequestError, match="copied to another region"):
        driver.create(key, world.spec(TYPE, tree))
