"""CloudWatch alarms: one call that makes and overwrites, so what it must not overwrite."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from provisioner import spec as specs
from provisioner.drivers.aws import alarm_maths
from provisioner.errors import AlreadyExistsError, InUseError, NotFoundError
from provisioner.sandbox import supervisor
from tests.contract.world import World, differing

TYPE = "aws.cloudwatch_alarm"
ALARM: dict[str, Any] = {
    "namespace": "AWS/RDS",
    "metric": "CPUUtilization",
    "statistic": "Average",
    "threshold": 80,
    "comparison_operator": "GreaterThanThreshold",
}


def _boto(world: World) -> Any:
    return world.session().client("cloudwatch")


def _requests(sandbox: Path) -> list[str]:
    found = supervisor.admin(sandbox, "GET", "/_sandbox/requests")["requests"]
    return [request["operation"] for request in found]


@pytest.fixture
def sandbox(lone_world: World) -> Path:
    """Where it is; its log is empty, and the session has asked who it is."""
    lone_world.session().caller()
    found = Path(os.environ["PROVISIONER_ENDPOINTS"]).parent
    supervisor.admin(found, "DELETE", "/_sandbox/requests")
    return found


def test_an_alarm_of_somebody_else_is_never_overwritten(lone_world: World) -> None:
    driver = lone_world.driver(TYPE)
    key, spec = lone_world.key(TYPE, "busy", ALARM), lone_world.spec(TYPE, ALARM)
    client = _boto(lone_world)
    plain = {"MetricName": "Other", "Namespace": "Own", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    client.put_metric_alarm(AlarmName=key.name, Threshold=1.0, ComparisonOperator="GreaterThanThreshold", **plain)
    try:
        with pytest.raises(AlreadyExistsError, match="nobody that we know") as refused:
            driver.create(key, spec)
        assert refused.value.nothing_done
        assert client.describe_alarms(AlarmNames=[key.name])["MetricAlarms"][0]["MetricName"] == "Other"
    finally:
        client.delete_alarms(AlarmNames=[key.name])


def test_what_a_look_did_not_find_is_made_with_one_call_and_looked_for_again_after_that(
    lone_world: World, sandbox: Path
) -> None:
    driver = lone_world.driver(TYPE)
    key, spec = lone_world.key(TYPE, "busy", ALARM), lone_world.spec(TYPE, ALARM)
    lone_world.watch(driver, key)
    assert driver.read(key) is None
    driver.create(key, spec)
    assert _requests(sandbox) == ["DescribeAlarms", "PutMetricAlarm"]
    driver.create(key, spec)  # no look since: it asks whose it is first
    assert _requests(sandbox)[2:] == ["DescribeAlarms", "ListTagsForResource", "PutMetricAlarm"]


def test_the_first_look_at_a_new_alarm_is_one_call_and_the_next_asks_for_its_tags(
    lone_world: World, sandbox: Path
) -> None:
    driver = lone_world.driver(TYPE)
    key, spec = lone_world.key(TYPE, "busy", ALARM), lone_world.spec(TYPE, ALARM)
    lone_world.watch(driver, key)
    driver.create(key, spec)
    supervisor.admin(sandbox, "DELETE", "/_sandbox/requests")
    assert driver.read(key).owner == key.owner
    assert _requests(sandbox) == ["DescribeAlarms"]
    assert driver.read(key).owner == key.owner
    assert _requests(sandbox)[1:] == ["DescribeAlarms", "ListTagsForResource"]


def test_a_hundred_alarms_take_one_call_and_more_take_two(lone_world: World, sandbox: Path) -> None:
    driver = lone_world.driver(TYPE)
    key = lone_world.key(TYPE, "busy", ALARM)
    many = [msgspec.structs.replace(key, step=f"s{n}", name=f"{key.name}-{n}") for n in range(101)]
    assert driver.read_many(many[:100]) == {}
    assert _requests(sandbox) == ["DescribeAlarms"]
    assert driver.read_many(many) == {}
    assert _requests(sandbox) == ["DescribeAlarms"] * 3


def test_an_update_keeps_what_no_plan_manages(lone_world: World) -> None:
    driver = lone_world.driver(TYPE)
    tree = {**ALARM, "statistic": None, "extended_statistic": "p99", "evaluation_periods": 3, "datapoints_to_alarm": 2}
    key, _ = lone_world.make(TYPE, "slow", tree)
    client = _boto(lone_world)
    [now] = client.describe_alarms(AlarmNames=[key.name])["MetricAlarms"]
    keep = ("AlarmName", "MetricName", "Namespace", "ExtendedStatistic", "Period", "EvaluationPeriods", "Threshold")
    more = {"ComparisonOperator": now["ComparisonOperator"], "EvaluateLowSampleCountPercentile": "ignore"}
    client.put_metric_alarm(**{name: now[name] for name in keep}, DatapointsToAlarm=2, **more)
    driver.update(key, lone_world.spec(TYPE, {**tree, "threshold": 95}), ["threshold"])
    [after] = client.describe_alarms(AlarmNames=[key.name])["MetricAlarms"]
    assert (after["Threshold"], after["EvaluateLowSampleCountPercentile"]) == (95.0, "ignore")
    assert (after["ExtendedStatistic"], after["DatapointsToAlarm"]) == ("p99", 2)


def test_one_kind_of_statistic_takes_the_place_of_the_other(lone_world: World) -> None:
    driver = lone_world.driver(TYPE)
    key, _ = lone_world.make(TYPE, "slow", ALARM)
    other = lone_world.spec(TYPE, {**ALARM, "statistic": None, "extended_statistic": "p90"})
    driver.update(key, other, ["extended_statistic"])
    seen = driver.read(key)
    assert differing(driver, other, seen) == set() and seen.spec["statistic"] is None
    driver.update(key, lone_world.spec(TYPE, ALARM), ["statistic"])
    assert driver.read(key).spec["extended_statistic"] is None


def test_fewer_periods_do_not_trip_over_the_datapoints_that_the_plan_leaves_open(lone_world: World) -> None:
    driver = lone_world.driver(TYPE)
    key, _ = lone_world.make(TYPE, "slow", {**ALARM, "evaluation_periods": 5, "datapoints_to_alarm": 4})
    fewer = lone_world.spec(TYPE, {**ALARM, "evaluation_periods": 2})
    driver.update(key, fewer, ["evaluation_periods"])
    assert driver.read(key).spec["evaluation_periods"] == specs.fields(fewer)["evaluation_periods"] == 2


MATHS: dict[str, Any] = {
    "metrics": [
        {"id": "rate", "expression": "100 * errors / calls", "label": "error rate", "return_data": True},
        {"id": "errors", "namespace": "AWS/Lambda", "metric": "Errors", "statistic": "Sum", "period": 60},
        {
            "id": "calls", "namespace": "AWS/Lambda", "metric": "Invocations", "statistic": "Sum", "period": 60,
            "dimensions": {"FunctionName": "export"}, "unit": "Count",
        },
    ],
    "evaluation_periods": 3,
    "threshold": 5,
    "comparison_operator": "GreaterThanOrEqualToThreshold",
}  # fmt: skip


def test_an_alarm_on_an_expression_is_read_as_it_was_asked_for_and_becomes_one_on_a_metric_and_back(
    lone_world: World,
) -> None:
    driver = lone_world.driver(TYPE)
    maths, plain = lone_world.spec(TYPE, MATHS), lone_world.spec(TYPE, ALARM)
    key, seen = lone_world.make(TYPE, "rate", MATHS)
    assert differing(driver, maths, seen) == set() and seen.spec["metric"] is None
    louder = lone_world.spec(TYPE, {**MATHS, "threshold": 10})
    driver.update(key, louder, ["threshold"])
    assert differing(driver, louder, driver.read(key)) == set()
    assert differing(driver, plain, driver.read(key)) >= {"namespace", "metric", "statistic"}
    driver.update(key, plain, ["namespace", "metric", "statistic", "threshold"])
    assert differing(driver, plain, driver.read(key)) == set() and driver.read(key).spec["metrics"] is None
    driver.update(key, maths, ["metrics"])
    assert differing(driver, maths, driver.read(key)) == set()


@pytest.mark.parametrize(
    "lines",
    [
        [{"id": "rate", "expression": "100 * errors", "return_data": True}],
        [{"id": "rate", "expression": "1 + 1", "return_data": False}],
        [{"id": "rate", "expression": "1", "return_data": True}, {"id": "rate", "expression": "2"}],
        [{"id": "cpu", "namespace": "AWS/RDS", "metric": "CPUUtilization", "return_data": True}],
        [{"id": "rate", "expression": "1", "metric": "CPUUtilization", "return_data": True}],
    ],
)
def test_maths_that_cloudwatch_would_refuse_is_refused_before(lines: list[dict[str, Any]]) -> None:
    assert alarm_maths.complaint(lines)


def test_an_alarm_that_a_composite_one_needs_is_kept_and_the_composite_is_named(lone_world: World) -> None:
    driver = lone_world.driver(TYPE)
    key, _ = lone_world.make(TYPE, "busy", ALARM)
    above, _ = lone_world.make("aws.composite_alarm", "any", {"any_of": [key.name]})
    with pytest.raises(InUseError):
        driver.delete(key)
    [holder] = driver.holders(key)
    assert (above.name in holder.what, holder.owner) == (True, above.owner)


def test_an_update_of_an_alarm_that_is_gone_says_so(lone_world: World) -> None:
    driver, key = lone_world.driver(TYPE), lone_world.key(TYPE, "busy", ALARM)
    with pytest.raises(NotFoundError, match="gone"):
        driver.update(key, lone_world.spec(TYPE, ALARM))
