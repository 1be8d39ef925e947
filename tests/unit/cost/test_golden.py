"""The tables that the authors of our reference systems wrote, from plans: within 10 %, or with the reason why not."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from provisioner.cost import Estimate, estimate
from provisioner.cost.free import free_tier
from provisioner.cost.limits import stand
from provisioner.cost.usage import read_usage
from provisioner.drivers.typemap import registry
from provisioner.plan.load import load_plan
from provisioner.plan.outline import Outline

GOLDEN = Path(__file__).with_name("golden")
TYPES = registry()


def outline(plan: str, environment: str | None = None, **parameters: str) -> Outline:
    return Outline(load_plan(GOLDEN / f"{plan}.yaml", TYPES, environment=environment, parameters=parameters), TYPES)


def bill(plan: str, environment: str | None = None, **parameters: str) -> Estimate:
    usage = GOLDEN / f"{plan}-usage.yaml"
    said = read_usage(usage) if usage.exists() else None
    return estimate(outline(plan, environment, **parameters), said)


def of(found: Estimate, *steps: str) -> Decimal:
    assert {step.step for step in found.steps} >= set(steps)
    return sum((step.monthly for step in found.steps if step.step in steps), Decimal(0))


class Row(NamedTuple):
    """A line of the authors' table. ``why``: what makes ours differ by more than a tenth."""

    what: str
    seed: str
    steps: tuple[str, ...]
    why: str = ""
    ours: str = ""


CREDLINK = [
    Row("NAT gateways (2)", "65", ("nat-a", "nat-b")),
    Row("VPC flow logs", "5", ("flow-logs",)),
    Row("RDS db.t3.micro, Multi-AZ, 20 GB", "30", ("db",)),
    Row("ElastiCache, 2 nodes", "24", ("redis",)),
    Row(
        "S3, 10 GB and 100,000 requests", "3", ("proofs",),
        why="10 GB are 0.23 and 100,000 PUT are 0.50: 3 would be 600,000 of them", ours="0.73",
    ),
    Row("Secrets Manager, 1 secret", "0.40", ("secret",)),
    Row("CloudWatch logs of RDS", "3", ("db-log", "db-upgrade-log")),
    Row(
        "public addresses of the gateways", "0", ("address-a", "address-b"),
        why="AWS bills public IPv4 addresses since February 2024, and the table is older", ours="7.30",
    ),
]  # fmt: skip


def _decimals(*values: int | str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)


def _near(ours: Decimal, seed: Decimal) -> bool:
    return abs(ours - seed) <= seed / 10


@pytest.mark.parametrize("row", CREDLINK, ids=lambda row: row.what)
def test_credlinks_table_is_reproduced_line_by_line(row: Row) -> None:
    ours, seed = of(bill("credlink", "production"), *row.steps), Decimal(row.seed)
    if row.why:
        assert ours == Decimal(row.ours), row.why
        assert not _near(ours, seed), "it does not deviate any more"
    else:
        assert _near(ours, seed), ours


def test_credlinks_sum_is_reproduced_with_and_without_the_addresses_that_cost_nothing_then() -> None:
    found = bill("credlink", "production")
    assert found.complete
    addresses = of(found, "address-a", "address-b")
    assert _near(found.monthly, Decimal("130.4"))
    assert _near(found.monthly - addresses, Decimal("130.4"))


@pytest.mark.parametrize(
    ("what", "seed", "steps"),
    [
        ("one zone for RDS", 15, ("db",)),
        ("one NAT gateway", 32, ("nat-a", "nat-b")),
        ("one node of Redis", 12, ("redis",)),
        ("together", 59, ("db", "nat-a", "nat-b", "redis", "address-a", "address-b")),
    ],
)
def test_credlinks_savings_in_development_are_reproduced(what: str, seed: int, steps: tuple[str, ...]) -> None:
    dear, cheap = bill("credlink", "production"), outline("credlink", "development")
    # The logs' use is the same in both; steps that are switched off may be named.
    less = estimate(cheap, read_usage(GOLDEN / "credlink-usage.yaml"))
    saved = sum((step.monthly for step in dear.steps if step.step in steps), Decimal(0)) - sum(
        (step.monthly for step in less.steps if step.step in steps), Decimal(0)
    )
    assert _near(saved, Decimal(seed)), f"{what}: {saved}"
    if what == "together":
        assert _near(saved / dear.monthly * 100, Decimal(45))


def test_nat_gateways_are_counted_with_730_hours_and_the_other_count_is_explained() -> None:
    """One document says 32.40 (720 hours), another 65 for two (730 hours)."""
    gateway = next(step for step in bill("credlink", "production").steps if step.step == "nat-a")
    hours = gateway.lines[0]
    assert (hours.charge.quantity, hours.monthly) == (Decimal(730), Decimal("32.85"))
    assert hours.rate is not None
    assert hours.rate * 720 == Decimal("32.40")
    assert "720 h and comes to 32.40" in hours.note


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIT_DB_PASSWORD", "not-a-real-one-8")


