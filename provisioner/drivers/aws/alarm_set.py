"""From thresholds in words to the alarms of a set, and from the alarms that are there back to the words.

An alarm's description ends in what it was made from: the word, its level and number, and all of the spec that decides
about the alarm. Made again from that, an alarm must be what it was; where only its threshold is another, somebody moved
that, and the number it stands for now is told.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from provisioner.drivers.aws import cloudwatch_alarm
from provisioner.drivers.aws.alarm_base import SET_MARK
from provisioner.drivers.aws.alarm_maths import MetricQuery
from provisioner.drivers.aws.alarm_words import LEVELS, NAMESPACES, WORDS, Reading, dimensions
from provisioner.drivers.aws.cloudwatch_alarm import CloudwatchAlarm
from provisioner.spec import fields

_BASIC: Final = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_DEFAULTS: Final[Mapping[str, Any]] = {"nodes": 1, "tell_ok": True, "filter_id": "EntireBucket"}
_UNTOLD: Final = dict.fromkeys(
    ("kind", "target", "topic", "critical_topic", "tell_ok", "nodes", "max_connections", "allocated_storage",
     "max_allocated_storage", "instance_class", "resource_id", "filter_id")
)  # fmt: skip
"""The fields that alarms tell of, as far as they do."""
Facts = Mapping[str, Any]
"""All of a set's spec but name, thresholds and tags; without what is None."""
Thresholds = Mapping[str, Mapping[str, float | None]]


class _Origin(NamedTuple):
    """What an alarm says that it was made from."""

    word: str
    level: str
    at: float
    node: int
    facts: dict[str, Any]


def made(name: str, facts: Facts, thresholds: Thresholds) -> dict[str, CloudwatchAlarm.Spec]:
    """The alarms of the set ``name``, by their names.

    >>> spec = made("app-db", {"kind": "rds", "target": "db"}, {"read_latency": {"critical": 20}})
    >>> spec["app-db-read-latency-critical"].threshold
    0.02
    """
    origins = (
        _Origin(word, level, float(at), node, dict(facts))
        for word, levels in thresholds.items()
        for level in LEVELS
        if (at := levels.get(level)) is not None
        for node in _nodes(facts)
    )
    return {_name(name, origin): _made(origin) for origin in origins}


def _nodes(facts: Facts) -> Iterable[int]:
    return range(1, int(_get(facts, "nodes")) + 1) if facts["kind"] == "redis" else (0,)


def _get(facts: Facts, field: str) -> Any:
    return facts.get(field, _DEFAULTS[field])


def _name(name: str, origin: _Origin) -> str:
    node = f"-{origin.node:03}" if origin.node else ""
    return f"{name}-{origin.word.replace('_', '-')}-{origin.level}{node}"


def _made(origin: _Origin) -> CloudwatchAlarm.Spec:
    facts = {**_DEFAULTS, **origin.facts}
    word = WORDS[facts["kind"]][origin.word]
    reading = word.read(facts)
    minutes, periods = word.minutes
    topic = facts.get("critical_topic") if origin.level == "critical" else None
    told = [one] if (one := topic or facts.get("topic")) else []
    return CloudwatchAlarm.Spec(
        description=_description(origin, word.unit, word.below),
        threshold=_exact(origin.at * reading.factor),
        comparison_operator="LessThanOrEqualToThreshold" if word.below else "GreaterThanOrEqualToThreshold",
        evaluation_periods=periods,
        datapoints_to_alarm=periods,
        treat_missing_data=word.missing,
        alarm_actions=told,
        ok_actions=told if facts["tell_ok"] else [],
        **_watched(origin, facts, reading, minutes * 60),
    )


def _watched(origin: _Origin, facts: Facts, reading: Reading, period: int) -> dict[str, Any]:
    place = dimensions(facts["kind"], facts["target"], origin.word, facts, origin.node)
    space = NAMESPACES[facts["kind"]]
    if not reading.expression:
        how = "statistic" if reading.statistic in _BASIC else "extended_statistic"
        metric = {"namespace": space, "metric": reading.metric, "dimensions": place, "period": period}
        return {**metric, how: reading.statistic}
    lines = [
        MetricQuery(
            id=ident, namespace=space, metric=metric, dimensions=place, statistic=reading.statistic, period=period
        )
        for ident, metric in reading.lines
    ]
    own = None if lines else period
    whole = MetricQuery(id="value", expression=reading.expression, label=origin.word, return_data=True, period=own)
    return {"metrics": [whole, *lines]}


