"""aws.cache_replication_group."""

from provisioner.model import Key
from provisioner.secret import Secret
from tests.contract.case import Case, Need
from tests.contract.network import NETWORK, WALL, subnets
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("elasticache").modify_replication_group(
        ReplicationGroupId=key.name, SnapshotRetentionLimit=2, ApplyImmediately=True
    )
    return {"snapshot_retention_days"}


CASE = Case(
    needs=(
        *NETWORK,
        WALL,
        Need("events", "aws.sns_topic", lambda w: {}),
        Need("homes", "aws.cache_subnet_group", lambda w: {"subnets": subnets(w, "a", "b")}),
        Need(
            "settings",
            "aws.cache_parameter_group",
            lambda w: {"family": "redis7", "parameters": {"maxmemory-policy": "allkeys-lru"}},
        ),
    ),
    spec=lambda world: {
        "name": f"{world.deployment}-redis",
        "description": "sessions",
        "engine_version": "7.0",
        "node_type": "cache.t3.micro",
        "num_nodes": 2,
        "auth_token": Secret("a-token-of-the-contract"),
        "snapshot_retention_days": 5,
        "snapshot_window": "03:00-05:00",
        "maintenance_window": "Mon:05:00-Mon:07:00",
        "notification_topic_arn": world["events"]["arn"],
        "parameter_group": world["settings"]["name"],
        "subnet_group": world["homes"]["name"],
        "security_groups": [world["wall"]["group_id"]],
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "description": "sessions and locks",
        "node_type": "cache.t3.small",
        "automatic_failover": False,
        "multi_az": False,
        "snapshot_retention_days": 3,
        "snapshot_window": "08:00-09:00",
        "maintenance_window": "tue:01:00-tue:02:00",
        "notification_topic_arn": "",
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"at_rest_encryption": False},
    drift=_drift,
    unseen=frozenset({"name", "auth_token"}),
    invalid=(
        {"name": "x" * 41},
        {"num_nodes": 1},
        {"num_nodes": 7},
        {"automatic_failover": False},
        {"auth_token": Secret("too-short")},
        {"auth_token": Secret("with_an_underscore")},
        {"transit_encryption": False},
        {"snapshot_window": "03:00-03:30"},
        {"snapshot_retention_days": 0},
        {"snapshot_retention_days": 36},
        {"maintenance_window": "mon:04:00-mon:06:00"},
        {"maintenance_window": "mon:05:00-mon:05:30"},
        {"node_type": "t3.micro"},
        {"engine_version": "latest"},
    ),
)
