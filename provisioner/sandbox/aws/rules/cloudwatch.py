"""CloudWatch: what an alarm must say, what an update leaves alone, and lists that come in pages of metric alarms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.rules import composite, dashboards
from provisioner.sandbox.aws.rules.alarmstore import SERVICE, answer_tags, backend_of, check_actions, put_under
from provisioner.sandbox.aws.rules.maths import check as check_maths
from provisioner.sandbox.aws.strict import checked_tags
from provisioner.sandbox.aws.wire import answer, parameters

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_INVALID: Final = "ValidationError"
_HOUR, _DAY, _WEEK = 3600, 86_400, 604_800
_OF_ONE_METRIC: Final = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_BANDS: Final = ("LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold")
_MISSING_DATA: Final = ("breaching", "notBreaching", "ignore", "missing")
_PERCENT: Final = r"(100(\.0+)?|\d{1,2}(\.\d{1,10})?)"
_EXTENDED: Final = re.compile(
    rf"p{_PERCENT}|(tm|tc|ts|wm){_PERCENT}|IQM|(PR|TC|TM|TS|WM)\([\d.]*%?:[\d.]*%?\)", re.IGNORECASE
)
_PAGE: Final = 50
_FIELDS: Final = {
    "AlarmName": "name", "AlarmArn": "alarm_arn", "AlarmDescription": "description",
    "AlarmConfigurationUpdatedTimestamp": "configuration_updated_timestamp", "ActionsEnabled": "actions_enabled",
    "OKActions": "ok_actions", "AlarmActions": "alarm_actions", "InsufficientDataActions": "insufficient_data_actions",
    "StateValue": "state_value", "StateReason": "state_reason", "StateReasonData": "state_reason_data",
    "StateUpdatedTimestamp": "state_updated_timestamp", "MetricName": "metric_name", "Namespace": "namespace",
    "Statistic": "statistic", "ExtendedStatistic": "extended_statistic", "Period": "period", "Unit": "unit",
    "EvaluationPeriods": "evaluation_periods", "DatapointsToAlarm": "datapoints_to_alarm", "Threshold": "threshold",
    "ComparisonOperator": "comparison_operator", "TreatMissingData": "treat_missing_data",
    "EvaluateLowSampleCountPercentile": "evaluate_low_sample_count_percentile",
    "ThresholdMetricId": "threshold_metric_id", "AlarmRule": "rule",
}  # fmt: skip
"""Members of DescribeAlarms, and what moto calls them."""
_OF_EVERY_ALARM: Final = (
    "AlarmName", "AlarmArn", "AlarmDescription", "AlarmConfigurationUpdatedTimestamp", "ActionsEnabled", "OKActions",
    "AlarmActions", "InsufficientDataActions", "StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp",
    "StateTransitionedTimestamp", "AlarmRule",
)  # fmt: skip


def put_alarm(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """An alarm that could ever be evaluated. A new one has no data yet; an update leaves state and tags as they are."""
    wish = parameters(call, _INVALID)
    _check_alarm(wish)
    checked_tags(wish.get("Tags") or [])
    with services.world.moto.lock(SERVICE):
        before = backend_of(call, services).alarms.get(wish["AlarmName"])
        if before is not None and before.rule is not None:
            raise AwsError(_INVALID, f"The alarm {wish['AlarmName']} is a composite alarm")
        return put_under(call, services, proceed, wish)


def _check_alarm(wish: dict[str, Any]) -> None:
    """AwsError unless CloudWatch would take it."""
    metric, maths = wish.get("MetricName"), wish.get("Metrics")
    if wish.get("EvaluationCriteria"):
        raise AwsError("NotImplemented", "the sandbox does not offer alarms on PromQL", 501)
    if bool(metric) == bool(maths):
        raise AwsError("InvalidParameterCombination", "Exactly one of MetricName and Metrics must be given")
    for name in ("ComparisonOperator", "EvaluationPeriods"):
        _need(wish, name)
    if metric:
        _check_metric(wish)
    elif given := [name for name in _OF_ONE_METRIC if wish.get(name)]:
        raise AwsError("InvalidParameterCombination", f"{given[0]} must not be given together with Metrics")
    else:
        check_maths(wish)
    band = wish["ComparisonOperator"] in _BANDS
    if band != bool(wish.get("ThresholdMetricId")) or band == ("Threshold" in wish):
        raise AwsError(_INVALID, "An alarm has a Threshold, or a ThresholdMetricId and an operator for bands")
    if wish.get("DatapointsToAlarm", 1) > wish["EvaluationPeriods"]:
        raise AwsError(_INVALID, "DatapointsToAlarm must be less than or equal to EvaluationPeriods")
    _one_of(wish, "TreatMissingData", _MISSING_DATA)
    _one_of(wish, "EvaluateLowSampleCountPercentile", ("evaluate", "ignore"))
    check_actions(wish)


def _need(wish: dict[str, Any], name: str) -> None:
    if wish.get(name) is None:
        raise AwsError(_INVALID, f"The parameter {name} is required")


def _one_of(wish: dict[str, Any], name: str, values: Iterable[str]) -> None:
    if wish.get(name) is not None and wish[name] not in values:
        raise AwsError(_INVALID, f"Option {wish[name]} is not supported for {name}: one of {', '.join(values)}")


def _check_metric(wish: dict[str, Any]) -> None:
    for name in ("Namespace", "Period"):
        _need(wish, name)
    extended = wish.get("ExtendedStatistic")
    if bool(wish.get("Statistic")) == bool(extended):
        raise AwsError("InvalidParameterCombination", "Exactly one of Statistic and ExtendedStatistic must be given")
    if extended and not _EXTENDED.fullmatch(extended):
        raise AwsError(_INVALID, f"The value {extended} for parameter ExtendedStatistic is not supported.")
    period = wish["Period"]
    if period not in (10, 20, 30) and period % 60:
        raise AwsError(_INVALID, f"Period must be 10, 20, 30 or a multiple of 60, not {period}")
    longest = _DAY if period < _HOUR else _WEEK
    if period * wish["EvaluationPeriods"] > longest:
        raise AwsError(
            _INVALID, f"Metrics cannot be checked across more than {longest} seconds: EvaluationPeriods × Period"
        )
    names = [dimension["Name"] for dimension in wish.get("Dimensions") or []]
    if len(set(names)) != len(names):
        raise AwsError(_INVALID, "No dimension may be given twice")


def describe(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Metric alarms unless others are asked for, in the order of their names, 50 a page or up to 100."""
    wish = parameters(call, _INVALID)
    if wish.get("AlarmNames") and wish.get("AlarmNamePrefix"):
        raise AwsError("InvalidParameterCombination", "AlarmNamePrefix cannot be given together with AlarmNames")
    if wish.get("ChildrenOfAlarmName") or wish.get("ParentsOfAlarmName"):
        return composite.family(call, services, wish)
    kinds = wish.get("AlarmTypes") or ["MetricAlarm"]
    size, after = wish.get("MaxRecords") or _PAGE, wish.get("NextToken") or ""
    with services.world.moto.lock(SERVICE):
        alarms = backend_of(call, services).alarms
        if after and after not in alarms:
            raise AwsError("InvalidNextToken", "The next token specified is invalid.")
        named = wish.get("AlarmNames")
        names = sorted({n for n in named if n in alarms} if named else alarms)
        fitting = [alarms[name] for name in names if name > after and _fits(alarms[name], wish, kinds)]
        shown = fitting[:size]
        told = [_view(alarm) for alarm in shown]
    token = shown[-1].name if len(fitting) > size else None
    metric, others = ([view for view in told if (view.get("AlarmRule") is None) is one] for one in (True, False))
    return answer(call, {"MetricAlarms": metric, "CompositeAlarms": others, "LogAlarms": [], "NextToken": token})


