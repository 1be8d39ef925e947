"""Alarms of CloudWatch: refused where they could never fire, updated without losing state or tags, told in pages."""

from __future__ import annotations

import urllib.error
import urllib.request
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.sandbox.aws.conftest import Aws, refused

OWNED = [{"Key": "provisioner:owner", "Value": "deployment/step"}]
_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=sandbox/20260101/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0"
)


def _wish(name: str = "busy", **extra: Any) -> dict[str, Any]:
    wish = {
        "AlarmName": name,
        "Namespace": "AWS/RDS",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "db"}],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 90.0,
        "ComparisonOperator": "GreaterThanThreshold",
    } | extra
    return {key: value for key, value in wish.items() if value is not None}


def _alarm(aws: Aws, name: str = "busy") -> dict[str, Any]:
    found: dict[str, Any] = aws.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    return found


def _tags(aws: Aws, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in aws.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]}


def test_an_alarm_is_told_as_it_was_asked_for_and_has_no_data_yet(aws: Aws) -> None:
    wish = _wish(AlarmDescription="d", OKActions=["arn:aws:sns:us-east-1:123456789012:t"], TreatMissingData="breaching")
    aws.cloudwatch.put_metric_alarm(**wish, Tags=OWNED)
    found = _alarm(aws)
    assert {name: found[name] for name in wish} == wish
    assert (found["StateValue"], found["ActionsEnabled"]) == ("INSUFFICIENT_DATA", True)
    assert _tags(aws, found["AlarmArn"]) == {"provisioner:owner": "deployment/step"}
    (item,) = aws.admin("GET", "inventory")["objects"]
    assert (item["type"], item["name"], item["owner"]) == ("alarm", "busy", "deployment/step")


def test_an_alarm_on_maths_is_told_with_its_queries(aws: Aws) -> None:
    metric = {"Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "a", "Value": "b"}]}
    queries = [
        {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "p90"}, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 * 2", "Label": "twice", "ReturnData": True},
    ]
    plain: dict[str, Any] = dict.fromkeys(("MetricName", "Namespace", "Dimensions", "Statistic", "Period"))
    aws.cloudwatch.put_metric_alarm(**_wish(Metrics=queries, **plain))
    assert _alarm(aws)["Metrics"] == queries


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"AlarmName": "n" * 256}, "ValidationError"),
        ({"Period": 45}, "ValidationError"),
        ({"Period": 0}, "ValidationError"),
        ({"Period": None}, "ValidationError"),
        ({"Period": 300, "EvaluationPeriods": 289}, "ValidationError"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "ValidationError"),
        ({"DatapointsToAlarm": 4}, "ValidationError"),
        ({"EvaluationPeriods": None}, "ValidationError"),
        ({"Threshold": None}, "ValidationError"),
        ({"Period": "60"}, "SerializationException"),
        ({"ComparisonOperator": "Above"}, "ValidationError"),
        ({"Statistic": "Median"}, "ValidationError"),
        ({"Statistic": None}, "InvalidParameterCombination"),
        ({"ExtendedStatistic": "p90"}, "InvalidParameterCombination"),
        ({"Statistic": None, "ExtendedStatistic": "p101"}, "ValidationError"),
        ({"MetricName": None}, "InvalidParameterCombination"),
        ({"Metrics": [{"Id": "e", "Expression": "1"}]}, "InvalidParameterCombination"),
        ({"MetricName": None, "Metrics": [{"Id": "e", "Expression": "1"}]}, "InvalidParameterCombination"),
        ({"TreatMissingData": "shrug"}, "ValidationError"),
        ({"Unit": "Parsecs"}, "ValidationError"),
        ({"AlarmActions": ["not an arn"]}, "ValidationError"),
        ({"AlarmActions": ["arn:aws:sns:us-east-1:123456789012:t"] * 6}, "ValidationError"),
        ({"Dimensions": [{"Name": "a", "Value": "b"}] * 2}, "ValidationError"),
        ({"Namespace": ":odd"}, "ValidationError"),
        ({"Tags": [{"Key": "aws:mine", "Value": ""}]}, "InvalidParameterValue"),
    ],
)
def test_an_alarm_that_the_cloud_would_not_take_is_refused(aws: Aws, change: dict[str, Any], code: str) -> None:
    assert refused(lambda: aws.cloudwatch.put_metric_alarm(**_wish(**change))) == code


