"""aws.cloudwatch_alarm: watches one metric and tells somebody when it crosses a line.

One call makes an alarm and changes it, and overwrites whatever has that name; it takes tags for a new one alone. So a
create looks first, unless a look of this session just saw that there is nothing; and a change sends along what the
alarm has and the plan does not manage, for what PutMetricAlarm is not told goes back to its default.

Weakness: between that look and the call somebody else may make an alarm of the same name, and CloudWatch knows no way
to refuse then. The next look finds his tag.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import absent, alarm_rules, bill_watch, same, tagged, tags
from provisioner.drivers.aws.given import asked, rule
from provisioner.drivers.aws.page import chunks
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import AlreadyExistsError, InvalidRequestError, NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright

_NAMES_AT_ONCE: Final = 100
_AT_ONCE: Final = 1.0
"""Seconds between the two times of an alarm that is new."""
_Actions = Annotated[list[Annotated[str, Meta(min_length=1, max_length=1024, pattern=r"^arn:")]], Meta(max_length=5)]


@resource.resource("aws.cloudwatch_alarm")
class CloudwatchAlarm(resource.Resource):
    """An alarm on one metric of CloudWatch."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """An alarm on one metric."""

        name: Annotated[
            Annotated[str, Meta(max_length=255)] | None, Meta(description="Name. Left out: deployment-step.")
        ] = None
        description: Annotated[str, Meta(max_length=1024, description="What to do when it rings.")] = ""
        namespace: Annotated[
            str,
            Meta(min_length=1, max_length=255, pattern=r"^[^:]", description="Namespace of the metric.",
                 examples=["AWS/RDS"]),
        ]  # fmt: skip
        metric: Annotated[
            str, Meta(min_length=1, max_length=255, description="Name of the metric.", examples=["CPUUtilization"])
        ]
        dimensions: Annotated[
            dict[
                Annotated[str, Meta(min_length=1, max_length=255)], Annotated[str, Meta(min_length=1, max_length=1024)]
            ],
            Meta(
                max_length=30,
                description="Which one of the metrics of that name: its dimensions, all of them.",
                examples=[{"DBInstanceIdentifier": "app-db"}],
            ),
        ] = {}
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
            _Actions, Meta(description="ARNs told when it rings.", examples=[["${alerts.arn}"]])
        ] = []
        ok_actions: Annotated[_Actions, Meta(description="ARNs told when all is well again.")] = []
        insufficient_data_actions: Annotated[_Actions, Meta(description="ARNs told when data runs out.")] = []
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"name": str, "arn": str}
    charges = staticmethod(bill_watch.alarm)
    rules = (
        resource.Rule(("statistic", "extended_statistic"), alarm_rules.one_statistic),
        rule(alarm_rules.period, "period"),
        rule(alarm_rules.reach, "period", "evaluation_periods"),
        rule(alarm_rules.datapoints, "datapoints_to_alarm", "evaluation_periods"),
    )
    service = "cloudwatch"
    name_pattern = r"[^\x00-\x1f\x7f]{1,255}"
    immutable = frozenset({"name"})
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "alarm_actions": same.as_set,
        "ok_actions": same.as_set,
        "insufficient_data_actions": same.as_set,
        "tags": tags.same,
    }

    def read(self, key: Key) -> Observed | None:
        """The alarm of the key's name; its tags take a second call."""
        for alarm in self._alarms([key.name], key.region):
            with suppress(NotFoundError):  # deleted since it was listed
                return self._seen(key, alarm, self._known_tags([alarm], key.region).get(str(alarm["AlarmArn"])))
        absent.note(self.session, self.type, key, None)
        return None

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed | resource.Singly]:
        """One call for up to 100 names; those whose tags must be asked for are read singly."""
        seen: dict[str, Observed | resource.Singly] = {}
        for region in dict.fromkeys(key.region for key in keys):
            wanted = {key.name: key for key in keys if key.region == region}
            found = {str(alarm["AlarmName"]): alarm for alarm in self._alarms(list(wanted), region)}
            marks = self._known_tags(list(found.values()), region)
            for name, key in wanted.items():
                if name not in found:
                    absent.note(self.session, self.type, key, None)
                    continue
                known = marks.get(str(found[name]["AlarmArn"]))
                seen[key.owner] = resource.SINGLY if known is None else self._seen(key, found[name], known)
        return seen

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the alarm with its tags; refuses to overwrite what is not ours."""
        with outright():
            self._refuse_taken(key)
            marks = tags.wanted(key, spec.tags)
            self._call("put_metric_alarm", key, AlarmName=key.name, Tags=tags.to_list(marks), **_request(spec))
        tagged.born(self.session, self._arn(key), marks)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sets all settings in one call, those that the plan may not touch as they are; then the tags."""
        found = self._find(key)
        arn = str(found["AlarmArn"])
        tagged.forget(self.session, arn)
        if found.get("Metrics") or found.get("EvaluationCriteria"):
            raise InvalidRequestError(
                "it watches an expression, not one metric",
                where=f"cloudwatch {key.name}",
                hint="only alarms on one metric are managed; choose another name",
            )
        now, wish = _kept(found), _request(spec, changed)
        if any(now.get(name) != value for name, value in wish.items()):
            self._call("put_metric_alarm", key, AlarmName=key.name, **_together(now, wish))
        plan = spec.tags if asked(changed, "tags") else None
        put, drop = tags.changes(key, plan, self._tags(key, arn))
        if put:
            self._call("tag_resource", key, ResourceARN=arn, Tags=tags.to_list(put))
        if drop:
            self._call("untag_resource", key, ResourceARN=arn, TagKeys=drop)

    def delete(self, key: Key) -> None:
        """Deletes the alarm."""
        tagged.forget(self.session, self._arn(key))
        with suppress(NotFoundError):
            self._call("delete_alarms", key, AlarmNames=[key.name])

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """Asks those alarms for their tags whose name has the deployment's in it: an account may have thousands."""
        for alarm in self.session.pages("cloudwatch", "describe_alarms", "MetricAlarms", region=region):
            place = Key(deployment=deployment, step="", name=str(alarm["AlarmName"]), region=region)
            if deployment in place.name:
                with suppress(NotFoundError):  # deleted since it was listed
                    if key := tags.found(self._tags(place, alarm["AlarmArn"]), deployment, region, place.name):
                        yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        tagged.forget(self.session, self._arn(key))
        self._call("tag_resource", key, ResourceARN=self._arn(key), Tags=tags.to_list(tags.mark(key)))

    def _refuse_taken(self, key: Key) -> None:
        """PutMetricAlarm would overwrite somebody else's alarm without a word."""
        if absent.take(self.session, self.type, key):
            return
        for found in self._alarms([key.name], key.region):
            owner = tags.owner(self._tags(key, found["AlarmArn"]))
            if owner != key.owner:
                raise AlreadyExistsError(
                    f"the alarm belongs to {owner or 'nobody that we know'}",
                    where=f"cloudwatch PutMetricAlarm {key.name}",
                )

    def _known_tags(self, alarms: Sequence[Mapping[str, Any]], region: str) -> dict[str, dict[str, str]]:
        arns = [str(alarm["AlarmArn"]) for alarm in alarms]
        for alarm in alarms:
            if older(alarm):
                tagged.forget(self.session, str(alarm["AlarmArn"]))
        found = tagged.known_of_many(self.session, arns, region)
        for arn in arns:
            tagged.forget(self.session, arn)
        return found

    def _arn(self, key: Key) -> str:
        caller = self.session.caller()
        place = f"{key.region or self.session.region}:{caller['account']}"
        return f"arn:{caller['partition']}:cloudwatch:{place}:alarm:{key.name}"

    def _seen(self, key: Key, alarm: Mapping[str, Any], marks: Mapping[str, str] | None) -> Observed:
        seen = self._tags(key, alarm["AlarmArn"]) if marks is None else marks
        spec = {field: alarm.get(name) for field, name in _FIELDS.items()}
        dimensions = {str(item["Name"]): str(item["Value"]) for item in alarm.get("Dimensions") or ()}
        lists = {field: sorted(alarm.get(name) or ()) for field, name in _LISTS.items()}
        given = {
            "description": alarm.get("AlarmDescription") or "",
            "treat_missing_data": alarm.get("TreatMissingData") or "missing",
            "actions_enabled": alarm.get("ActionsEnabled") is not False,
        }
        return Observed(
            phase=Phase.READY,
            owner=tags.owner(seen),
            spec={**spec, **lists, **given, "dimensions": dimensions, "tags": tags.visible(key, seen)},
            outputs={"name": str(alarm["AlarmName"]), "arn": str(alarm["AlarmArn"])},
            detail=str(alarm.get("StateValue", "")),
        )

    def _find(self, key: Key) -> Mapping[str, Any]:
        for found in self._alarms([key.name], key.region):
            return found
        raise NotFoundError("it is gone", where=f"cloudwatch {key.name}")

    def _alarms(self, names: Sequence[str], region: str) -> Iterator[Mapping[str, Any]]:
        for some in chunks(names, _NAMES_AT_ONCE):
            what = some[0] if len(some) == 1 else ""
            place = {"what": what, "region": region, "AlarmNames": some, "MaxRecords": _NAMES_AT_ONCE}
            yield from self.session.pages("cloudwatch", "describe_alarms", "MetricAlarms", **place)

    def _tags(self, key: Key, arn: str) -> dict[str, str]:
        return tags.from_list(self._call("list_tags_for_resource", key, ResourceARN=arn).get("Tags"))

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call("cloudwatch", operation, what=key.name, region=key.region, **parameters)


