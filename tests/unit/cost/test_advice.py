"""What would cost less, with the money: by the price lists, never guessed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from provisioner.cost import Usage
from provisioner.cost.advice import RESERVED, UNUSED, Advice, advise
from tests.unit.cost.plans import HEAD, SECRET, outline, with_db

TEST = f"{HEAD}environments: {{test: {{}}, production: {{}}}}\n"


def _advice(folder: Path, steps: str, usage: Usage | None = None, **how: str) -> dict[str, Advice]:
    found = advise(outline(folder, steps, **how), usage)  # type: ignore[arg-type]
    return {one.id: one for one in found if one.id != RESERVED}


@pytest.mark.parametrize(
    ("fields", "id_", "saves"),
    [
        ({}, "cost.graviton", "1.46"),
        ({"instance_class": "db.m5.large"}, "cost.graviton", "13.87"),
        ({"storage_type": "gp2"}, "cost.gp3", "0"),
        ({"storage_type": "io1", "allocated_storage": 100, "iops": 3000}, "cost.gp3", "301"),
        ({"performance_insights": True, "performance_insights_retention_days": 731}, "cost.insights", "5.90"),
    ],
    ids=str,
)
def test_a_database_could_cost_less(tmp_path: Path, fields: dict[str, object], id_: str, saves: str) -> None:
    assert _advice(tmp_path, with_db(**fields))[id_].saves == Decimal(saves)


def test_gp3_costs_what_gp2_costs_so_nothing_is_promised_but_speed(tmp_path: Path) -> None:
    """EBS asks less for gp3, RDS does not."""
    found = _advice(tmp_path, with_db(storage_type="gp2"))["cost.gp3"]
    assert found.saves == 0
    assert "the same for both" in found.text


def test_a_class_without_a_price_for_the_alternative_promises_nothing(tmp_path: Path) -> None:
    assert _advice(tmp_path, with_db(instance_class="db.t3.2xlarge"))["cost.graviton"].saves is None


def test_a_standby_is_questioned_where_only_tests_run(tmp_path: Path) -> None:
    steps = with_db(multi_az=True)
    assert _advice(tmp_path, steps, head=TEST, environment="test")["cost.standby"].saves == Decimal("15.44")
    assert "cost.standby" not in _advice(tmp_path, steps, head=TEST, environment="production")


def test_shorter_logs_save_by_what_is_written(tmp_path: Path) -> None:
    usage = Usage(steps={"logs": {"ingest_gb": Decimal(100)}})
    steps = "  - {name: logs, type: aws.log_group, with: {retention_days: 30}}\n"
    found = _advice(tmp_path, steps, usage)["cost.log-retention"]
    assert found.saves == Decimal("0.24")  # 15 GB kept for 30 days, 7 GB for 14, at 0.03
    assert not _advice(tmp_path, steps.replace("30", "14"), usage)


def test_tiering_saves_by_what_is_stored_less_what_watching_it_costs(tmp_path: Path) -> None:
    usage = Usage(steps={"files": {"storage_gb": Decimal(1000)}})
    found = _advice(tmp_path, "  - {name: files, type: aws.s3_bucket}\n", usage)["cost.intelligent-tiering"]
    assert found.saves == Decimal(500) * (Decimal("0.023") - Decimal("0.0125")) - Decimal("2.5")


def test_every_gateway_but_the_first_could_go(tmp_path: Path) -> None:
    nat = "  - {{name: {0}, type: aws.nat_gateway, with: {{subnet_id: subnet-0{1}, allocation_id: eipalloc-0{1}}}}}\n"
    one, two = nat.format("a", "aaaaaaa"), nat.format("b", "bbbbbbb")
    assert "cost.single-nat" not in _advice(tmp_path, one)
    found = _advice(tmp_path, one + two)["cost.single-nat"]
    assert (found.step, found.saves) == ("b", Decimal("32.85"))


def test_a_promise_is_offered_once_a_term_with_what_is_paid_at_once(tmp_path: Path) -> None:
    found = [one for one in advise(outline(tmp_path, with_db())) if one.id == RESERVED]
    assert [(one.text.split(": ")[1].split(" (")[0], one.saves) for one in found] == [
        ("--term 3y --payment partial", Decimal("13.14") * Decimal("0.52")),
        ("--term 1y --payment none", Decimal("13.14") * Decimal("0.296")),
    ]
    assert "113.53 USD at once" in found[0].text


def test_a_parameter_that_nothing_uses_is_told(tmp_path: Path) -> None:
    head = f"{HEAD}parameters: {{replicas: {{type: integer, default: 2}}}}\n"
    found = _advice(tmp_path, SECRET, head=head)
    assert found[UNUSED].text.startswith("nothing uses the parameter replicas")


def test_what_costs_nothing_is_given_no_advice(tmp_path: Path) -> None:
    assert not advise(outline(tmp_path, SECRET))
