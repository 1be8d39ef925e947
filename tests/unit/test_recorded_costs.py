"""What is recorded of a deployment, priced like a plan."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from provisioner.cost import estimate
from provisioner.drivers.typemap import registry
from provisioner.model import Key
from provisioner.operations.costs import Recorded
from provisioner.plan.model import Plan
from provisioner.state.records import Record, State, Status

PLAN = Plan(path=Path("p.yaml"), deployment="shop", base="shop", environment=None, provider="aws", region="us-east-1")


def _record(step: str, type_: str, spec: dict[str, Any], **more: Any) -> Record:
    key = Key(deployment="shop", step=step, name=f"shop-{step}", region="us-east-1")
    return Record(step=step, type=type_, status=Status.READY, key=key, spec=spec, **more)


def _recorded(*records: Record) -> Recorded:
    state = State(deployment="shop", lineage="x", salt="y", steps={record.step: record for record in records})
    return Recorded(state, registry(), PLAN)


DB = _record(
    "db",
    "aws.rds_instance",
    {"engine_version": "15.13", "instance_class": "db.m5.xlarge", "multi_az": False, "password": "${secret.value}"},
    outputs={"name": "shop-db", "endpoint": "db.example"},
)


def test_what_is_left_out_of_a_record_is_the_default_of_its_type() -> None:
    found = estimate(_recorded(DB))
    assert found.complete
    assert found.monthly == Decimal("0.356") * 730 + Decimal("2.30")  # 20 GB of gp3


def test_a_step_is_known_by_the_value_that_another_has_of_it() -> None:
    proxy = _record("pool", "aws.rds_proxy", {"db_instance": "shop-db"}, needs=["db"])
    outline = _recorded(DB, proxy)
    db, pool = outline.items["db"], outline.items["pool"]
    assert outline.link(pool, "db_instance") is db
    assert outline.users(db) == [pool]
    assert outline.users(db, "aws.rds_instance") == []
    cost = next(step for step in estimate(outline).steps if step.step == "pool")
    assert cost.monthly == 4 * Decimal("0.015") * 730  # the vCPUs of the class that is recorded


def test_what_was_adopted_is_paid_for_already() -> None:
    found = estimate(_recorded(_record("key", "aws.kms_key", {}, adopted=True)))
    assert [(step.kind, step.monthly) for step in found.steps] == [("adopted", Decimal(0))]
