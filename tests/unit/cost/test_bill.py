"""From a plan to a bill: what has a price, what has none, and what is assumed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from provisioner.cost import Promise, Usage, estimate
from provisioner.cost.usage import read_usage
from provisioner.errors import PlanError
from tests.unit.cost.plans import HEAD, SECRET, outline, with_db


def _monthly(folder: Path, steps: str) -> Decimal:
    return estimate(outline(folder, steps)).monthly


@pytest.mark.parametrize(
    ("fields", "db"),
    [
        ({}, "15.44"),
        ({"multi_az": True}, "30.88"),
        ({"instance_class": "db.t3.small"}, "28.58"),
        ({"allocated_storage": 100}, "24.64"),
        ({"storage_type": "io1", "allocated_storage": 100, "iops": 1000}, "125.64"),
        ({"allocated_storage": 400, "iops": 14000}, "99.14"),
        ({"performance_insights": True, "performance_insights_retention_days": 731}, "21.34"),
        ({"performance_insights": True, "performance_insights_retention_days": 7}, "15.44"),
        ({"publicly_accessible": True}, "19.09"),
        ({"engine_version": "12", "extended_support": True}, "161.44"),
        ({"engine_version": "15", "extended_support": True}, "15.44"),
    ],
    ids=str,
)
def test_a_database_costs_what_its_settings_say(tmp_path: Path, fields: dict[str, object], db: str) -> None:
    made = estimate(outline(tmp_path, with_db(**fields)))
    found = next(step for step in made.steps if step.step == "db")
    assert (found.monthly, made.complete) == (Decimal(db), True)


def test_a_class_that_the_lists_do_not_know_is_no_price_known_and_never_nothing(tmp_path: Path) -> None:
    made = estimate(outline(tmp_path, with_db(instance_class="db.x99.huge")))
    db = next(step for step in made.steps if step.step == "db")
    assert [line.charge.what for line in db.unknown] == ["db.x99.huge, Single-AZ"]
    assert not made.complete
    assert db.monthly == Decimal("2.3")  # the storage, whose price is known


def test_a_region_that_the_lists_do_not_know_has_no_prices(tmp_path: Path) -> None:
    head = HEAD.replace("us-east-1", "mx-central-1")
    made = estimate(outline(tmp_path, SECRET, head=head))
    assert [step.step for step in made.unknown] == ["secret"]


def test_a_region_with_a_price_of_its_own_has_that_and_another_a_factor_that_is_told(tmp_path: Path) -> None:
    lines = {}
    for region in ("eu-central-1", "us-east-2"):
        made = estimate(outline(tmp_path, with_db(), head=HEAD.replace("us-east-1", region)))
        lines[region] = [line for line in made.lines if line.charge.price.startswith("aws.rds/s")]
    frankfurt, ohio = lines["eu-central-1"], lines["us-east-2"]
    assert [(line.rate, line.estimate) for line in frankfurt] == [(Decimal("0.021"), False), (Decimal("0.13455"), True)]
    assert [(line.rate, line.estimate) for line in ohio] == [(Decimal("0.018"), False), (Decimal("0.115"), False)]


def test_every_price_says_where_it_is_from_and_of_when(tmp_path: Path) -> None:
    for line in estimate(
        outline(tmp_path, with_db(multi_az=True, monitoring_interval=60, monitoring_role_arn="x"))
    ).lines:
        assert line.source
        assert line.date >= "2025-01-01"


def test_what_is_adopted_is_paid_for_already_and_a_check_makes_nothing(tmp_path: Path) -> None:
    steps = """\
  - {name: network, type: aws.vpc, adopt: existing, with: {vpc_id: vpc-0a1b2c3d}}
  - {name: answers, type: check.tcp, with: {host: localhost, port: 5432}}
  - {name: parameters, type: aws.db_parameter_group, with: {family: postgres15, description: x}}