def test_an_update_replaces_the_configuration_and_leaves_state_and_tags(aws: Aws) -> None:
    aws.cloudwatch.put_metric_alarm(**_wish(AlarmDescription="d"), Tags=OWNED)
    aws.cloudwatch.set_alarm_state(AlarmName="busy", StateValue="ALARM", StateReason="hot")
    aws.cloudwatch.put_metric_alarm(**_wish(Threshold=70.0), Tags=[{"Key": "other", "Value": "ignored"}])
    found = _alarm(aws)
    assert (found["Threshold"], found["StateValue"], found.get("AlarmDescription")) == (70.0, "ALARM", None)
    assert _tags(aws, found["AlarmArn"]) == {"provisioner:owner": "deployment/step"}


def test_tags_are_added_and_taken_by_key_and_only_of_what_there_is(aws: Aws) -> None:
    aws.cloudwatch.put_metric_alarm(**_wish(), Tags=OWNED)
    arn = _alarm(aws)["AlarmArn"]
    aws.cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "team", "Value": "data"}])
    aws.cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["provisioner:owner"])
    assert _tags(aws, arn) == {"team": "data"}
    wishes: dict[str, dict[str, Any]] = {
        "list_tags_for_resource": {}, "tag_resource": {"Tags": OWNED}, "untag_resource": {"TagKeys": ["a"]},
    }  # fmt: skip
    for call, wish in wishes.items():
        absent = partial(getattr(aws.cloudwatch, call), ResourceARN=f"{arn}-not", **wish)
        assert refused(absent) == "ResourceNotFoundException"


def test_a_deleted_alarm_takes_its_tags_along_and_one_that_is_not_there_is_told(aws: Aws) -> None:
    aws.cloudwatch.put_metric_alarm(**_wish(), Tags=OWNED)
    assert refused(lambda: aws.cloudwatch.delete_alarms(AlarmNames=["busy", "none"])) == "ResourceNotFound"
    assert aws.cloudwatch.describe_alarms()["MetricAlarms"] == []
    aws.cloudwatch.put_metric_alarm(**_wish())
    assert _tags(aws, _alarm(aws)["AlarmArn"]) == {}
    aws.cloudwatch.delete_alarms(AlarmNames=["busy"])
    assert aws.admin("GET", "inventory")["objects"] == []


def test_alarms_come_in_pages_of_fifty_by_name(aws: Aws) -> None:
    names = [f"alarm-{number:03}" for number in range(120)]
    for name in reversed(names):
        aws.cloudwatch.put_metric_alarm(**_wish(name))
    first = aws.cloudwatch.describe_alarms()
    assert [alarm["AlarmName"] for alarm in first["MetricAlarms"]] == names[:50]
    pages = aws.cloudwatch.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 100})
    assert [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]] == names
    assert refused(lambda: aws.cloudwatch.describe_alarms(MaxRecords=101)) == "ValidationError"
    assert refused(lambda: aws.cloudwatch.describe_alarms(NextToken="x")) == "InvalidNextToken"
    some = aws.cloudwatch.describe_alarms(AlarmNamePrefix="alarm-01", StateValue="INSUFFICIENT_DATA")
    assert len(some["MetricAlarms"]) == 10
    both: dict[str, Any] = {"AlarmNamePrefix": "a", "AlarmNames": ["b"]}
    assert refused(lambda: aws.cloudwatch.describe_alarms(**both)) == "InvalidParameterCombination"


def _form(aws: Aws, **form: str) -> str:
    """A call in the query protocol, which older SDKs speak."""
    request = urllib.request.Request(
        aws.sandbox.aws.url,
        data=urlencode({"Version": "2010-08-01", **form}).encode(),
        headers={"Authorization": _SIGNED, "Content-Type": "application/x-www-form-urlencoded"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def test_alarms_are_made_and_told_in_the_query_protocol_too(aws: Aws) -> None:
    plain = {key: str(value) for key, value in _wish().items() if key != "Dimensions"}
    dimension = {"Dimensions.member.1.Name": "DBInstanceIdentifier", "Dimensions.member.1.Value": "db"}
    tag = {"Tags.member.1.Key": "team", "Tags.member.1.Value": "data"}
    _form(aws, Action="PutMetricAlarm", **plain, **dimension, **tag)
    said = _form(aws, Action="DescribeAlarms", **{"AlarmNames.member.1": "busy"})
    assert "<AlarmName>busy</AlarmName>" in said
    assert "<Threshold>90.0</Threshold>" in said
    found = _alarm(aws)
    assert (found["Threshold"], found["Dimensions"]) == (90.0, _wish()["Dimensions"])
    assert _tags(aws, found["AlarmArn"]) == {"team": "data"}
    with pytest.raises(urllib.error.HTTPError) as caught:
        _form(aws, Action="PutMetricAlarm", **plain | {"Period": "45"})
    with caught.value as said_no:
        assert "<Code>ValidationError</Code>" in said_no.read().decode()