@pytest.mark.usefixtures("password")
def test_the_database_unit_costs_4975_once_the_free_tier_is_over() -> None:
    found = outline("database-unit")
    made = estimate(found)
    assert of(made, "db") == Decimal("15.44")
    assert of(made, "cache") == Decimal("12.41")
    assert of(made, "pool") == Decimal("21.90")
    assert made.monthly == Decimal("49.75")
    assert made.complete


@pytest.mark.usefixtures("password")
def test_the_database_unit_stands_above_both_lines_of_its_budget_and_a_secret_puts_it_over() -> None:
    found = outline("database-unit")
    assert found.plan.budget is not None
    standing = stand(estimate(found), found.plan.budget)
    assert (standing.level, standing.lines) == ("critical", {"warning": Decimal(25), "critical": Decimal(40)})
    more = outline("database-unit", secret="true")
    assert more.plan.budget is not None
    over = stand(estimate(more), more.plan.budget)
    assert (over.level, over.monthly) == ("over", Decimal("50.15"))


@pytest.mark.usefixtures("password")
def test_the_database_units_free_tier_is_tracked_with_its_alerts() -> None:
    found = free_tier(bill("database-unit"), read_usage(GOLDEN / "database-unit-usage.yaml").account)
    rows = {row.allowance.id: row for row in found.rows}
    for id_ in ("rds.hours", "elasticache.hours"):
        assert (rows[id_].allowance.limit, rows[id_].allowance.alert_at, rows[id_].used) == _decimals(750, 700, 730)
        assert (rows[id_].level, round(rows[id_].alert)) == ("alert", 93)
    calls, compute = rows["lambda.requests"], rows["lambda.compute"]
    assert (calls.used, calls.allowance.alert_at) == _decimals(900_000, 900_000)
    assert (compute.used, compute.allowance.limit) == _decimals(350_000, 400_000)
    assert (calls.level, compute.level) == ("alert", "within")
    assert (rows["cloudwatch.metrics"].used, rows["cloudwatch.metrics"].allowance.limit) == _decimals(2, 10)
    assert (rows["cloudwatch.logs"].used, rows["cloudwatch.logs"].allowance.limit) == _decimals("0.1", 5)
    assert rows["cloudwatch.api"].allowance.limit == 1000
    # The proxy alone is in no free tier: it takes 44 % of the budget.
    assert found.during == Decimal("21.90")
    assert round(found.during / 50 * 100) == 44


def test_realworlds_table_is_reproduced_for_both_environments() -> None:
    cheap, dear = bill("realworld", "development"), bill("realworld", "production")
    assert cheap.complete
    assert dear.complete
    assert of(cheap, "db") == Decimal("15.44")
    assert Decimal(15) <= of(cheap, "db") <= Decimal(20)
    assert Decimal(60) <= of(dear, "db", "replica") <= Decimal(80)
    assert _near(of(dear, "replica"), Decimal(15))


def test_realworlds_instances_cost_what_their_table_says() -> None:
    """t3.micro 15, t3.small 30, and as much again for the standby; the table counts the 20 GB of storage in."""
    small = estimate(outline("realworld", "development", **{"class": "db.t3.small"}))
    twice = estimate(outline("realworld", "development", **{"class": "db.t3.small", "safe": "true"}))
    assert _near(of(bill("realworld", "development"), "db"), Decimal(15))
    assert _near(of(small, "db"), Decimal(30))
    assert of(twice, "db") == 2 * of(small, "db")


def test_realworlds_development_saves_more_than_its_table_says() -> None:
    """The table says 70 %, from 20 of 60 to 80; its own amounts, added up, are 15.44 of 72.7."""
    cheap, dear = of(bill("realworld", "development"), "db"), of(bill("realworld", "production"), "db", "replica")
    less = (dear - cheap) / dear * 100
    assert round(less) == 79
    assert not _near(less, Decimal(70)), "it does not deviate any more"


def test_realworlds_monitoring_costs_a_fourteenth_of_what_its_table_says() -> None:
    """The table says 2 a month. Enhanced Monitoring itself is free: its logs are billed, 0.27 GB at one sample a minute."""
    db = next(step for step in bill("realworld", "production").steps if step.step == "db")
    monitoring = next(line for line in db.lines if "Enhanced Monitoring" in line.charge.what)
    assert monitoring.monthly == Decimal("0.135")
    assert not _near(Decimal("0.135"), Decimal(2))
    # At a sample a second it would be 60 times as much.
    often = estimate(outline("realworld", "production", interval="1"))
    line = next(line for line in often.lines if "Enhanced Monitoring" in line.charge.what)
    assert line.monthly == Decimal("8.1")
