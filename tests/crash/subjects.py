"""The deployments that are killed and struck: which plan, in which environment, and what must open when all is well."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

PARTS: Final = frozenset(
    {
        "aws.secret_version",
        "aws.secret_rotation",
        "aws.lambda_permission",
        "aws.rds_backup_replication",
        "sql.extension",
    }
)
"""Types whose object is part of another in the inventory."""

SETS: Final = frozenset({"aws.alarms"})
"""Types whose one object is many in the inventory; their names tell them apart."""

PLANS: Final = Path(__file__).resolve().parents[2] / "plans"


class Door(NamedTuple):
    """A database or cache and the secret that opens it; ``user`` and ``database`` are those of PostgreSQL."""

    step: str
    secret: str
    kind: str
    user: str = ""
    database: str = ""


class Subject(NamedTuple):
    """One plan in one environment.

    ``parameters`` are given always. ``variants``: two shapes of the deployment, by name ``a`` and ``b``, which differ in
    what is changed in place alone. ``copies``: the types of what a removal leaves so that no data is lost, one of each.
    """

    plan: str
    environment: str
    variants: Mapping[str, tuple[str, ...]]
    doors: tuple[Door, ...]
    parameters: tuple[str, ...] = ()
    region: str = "us-east-1"
    copies: tuple[str, ...] = ("db-snapshot", "cache-snapshot")

    @property
    def path(self) -> Path:
        return PLANS / f"{self.plan}.yaml"

    @property
    def deployment(self) -> str:
        return f"{self.plan.removeprefix('aws-')}-{self.environment}"

    def words(self, variant: str) -> list[str]:
        """The plan as one names it on the command line."""
        given = [word for parameter in (*self.parameters, *self.variants[variant]) for word in ("--param", parameter)]
        return [str(self.path), "-e", self.environment, *given]


CREDLINK: Final = Subject(
    plan="aws-credlink",
    environment="development",
    variants={
        "a": (),
        # Five objects, all changed in place. Not the address that mail goes to: AWS cannot delete a subscription that
        # nobody has confirmed, only let it expire.
        "b": (
            "log_days=14",
            "db_backup_days=2",
            "db_monitoring_interval=60",
            "redis_snapshot_days=2",
            "app_origin=https://b.credlink.example",
        ),
    },
    doors=(
        Door("db", "db-credentials", "postgres", "credlink_admin", "credlink"),
        Door("redis", "redis-token", "redis"),
    ),
)

REALWORLD: Final = Subject(
    plan="aws-realworld",
    environment="production",
    parameters=("protected=false",),
    variants={
        "a": (),
        "b": ("log_days=14", "backup_days=8", "monitoring_interval=30"),
    },
    doors=(Door("db", "db-credentials", "postgres", "realworld_user", "realworlddb"),),
    # The copies of its backups in the other region are kept as long as they were meant to be.
    copies=("db-snapshot", "automated-backup"),
)

DATABASE_UNIT: Final = Subject(
    plan="aws-database-unit",
    environment="production",
    region="us-east-2",
    parameters=("protected=false", "filter_subnets=true"),
    variants={
        "a": (),
        "b": ("log_days=14", "db_backup_days=8", "proxy_connections=70"),
    },
    doors=(
        Door("db", "db-credentials", "postgres", "unit_admin", "unit"),
        Door("redis", "redis-token", "redis"),
    ),
)

SUBJECTS: Final[dict[str, Subject]] = {"credlink": CREDLINK, "realworld": REALWORLD, "database-unit": DATABASE_UNIT}
"""By the name that the command line of the sweep gives them."""