def older(alarm: Mapping[str, Any]) -> bool:
    """Whether its state is older than its settings: then the call that set them met an alarm, whose tags it left."""
    state, settings = alarm.get("StateUpdatedTimestamp"), alarm.get("AlarmConfigurationUpdatedTimestamp")
    return state is None or settings is None or (settings - state).total_seconds() > _AT_ONCE


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
_LISTS: Final = {
    "alarm_actions": "AlarmActions",
    "ok_actions": "OKActions",
    "insufficient_data_actions": "InsufficientDataActions",
}
_GIVEN: Final = {
    "description": "AlarmDescription",
    "treat_missing_data": "TreatMissingData",
    "actions_enabled": "ActionsEnabled",
}
_UNMANAGED: Final = (
    "EvaluateLowSampleCountPercentile",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "ActionConfiguration",
)
"""Settings that no plan knows, and an update must not lose."""


def _request(spec: CloudwatchAlarm.Spec, changed: Collection[str] = ()) -> dict[str, Any]:
    """What PutMetricAlarm is told of the fields that it may touch."""
    values: dict[str, Any] = {name: getattr(spec, field) for field, name in _FIELDS.items() if asked(changed, field)}
    values = {name: value for name, value in values.items() if value is not None}
    values |= {name: getattr(spec, field) for field, name in _GIVEN.items() if asked(changed, field)}
    values |= {name: sorted(set(getattr(spec, field))) for field, name in _LISTS.items() if asked(changed, field)}
    if asked(changed, "dimensions"):
        values["Dimensions"] = [{"Name": name, "Value": value} for name, value in sorted(spec.dimensions.items())]
    return values


def _together(now: Mapping[str, Any], wish: Mapping[str, Any]) -> dict[str, Any]:
    """What the alarm has under what is wished, without what would contradict it."""
    told = {**now, **wish}
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
    kept |= {name: sorted(found.get(name) or ()) for name in _LISTS.values()}
    dimensions = sorted(found.get("Dimensions") or (), key=lambda item: str(item["Name"]))
    return kept | {"Dimensions": [{"Name": item["Name"], "Value": item["Value"]} for item in dimensions]}
