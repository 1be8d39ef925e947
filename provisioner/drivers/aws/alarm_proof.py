"""Whether an alarm would tell somebody: it is enabled, its topic has somebody who listens, its metric has data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from provisioner.drivers.aws.session import AwsSession
from provisioner.errors import NotFoundError
from provisioner.model import Key
from provisioner.proof import Proof, Standing

_LAST: Final = "last action"
Alarm = Mapping[str, Any]


def prove(session: AwsSession, key: Key, alarms: Sequence[Alarm]) -> list[Proof]:
    """What can be told of these alarms without touching them."""
    topics: dict[str, str] = {}
    metrics: dict[str, Any] = {}
    return [proof for alarm in alarms for proof in _of(session, key, alarm, topics, metrics)]


def _of(
    session: AwsSession, key: Key, alarm: Alarm, topics: dict[str, str], metrics: dict[str, Any]
) -> Iterator[Proof]:
    subject = f"alarm {alarm['AlarmName']}"
    told = [str(arn) for arn in alarm.get("AlarmActions") or ()]
    if alarm.get("ActionsEnabled") is False:
        yield Proof(Standing.FAILED, subject, "its actions are switched off", "actions_enabled: true")
    elif not told:
        yield Proof(Standing.FAILED, subject, "it tells nobody", "give it a topic")
    else:
        for arn in told:
            if arn not in topics:
                topics[arn] = _deaf(session, key, arn)
        deaf = [topics[arn] for arn in told if topics[arn]]
        if len(deaf) == len(told):
            hint = "confirm the letter that SNS sent, or subscribe somebody"
            yield Proof(Standing.FAILED, subject, "; ".join(deaf), hint)
        else:
            yield _data(session, key, alarm, metrics)


def _deaf(session: AwsSession, key: Key, arn: str) -> str:
    """Why nobody hears what the topic is told; empty where somebody does, or it is no topic."""
    if ":sns:" not in arn:
        return ""
    region = arn.split(":")[3]
    try:
        place = {"what": key.name, "region": region, "TopicArn": arn}
        listed = list(session.pages("sns", "list_subscriptions_by_topic", "Subscriptions", **place))
    except NotFoundError:
        return f"the topic {arn} is gone"
    if any(str(one["SubscriptionArn"]).startswith("arn:") for one in listed):
        return ""
    waiting = [str(one["Endpoint"]) for one in listed]
    return f"{arn} reaches nobody: " + (f"{', '.join(waiting)} has not confirmed" if waiting else "no subscription")


def _data(session: AwsSession, key: Key, alarm: Alarm, known: dict[str, Any]) -> Proof:
    subject, state = f"alarm {alarm['AlarmName']}", str(alarm.get("StateValue"))
    if alarm.get("AlarmRule"):
        return Proof(Standing.OK, subject, f"{state}; {alarm['AlarmRule']}")
    silent = [name for name, there in _metrics(session, key, alarm, known) if not there]
    if not silent:
        return Proof(Standing.OK, subject, state)
    told = f"no data yet of {', '.join(silent)}"
    if alarm.get("TreatMissingData") == "notBreaching":
        return Proof(Standing.OK, subject, f"{state}; {told}, which counts as well")
    hint = "a database reports minutes after it is made; S3 only with request metrics; counters only when used"
    return Proof(Standing.WARNING, subject, f"{state}; {told}", hint)


def _metrics(session: AwsSession, key: Key, alarm: Alarm, known: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Each metric of the alarm, and whether CloudWatch has had data of it within two weeks."""
    lines = [line["MetricStat"]["Metric"] for line in alarm.get("Metrics") or () if line.get("MetricStat")]
    for metric in lines or ([alarm] if alarm.get("MetricName") else []):
        place = sorted((str(one["Name"]), str(one["Value"])) for one in metric.get("Dimensions") or ())
        where = f"{metric['Namespace']} {place}"
        if where not in known:
            filters = [{"Name": name, "Value": value} for name, value in place]
            listed = session.pages(
                "cloudwatch", "list_metrics", "Metrics", what=key.name, region=key.region,
                Namespace=metric["Namespace"], Dimensions=filters,
            )  # fmt: skip
            known[where] = {str(one["MetricName"]) for one in listed if len(one.get("Dimensions") or ()) == len(place)}
        yield str(metric["MetricName"]), metric["MetricName"] in known[where]


def ring(session: AwsSession, key: Key, alarm: Alarm, reason: str) -> str:
    """Sets the alarm to ALARM, from another state, so that its actions run; CloudWatch sets it right by itself."""
    name = str(alarm["AlarmName"])
    session.memory(_LAST)[key.owner] = (name, len(_history(session, key, name)))
    for state in ("OK", "ALARM") if alarm.get("StateValue") == "ALARM" else ("ALARM",):
        place = {"what": name, "region": key.region, "AlarmName": name}
        session.call("cloudwatch", "set_alarm_state", StateValue=state, StateReason=reason, **place)
    return name


def heard(session: AwsSession, key: Key) -> list[Proof]:
    """What CloudWatch says that it did about the alarm that was rung last."""
    name, before = session.memory(_LAST)[key.owner]
    items = _history(session, key, name)
    told = [str(item["HistorySummary"]) for item in items[: len(items) - before]]
    return [
        Proof(Standing.OK if said.startswith("Successfully") else Standing.FAILED, f"alarm {name}", said)
        for said in told
    ]


def _history(session: AwsSession, key: Key, name: str) -> list[Mapping[str, Any]]:
    """The alarm's actions, newest first."""
    place: dict[str, Any] = {
        "what": name,
        "region": key.region,
        "AlarmName": name,
        "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
    }
    how = {"HistoryItemType": "Action", "ScanBy": "TimestampDescending"}
    return list(session.pages("cloudwatch", "describe_alarm_history", "AlarmHistoryItems", **place, **how))
