"""aws.rds_read_replica."""

from provisioner.model import Key
from provisioner.secret import Secret
from tests.contract.case import Case, Need
from tests.contract.network import NETWORK, WALL, subnets
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("rds").modify_db_instance(
        DBInstanceIdentifier=key.name, CopyTagsToSnapshot=False, DeletionProtection=True, ApplyImmediately=True
    )
    return {"copy_tags_to_snapshot", "deletion_protection"}


CASE = Case(
    needs=(
        *NETWORK,
        WALL,
        Need("role", "aws.iam_role", lambda w: {"services": ["monitoring.rds.amazonaws.com"]}),
        Need("homes", "aws.db_subnet_group", lambda w: {"subnets": subnets(w, "a", "b")}),
        Need("elsewhere", "aws.db_subnet_group", lambda w: {"subnets": subnets(w, "b", "c")}),
        Need("settings", "aws.db_parameter_group", lambda w: {"family": "postgres15"}),
        Need(
            "db",
            "aws.rds_instance",
            lambda w: {
                "engine_version": "15",
                "instance_class": "db.t3.small",
                "multi_az": False,
                "username": "credlink_admin",
                "password": Secret("a-password-of-the-contract"),
                "subnet_group": w["homes"]["name"],
                "deletion_protection": False,
            },
        ),
    ),
    spec=lambda world: {
        "name": f"{world.deployment}-replica",
        "source": world["db"]["name"],
        "instance_class": "db.t3.micro",
        "max_allocated_storage": 100,
        "subnet_group": world["elsewhere"]["name"],
        "security_groups": [world["wall"]["group_id"]],
        "performance_insights": True,
        "performance_insights_retention_days": 7,
        "monitoring_interval": 60,
        "monitoring_role_arn": world["role"]["arn"],
        "log_exports": ["postgresql"],
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "instance_class": "db.t3.small",
        "max_allocated_storage": 200,
        "parameter_group": world["settings"]["name"],
        "monitoring_interval": 0,
        "log_exports": [],
        "deletion_protection": True,
        "copy_tags_to_snapshot": False,
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"source": "other"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=(
        {"source": ""},
        {"source": "arn:aws:s3:::bucket"},
        {"source": "arn:aws:rds:us-east-1:123456789012:db:app", "region": "us-west-2"},
        {"region": "mars"},
        {"allocated_storage": 19},
        {"monitoring_role_arn": ""},
        {"performance_insights_retention_days": 30},
        {"storage_type": "gp3", "allocated_storage": 100, "iops": 3000},
    ),
)