def _fits(alarm: Any, wish: dict[str, Any], kinds: list[str]) -> bool:
    return (
        ("MetricAlarm" if alarm.rule is None else "CompositeAlarm") in kinds
        and alarm.name.startswith(wish.get("AlarmNamePrefix") or "")
        and wish.get("StateValue") in (None, alarm.state_value)
        and any(action.startswith(wish.get("ActionPrefix") or "") for action in [*(alarm.alarm_actions or []), ""])
    )


def _view(alarm: Any) -> dict[str, Any]:
    view: dict[str, Any] = {member: getattr(alarm, field, None) for member, field in _FIELDS.items()}
    for member in ("AlarmConfigurationUpdatedTimestamp", "StateUpdatedTimestamp"):
        view[member] = view[member].replace(tzinfo=UTC)
    view["StateTransitionedTimestamp"] = view["StateUpdatedTimestamp"]
    if alarm.rule is not None:
        told = {member: getattr(alarm, field, None) for member, field in composite.SUPPRESSOR.items()}
        return {name: view[name] for name in _OF_EVERY_ALARM} | told
    view["Dimensions"] = [{"Name": d.name, "Value": d.value} for d in alarm.dimensions]
    view["Metrics"] = [_query(one) for one in alarm.metric_data_queries] or None
    return view


def _query(one: Any) -> dict[str, Any]:
    stat = one.metric_stat
    told = None
    if stat is not None:
        dimensions = [{"Name": d.name, "Value": d.value} for d in stat.metric.dimensions]
        metric = {"Namespace": stat.metric.namespace, "MetricName": stat.metric.metric_name, "Dimensions": dimensions}
        told = {"Metric": metric, "Period": stat.period, "Stat": stat.stat, "Unit": stat.unit}
    return {
        "Id": one.id,
        "MetricStat": told,
        "Expression": one.expression,
        "Label": one.label,
        "ReturnData": one.return_data,
        "Period": one.period,
    }


def delete(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Those that there are go, with their tags; a name that is none is told."""
    names = parameters(call, _INVALID)["AlarmNames"]
    with services.world.moto.lock(SERVICE):
        backend = backend_of(call, services)
        composite.refuse_needed(backend.alarms, names)
        known = [backend.alarms.pop(name) for name in dict.fromkeys(names) if name in backend.alarms]
        for alarm in known:
            backend.tagger.delete_all_tags_for_resource(alarm.alarm_arn)
    if len(known) < len(set(names)):
        raise AwsError("ResourceNotFound", "Unknown")
    return answer(call, {})


def tags(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """ListTagsForResource, TagResource, UntagResource: of an alarm, dashboard or rule that there is."""
    wish = parameters(call, "InvalidParameterValue")
    arn = wish["ResourceARN"]
    if ":dashboard/" in arn:
        return dashboards.tags(call, services, wish)
    with services.world.moto.lock(SERVICE):
        backend = backend_of(call, services)
        kept = [a.alarm_arn for a in (backend.alarms.get(arn.rpartition(":alarm:")[2]),) if a is not None]
        kept += [r.rule_arn for r in backend.insight_rules.values()]
        if arn not in kept:
            raise AwsError("ResourceNotFoundException", f"{arn} does not exist")
        return answer_tags(call, backend, wish)
