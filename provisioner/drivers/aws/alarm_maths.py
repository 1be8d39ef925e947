"""Metric maths: an alarm on an expression over several metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import alarm_rules
from provisioner.spec import plain

_MOST_METRICS: Final = 10
"""Metrics that an alarm's expressions may be made of."""
_WORD: Final = re.compile(r"""'[^']*'|"[^"]*"|[A-Za-z_]\w*""")
STATISTIC: Final = rf"^(SampleCount|Average|Sum|Minimum|Maximum|{alarm_rules.EXTENDED[1:-1]})$"
Dimensions = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=255)], Annotated[str, Meta(min_length=1, max_length=1024)]],
    Meta(
        max_length=30,
        description="Which one of the metrics of that name: its dimensions, all of them.",
        examples=[{"DBInstanceIdentifier": "app-db"}],
    ),
]


class MetricQuery(resource.Spec, frozen=True, kw_only=True):
    """One line of metric maths: a metric by name, or an expression over the lines that have an id."""

    id: Annotated[
        str, Meta(pattern=r"^[a-z][a-zA-Z0-9_]{0,254}$", description="How expressions call it.", examples=["errors"])
    ]
    expression: Annotated[
        Annotated[str, Meta(min_length=1, max_length=2048)] | None,
        Meta(description="Metric maths over other ids.", examples=["100 * errors / invocations"]),
    ] = None
    namespace: Annotated[
        Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^:]")] | None,
        Meta(description="Namespace of the metric.", examples=["AWS/Lambda"]),
    ] = None
    metric: Annotated[
        Annotated[str, Meta(min_length=1, max_length=255)] | None, Meta(description="Name of the metric.")
    ] = None
    dimensions: Dimensions | None = None
    statistic: Annotated[
        Annotated[str, Meta(pattern=STATISTIC)] | None,
        Meta(description="What is made of a period's values.", examples=["Sum", "p99"]),
    ] = None
    period: Annotated[
        Annotated[int, Meta(ge=10, le=604_800)] | None,
        Meta(description="Seconds: 10, 20, 30 or a multiple of 60. Of an expression only where it has no metrics."),
    ] = None
    unit: Annotated[alarm_rules.Unit | None, Meta(description="Only values in this unit; left out: any.")] = None
    label: Annotated[str | None, Meta(description="What people call it.")] = None
    return_data: Annotated[bool, Meta(description="Whether this line is what the threshold is for: exactly one.")] = (
        False
    )


def one_kind(metrics: Any, namespace: Any, metric: Any) -> str | None:
    """An alarm watches one metric or an expression.

    >>> one_kind(None, "AWS/RDS", None)
    'give namespace and metric, or metrics'
    """
    if metrics is not None:
        return "cannot stand beside metrics" if namespace or metric else None
    return None if namespace and metric else "give namespace and metric, or metrics"


def complaint(metrics: Sequence[Mapping[str, Any]]) -> str | None:
    """What CloudWatch would not take, or could never evaluate.

    >>> complaint([{"id": "e", "expression": "100 * m1", "return_data": True}])
    "e: the expression names 'm1', and no line has that id"
    """
    ids = [line["id"] for line in metrics]
    if len(set(ids)) < len(ids):
        return "no id may be given twice"
    if sum(bool(line.get("return_data")) for line in metrics) != 1:
        return "exactly one line has return_data: the one that the threshold is for"
    if sum(not line.get("expression") for line in metrics) > _MOST_METRICS:
        return f"at most {_MOST_METRICS} metrics"
    return next(filter(None, (_line(line, ids) for line in metrics)), None)


def _line(line: Mapping[str, Any], ids: Iterable[str]) -> str | None:
    name, metric = line["id"], ("namespace", "metric", "statistic", "period")
    expression = line.get("expression")
    if expression is None:
        if missing := [field for field in metric if line.get(field) is None]:
            return f"{name}: a metric needs {', '.join(missing)}; or give an expression"
        told = alarm_rules.period(line["period"])
        return f"{name}: period {told}" if told else None
    if given := [field for field in (*metric[:3], "dimensions", "unit") if line.get(field) is not None]:
        return f"{name}: {given[0]} is a metric's, and this is an expression"
    for word in _WORD.findall(expression):
        if word[0].islower() and word not in ids and word not in ("e",):
            return f"{name}: the expression names {word!r}, and no line has that id"
    return None


def span(metrics: Sequence[Mapping[str, Any]], periods: int) -> str | None:
    """How far back it looks, as of an alarm on one metric."""
    longest = max((line["period"] for line in metrics if line.get("period")), default=60)
    return alarm_rules.reach(longest, periods)


def to_queries(metrics: Sequence[MetricQuery]) -> list[dict[str, Any]]:
    """As PutMetricAlarm takes them."""
    return [_query(line) for line in metrics]


def _query(line: MetricQuery) -> dict[str, Any]:
    told: dict[str, Any] = {"Id": line.id, "ReturnData": line.return_data}
    if line.label is not None:
        told["Label"] = line.label
    if line.expression is not None:
        return told | {"Expression": line.expression} | ({"Period": line.period} if line.period else {})
    dimensions = [{"Name": name, "Value": value} for name, value in sorted((line.dimensions or {}).items())]
    metric = {"Namespace": line.namespace, "MetricName": line.metric, "Dimensions": dimensions}
    stat: dict[str, Any] = {"Metric": metric, "Period": line.period, "Stat": line.statistic}
    return told | {"MetricStat": stat | ({"Unit": line.unit} if line.unit else {})}


def seen(queries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lines of an alarm in the spec's words, by id."""
    return sorted((_seen(query) for query in queries), key=lambda line: str(line["id"]))


def _seen(query: Mapping[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {"id": query["Id"], "return_data": query.get("ReturnData") is not False}
    if query.get("Label"):
        line["label"] = query["Label"]
    if query.get("Expression"):
        period = {"period": query["Period"]} if query.get("Period") else {}
        return line | {"expression": query["Expression"]} | period
    stat = query["MetricStat"]
    dimensions = {str(item["Name"]): str(item["Value"]) for item in stat["Metric"].get("Dimensions") or ()}
    told = {"namespace": stat["Metric"].get("Namespace"), "metric": stat["Metric"].get("MetricName")}
    line |= told | {"statistic": stat["Stat"], "period": stat["Period"]}
    line |= {"dimensions": dimensions} if dimensions else {}
    return line | ({"unit": stat["Unit"]} if stat.get("Unit") else {})


def same(wanted: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]]) -> bool:
    """Order means nothing, and a label that the plan leaves out is CloudWatch's to choose."""
    ours, theirs = ({line["id"]: _bare(line) for line in lines} for lines in (wanted, there))
    labels = {line["id"]: line.get("label") for line in there}
    return ours == theirs and all(line.get("label") in (None, labels[line["id"]]) for line in wanted)


def _bare(line: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in plain(dict(line)).items() if value not in (None, {}) and name != "label"}
    return {"return_data": False, **kept}
