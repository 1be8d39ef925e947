"""Alarms that ring: data in, state, notification out; nothing waits for a clock."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from provisioner.sandbox.aws.alarmwatch import _decided
from tests.sandbox.aws.conftest import Aws, refused

NOW = time.time() // 60 * 60
PLACE = [{"Name": "DBInstanceIdentifier", "Value": "db"}]


@pytest.fixture(autouse=True)
def noon(aws: Aws) -> Iterator[None]:
    """The sandbox's day stands still half a minute after ``NOW``, however long a test takes."""
    world = aws.sandbox.world
    before, world.today = world.today, lambda: datetime.fromtimestamp(NOW + 30, UTC)
    yield
    world.today = before


def _topic(aws: Aws, name: str = "alerts", *, confirmed: bool = True) -> str:
    arn = str(aws.sns.create_topic(Name=name)["TopicArn"])
    aws.sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="ops@example.com")
    if confirmed:
        assert aws.admin("POST", "confirm", {"endpoint": "ops@example.com"}) == {"confirmed": 1}
        aws.admin("DELETE", "inbox")
    return arn


def _alarm(aws: Aws, name: str = "busy", **extra: Any) -> None:
    wish = {
        "AlarmName": name, "Namespace": "AWS/RDS", "MetricName": "CPUUtilization", "Dimensions": PLACE,
        "Statistic": "Average", "Period": 60, "EvaluationPeriods": 3, "Threshold": 90.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    } | extra  # fmt: skip
    aws.cloudwatch.put_metric_alarm(**{key: value for key, value in wish.items() if value is not None})


def _data(aws: Aws, *values: float | None, metric: str = "CPUUtilization", end: float = NOW, **extra: Any) -> None:
    """One value a minute, the last one in the minute of ``end``; None is no value."""
    points = [
        {"MetricName": metric, "Dimensions": PLACE, "Value": value, "Timestamp": end - 60 * back, **extra}
        for back, value in enumerate(reversed(values))
        if value is not None
    ]
    aws.cloudwatch.put_metric_data(Namespace="AWS/RDS", MetricData=points)


def _state(aws: Aws, name: str = "busy") -> str:
    found = aws.cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return str([*found["MetricAlarms"], *found["CompositeAlarms"]][0]["StateValue"])


def _letters(aws: Aws) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.admin("GET", "inbox")["letters"]
    return found


def test_data_over_the_line_rings_and_whoever_confirmed_reads_it_and_what_ends_it_too(aws: Aws) -> None:
    topic = _topic(aws)
    _alarm(aws, AlarmActions=[topic], OKActions=[topic], AlarmDescription="call somebody")
    assert (_state(aws), _letters(aws)) == ("INSUFFICIENT_DATA", [])
    _data(aws, 95, 96, 97)
    assert _state(aws) == "ALARM"
    rang = _letters(aws)[-1]
    assert (rang["endpoint"], rang["kind"], rang["subject"]) == (
        "ops@example.com", "notification", 'ALARM: "busy" in us-east-1',
    )  # fmt: skip
    message = json.loads(rang["message"])
    assert (message["NewStateValue"], message["AlarmDescription"]) == ("ALARM", "call somebody")
    assert message["Trigger"]["Threshold"] == 90.0 and "95" in message["NewStateReason"]
    _data(aws, 10, end=NOW)
    assert _state(aws) == "OK"
    assert [json.loads(one["message"])["NewStateValue"] for one in _letters(aws)[-2:]] == ["ALARM", "OK"]


def test_a_mail_address_hears_nothing_until_it_follows_the_link_in_its_letter(aws: Aws) -> None:
    topic = _topic(aws, confirmed=False)
    aws.sns.publish(TopicArn=topic, Message="lost")
    [asked] = _letters(aws)
    assert asked["kind"] == "confirmation" and asked["link"] in asked["message"]
    with urllib.request.urlopen(asked["link"], timeout=10) as answer:
        assert topic in answer.read().decode()
    [listed] = aws.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"].startswith(topic)
    aws.sns.publish(TopicArn=topic, Message="heard", Subject="hello")
    assert [(one["kind"], one["subject"], one["message"]) for one in _letters(aws)[1:]] == [
        ("notification", "hello", "heard")
    ]
    assert "confirmation_token" not in str(
        aws.sns.get_subscription_attributes(SubscriptionArn=listed["SubscriptionArn"])
    )


def test_a_wrong_token_confirms_nothing(aws: Aws) -> None:
    topic = _topic(aws, confirmed=False)
    assert refused(lambda: aws.sns.confirm_subscription(TopicArn=topic, Token="0" * 32)) == "InvalidParameter"
    assert aws.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["SubscriptionArn"] != topic


class _Of:
    """What the decision reads of an alarm."""

    comparison_operator = "GreaterThanThreshold"
    threshold = 1.0

    def __init__(self, needed: int, treat: str) -> None:
        self.evaluation_periods, self.datapoints_to_alarm, self.treat_missing_data = 3, needed, treat


