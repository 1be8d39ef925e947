"""Evaluates alarms, as CloudWatch does and moto does not: data → state → actions.

Nothing ticks. An alarm is looked at when data comes for it, when somebody asks (DescribeAlarms, the inbox) and the last
look is a minute old, and when the admin API says so, for any moment in time. What then changes is told at once.

How missing data counts is what CloudWatch's guide says in its tables: the latest N periods that have data are looked
at, out of N + 2; where fewer than N have, ``treat_missing_data`` decides about the rest.

Weaknesses: composite alarms are silenced by a suppressor that rings, without its waiting periods; of the trimmed
statistics none is computed, so that an alarm on one has no data.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from provisioner.sandbox.aws.datapoints import of_alarm, period_of, unix
from provisioner.sandbox.aws.rules.alarmrule import holds, parsed

EVERY: Final = 60.0
"""Seconds between two looks that nobody forces."""
_MORE: Final = 2
"""Periods that are looked at beyond those that are evaluated, where some have no data."""
_COMPARE: Final[dict[str, tuple[str, Callable[[float, float], bool]]]] = {
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", lambda value, line: value >= line),
    "GreaterThanThreshold": ("greater than", lambda value, line: value > line),
    "LessThanThreshold": ("less than", lambda value, line: value < line),
    "LessThanOrEqualToThreshold": ("less than or equal to", lambda value, line: value <= line),
}


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm that went from one state to another."""

    alarm: Any
    before: str
    at: datetime


def evaluate_all(backend: Any, at: datetime, *, force: bool = False, metric: str = "") -> Iterator[Change]:
    """Bring every alarm of a region to its state at ``at``; the lock on CloudWatch is held.

    ``force``: also those that were looked at within the last minute. ``metric``: of those only who watch this one, and
    only as far as it has data: what is missing counts from the first minute on.
    """
    changed = False
    for alarm in list(backend.alarms.values()):
        if alarm.rule is None and (force or _due(alarm, at) or (metric and metric in watched(alarm))):
            patient = not force and not _due(alarm, at)
            told = _judged(alarm, backend.metric_data, at, patient=patient)
            alarm.looked_at = getattr(alarm, "looked_at", None) if patient else at
            if told is not None and (change := move(alarm, *told, at)):
                changed = True
                yield change
    composites = [alarm for alarm in backend.alarms.values() if alarm.rule is not None]
    if changed or force or any(_due(alarm, at) for alarm in composites):
        yield from follow(backend, at)


def follow(backend: Any, at: datetime, but: Any = None) -> Iterator[Change]:
    """Bring the composite alarms to what the states of the others make them; ``but`` the one that was just set."""
    composites = [alarm for alarm in backend.alarms.values() if alarm.rule is not None and alarm is not but]
    for _ in composites:  # one may depend on another, so as often as there are some
        moved = False
        for alarm in composites:
            alarm.looked_at = at
            rings = holds(parsed(alarm.rule), lambda name: _state(backend, name))
            if change := move(alarm, "ALARM" if rings else "OK", f"{alarm.name}: {alarm.rule} is {rings}", at):
                moved = True
                yield change
        if not moved:
            return


def _state(backend: Any, name: str) -> str:
    found = backend.alarms.get(name)
    return str(found.state_value) if found is not None else ""


def _due(alarm: Any, at: datetime) -> bool:
    looked = getattr(alarm, "looked_at", None) or alarm.configuration_updated_timestamp
    return unix(at) - unix(looked) >= EVERY


def watched(alarm: Any) -> set[str]:
    """``namespace name`` of every metric that an alarm looks at."""
    lines = [line.metric_stat.metric for line in alarm.metric_data_queries if line.metric_stat is not None]
    return {f"{one.namespace} {one.metric_name}" for one in (*lines, alarm) if getattr(one, "metric_name", None)}


def move(alarm: Any, state: str, reason: str, at: datetime, data: str = "{}") -> Change | None:
    """Set the state; None where it is that already."""
    before = str(alarm.state_value)
    if before == state:
        return None
    alarm.update_state(reason, data, state)
    alarm.state_updated_timestamp = at.astimezone(UTC).replace(tzinfo=None)
    return Change(alarm, before, at)


