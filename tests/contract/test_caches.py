"""What a replication group does beyond the contract: tokens are exchanged, nothing answers without one, snapshots stay."""

from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from provisioner.errors import BusyError
from provisioner.model import Phase
from provisioner.secret import Secret
from tests.contract.world import World, gone, patiently, settle

_OLD, _NEW = "the-old-token-0123456789", "the-new-token-0123456789"


def _spec(**more: Any) -> dict[str, Any]:
    return {
        "engine_version": "7.0",
        "node_type": "cache.t3.micro",
        "num_nodes": 1,
        "automatic_failover": False,
        "multi_az": False,
        "auth_token": Secret(_OLD),
        "snapshot_retention_days": 0,
        **more,
    }


def _ping(seen: Any, token: str | None) -> bool:
    options: dict[str, Any] = {
        "ssl": True,
        "ssl_cert_reqs": "none",
        "ssl_check_hostname": False,
        "password": token,
        "retry": Retry(NoBackoff(), 0),
    }
    with redis.Redis(seen.outputs["primary_endpoint"], seen.outputs["port"], **options) as client:
        try:
            return bool(client.ping())
        except redis.AuthenticationError:
            return False


def test_a_changed_token_is_let_in_and_the_old_one_shut_out(lone_world: World) -> None:
    key, seen = lone_world.make("aws.cache_replication_group", "redis", _spec())
    assert (_ping(seen, _OLD), _ping(seen, _NEW), _ping(seen, None)) == (True, False, False)
    driver = lone_world.driver("aws.cache_replication_group")
    spec = lone_world.spec("aws.cache_replication_group", _spec(auth_token=Secret(_NEW)))
    with pytest.raises(BusyError, match="the old one goes next"):
        driver.update(key, spec)
    between = settle(driver, key)
    assert between.spec["token_exchanged"] is False and _ping(between, _OLD) and _ping(between, _NEW)
    driver.update(key, spec)
    after = settle(driver, key)
    assert after.spec["token_exchanged"] is True
    assert (_ping(after, _OLD), _ping(after, _NEW), _ping(after, None)) == (False, True, False)


def test_both_tokens_may_be_left_in_on_purpose(lone_world: World) -> None:
    key, _ = lone_world.make("aws.cache_replication_group", "redis", _spec())
    driver = lone_world.driver("aws.cache_replication_group")
    spec = lone_world.spec("aws.cache_replication_group", _spec(auth_token=Secret(_NEW), token_exchanged=False))
    driver.update(key, spec)
    seen = settle(driver, key)
    assert _ping(seen, _OLD) and _ping(seen, _NEW)


def test_a_group_being_made_says_whose_it_is_before_its_tags_can_be_read(lone_world: World) -> None:
    driver = lone_world.driver("aws.cache_replication_group")
    tree = _spec(description="sessions")
    key = lone_world.key("aws.cache_replication_group", "redis", tree)
    lone_world.watch(driver, key)
    driver.create(key, lone_world.spec("aws.cache_replication_group", tree))
    young = driver.read(key)
    assert (young.phase, young.owner) == (Phase.PENDING, key.owner)
    assert settle(driver, key).spec["description"] == "sessions"


def test_a_deleted_cache_leaves_a_snapshot_only_where_snapshots_are_kept(lone_world: World) -> None:
    driver, client = lone_world.driver("aws.cache_replication_group"), lone_world.session().client("elasticache")
    kept, _ = lone_world.make("aws.cache_replication_group", "kept", _spec(snapshot_retention_days=1))
    plain, _ = lone_world.make("aws.cache_replication_group", "plain", _spec())
    for key in (kept, plain):
        patiently(lambda: driver.delete(key))
        gone(driver, key)
    names = [snapshot["SnapshotName"] for snapshot in client.describe_snapshots()["Snapshots"]]
    assert [name for name in names if name.startswith(plain.name)] == []
    left = [name for name in names if name.startswith(f"{kept.name}-final-")]
    assert len(left) == 1
    client.delete_snapshot(SnapshotName=left[0])


def test_failover_is_switched_off_before_it_is_missed(lone_world: World) -> None:
    """Failover and Multi-AZ go together in one call, in both directions."""
    pair = _spec(num_nodes=2, automatic_failover=True, multi_az=True)
    key, _ = lone_world.make("aws.cache_replication_group", "redis", pair)
    driver = lone_world.driver("aws.cache_replication_group")
    for flag in (False, True):
        spec = lone_world.spec("aws.cache_replication_group", {**pair, "automatic_failover": flag, "multi_az": flag})
        patiently(lambda spec=spec: driver.update(key, spec))  # type: ignore[misc]
        seen = settle(driver, key)
        assert (seen.spec["automatic_failover"], seen.spec["multi_az"]) == (flag, flag)
