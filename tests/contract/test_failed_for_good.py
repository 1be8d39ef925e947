"""What its cloud calls failed takes no change any more: an update says so at once, and a delete takes it away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import InvalidRequestError
from provisioner.model import Key, Phase
from provisioner.sandbox import supervisor
from provisioner.secret import Secret
from tests.contract.world import World, gone, patiently

DB = {
    "engine_version": "15",
    "instance_class": "db.t3.micro",
    "multi_az": False,
    "username": "boss",
    "deletion_protection": False,
    "password": Secret("the-first-password"),
}
CACHE = {
    "engine_version": "7.0",
    "node_type": "cache.t3.micro",
    "num_nodes": 1,
    "automatic_failover": False,
    "multi_az": False,
}
TYPES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "aws.rds_instance": ("rds", "CreateDBInstance", DB, {"backup_retention_days": 3}),
    "aws.cache_replication_group": ("elasticache", "CreateReplicationGroup", CACHE, {"node_type": "cache.t3.small"}),
}


@pytest.fixture(params=TYPES)
def failed(lone_world: World, request: pytest.FixtureRequest) -> Iterator[tuple[Any, Key, Any, str]]:
    """The driver, the key of an object that failed while it was made, a changed spec, and the field that differs."""
    name = str(request.param)
    service, operation, tree, change = TYPES[name]
    sandbox = Path(os.environ["PROVISIONER_ENDPOINTS"]).parent
    supervisor.admin(
        sandbox, "POST", "/_sandbox/faults", {"service": service, "operation": operation, "kind": "failed"}
    )
    driver, key = lone_world.driver(name), lone_world.key(name, "bad", tree)
    driver.create(key, lone_world.spec(name, tree))
    while (seen := driver.read(key)) is None or seen.phase is Phase.PENDING:
        pass
    assert seen.phase is Phase.FAILED
    yield driver, key, lone_world.spec(name, {**tree, **change}), next(iter(change))
    patiently(lambda: driver.delete(key))
    gone(driver, key)


def test_an_update_of_what_failed_is_refused_at_once_and_not_waited_for(failed: tuple[Any, Key, Any, str]) -> None:
    driver, key, spec, field = failed
    with pytest.raises(InvalidRequestError, match="failed") as caught:
        driver.update(key, spec, {field})
    assert caught.value.nothing_done
    assert "destroy" in caught.value.hint
