"""aws.rds_instance."""

from provisioner.model import Key
from provisioner.secret import Secret
from tests.contract.case import Case, Need
from tests.contract.network import NETWORK, WALL, subnets
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("rds").modify_db_instance(
        DBInstanceIdentifier=key.name, BackupRetentionPeriod=3, DeletionProtection=True, ApplyImmediately=True
    )
    return {"backup_retention_days", "deletion_protection"}


CASE = Case(
    needs=(
        *NETWORK,
        WALL,
        Need("cmk", "aws.kms_key", lambda w: {}),
        Need("role", "aws.iam_role", lambda w: {"services": ["monitoring.rds.amazonaws.com"]}),
        Need("homes", "aws.db_subnet_group", lambda w: {"subnets": subnets(w, "a", "b")}),
        Need(
            "settings", "aws.db_parameter_group", lambda w: {"family": "postgres15", "parameters": {"work_mem": "8192"}}
        ),
    ),
    spec=lambda world: {
        "name": f"{world.deployment}-db",
        "engine_version": "15",
        "instance_class": "db.t3.micro",
        "allocated_storage": 20,
        "max_allocated_storage": 100,
        "multi_az": True,
        "db_name": "credlink",
        "username": "credlink_admin",
        "password": Secret("a-password-of-the-contract"),
        "subnet_group": world["homes"]["name"],
        "security_groups": [world["wall"]["group_id"]],
        "parameter_group": world["settings"]["name"],
        "kms_key": world["cmk"]["arn"],
        "backup_retention_days": 30,
        "backup_window": "03:00-04:00",
        "maintenance_window": "Mon:04:00-Mon:05:00",
        "performance_insights": True,
        "performance_insights_retention_days": 7,
        "monitoring_interval": 60,
        "monitoring_role_arn": world["role"]["arn"],
        "log_exports": ["upgrade", "postgresql"],
        "deletion_protection": False,
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "instance_class": "db.t3.small",
        "multi_az": False,
        "max_allocated_storage": 200,
        "backup_retention_days": 7,
        "backup_window": "05:00-06:00",
        "maintenance_window": "tue:01:00-tue:02:00",
        "monitoring_interval": 0,
        "log_exports": ["postgresql"],
        "deletion_protection": True,
        "copy_tags_to_snapshot": False,
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"db_name": "other"},
    drift=_drift,
    unseen=frozenset({"name", "password", "snapshot_before_update"}),
    invalid=(
        {"allocated_storage": 19},
        {"max_allocated_storage": 21},
        {"iops": 3000},
        {"throughput": 500},
        {"backup_retention_days": 36},
        {"backup_window": "03:00-03:20"},
        {"backup_window": "3-4"},
        {"maintenance_window": "mon:03:30-mon:04:30"},
        {"monitoring_role_arn": ""},
        {"monitoring_interval": 7},
        {"performance_insights_retention_days": 30},
        {"performance_insights": False},
        {"username": "admin"},
        {"username": "a" * 17},
        {"password": Secret("short")},
        {"password": Secret("with/a/slash")},
        {"password": Secret("with a space")},
        {"db_name": "1st"},
        {"log_exports": ["audit"]},
        {"log_exports": ["upgrade", "upgrade"]},
        {"engine_version": "latest"},
        {"instance_class": "t3.micro"},
        {"port": 80},
    ),
)