def _exact(value: float) -> float:
    """Without the dust of binary fractions: 0.07 and not 0.07000000000000001."""
    return float(f"{value:.12g}")


def _description(origin: _Origin, unit: str, below: bool) -> str:
    """One sentence for people, who get it by mail, and one line for the next read."""
    side = "below" if below else "above"
    node = f" (node {origin.node:03})" if origin.node else ""
    said = f"{origin.level}: {origin.word} of {origin.facts['target']}{node} at or {side} {origin.at:g} {unit}"
    known = {name: value for name, value in origin.facts.items() if value != _DEFAULTS.get(name)}
    rest = {"word": origin.word, "level": origin.level, "at": origin.at, "node": origin.node, "facts": known}
    return f"{said}{SET_MARK}{json.dumps(rest, sort_keys=True)[1:]}"


def _origin(alarm: Mapping[str, Any]) -> _Origin | None:
    _, mark, rest = str(alarm.get("AlarmDescription") or "").partition(SET_MARK)
    try:
        told = json.loads("{" + rest) if mark else {}
        return _Origin(str(told["word"]), str(told["level"]), float(told["at"]), int(told["node"]), dict(told["facts"]))
    except (KeyError, TypeError, ValueError):
        return None  # somebody wrote another description


def told(name: str, alarms: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The set's spec, but for tags, as the alarms say it.

    What is not as its description says is left out of the thresholds; an alarm that is none of the set's stands among
    them under its own name: so either is a difference.
    """
    there = {str(alarm["AlarmName"]): alarm for alarm in alarms}
    origins = {each: origin for each, alarm in there.items() if (origin := _origin(alarm)) is not None}
    if not origins:
        return {**_UNTOLD, "thresholds": {}}
    facts = json.loads(Counter(json.dumps(one.facts, sort_keys=True) for one in origins.values()).most_common(1)[0][0])
    thresholds: dict[str, dict[str, float]] = {}
    for word, level in dict.fromkeys((one.word, one.level) for one in origins.values() if one.facts == facts):
        at = _number(name, facts, word, level, there, origins)
        if at is not None:
            thresholds.setdefault(word, {})[level] = at
    strays = there.keys() - {
        _name(name, one._replace(node=node)) for one in origins.values() if one.facts == facts for node in _nodes(facts)
    }
    return {**_UNTOLD, **_DEFAULTS, **facts, "thresholds": {**thresholds, **{stray: {} for stray in sorted(strays)}}}


def _number(
    name: str,
    facts: dict[str, Any],
    word: str,
    level: str,
    there: Mapping[str, Mapping[str, Any]],
    origins: Mapping[str, _Origin],
) -> float | None:
    """The number of a word's level, the one that somebody moved before others; None where an alarm is not as made."""
    asked, now = 0.0, []
    for node in _nodes(facts):
        each = _name(name, _Origin(word, level, 0.0, node, facts))
        origin = origins.get(each)
        if origin is None or (origin.word, origin.level, origin.node, origin.facts) != (word, level, node, facts):
            return None
        try:
            wanted = _made(origin)
        except (KeyError, ValueError):
            return None
        if differing(wanted, there[each]) - {"threshold"}:
            return None
        factor = WORDS[facts["kind"]][word].read({**_DEFAULTS, **facts}).factor
        asked, seen = origin.at, float(there[each]["Threshold"])
        now.append(origin.at if seen == wanted.threshold else _exact(seen / factor))
    return next((at for at in now if at != asked), asked)


def differing(wanted: CloudwatchAlarm.Spec, alarm: Mapping[str, Any]) -> set[str]:
    """The fields in which an alarm is not as wanted."""
    seen = cloudwatch_alarm.settings(alarm)
    same = CloudwatchAlarm.matches
    return {
        field
        for field, value in fields(wanted).items()
        if field in seen
        and not (same[field](value, seen[field]) if field in same and seen[field] else value == seen[field])
    }