"""
    made = estimate(outline(tmp_path, steps))
    assert [(step.step, step.kind) for step in made.steps] == [
        ("network", "adopted"), ("answers", "check"), ("parameters", "free"),
    ]  # fmt: skip
    assert (made.monthly, made.complete) == (Decimal(0), True)


def test_backups_are_billed_above_the_size_of_the_storage_only(tmp_path: Path) -> None:
    steps = with_db(backup_retention_days=30)
    assert _monthly(tmp_path, steps) == Decimal("15.84")
    usage = Usage(steps={"db": {"used_gb": Decimal(20), "daily_change_percent": Decimal(5)}})
    made = estimate(outline(tmp_path, steps), usage)
    backups = next(line for line in made.lines if line.charge.price == "aws.rds/backup")
    assert backups.charge.quantity == 29  # 20 GB, and 29 days of 1 GB each, of which 20 GB are free
    assert backups.monthly == Decimal("2.755")


def test_use_comes_from_a_file_by_step_or_by_type_and_what_nobody_says_is_told(tmp_path: Path) -> None:
    path = tmp_path / "usage.yaml"
    path.write_text("steps: {a: {ingest_gb: 10}}\ntypes: {aws.log_group: {ingest_gb: 2, query_gb: 100}}\n")
    steps = "  - {name: a, type: aws.log_group}\n  - {name: b, type: aws.log_group}\n"
    made = estimate(outline(tmp_path, steps), read_usage(path))
    a, b = made.steps
    assert (a.monthly, b.monthly) == (Decimal("5.545"), Decimal("1.509"))
    assert [(use.name, use.given) for use in a.uses] == [("ingest_gb", True), ("kept_gb", False), ("query_gb", True)]


def test_use_of_what_is_not_there_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "usage.yaml"
    path.write_text("steps:\n  lgos: {ingest_gb: 1}\n  logs: {ingest: 1}\naccount: {cloudwatch.metric: 1}\n")
    with pytest.raises(PlanError) as caught:
        estimate(outline(tmp_path, "  - {name: logs, type: aws.log_group}\n"), read_usage(path))
    told = [(finding.where.line, finding.message) for finding in caught.value.findings if finding.where]
    assert told == [
        (2, "there is no step 'lgos'; did you mean 'logs'?"),
        (3, "nothing is billed by 'ingest'; did you mean 'ingest_gb'?"),
        (4, "nothing is billed by 'cloudwatch.metric'; did you mean 'cloudwatch.metrics'?"),
    ]


@pytest.mark.parametrize(
    "text", ["steps: {db: {used_gb: many}}", "steps: {db: {used_gb: -1}}", "stesp: {}", "types: [1]"]
)
def test_a_usage_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "usage.yaml"
    path.write_text(text)
    with pytest.raises(PlanError):
        read_usage(path)


def test_a_promise_lowers_what_can_be_reserved_and_says_what_is_paid_at_once(tmp_path: Path) -> None:
    plan = outline(tmp_path, with_db())
    asked, promised = estimate(plan), estimate(plan, promise=Promise("3y", "partial"))
    assert promised.full == asked.monthly
    instance = next(line for line in promised.lines if line.charge.price == "aws.rds/single/db.t3.micro")
    assert instance.monthly == Decimal("13.14") * Decimal("0.48")
    assert promised.upfront == instance.monthly * 36 / 2
    storage = next(line for line in promised.lines if "storage" in line.charge.price)
    assert storage.monthly == storage.full


def test_a_promise_that_is_not_to_be_had_changes_nothing(tmp_path: Path) -> None:
    plan = outline(tmp_path, with_db())
    assert estimate(plan, promise=Promise("3y", "none")).monthly == estimate(plan).monthly


def test_a_replica_is_as_large_as_its_source_unless_it_says_otherwise(tmp_path: Path) -> None:
    replica = '  - {name: replica, type: aws.rds_read_replica, with: {source: "${db.name}"%s}}\n'
    steps = with_db(instance_class="db.m6g.large", allocated_storage=100)
    same = estimate(outline(tmp_path, steps + replica % ""))
    small = estimate(outline(tmp_path, steps + replica % ", instance_class: db.t4g.micro"))
    assert same.steps[-1].monthly == Decimal("0.159") * 730 + Decimal("11.50")
    assert small.steps[-1].monthly == Decimal("0.016") * 730 + Decimal("11.50")


def test_a_replica_far_away_has_the_prices_of_its_region_and_its_changes_are_carried_there(tmp_path: Path) -> None:
    steps = (
        with_db() + '  - {name: far, type: aws.rds_read_replica, with: {source: "${db.arn}", region: eu-central-1}}\n'
    )
    usage = Usage(steps={"far": {"copied_gb": Decimal(50)}})
    far = estimate(outline(tmp_path, steps), usage).steps[-1]
    assert [(line.charge.what, line.region, line.monthly) for line in far.lines] == [
        ("db.t3.micro, Single-AZ", "eu-central-1", Decimal("15.33")),
        ("gp3 storage", "eu-central-1", Decimal("2.6910")),
        ("changes copied between regions", "us-east-1", Decimal(1)),
    ]


def test_alarms_in_words_cost_an_alarm_a_level_and_more_where_they_are_maths(tmp_path: Path) -> None:
    steps = """\
  - name: rds
    type: aws.alarms
    with: {kind: rds, target: db, thresholds: {cpu: {warning: 70, critical: 90}, read_latency: {critical: 20}}}
  - name: redis
    type: aws.alarms
    with: {kind: redis, target: cache, nodes: 2, thresholds: {hit_rate: {critical: 50}}}
  - {name: any, type: aws.composite_alarm, with: {any_of: ["${rds.critical}"]}}
  - {name: look, type: aws.cloudwatch_dashboard, with: {widgets: [{type: text, markdown: hello}]}}
  - {name: budget, type: aws.budget, with: {limit: 50}}
"""
    steps = steps.replace('["${rds.critical}"]', "[rds-cpu-critical]")
    made = estimate(outline(tmp_path, steps))
    found = {step.step: (step.monthly, step.lines[0].charge.what if step.lines else "") for step in made.steps}
    assert found == {
        "rds": (Decimal("0.30"), "3 alarms"),
        "redis": (Decimal("0.40"), "2 alarms on 4 metrics"),
        "any": (Decimal("0.50"), "composite alarm"),
        "look": (Decimal("3.00"), "dashboard"),
        "budget": (Decimal(0), ""),
    }


def test_copies_of_backups_cost_what_they_hold_and_what_crosses(tmp_path: Path) -> None:
    copies = '  - {name: far, type: aws.rds_backup_replication, with: {source: "${db.arn}", region: us-west-2}}\n'
    usage = Usage(steps={"far": {"used_gb": Decimal(100), "daily_change_percent": Decimal(10)}})
    far = estimate(outline(tmp_path, with_db(allocated_storage=200) + copies), usage).steps[-1]
    assert [(line.charge.quantity, line.region, line.monthly) for line in far.lines] == [
        (Decimal(160), "us-west-2", Decimal("15.2")),  # 100 GB, and six days of 10 GB each
        (Decimal(300), "us-east-1", Decimal(6)),
    ]


def test_copies_of_a_database_that_the_plan_does_not_have_have_no_price(tmp_path: Path) -> None:
    arn = "arn:aws:rds:us-east-1:123456789012:db:other"
    steps = f'  - {{name: far, type: aws.rds_backup_replication, with: {{source: "{arn}", region: us-west-2}}}}\n'
    assert not estimate(outline(tmp_path, steps)).complete
