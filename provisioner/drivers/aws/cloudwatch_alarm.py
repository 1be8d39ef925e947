"""aws.cloudwatch_alarm: watches one metric, or an expression over several, and tells somebody when it crosses a line.

What is common to all alarms stands in :mod:`.alarm_base`. A change sends along what the alarm has and the plan does not
manage, for what PutMetricAlarm is not told goes back to its default.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import alarm_maths, alarm_rules, bill_watch, tagged, tags
from provisioner.drivers.aws.alarm_base import LISTS, SAME_LISTS, Actions, NamedAlarm
from provisioner.drivers.aws.alarm_maths import Dimensions, MetricQuery
from provisioner.drivers.aws.given import asked, rule
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import InvalidRequestError
from provisioner.model import Key


def _one_statistic(metrics: Any, statistic: str | None, extended: str | None) -> str | None:
    if metrics is not None:
        return "stands in the lines of metrics" if statistic or extended else None
    return alarm_rules.one_statistic(statistic, extended)


def _in_lines(metrics: Any, dimensions: Any, unit: Any) -> str | None:
    return "stands in the lines of metrics" if metrics is not None and (dimensions or unit) else None


@resource.resource("aws.cloudwatch_alarm")
class CloudwatchAlarm(NamedAlarm):
    """An alarm on one metric of CloudWatch, or on metric maths."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """An alarm on one metric, or on an expression over several."""

        name: Annotated[
            Annotated[str, Meta(max_length=255)] | None, Meta(description="Name. Left out: deployment-step.")
        ] = None
        description: Annotated[str, Meta(max_length=1024, description="What to do when it rings.")] = ""
        namespace: Annotated[
            Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^:]")] | None,
            Meta(description="Namespace of the metric.", examples=["AWS/RDS"]),
        ] = None
        metric: Annotated[
            Annotated[str, Meta(min_length=1, max_length=255)] | None,
            Meta(description="Name of the metric.", examples=["CPUUtilization"]),
        ] = None
        metrics: Annotated[
            Annotated[list[MetricQuery], Meta(min_length=1, max_length=20)] | None,
            Meta(
                description="Instead of one metric: metric maths. Period, statistic, unit stand in its lines.",
                examples=[[{"id": "rate", "expression": "100 * errors / invocations", "return_data": True}]],
            ),
        ] = None
        dimensions: Dimensions = {}
        statistic: Annotated[
            Literal["SampleCount", "Average", "Sum", "Minimum", "Maximum"] | None,
            Meta(description="What is made of a period's values; or extended_statistic."),
        ] = None
        extended_statistic: Annotated[
            Annotated[str, Meta(pattern=alarm_rules.EXTENDED)] | None,
            Meta(description="A percentile or trimmed statistic.", examples=["p99", "tm90"]),
        ] = None
        period: Annotated[int, Meta(ge=10, le=604_800, description="Seconds: 10, 20, 30 or a multiple of 60.")] = 300
        evaluation_periods: Annotated[int, Meta(ge=1, description="Latest periods that are looked at.")] = 1
        datapoints_to_alarm: Annotated[
            Annotated[int, Meta(ge=1)] | None,
            Meta(description="How many of them must cross the threshold. Left out of a new one: all."),
        ] = None
        threshold: Annotated[float, Meta(description="The line, in the metric's unit.")]
        comparison_operator: Annotated[
            Literal[
                "GreaterThanOrEqualToThreshold",
                "GreaterThanThreshold",
                "LessThanThreshold",
                "LessThanOrEqualToThreshold",
            ],
            Meta(description="Which side of the line rings."),
        ]
        treat_missing_data: Annotated[
            Literal["missing", "ignore", "breaching", "notBreaching"],
            Meta(description="What a period without data counts as."),
        ] = "missing"
        unit: Annotated[
            alarm_rules.Unit | None, Meta(description="Only values reported in this unit; left out: any.")
        ] = None
        actions_enabled: Annotated[bool, Meta(description="Whether anybody is told.")] = True
        alarm_actions: Annotated[
            Actions, Meta(description="ARNs told when it rings.", examples=[["${alerts.arn}"]])
        ] = []
        ok_actions: Annotated[Actions, Meta(description="ARNs told when all is well again.")] = []
        insufficient_data_actions: Annotated[Actions, Meta(description="ARNs told when data runs out.")] = []
        tags: Tags = None

    kind = "MetricAlarm"
    charges = staticmethod(bill_watch.alarm)
    rules = (
        resource.Rule(("metrics", "namespace", "metric"), alarm_maths.one_kind),
        resource.Rule(("metrics", "statistic", "extended_statistic"), _one_statistic),
        resource.Rule(("metrics", "dimensions", "unit"), _in_lines),
        rule(alarm_maths.complaint, "metrics"),
        rule(alarm_maths.span, "metrics", "evaluation_periods"),
        rule(alarm_rules.period, "period"),
        rule(alarm_rules.reach, "period", "evaluation_periods"),
        rule(alarm_rules.datapoints, "datapoints_to_alarm", "evaluation_periods"),
    )
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        **SAME_LISTS,
        "metrics": alarm_maths.same,
        "tags": tags.same,
    }

    def settings(self, alarm: Mapping[str, Any]) -> dict[str, Any]:
        """As :func:`settings`."""
        return settings(alarm)

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the alarm with its tags; refuses to overwrite what is not ours."""
        self._make(key, "put_metric_alarm", spec.tags, request(spec))

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sets all settings in one call, those that the plan may not touch as they are; then the tags."""
        found = self._find(key)
        arn = str(found["AlarmArn"])
        tagged.forget(self.session, arn)
        if found.get("EvaluationCriteria"):
            raise InvalidRequestError(
                "it watches a query in PromQL",
                where=f"cloudwatch {key.name}",
                hint="only alarms on metrics and metric maths are managed; choose another name",
            )
        if bool(found.get("Metrics")) != (spec.metrics is not None):
            changed = ()  # from one metric to maths or back: nothing of the other stays
        now, wish = _kept(found), request(spec, changed)
        if any(now.get(name) != value for name, value in wish.items()):
            self._call("put_metric_alarm", key, AlarmName=key.name, **_together(now, wish))
        self._retag(key, arn, spec.tags if asked(changed, "tags") else None)


_FIELDS: Final = {
    "namespace": "Namespace",
    "metric": "MetricName",
    "statistic": "Statistic",
    "extended_statistic": "ExtendedStatistic",
    "period": "Period",
    "evaluation_periods": "EvaluationPeriods",
    "datapoints_to_alarm": "DatapointsToAlarm",
    "threshold": "Threshold",
    "comparison_operator": "ComparisonOperator",
    "unit": "Unit",
}
"""Spec field → the alarm's, where they are the same value; what is absent is None."""
_GIVEN: Final = {
    "description": "AlarmDescription",
    "treat_missing_data": "TreatMissingData",
    "actions_enabled": "ActionsEnabled",
}
_OF_ONE_METRIC: Final = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_UNMANAGED: Final = (
    "EvaluateLowSampleCountPercentile",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "ActionConfiguration",
)
"""Settings that no plan knows, and an update must not lose."""


