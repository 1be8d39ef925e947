"""The data of a metric as an alarm sees it: one value a period, by a statistic, or by maths over several metrics."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from provisioner.sandbox.aws.maths import ExpressionError, Series, evaluate, names_in


def unix(moment: datetime) -> float:
    """Seconds since the epoch; moto's times without a zone are UTC."""
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def of_alarm(alarm: Any, data: Iterable[Any], points: tuple[int, ...], period: int) -> Series:
    """The values that an alarm compares with its threshold, by the start of their period."""
    if not alarm.metric_data_queries:
        stat = alarm.statistic or alarm.extended_statistic
        return _series(data, alarm.namespace, alarm.metric_name, alarm.dimensions, alarm.unit, stat, points, period)
    lines = {line.id: line for line in alarm.metric_data_queries}
    series: dict[str, Series] = {}
    for ident in lines:
        _resolve(ident, lines, series, data, points, period, ())
    returned = [ident for ident, line in lines.items() if str(line.return_data).lower() != "false"]
    return series.get(returned[0], {}) if returned else {}


def period_of(alarm: Any) -> int:
    """Seconds of a period; of maths the longest of its lines."""
    if not alarm.metric_data_queries:
        return int(alarm.period)
    told = [line.metric_stat.period if line.metric_stat else line.period for line in alarm.metric_data_queries]
    return max((int(period) for period in told if period), default=60)


def _resolve(
    ident: str,
    lines: dict[str, Any],
    series: dict[str, Series],
    data: Iterable[Any],
    points: tuple[int, ...],
    period: int,
    under: tuple[str, ...],
) -> None:
    if ident in series or ident not in lines or ident in under:
        return
    line = lines[ident]
    if line.metric_stat is not None:
        stat = line.metric_stat
        metric = stat.metric
        series[ident] = _series(
            data, metric.namespace, metric.metric_name, metric.dimensions, stat.unit, stat.stat, points, period
        )
        return
    try:
        for name in names_in(line.expression):
            _resolve(name, lines, series, data, points, period, (*under, ident))
        series[ident] = evaluate(line.expression, series, points)
    except ExpressionError:
        series[ident] = {}  # PutMetricAlarm checked it, so it is a text where a number belongs


def _series(
    data: Iterable[Any],
    namespace: str,
    metric: str,
    dimensions: Iterable[Any],
    unit: str | None,
    stat: str,
    points: tuple[int, ...],
    period: int,
) -> Series:
    place = {(one.name, one.value) for one in dimensions}
    found: dict[int, list[Any]] = {}
    for datum in data:
        if (datum.namespace, datum.name) != (namespace, metric) or (unit and (datum.unit or "None") != unit):
            continue
        start = math.floor(unix(datum.timestamp) / period) * period
        if points[0] <= start <= points[-1] and {(one.name, one.value) for one in datum.dimensions} == place:
            found.setdefault(start, []).append(datum)
    made = {start: _statistic(stat, some) for start, some in found.items()}
    return {start: value for start, value in made.items() if value is not None}


def _statistic(stat: str, data: list[Any]) -> float | None:
    """Of single values and of sets that were put as statistics; None where the sandbox cannot tell."""
    single = [float(one.value) for one in data if hasattr(one, "value")]
    sets = [one for one in data if not hasattr(one, "value")]
    if stat[:1].lower() == "p" and stat[1:].replace(".", "", 1).isdigit() and single:
        return _percentile(sorted(single), float(stat[1:]) / 100)
    count = len(single) + sum(float(one.sample_count) for one in sets)
    total = sum(single) + sum(float(one.sum) for one in sets)
    values: dict[str, float | None] = {
        "Sum": total,
        "SampleCount": count,
        "Average": total / count if count else None,
        "Minimum": min([*single, *(float(one.min) for one in sets)]),
        "Maximum": max([*single, *(float(one.max) for one in sets)]),
    }
    return values.get(stat)


def _percentile(ordered: list[float], part: float) -> float:
    place = part * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
