"""What a read replica promises beyond the suite: reads of what was written, another region, and care once promoted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from psycopg import errors

from provisioner.errors import InvalidRequestError
from provisioner.model import Phase
from provisioner.resource import Registry
from provisioner.secret import Secret
from tests.contract.conftest import REGION
from tests.contract.world import World, gone

TYPE, PASSWORD = "aws.rds_read_replica", "a-password-of-the-contract"
DATABASE = {
    "engine_version": "15", "instance_class": "db.t3.small", "multi_az": False, "username": "boss",
    "password": Secret(PASSWORD), "deletion_protection": False, "db_name": "app",
}  # fmt: skip


@pytest.fixture(scope="module")
def source(registry: Registry) -> Iterator[World]:
    """A deployment with a database that keeps backups."""
    world = World(registry, REGION)
    try:
        world.make("aws.rds_instance", "db", DATABASE)
        yield world
    finally:
        world.close()


def _connect(world: World, outputs: Any) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=outputs["endpoint"], port=outputs["port"], user="boss", password=PASSWORD, dbname="app",
        sslmode="verify-full", sslrootcert=world.session().ca(), autocommit=True,
    )  # fmt: skip


def test_what_is_written_to_the_source_is_read_from_a_smaller_replica_which_takes_no_writes(source: World) -> None:
    _, made = source.make(TYPE, "copy", {"source": source["db"]["name"], "instance_class": "db.t3.micro"})
    with _connect(source, source["db"]) as writer, _connect(source, made.outputs) as reader:
        writer.execute("CREATE TABLE seen AS SELECT 42 AS n")
        deadline = time.monotonic() + 20
        while reader.execute("SELECT to_regclass('seen')").fetchone() == (None,):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert reader.execute("SELECT n FROM seen").fetchone() == (42,)
        with pytest.raises(errors.ReadOnlySqlTransaction):
            reader.execute("INSERT INTO seen VALUES (1)")


def test_a_replica_in_another_region_is_asked_for_there_with_a_request_signed_for_the_sources_region(
    source: World,
) -> None:
    west = source.session().call("kms", "create_key", region="us-west-2")["KeyMetadata"]["Arn"]
    tree = {"source": source["db"]["arn"], "region": "us-west-2", "kms_key": west, "storage_encrypted": True}
    sent: list[Any] = []
    client = source.session().client("rds", "us-west-2")
    client.meta.events.register(
        "before-send.rds.CreateDBInstanceReadReplica", lambda request, **_: sent.append(request)
    )
    key, made = source.make(TYPE, "far", tree)
    assert (key.region, made.outputs["region"], made.spec["kms_key"]) == ("us-west-2", "us-west-2", west)
    assert made.spec["source"] == source["db"]["arn"]
    form = parse_qs(sent[0].body.decode() if isinstance(sent[0].body, bytes) else sent[0].body)
    assert "SourceRegion" not in form
    signed = parse_qs(urlsplit(form["PreSignedUrl"][0]).query)
    assert signed["DestinationRegion"] == ["us-west-2"] and "/us-east-1/rds/" in signed["X-Amz-Credential"][0]


def test_without_a_key_of_its_own_region_it_is_refused_before_a_call(source: World) -> None:
    tree = {"source": source["db"]["arn"].replace(":us-east-1:", ":eu-west-1:")}
    driver, key = source.driver(TYPE), source.key(TYPE, "keyless", tree)
    with pytest.raises(InvalidRequestError, match="needs kms_key, a key of us-east-1"):
        driver.create(key, source.spec(TYPE, tree))


def test_a_source_without_backups_is_told_at_once_and_not_waited_for(source: World) -> None:
    source.make("aws.rds_instance", "bare", {**DATABASE, "backup_retention_days": 0})
    tree = {"source": source["bare"]["name"]}
    driver, key = source.driver(TYPE), source.key(TYPE, "of-bare", tree)
    with pytest.raises(InvalidRequestError, match="Automated backups are not enabled") as refused:
        driver.create(key, source.spec(TYPE, tree))
    assert refused.value.nothing_done


def test_one_that_was_promoted_counts_as_failed_and_leaves_a_final_snapshot_whoever_removes_it(source: World) -> None:
    key, _ = source.make(TYPE, "freed", {"source": source["db"]["name"]})
    driver, rds = source.driver(TYPE), source.session().client("rds")
    rds.promote_read_replica(DBInstanceIdentifier=key.name)
    deadline = time.monotonic() + 60
    while (seen := driver.read(key)).phase is not Phase.FAILED:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "promoted" in seen.detail
    assert key.step not in {one.step for one in driver.search(source.deployment, REGION)}
    driver.discard(key)
    gone(driver, key)
    (left,) = rds.describe_db_snapshots(DBInstanceIdentifier=key.name)["DBSnapshots"]
    assert left["DBSnapshotIdentifier"].startswith(f"{key.name}-final-")
    rds.delete_db_snapshot(DBSnapshotIdentifier=left["DBSnapshotIdentifier"])


def test_it_goes_without_a_snapshot_while_it_follows_its_source(source: World) -> None:
    key, _ = source.make(TYPE, "brief", {"source": source["db"]["name"], "instance_class": "db.t3.micro"})
    driver = source.driver(TYPE)
    driver.delete(key)
    gone(driver, key)
    assert not source.session().client("rds").describe_db_snapshots(DBInstanceIdentifier=key.name)["DBSnapshots"]
