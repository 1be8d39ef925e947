"""One control plane for the whole run, emptied before each test; its clock stands still unless a test moves it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from provisioner.sandbox.server import Sandbox
from provisioner.sandbox.settings import SandboxOptions
from tests.sandbox.aws.fakes import Clock, MemoryDatabases

PASSWORD = "correct-horse-battery"
_CONFIG = Config(
    retries={"total_max_attempts": 1},
    parameter_validation=False,
    connect_timeout=5,
    read_timeout=20,
    s3={"addressing_style": "path"},
)


@dataclass
class Aws:
    """The control plane as its users see it, and the strings that tests pull."""

    sandbox: Sandbox
    databases: MemoryDatabases
    clock: Clock
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """A boto3 client without retries and without checks of its own, so that the server's are seen."""
        if (service, region) not in self._clients:
            make: Any = boto3.client
            self._clients[service, region] = make(
                service,
                region_name=region,
                endpoint_url=self.sandbox.aws.url,
                aws_access_key_id="sandbox",
                aws_secret_access_key="sandbox",
                config=_CONFIG,
            )
        return self._clients[service, region]

    def __getattr__(self, service: str) -> Any:
        return self.client(service)

    def pass_time(self, seconds: float = 60.0) -> None:
        """Wait for work under way, then let time pass."""
        self.sandbox.world.jobs.settle()
        self.clock.advance(seconds)

    def admin(self, method: str, path: str, body: object | None = None) -> Any:
        """One call of the admin API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.sandbox.admin.url}/_sandbox/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def fault(self, **fault: object) -> Any:
        """Put a fault in force."""
        return self.admin("POST", "faults", fault)

    # What most tests need first.

    def subnets(self, zones: str = "ab") -> list[str]:
        """Subnets of the default VPC, one a zone."""
        found = self.client("ec2").describe_subnets()["Subnets"]
        return [s["SubnetId"] for s in found if s["AvailabilityZone"][-1] in zones]

    def database(self, name: str = "db", **extra: Any) -> dict[str, Any]:
        """Ask for a DB instance."""
        wish = {
            "DBInstanceIdentifier": name,
            "DBInstanceClass": "db.t3.micro",
            "Engine": "postgres",
            "EngineVersion": "15",
            "AllocatedStorage": 20,
            "MasterUsername": "app",
            "MasterUserPassword": PASSWORD,
        } | extra
        answer = self.client("rds").create_db_instance(**{k: v for k, v in wish.items() if v is not None})
        made: dict[str, Any] = answer["DBInstance"]
        return made

    def ready_database(self, name: str = "db", **extra: Any) -> dict[str, Any]:
        """Ask for a DB instance and let it become available."""
        self.database(name, **extra)
        self.pass_time()
        return self.instance(name)

    def instance(self, name: str = "db") -> dict[str, Any]:
        """What DescribeDBInstances says of one."""
        found: dict[str, Any] = self.client("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return found

    def cache(self, name: str = "cache", **extra: Any) -> dict[str, Any]:
        """Ask for a replication group."""
        wish = {
            "ReplicationGroupId": name,
            "ReplicationGroupDescription": "a cache",
            "CacheNodeType": "cache.t3.micro",
            "Engine": "redis",
            "EngineVersion": "7.0",
            "NumCacheClusters": 2,
        } | extra
        answer = self.client("elasticache").create_replication_group(**{k: v for k, v in wish.items() if v is not None})
        made: dict[str, Any] = answer["ReplicationGroup"]
        return made

    def ready_cache(self, name: str = "cache", **extra: Any) -> dict[str, Any]:
        """Ask for a replication group and let it become available."""
        self.cache(name, **extra)
        self.pass_time()
        return self.group(name)

    def group(self, name: str = "cache") -> dict[str, Any]:
        """What DescribeReplicationGroups says of one."""
        answer = self.client("elasticache").describe_replication_groups(ReplicationGroupId=name)
        found: dict[str, Any] = answer["ReplicationGroups"][0]
        return found

    def role(self) -> str:
        """The ARN of a role for enhanced monitoring."""
        trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]})
        made = self.client("iam").create_role(RoleName="monitoring", AssumeRolePolicyDocument=trust)
        return str(made["Role"]["Arn"])


def refused(call: Callable[[], object]) -> str:
    """The error code with which AWS refuses a call."""
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    clock = Clock()
    databases = MemoryDatabases(tmp_path_factory.mktemp("databases"))
    sandbox = Sandbox.build(SandboxOptions(), databases, now=clock)
    sandbox.start()
    yield Aws(sandbox, databases, clock)
    sandbox.close()
    assert databases.closed


@pytest.fixture
def aws(_running: Aws) -> Aws:
    """An empty control plane."""
    _running.admin("POST", "reset")
    _running.databases.failing = False
    _running.databases.calls.clear()
    return _running