def settings(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """The spec's fields as an alarm has them; of one on an expression neither period nor dimensions."""
    spec = {field: alarm.get(name) for field, name in _FIELDS.items()}
    lists = {field: sorted(alarm.get(name) or ()) for field, name in LISTS.items()}
    given = {
        "description": alarm.get("AlarmDescription") or "",
        "treat_missing_data": alarm.get("TreatMissingData") or "missing",
        "actions_enabled": alarm.get("ActionsEnabled") is not False,
    }
    if alarm.get("Metrics"):
        del spec["period"]
        return {**spec, **lists, **given, "metrics": alarm_maths.seen(alarm["Metrics"])}
    dimensions = {str(item["Name"]): str(item["Value"]) for item in alarm.get("Dimensions") or ()}
    return {**spec, **lists, **given, "dimensions": dimensions, "metrics": None}


def request(spec: CloudwatchAlarm.Spec, changed: Collection[str] = ()) -> dict[str, Any]:
    """What PutMetricAlarm is told of the fields that it may touch."""
    values: dict[str, Any] = {name: getattr(spec, field) for field, name in _FIELDS.items() if asked(changed, field)}
    if spec.metrics is not None:
        values.pop("Period", None)
        if asked(changed, "metrics"):
            values["Metrics"] = alarm_maths.to_queries(spec.metrics)
    elif asked(changed, "dimensions"):
        values["Dimensions"] = [{"Name": name, "Value": value} for name, value in sorted(spec.dimensions.items())]
    values = {name: value for name, value in values.items() if value is not None}
    values |= {name: getattr(spec, field) for field, name in _GIVEN.items() if asked(changed, field)}
    return values | {name: sorted(set(getattr(spec, field))) for field, name in LISTS.items() if asked(changed, field)}


def _together(now: Mapping[str, Any], wish: Mapping[str, Any]) -> dict[str, Any]:
    """What the alarm has under what is wished, without what would contradict it."""
    told = {**now, **wish}
    if "Metrics" in wish:
        told = {name: value for name, value in told.items() if name not in _OF_ONE_METRIC}
    elif wish.get("MetricName"):
        told.pop("Metrics", None)
    if wish.get("Statistic") and "ExtendedStatistic" not in wish:
        told.pop("ExtendedStatistic", None)
    if wish.get("ExtendedStatistic") and "Statistic" not in wish:
        told.pop("Statistic", None)
    if "DatapointsToAlarm" not in wish and told.get("DatapointsToAlarm", 1) > told["EvaluationPeriods"]:
        del told["DatapointsToAlarm"]  # all of the fewer periods
    return told


def _kept(found: Mapping[str, Any]) -> dict[str, Any]:
    """The alarm as it is, in PutMetricAlarm's words."""
    names = (*_FIELDS.values(), *_GIVEN.values(), *_UNMANAGED)
    kept = {name: found[name] for name in names if found.get(name) is not None}
    kept |= {name: sorted(found.get(name) or ()) for name in LISTS.values()}
    if found.get("Metrics"):
        return kept | {"Metrics": found["Metrics"]}
    dimensions = sorted(found.get("Dimensions") or (), key=lambda item: str(item["Name"]))
    return kept | {"Dimensions": [{"Name": item["Name"], "Value": item["Value"]} for item in dimensions]}
