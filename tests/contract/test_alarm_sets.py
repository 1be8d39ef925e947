"""Alarms from thresholds in words: what each word means to CloudWatch, and what becomes of the set."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.drivers.aws import alarm_words
from provisioner.drivers.aws.alarm_set import made
from provisioner.errors import AlreadyExistsError, InUseError
from tests.contract.world import World, differing

TYPE = "aws.alarms"
GIB = 2**30
FACTS: dict[str, Any] = {"kind": "rds", "target": "db", "max_connections": 200, "allocated_storage": 20}


@pytest.mark.parametrize(
    ("facts", "word", "number", "metric", "line", "operator"),
    [
        (FACTS, "cpu", 90, "CPUUtilization", 90, ">="),
        (FACTS, "connections", 80, "DatabaseConnections", 160, ">="),
        (FACTS, "connections_count", 80, "DatabaseConnections", 80, ">="),
        (FACTS, "storage_free", 10, "FreeStorageSpace", 2 * GIB, "<="),
        ({**FACTS, "instance_class": "db.t3.small"}, "memory_free", 10, "FreeableMemory", 0.2 * GIB, "<="),
        (FACTS, "read_latency", 20, "ReadLatency", 0.02, ">="),
        ({"kind": "redis", "target": "c"}, "cpu", 90, "EngineCPUUtilization", 90, ">="),
        (
            {"kind": "redis", "target": "c", "instance_class": "cache.t3.micro"},
            "cpu", 90, "CPUUtilization", 45, ">=",
        ),
        (
            {"kind": "redis", "target": "c", "instance_class": "cache.r6g.xlarge"},
            "cpu", 90, "EngineCPUUtilization", 90, ">=",
        ),
        ({"kind": "redis", "target": "c"}, "evictions", 100, "Evictions", 100, ">="),
        ({"kind": "lambda", "target": "f"}, "duration", 250_000, "Duration", 250_000, ">="),
        ({"kind": "s3", "target": "b"}, "errors_4xx", 1, "4xxErrors", 0.01, ">="),
        ({"kind": "s3", "target": "b"}, "size", 100, "BucketSizeBytes", 100 * GIB, ">="),
    ],
)  # fmt: skip
def test_a_word_is_a_metric_in_its_own_unit_on_the_right_side_of_the_line(
    facts: dict[str, Any], word: str, number: float, metric: str, line: float, operator: str
) -> None:
    [alarm] = made("set", facts, {word: {"critical": number}}).values()
    assert alarm.metric == metric and alarm.threshold == pytest.approx(line)
    assert alarm.comparison_operator == f"{'Greater' if operator == '>=' else 'Less'}ThanOrEqualToThreshold"


def test_rates_are_maths_over_sums() -> None:
    [hits] = made("set", {"kind": "redis", "target": "c"}, {"hit_rate": {"critical": 50}}).values()
    [rate] = made("set", {"kind": "lambda", "target": "f"}, {"error_rate": {"critical": 10}}).values()
    assert hits.metrics and rate.metrics
    assert hits.metrics[0].expression == "100 * cacheHits / (cacheHits + cacheMisses)"
    assert hits.comparison_operator == "LessThanOrEqualToThreshold"
    assert rate.metrics[0].expression == "100 * errors / invocations"
    assert {line.statistic for line in (*hits.metrics, *rate.metrics)} == {None, "Sum"}


def test_what_can_grow_by_itself_is_watched_where_its_growth_ends() -> None:
    facts = {**FACTS, "max_allocated_storage": 100, "resource_id": "db-ABC"}
    assert "storage_ceiling" in str(alarm_words.against_autoscaling("rds", {"storage_free": {"critical": 10}}, 100))
    both = {"storage_free": {"critical": 10}, "storage_ceiling": {"critical": 90}}
    assert alarm_words.against_autoscaling("rds", both, 100) is None
    assert alarm_words.against_autoscaling("rds", {"storage_free": {"critical": 5}}, 100) is None
    alarm = made("set", facts, both)["set-storage-ceiling-critical"]
    assert alarm.metrics
    assert alarm.metrics[0].expression == (
        f"100 * DB_PERF_INSIGHTS('RDS', 'db-ABC', 'os.fileSys.total.avg') / {100 * GIB // 1024}"
    )
    assert alarm.threshold == 90


@pytest.mark.parametrize("kind", sorted(alarm_words.WORDS))
def test_every_word_makes_an_alarm_that_cloudwatch_takes(lone_world: World, kind: str) -> None:
    tree = {
        "kind": kind, "target": "thing", "max_connections": 100, "allocated_storage": 20, "instance_class": "db.t3.micro",
        "max_allocated_storage": 100, "resource_id": "db-ABC", "nodes": 2,
        "thresholds": {
            word: {"warning": 60 if word_.below else 20, "critical": 20 if word_.below else 60}
            for word, word_ in alarm_words.WORDS[kind].items()
        },
    }  # fmt: skip
    if kind == "redis":
        tree["instance_class"] = "cache.t3.micro"
    driver = lone_world.driver(TYPE)
    _, seen = lone_world.make(TYPE, "set", tree)
    assert differing(driver, lone_world.spec(TYPE, tree), seen) == set()
    each = 2 * (2 if kind == "redis" else 1)
    assert len(seen.outputs["names"]) == each * len(alarm_words.WORDS[kind])
    assert len(seen.outputs["critical"]) == len(seen.outputs["warning"])


TREE: dict[str, Any] = {**FACTS, "thresholds": {"cpu": {"warning": 70, "critical": 90}}}


def test_a_set_that_was_cut_off_while_it_was_made_is_read_as_incomplete_and_completed(lone_world: World) -> None:
    driver = lone_world.driver(TYPE)
    key, whole = lone_world.make(TYPE, "db", TREE)
    lone_world.session().client("cloudwatch").delete_alarms(AlarmNames=[f"{key.name}-cpu-critical"])
    spec = lone_world.spec(TYPE, TREE)
    assert driver.read(key).spec["thresholds"] == {"cpu": {"warning": 70.0}}
    driver.create(key, spec)
    assert driver.read(key).outputs == whole.outputs


def test_an_alarm_of_somebody_else_in_the_sets_names_is_never_overwritten(lone_world: World) -> None:
    driver = lone_world.driver(TYPE)
    key, spec = lone_world.key(TYPE, "db", TREE), lone_world.spec(TYPE, TREE)
    client = lone_world.session().client("cloudwatch")
    name = f"{key.name}-cpu-critical"
    plain = {"MetricName": "Other", "Namespace": "Own", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    client.put_metric_alarm(AlarmName=name, Threshold=1.0, ComparisonOperator="GreaterThanThreshold", **plain)
    try:
        with pytest.raises(AlreadyExistsError, match="nobody that we know") as refused:
            driver.create(key, spec)
        assert refused.value.nothing_done
        driver.delete(key)
        assert client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["MetricName"] == "Other"
    finally:
        client.delete_alarms(AlarmNames=[name])


def test_a_step_whose_name_begins_with_anothers_keeps_its_own_alarms(lone_world: World) -> None:
    driver = lone_world.driver(TYPE)
    short, _ = lone_world.make(TYPE, "db", TREE)
    lone_world.make(TYPE, "db-slow", {**TREE, "target": "slow"})
    assert len(driver.read(short).outputs["names"]) == 2
    assert {key.step for key in driver.search(short.deployment, short.region)} == {"db", "db-slow"}


def test_a_set_in_a_composite_alarm_is_kept_and_the_composite_is_named(lone_world: World) -> None:
    driver = lone_world.driver(TYPE)
    key, seen = lone_world.make(TYPE, "db", TREE)
    above, _ = lone_world.make("aws.composite_alarm", "any", {"any_of": seen.outputs["critical"]})
    with pytest.raises(InUseError):
        driver.delete(key)
    assert [holder.owner for holder in driver.holders(key)] == [above.owner]


def test_an_alarm_that_leaves_the_set_goes_once_the_composite_alarm_lets_it_go(lone_world: World) -> None:
    sets, composites = lone_world.driver(TYPE), lone_world.driver("aws.composite_alarm")
    both = {**TREE, "thresholds": {"cpu": {"critical": 90}, "read_latency": {"critical": 20}}}
    key, seen = lone_world.make(TYPE, "db", both)
    above, _ = lone_world.make("aws.composite_alarm", "any", {"any_of": seen.outputs["critical"]})
    one = lone_world.spec(TYPE, {**TREE, "thresholds": {"cpu": {"critical": 90}}})
    sets.update(key, one, ["thresholds"])
    now = sets.read(key)
    assert differing(sets, one, now) == set() and now.outputs["names"] == [f"{key.name}-cpu-critical"]
    client = lone_world.session().client("cloudwatch")
    leaving = {"AlarmNames": [f"{key.name}-read-latency-critical"]}
    assert [alarm["ActionsEnabled"] for alarm in client.describe_alarms(**leaving)["MetricAlarms"]] == [False]
    rule = lone_world.spec("aws.composite_alarm", {"any_of": now.outputs["critical"]})
    composites.update(above, rule, ["any_of"])
    assert client.describe_alarms(**leaving)["MetricAlarms"] == []


def test_an_alarm_that_comes_back_before_it_could_go_is_one_of_the_set_again(lone_world: World) -> None:
    sets = lone_world.driver(TYPE)
    both = {**TREE, "thresholds": {"cpu": {"critical": 90}, "read_latency": {"critical": 20}}}
    key, seen = lone_world.make(TYPE, "db", both)
    lone_world.make("aws.composite_alarm", "any", {"any_of": seen.outputs["critical"]})
    sets.update(key, lone_world.spec(TYPE, {**TREE, "thresholds": {"cpu": {"critical": 90}}}), ["thresholds"])
    sets.update(key, lone_world.spec(TYPE, both), ["thresholds"])
    assert differing(sets, lone_world.spec(TYPE, both), sets.read(key)) == set()
    assert sets.read(key).outputs == seen.outputs
