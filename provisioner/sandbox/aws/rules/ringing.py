"""CloudWatch: data comes in, alarms ring, topics are told; and the history that says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws import alarmwatch
from provisioner.sandbox.aws.alarmwatch import Change
from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.delivery import publish
from provisioner.sandbox.aws.rules import cloudwatch, composite
from provisioner.sandbox.aws.rules.alarmstore import SERVICE, backend_of
from provisioner.sandbox.aws.wire import answer, parameters
from provisioner.sandbox.settings import ACCOUNT

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_PAGE: Final = 100


def look(services: Services, region: str, *, at: datetime | None = None, force: bool = False, metric: str = "") -> int:
    """Evaluate a region's alarms and tell whoever is to be told; how many changed their state."""
    with services.world.moto.lock(SERVICE):
        backend = services.world.moto.backend(SERVICE, region)
        moment = at or services.world.wall()
        changes = list(alarmwatch.evaluate_all(backend, moment, force=force, metric=metric))
        told = _noted(backend, changes)
    _tell(services, told)
    return len(changes)


def look_everywhere(services: Services, at: datetime | None, *, force: bool) -> int:
    """The same in every region that has alarms."""
    return sum(look(services, region, at=at, force=force) for region in services.world.moto.regions(SERVICE))


Told = list[tuple[str, str, str]]


def _noted(backend: Any, changes: Iterable[Change]) -> Told:
    """(ARN, subject, message) of everything that is to be told, and a line of history for each. The lock is held."""
    told: Told = []
    for change in changes:
        subject, message = alarmwatch.letter(change, backend.region_name, ACCOUNT)
        summary = f"Alarm updated from {change.before} to {change.alarm.state_value}"
        _remember(change, "StateUpdate", summary, {"newState": {"stateReason": change.alarm.state_reason}})
        for action in alarmwatch.actions(change, backend):
            done = f"Successfully executed action {action}"
            if not action.startswith("arn:aws:sns:"):
                done = f"Failed to execute action {action}: the sandbox tells topics alone"
            _remember(change, "Action", done, {"notificationResource": action})
            told.append((action, subject, message))
    return told


def _remember(change: Change, kind: str, summary: str, data: dict[str, Any]) -> None:
    log = change.alarm.__dict__.setdefault("log", [])
    log.append((change.at, kind, summary, json.dumps(data)))


def _tell(services: Services, told: Told) -> None:
    """Outside of the lock: SNS has its own."""
    for action, subject, message in told:
        if action.startswith("arn:aws:sns:"):
            publish(services, action, message, subject)


def described(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Who asks sees alarms as they are now."""
    look(services, call.region)
    return cloudwatch.describe(call, services, proceed)


def put_alarm(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Where there is data already, a new alarm rings at once."""
    reply = cloudwatch.put_alarm(call, services, proceed)
    if reply.status < 300:
        with services.world.moto.lock(SERVICE):
            alarm = backend_of(call, services).alarms.get(parameters(call, "ValidationError")["AlarmName"])
            watched = alarmwatch.watched(alarm) if alarm is not None else ()
        for metric in watched:
            look(services, call.region, metric=metric)
    return reply


def put_composite(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A rule is evaluated as soon as there is one."""
    reply = composite.put(call, services, proceed)
    if reply.status < 300:
        with services.world.moto.lock(SERVICE):
            backend = backend_of(call, services)
            told = _noted(backend, list(alarmwatch.follow(backend, services.world.wall())))
        _tell(services, told)
    return reply


def put_data(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Who watches what has come is looked at right away."""
    wish = parameters(call, "InvalidParameterValue")
    reply = proceed()
    if reply.status < 300:
        for name in {str(one["MetricName"]) for one in wish.get("MetricData") or ()}:
            look(services, call.region, metric=f"{wish['Namespace']} {name}")
    return reply


def set_state(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Somebody tries an alarm: its actions run, and the next look brings it back."""
    wish = parameters(call, "ValidationError")
    if wish.get("StateReasonData"):
        try:
            json.loads(wish["StateReasonData"])
        except ValueError as err:
            raise AwsError("InvalidFormat", "StateReasonData was not valid JSON") from err
    with services.world.moto.lock(SERVICE):
        backend = backend_of(call, services)
        alarm = backend.alarms.get(wish["AlarmName"])
        if alarm is None:
            raise AwsError("ResourceNotFound", "Unknown", 404)
        at = services.world.wall()
        alarm.looked_at = at
        data = wish.get("StateReasonData") or "{}"
        first = alarmwatch.move(alarm, wish["StateValue"], wish["StateReason"], at, data)
        changes = [] if first is None else [first, *alarmwatch.follow(backend, at, but=alarm)]
        told = _noted(backend, changes)
    _tell(services, told)
    return answer(call, {})


def history(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """State changes and actions of alarms, newest first unless asked otherwise."""
    wish = parameters(call, "ValidationError")
    kinds = wish.get("AlarmTypes") or ["MetricAlarm"]
    with services.world.moto.lock(SERVICE):
        alarms = backend_of(call, services).alarms.values()
        items = [
            {
                "AlarmName": alarm.name,
                "AlarmType": "MetricAlarm" if alarm.rule is None else "CompositeAlarm",
                "Timestamp": at.astimezone(UTC),
                "HistoryItemType": kind,
                "HistorySummary": summary,
                "HistoryData": data,
            }
            for alarm in alarms
            for at, kind, summary, data in alarm.__dict__.get("log", ())
        ]
    named, kind = wish.get("AlarmName"), wish.get("HistoryItemType")
    fitting = [one for one in items if named in (None, one["AlarmName"]) and kind in (None, one["HistoryItemType"])]
    if named is None:
        fitting = [one for one in fitting if one["AlarmType"] in kinds]
    fitting.sort(key=lambda one: one["Timestamp"], reverse=wish.get("ScanBy") != "TimestampAscending")
    start = int(wish.get("NextToken") or 0)
    size = wish.get("MaxRecords") or _PAGE
    token = str(start + size) if len(fitting) > start + size else None
    return answer(call, {"AlarmHistoryItems": fitting[start : start + size], "NextToken": token})