@pytest.mark.parametrize(
    ("needed", "points", "missing", "ignore", "breaching", "not_breaching"),
    [  # CloudWatch's guide, "Configuring how CloudWatch alarms treat missing data"
        (3, "0-X-X", "OK", "OK", "OK", "OK"),
        (3, "0----", "OK", "OK", "OK", "OK"),
        (3, "-----", "INSUFFICIENT_DATA", "", "ALARM", "OK"),
        (3, "0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (3, "--X--", "ALARM", "", "ALARM", "OK"),
        (2, "0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (2, "00X0X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (2, "0-X--", "OK", "OK", "ALARM", "OK"),
        (2, "----0", "OK", "OK", "ALARM", "OK"),
        (2, "---X-", "ALARM", "", "ALARM", "OK"),
    ],
)
def test_missing_data_counts_as_in_the_tables_of_cloudwatchs_guide(
    needed: int, points: str, missing: str, ignore: str, breaching: str, not_breaching: str
) -> None:
    real = [(60 * place, 2.0 if point == "X" else 0.0) for place, point in enumerate(points) if point != "-"]
    wanted = {"missing": missing, "ignore": ignore, "breaching": breaching, "notBreaching": not_breaching}
    told = {treat: _decided(_Of(needed, treat), real) for treat in wanted}
    assert {treat: state[0] if state else "" for treat, state in told.items()} == wanted


def test_low_is_bad_where_the_operator_says_so_and_units_and_dimensions_must_fit(aws: Aws) -> None:
    low = {"ComparisonOperator": "LessThanThreshold", "MetricName": "FreeStorageSpace", "Threshold": 100.0}
    _alarm(aws, "full", **low, EvaluationPeriods=1, Unit="Bytes")
    _data(aws, 50, metric="FreeStorageSpace", Unit="Gigabytes")
    _data(aws, 50, metric="FreeStorageSpace", Unit="Bytes", Dimensions=[{"Name": "DBInstanceIdentifier", "Value": "x"}])
    assert _state(aws, "full") == "INSUFFICIENT_DATA"
    _data(aws, 50, metric="FreeStorageSpace", Unit="Bytes")
    assert _state(aws, "full") == "ALARM"


def test_an_error_rate_by_maths_rings_and_no_calls_at_all_do_not(aws: Aws) -> None:
    def line(ident: str, name: str) -> dict[str, Any]:
        metric = {"Namespace": "AWS/RDS", "MetricName": name, "Dimensions": PLACE}
        return {"Id": ident, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False}

    rate = {"Id": "rate", "Expression": "100 * errors / calls", "ReturnData": True}
    plain: dict[str, Any] = {
        "Namespace": None,
        "MetricName": None,
        "Dimensions": None,
        "Statistic": None,
        "Period": None,
    }
    _alarm(
        aws, **plain, Metrics=[rate, line("errors", "Errors"), line("calls", "Invocations")], EvaluationPeriods=1,
        Threshold=10.0, TreatMissingData="notBreaching",
    )  # fmt: skip
    _data(aws, 0, metric="Errors")
    _data(aws, 0, metric="Invocations")
    assert aws.admin("POST", "alarms", {"at": NOW}) == {"changed": 1}
    assert _state(aws) == "OK"
    _data(aws, 40, metric="Invocations")
    _data(aws, 5, metric="Errors")
    assert _state(aws) == "ALARM"


def test_a_composite_alarm_follows_the_others_and_is_silent_while_its_suppressor_rings(aws: Aws) -> None:
    topic = _topic(aws)
    _alarm(aws, "cpu", EvaluationPeriods=1)
    _alarm(aws, "disk", EvaluationPeriods=1, MetricName="DiskQueueDepth")
    both = {"AlarmRule": 'ALARM("cpu") AND NOT OK("disk")', "AlarmActions": [topic]}
    waits = {"ActionsSuppressorWaitPeriod": 1, "ActionsSuppressorExtensionPeriod": 1}
    aws.cloudwatch.put_composite_alarm(AlarmName="loud", **both)
    aws.cloudwatch.put_composite_alarm(AlarmName="quiet", **both, ActionsSuppressor="disk", **waits)
    _data(aws, 95, metric="DiskQueueDepth")
    assert (_state(aws, "loud"), _letters(aws)) == ("OK", [])
    _data(aws, 95)
    assert (_state(aws, "loud"), _state(aws, "quiet")) == ("ALARM", "ALARM")
    assert [one["subject"] for one in _letters(aws)] == ['ALARM: "loud" in us-east-1']
    assert refused(lambda: aws.cloudwatch.delete_alarms(AlarmNames=["cpu"])) == "ValidationError"
    assert refused(lambda: aws.cloudwatch.delete_alarms(AlarmNames=["loud", "quiet"])) == "ValidationError"
    for name in ("loud", "quiet"):
        aws.cloudwatch.delete_alarms(AlarmNames=[name])
    aws.cloudwatch.delete_alarms(AlarmNames=["cpu", "disk"])
    assert aws.cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])["CompositeAlarms"] == []