def _judged(alarm: Any, data: list[Any], at: datetime, *, patient: bool) -> tuple[str, str] | None:
    """(state, reason), or None where it stays; ``patient``: without any data it does."""
    if alarm.comparison_operator not in _COMPARE:
        return None  # a band of anomalies, which nobody learns here
    period, wanted = period_of(alarm), int(alarm.evaluation_periods)
    last = math.floor(unix(at) / period) * period
    points = tuple(last - period * back for back in reversed(range(wanted + _MORE + 1)))
    series = of_alarm(alarm, data, points, period)
    points = points[1:] if last in series else points[:-1]  # the period that goes on counts once it has data
    real = [(point, series[point]) for point in points if point in series]
    return None if patient and not real else _decided(alarm, real)


def _decided(alarm: Any, real: list[tuple[int, float]]) -> tuple[str, str] | None:
    wanted, needed = int(alarm.evaluation_periods), int(alarm.datapoints_to_alarm or alarm.evaluation_periods)
    words, crosses = _COMPARE[alarm.comparison_operator]
    latest = real[-wanted:]
    bad = [(point, value) for point, value in latest if crosses(value, float(alarm.threshold))]
    missing, treat = wanted - len(latest), alarm.treat_missing_data or "missing"
    if missing and treat == "breaching":
        rings = len(bad) + missing >= needed
    elif missing and not latest and treat in ("missing", "ignore"):
        return ("INSUFFICIENT_DATA", _no_data(wanted)) if treat == "missing" else None
    elif missing and treat == "missing":
        rings = len(bad) >= min(needed, len(latest))
    elif missing and treat == "ignore" and len(bad) < needed and len(bad) == len(latest):
        return None
    else:
        rings = len(bad) >= needed
    shown = ", ".join(f"{value:g} ({_clock(point)})" for point, value in reversed(bad if rings else latest))
    told = f"{len(bad)} out of the last {wanted} datapoints [{shown}] {'was' if len(bad) == 1 else 'were'}"
    gaps = f" and {missing} missing counted as {treat}" if missing else ""
    side = words if rings else f"not {words}"
    if not rings:
        told = f"{len(latest) - len(bad)} out of the last {wanted} datapoints [{shown}] were"
    reason = f"Threshold Crossed: {told} {side} the threshold ({float(alarm.threshold):g}){gaps}"
    return ("ALARM" if rings else "OK"), f"{reason} (minimum {needed} to ALARM)."


def _no_data(wanted: int) -> str:
    return f"Insufficient Data: {wanted} datapoints were unknown."


def _clock(point: int) -> str:
    return datetime.fromtimestamp(point, UTC).strftime("%d/%m/%y %H:%M:%S")


_STATES: Final = {"ALARM": "alarm_actions", "OK": "ok_actions", "INSUFFICIENT_DATA": "insufficient_data_actions"}


def actions(change: Change, backend: Any) -> list[str]:
    """The ARNs that are told of a change."""
    alarm = change.alarm
    suppressor = getattr(alarm, "actions_suppressor", None)
    if not alarm.actions_enabled or (suppressor and _state(backend, suppressor.rpartition(":alarm:")[2]) == "ALARM"):
        return []
    return list(getattr(alarm, _STATES[alarm.state_value]) or [])


def letter(change: Change, region: str, account: str) -> tuple[str, str]:
    """(subject, message) as CloudWatch writes them to a topic."""
    alarm = change.alarm
    told: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": change.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "Region": region,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": change.before,
        "OKActions": alarm.ok_actions or [],
        "AlarmActions": alarm.alarm_actions or [],
        "InsufficientDataActions": alarm.insufficient_data_actions or [],
    }
    if alarm.rule is not None:
        return _subject(alarm, region), json.dumps(told | {"AlarmRule": alarm.rule})
    trigger = {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "Statistic": alarm.statistic or alarm.extended_statistic,
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.treat_missing_data or "missing",
        "Dimensions": [{"name": one.name, "value": one.value} for one in alarm.dimensions],
    }
    return _subject(alarm, region), json.dumps(told | {"Trigger": trigger})


def _subject(alarm: Any, region: str) -> str:
    return f'{alarm.state_value}: "{alarm.name}" in {region}'[:100]
