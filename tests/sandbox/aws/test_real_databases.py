"""What the control plane makes is real: PostgreSQL and Valkey with the passwords, parameters and data that were asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from provisioner.sandbox.databases.host import DatabaseHost
from provisioner.sandbox.server import Sandbox
from provisioner.sandbox.settings import PROVISION_TIMES, SandboxOptions

PASSWORD, TOKEN = "correct-horse-battery", "correct-horse-battery-1"


class Cloud:
    """A control plane over real databases in real time, as fast as they are."""

    def __init__(self, directory: Path) -> None:
        options = SandboxOptions(provision_time=dict.fromkeys(PROVISION_TIMES, 0.0))
        self.sandbox = Sandbox.build(options, DatabaseHost(directory / "databases"))
        self.sandbox.start()
        self.ca = str(self.sandbox.world.databases.ca_path)
        self.rds, self.elasticache = self._client("rds"), self._client("elasticache")

    def _client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
        make: Any = boto3.client
        return make(service, region_name="us-east-1", endpoint_url=self.sandbox.aws.url, **keys)

    def settle(self, read: Callable[[], dict[str, Any]], word: str) -> dict[str, Any]:
        """Read until an object is available again."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            self.sandbox.world.jobs.settle()
            found = read()
            if found[word] == "available" and not found.get("PendingModifiedValues"):
                return found
            assert found[word] not in ("failed", "create-failed", "incompatible-parameters")
        raise AssertionError(f"still {found[word]}")

    def instance(self, name: str) -> dict[str, Any]:
        """A DB instance that is available."""
        return self.settle(
            lambda: self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0], "DBInstanceStatus"
        )

    def connect(self, name: str, password: str = PASSWORD, **extra: Any) -> psycopg.Connection[Any]:
        """A connection to an instance, over TLS that is verified in full."""
        where = self.instance(name)["Endpoint"]
        wish = {"sslmode": "verify-full", "sslrootcert": self.ca} | extra
        return psycopg.connect(
            host=where["Address"], port=where["Port"], user="app", password=password, dbname="shop", **wish
        )

    def cache(self, token: str | None) -> redis.Redis:
        """A client of the cache, over TLS."""
        found = self.settle(lambda: self.elasticache.describe_replication_groups()["ReplicationGroups"][0], "Status")
        where = found["NodeGroups"][0]["PrimaryEndpoint"]
        return redis.Redis(
            where["Address"], where["Port"], password=token, ssl=True, ssl_ca_certs=self.ca, retry=Retry(NoBackoff(), 0)
        )


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    made = Cloud(tmp_path_factory.mktemp("sandbox"))
    yield made
    made.sandbox.close()


def _show(connection: psycopg.Connection[Any], name: str) -> str:
    row = connection.execute(f"SHOW {name}").fetchone()
    assert row is not None
    return str(row[0])


def test_a_database_is_a_postgresql_from_its_first_password_to_its_final_snapshot(cloud: Cloud) -> None:
    rds = cloud.rds
    rds.create_db_parameter_group(DBParameterGroupName="p", DBParameterGroupFamily="postgres15", Description="d")
    rds.create_db_instance(
        DBInstanceIdentifier="one", DBInstanceClass="db.t3.micro", Engine="postgres", EngineVersion="15", AllocatedStorage=20,
        MasterUsername="app", MasterUserPassword=PASSWORD, DBName="shop", DBParameterGroupName="p",
    )  # fmt: skip
    with cloud.connect("one") as connection:
        connection.execute("CREATE TABLE orders (id int)")
        connection.execute("INSERT INTO orders SELECT generate_series(1, 1000)")
        assert _show(connection, "max_connections") == "112"
        assert _show(connection, "shared_preload_libraries") == "pg_stat_statements"
    with pytest.raises(psycopg.OperationalError):
        cloud.connect("one", "a-wrong-password")
    with pytest.raises(psycopg.OperationalError):
        cloud.connect("one", sslmode="disable")

    changes = [("work_mem", "8192", "immediate"), ("max_connections", "50", "pending-reboot")]
    rds.modify_db_parameter_group(
        DBParameterGroupName="p",
        Parameters=[{"ParameterName": n, "ParameterValue": v, "ApplyMethod": m} for n, v, m in changes],
    )
    rds.modify_db_instance(DBInstanceIdentifier="one", MasterUserPassword="another-password")
    with cloud.connect("one", "another-password") as connection:
        assert (_show(connection, "work_mem"), _show(connection, "max_connections")) == ("8MB", "112")
    rds.reboot_db_instance(DBInstanceIdentifier="one")
    with cloud.connect("one", "another-password") as connection:
        assert _show(connection, "max_connections") == "50"

    rds.delete_db_instance(DBInstanceIdentifier="one", FinalDBSnapshotIdentifier="last")
    rds.get_waiter("db_instance_deleted").wait(
        DBInstanceIdentifier="one", WaiterConfig={"Delay": 0, "MaxAttempts": 500}
    )
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="last", WaiterConfig={"Delay": 0})
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="two", DBSnapshotIdentifier="last", DBParameterGroupName="p"
    )
    with cloud.connect("two", "another-password") as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (1000,)
        assert _show(connection, "max_connections") == "50"
    rds.delete_db_instance(DBInstanceIdentifier="two", SkipFinalSnapshot=True)


def test_a_cache_is_a_valkey_with_its_token_replica_and_parameters(cloud: Cloud) -> None:
    ec = cloud.elasticache
    ec.create_cache_parameter_group(CacheParameterGroupName="p", CacheParameterGroupFamily="redis7", Description="d")
    policy = [{"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lru"}]
    ec.modify_cache_parameter_group(CacheParameterGroupName="p", ParameterNameValues=policy)
    ec.create_replication_group(
        ReplicationGroupId="cache", ReplicationGroupDescription="d", CacheNodeType="cache.t3.micro", Engine="redis",
        EngineVersion="7.0", NumCacheClusters=2, AutomaticFailoverEnabled=True, TransitEncryptionEnabled=True,
        AuthToken=TOKEN, CacheParameterGroupName="p",
    )  # fmt: skip
    with cloud.cache(TOKEN) as client:
        client.set("key", "value")
        replication: Any = client.info("replication")
        assert (replication["role"], replication["connected_slaves"]) == ("master", 1)
        memory: Any = client.info("memory")
        assert memory["maxmemory_policy"] == "allkeys-lru"
    for wrong in (None, "a-wrong-token-123456"):
        with cloud.cache(wrong) as client, pytest.raises(redis.AuthenticationError):
            client.ping()

    other = "another-token-123456"
    change = {"ReplicationGroupId": "cache", "AuthToken": other, "ApplyImmediately": True}
    ec.modify_replication_group(**change, AuthTokenUpdateStrategy="ROTATE")
    for token in (TOKEN, other):
        with cloud.cache(token) as client:
            assert client.get("key") == b"value"
    ec.modify_replication_group(**change, AuthTokenUpdateStrategy="SET")
    with cloud.cache(TOKEN) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    ec.delete_replication_group(ReplicationGroupId="cache")