def test_what_goes_silent_is_noticed_when_time_has_passed(aws: Aws) -> None:
    topic = _topic(aws)
    _alarm(aws, InsufficientDataActions=[topic], EvaluationPeriods=1)
    _data(aws, 5)
    assert _state(aws) == "OK"
    assert aws.admin("POST", "alarms", {"at": NOW + 60}) == {"changed": 0}
    assert aws.admin("POST", "alarms", {"at": NOW + 600}) == {"changed": 1}
    assert _letters(aws)[-1]["subject"].startswith("INSUFFICIENT_DATA")


def test_an_alarm_that_is_tried_tells_its_topic_and_the_history_says_so(aws: Aws) -> None:
    topic = _topic(aws)
    _alarm(aws, AlarmActions=[topic])
    aws.cloudwatch.set_alarm_state(AlarmName="busy", StateValue="ALARM", StateReason="a try")
    assert json.loads(_letters(aws)[0]["message"])["NewStateReason"] == "a try"
    told = aws.cloudwatch.describe_alarm_history(AlarmName="busy", HistoryItemType="Action")["AlarmHistoryItems"]
    assert [one["HistorySummary"] for one in told] == [f"Successfully executed action {topic}"]
    nothing = lambda: aws.cloudwatch.set_alarm_state(AlarmName="no", StateValue="OK", StateReason="")  # noqa: E731
    assert refused(nothing) == "ResourceNotFound"


def test_an_alarm_without_actions_enabled_changes_its_state_and_tells_nobody(aws: Aws) -> None:
    topic = _topic(aws)
    _alarm(aws, AlarmActions=[topic], ActionsEnabled=False, EvaluationPeriods=1)
    _data(aws, 95)
    assert (_state(aws), _letters(aws)) == ("ALARM", [])


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("ALARM(nobody)", "ValidationError"),
        ("ALARM(busy) AND", "ValidationError"),
        ("(ALARM(busy)", "ValidationError"),
        ("ALARM(busy) XOR OK(busy)", "ValidationError"),
    ],
)
def test_a_rule_that_could_never_be_evaluated_is_refused(aws: Aws, rule: str, code: str) -> None:
    _alarm(aws)
    assert refused(lambda: aws.cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule=rule)) == code


@pytest.mark.parametrize(
    "widget",
    [
        {"type": "metric", "properties": {"metrics": [["AWS/RDS", "CPUUtilization"]]}},
        {"type": "metric", "properties": {"region": "us-east-1"}},
        {"type": "metric", "properties": {"region": "us-east-1", "metrics": [["AWS/RDS"]]}},
        {"type": "text", "properties": {}},
        {"type": "alarm", "properties": {"alarms": []}},
        {"type": "graph", "properties": {}},
        {"type": "text", "width": 25, "properties": {"markdown": "x"}},
    ],
)
def test_a_dashboard_that_would_show_nothing_is_refused(aws: Aws, widget: dict[str, Any]) -> None:
    body = json.dumps({"widgets": [widget]})
    put = aws.cloudwatch.put_dashboard
    assert refused(lambda: put(DashboardName="d", DashboardBody=body)) == "InvalidParameterInput"


def test_a_dashboard_with_an_odd_body_is_saved_and_complained_about(aws: Aws) -> None:
    body = json.dumps({"widgets": [], "colour": "red"})
    told = aws.cloudwatch.put_dashboard(DashboardName="d", DashboardBody=body)["DashboardValidationMessages"]
    assert [one["DataPath"] for one in told] == ["/colour"]
    assert aws.client("cloudwatch", "eu-west-1").get_dashboard(DashboardName="d")["DashboardBody"] == body
    assert refused(lambda: aws.cloudwatch.delete_dashboards(DashboardNames=["d", "e"])) == "ResourceNotFound"
    assert aws.cloudwatch.list_dashboards()["DashboardEntries"] == []


def test_a_budget_takes_five_notifications_and_none_without_somebody_to_tell(aws: Aws) -> None:
    account, ops = "123456789012", [{"SubscriptionType": "EMAIL", "Address": "ops@example.com"}]

    def one(threshold: float) -> dict[str, Any]:
        return {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": threshold}

    limit = {"Amount": "50", "Unit": "USD"}
    budget = {"BudgetName": "b", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit}
    told = [{"Notification": one(10.0 * n + 10), "Subscribers": ops} for n in range(6)]

    def create(notifications: list[dict[str, Any]]) -> None:
        aws.budgets.create_budget(AccountId=account, Budget=budget, NotificationsWithSubscribers=notifications)

    assert refused(lambda: create(told)) == "CreationLimitExceededException"
    assert refused(lambda: create([told[0], told[0]])) == "DuplicateRecordException"
    create(told[:5])
    assert refused(lambda: create([])) == "DuplicateRecordException"
    place = {"AccountId": account, "BudgetName": "b"}
    more = {**place, "Notification": one(99.0), "Subscribers": ops}
    assert refused(lambda: aws.budgets.create_notification(**more)) == "CreationLimitExceededException"
    last = {**place, "Notification": one(10.0), "Subscriber": ops[0]}
    assert refused(lambda: aws.budgets.delete_subscriber(**last)) == "InvalidParameterException"
    aws.budgets.delete_budget(**place)
    assert refused(lambda: aws.budgets.describe_budget(**place)) == "NotFoundException"
