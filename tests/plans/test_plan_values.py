"""The values that the credlink plan resolves to in each environment, as a table."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.drivers.typemap import registry
from provisioner.plan.load import load_plan
from provisioner.plan.model import Plan
from tests.plans.conftest import PLANS

# step, field, development, production
_TABLE: list[tuple[str, str, Any, Any]] = [
    ("vpc", "cidr", "10.0.0.0/16", "10.0.0.0/16"),
    ("db", "engine_version", "15", "15"),
    ("db", "instance_class", "db.t3.micro", "db.t3.small"),
    ("db", "multi_az", False, True),
    ("db", "storage_type", "gp3", "gp3"),
    ("db", "allocated_storage", 20, 20),
    ("db", "max_allocated_storage", 100, 100),
    ("db", "storage_encrypted", True, True),
    ("db", "backup_retention_days", 1, 30),
    ("db", "backup_window", "03:00-04:00", "03:00-04:00"),
    ("db", "maintenance_window", "mon:04:00-mon:05:00", "mon:04:00-mon:05:00"),
    ("db", "performance_insights", False, True),
    ("db", "performance_insights_retention_days", None, 7),
    ("db", "monitoring_interval", 0, 60),
    ("db", "log_exports", ["postgresql", "upgrade"], ["postgresql", "upgrade"]),
    ("db", "deletion_protection", False, True),
    ("db", "publicly_accessible", False, False),
    ("db", "username", "credlink_admin", "credlink_admin"),
    ("db", "db_name", "credlink", "credlink"),
    ("db-parameters", "family", "postgres15", "postgres15"),
    (
        "db-log",
        "name",
        "/aws/rds/instance/credlink-development-db/postgresql",
        "/aws/rds/instance/credlink-production-db/postgresql",
    ),
    ("db-log", "retention_days", 30, 30),
    ("redis", "engine_version", "7.0", "7.0"),
    ("redis", "node_type", "cache.t3.micro", "cache.t3.micro"),
    ("redis", "num_nodes", 1, 2),
    ("redis", "automatic_failover", False, True),
    ("redis", "multi_az", False, True),
    ("redis", "at_rest_encryption", True, True),
    ("redis", "transit_encryption", True, True),
    ("redis", "snapshot_retention_days", 1, 5),
    ("redis", "snapshot_window", "03:00-05:00", "03:00-05:00"),
    ("redis", "maintenance_window", "mon:05:00-mon:07:00", "mon:05:00-mon:07:00"),
    ("redis-parameters", "parameters", {"maxmemory-policy": "allkeys-lru"}, {"maxmemory-policy": "allkeys-lru"}),
    ("proofs", "versioning", True, True),
    ("proofs", "encryption", "AES256", "AES256"),
    ("proofs", "block_public_access", True, True),
    ("db-secret", "recovery_days", 7, 7),
]


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return {
        name: load_plan(PLANS / "aws-credlink.yaml", registry(), environment=name)
        for name in ("development", "production")
    }


@pytest.mark.parametrize(
    ("step", "field", "development", "production"), _TABLE, ids=[f"{row[0]}.{row[1]}" for row in _TABLE]
)
def test_each_environment_has_its_own_values(
    plans: dict[str, Plan], step: str, field: str, development: Any, production: Any
) -> None:
    found = {name: {decl.name: decl.tree for decl in plan.steps}[step].get(field) for name, plan in plans.items()}
    assert found == {"development": development, "production": production}


def test_the_parameter_group_says_what_the_database_is_tuned_to(plans: dict[str, Plan]) -> None:
    tree = {decl.name: decl.tree for decl in plans["production"].steps}["db-parameters"]
    assert tree["parameters"] == {
        "shared_preload_libraries": "pg_stat_statements",
        "max_connections": "100",
        "log_min_duration_statement": "1000",
        "log_statement": "ddl",
        "rds.force_ssl": "1",
    }


def test_stages_come_in_order_and_gates_after_what_they_test(plans: dict[str, Plan]) -> None:
    stages = [decl.stage for decl in plans["production"].steps]
    assert list(dict.fromkeys(stages)) == ["foundation", "data", "access", "monitoring"]
    assert stages == sorted(stages, key=["foundation", "data", "access", "monitoring"].index)


def test_no_plan_has_a_warning(plans: dict[str, Plan]) -> None:
    quickstart = load_plan(PLANS / "quickstart.yaml", registry())
    assert [plan.warnings for plan in (*plans.values(), quickstart)] == [(), (), ()]


def test_gates_can_be_left_out_where_the_network_cannot_be_reached() -> None:
    for plan, environment in (("quickstart.yaml", None), ("aws-credlink.yaml", "production")):
        loaded = load_plan(PLANS / plan, registry(), environment=environment, parameters={"check_from_here": "false"})
        assert {"db-answers", "redis-answers"} <= set(loaded.skipped)


def test_the_database_unit_has_its_five_security_groups_in_the_foundation() -> None:
    plan = load_plan(PLANS / "aws-database-unit.yaml", registry(), environment="production")
    groups = {step.name for step in plan.steps if step.type == "aws.security_group" and step.stage == "foundation"}
    assert groups >= {"sg-database-primary", "sg-rds-proxy", "sg-cache-redis", "sg-lambda-gdpr", "sg-application"}
