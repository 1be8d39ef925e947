"""aws.alarms: the alarms of one database, cache, function or bucket, from thresholds in words.

``cpu: {warning: 70, critical: 90}`` makes two alarms, ``<step>-cpu-warning`` and ``<step>-cpu-critical``; what the
words mean stands in :mod:`.alarm_words`. The step's object is the set of these alarms. Each has the ownership tag from
its first moment, and says in its description what it was made from (:mod:`.alarm_set`): so a read can tell a threshold
that somebody moved from one that was asked for, without knowing the plan.

An alarm that is no longer wanted and that a composite alarm still names cannot be deleted yet: it is silenced and
marked, and goes when the step of that composite alarm, which comes after this one, changes its rule.

Weaknesses: the tags of each alarm take a call of their own, unless a glance at all of them is enough. Where the
composite alarm leaves the plan in the same deploy, the silenced alarm stays until the next change or the destroy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import (
    absent,
    alarm_base,
    alarm_proof,
    alarm_set,
    alarm_words,
    bill_watch,
    cloudwatch_alarm,
    tagged,
    tags,
)
from provisioner.drivers.aws.alarm_base import LEAVING, NAMES_AT_ONCE
from provisioner.drivers.aws.alarm_words import LEVELS, WORDS
from provisioner.drivers.aws.cloudwatch_alarm import CloudwatchAlarm
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.page import chunks
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import AlreadyExistsError, InUseError, NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.proof import Proof
from provisioner.resource import outright
from provisioner.spec import fields

_Arn = Annotated[str, Meta(pattern=r"^arn:[a-z-]+:sns:")]
_TAIL: Final = re.compile(
    rf"-({'|'.join(sorted({word.replace('_', '-') for words in WORDS.values() for word in words}))})"
    rf"-({'|'.join(LEVELS)})(-\d{{3}})?"
)
"""What follows the set's name in an alarm's name: word, level and, of a cache, the node."""


class Threshold(resource.Spec, frozen=True, kw_only=True):
    """Where a word begins to be bad."""

    warning: Annotated[
        Annotated[float, Meta(ge=0)] | None, Meta(description="Somebody should look, in the word's unit.")
    ] = None
    critical: Annotated[
        Annotated[float, Meta(ge=0)] | None, Meta(description="Somebody must act, in the word's unit.")
    ] = None


_FACTS: Final = (
    "max_connections", "allocated_storage", "max_allocated_storage", "instance_class", "resource_id", "filter_id",
)  # fmt: skip


def _lacking(kind: str, thresholds: Mapping[str, Any], *facts: Any) -> str | None:
    return alarm_words.lacking(kind, thresholds, dict(zip(_FACTS, facts, strict=True)))


@resource.resource("aws.alarms")
class Alarms(resource.Resource):
    """The metric alarms of one object, from thresholds in words."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """What is watched, and where it begins to be bad."""

        name: Annotated[
            Annotated[str, Meta(min_length=1, max_length=200)] | None,
            Meta(description="How the alarms' names begin. Left out: deployment-step."),
        ] = None
        kind: Annotated[
            Literal["rds", "redis", "lambda", "s3"],
            Meta(description="What is watched: a DB instance, a replication group, a function, a bucket."),
        ]
        target: Annotated[str, Meta(min_length=1, max_length=255, description="Its name.", examples=["${db.name}"])]
        thresholds: Annotated[
            dict[str, Threshold],
            Meta(
                min_length=1,
                description="By word. "
                + "; ".join(
                    f"{kind}: {', '.join(f'{name} ({word.unit})' for name, word in words.items())}"
                    for kind, words in WORDS.items()
                ),
                examples=[{"cpu": {"warning": 70, "critical": 90}, "storage_free": {"critical": 10}}],
            ),
        ]
        topic: Annotated[_Arn | None, Meta(description="Topic that is told; left out: nobody.")] = None
        critical_topic: Annotated[_Arn | None, Meta(description="Topic for critical alarms; left out: topic.")] = None
        tell_ok: Annotated[bool, Meta(description="Whether the topics are told when all is well again.")] = True
        nodes: Annotated[int, Meta(ge=1, le=500, description="Of redis: nodes of the group, each with its alarms.")] = 1
        max_connections: Annotated[
            Annotated[int, Meta(ge=1)] | None, Meta(description="Of rds: the parameter; for connections in percent.")
        ] = None
        allocated_storage: Annotated[
            Annotated[int, Meta(ge=1)] | None, Meta(description="Of rds, GiB: for storage_free in percent.")
        ] = None
        max_allocated_storage: Annotated[
            Annotated[int, Meta(ge=1)] | None, Meta(description="Of rds, GiB: where storage autoscaling ends.")
        ] = None
        instance_class: Annotated[
            str | None,
            Meta(
                description="Class or node type: for memory_free in percent, and for the CPU of a small cache node.",
                examples=["db.t3.small"],
            ),
        ] = None
        resource_id: Annotated[
            str | None, Meta(description="Of rds: for storage_ceiling.", examples=["${db.resource_id}"])
        ] = None
        filter_id: Annotated[str, Meta(description="Of s3: the bucket's filter of request metrics.")] = "EntireBucket"
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {
        "name": str, "names": list, "arns": list, "warning": list, "critical": list,
    }  # fmt: skip
    charges = staticmethod(bill_watch.alarms)
    """``names``: of all alarms; ``warning`` and ``critical``: of those of a level."""
    rules = (
        resource.Rule(("kind", "thresholds"), alarm_words.complaint),
        resource.Rule(("kind", "thresholds", *_FACTS), _lacking),
        resource.Rule(("kind", "thresholds", "max_allocated_storage"), alarm_words.against_autoscaling),
    )
    service = "cloudwatch"
    name_pattern = r"[^\x00-\x1f\x7f]{1,200}"
    immutable = frozenset({"name"})
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "thresholds": lambda wanted, seen: _levels(wanted) == _levels(seen),
        "tags": tags.same,
    }

    def read(self, key: Key) -> Observed | None:
        """The set as its alarms say it; what of them is not as it was made is left out of the thresholds."""
        found = self._staying(key)
        if not found:
            return absent.note(self.session, self.type, key, None)
        ours = [alarm for alarm in found if tags.owner(alarm.marks) == key.owner] or found
        names = sorted(alarm.name for alarm in ours)
        return Observed(
            phase=Phase.READY,
            owner=tags.owner(ours[0].marks),
            spec={**alarm_set.told(key.name, [one.alarm for one in ours]), "tags": _common_tags(key, ours)},
            outputs={
                "name": key.name,
                "names": names,
                "arns": sorted(alarm.arn for alarm in ours),
                **{level: [name for name in names if _level(key.name, name) == level] for level in LEVELS},
            },
        )

    def create(self, key: Key, spec: Spec) -> None:
        """One call an alarm; goes on with a set that is half made, and refuses to overwrite what is not ours."""
        with outright():
            there = {} if absent.take(self.session, self.type, key) else {one.name: one for one in self._found(key)}
            self._refuse_taken(key, there.values())
        marks = tags.wanted(key, spec.tags)
        for number, (name, wanted) in enumerate(_wanted(key, spec).items()):
            if number or there:
                self._put(key, name, wanted, marks)
            else:
                with outright():
                    self._put(key, name, wanted, marks)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Puts what is missing or differs, deletes what is no longer wanted, then sets the tags."""
        there = {alarm.name: alarm for alarm in self._found(key)}
        self._refuse_taken(key, there.values())
        wanted = _wanted(key, spec)
        for name, one in wanted.items():
            if name not in there or alarm_set.differing(one, there[name].alarm):
                self._put(key, name, one, tags.wanted(key, spec.tags))
            if name in there and LEAVING in there[name].marks:
                self._call("untag_resource", key, name, ResourceARN=there[name].arn, TagKeys=[LEAVING])
        self._let_go(key, [one for name, one in there.items() if name not in wanted])
        plan = spec.tags if asked(changed, "tags") else None
        for name in wanted.keys() & there.keys():
            put, drop = tags.changes(key, plan, there[name].marks)
            if put:
                self._call("tag_resource", key, name, ResourceARN=there[name].arn, Tags=tags.to_list(put))
            if drop:
                self._call("untag_resource", key, name, ResourceARN=there[name].arn, TagKeys=drop)

    def delete(self, key: Key) -> None:
        """Deletes all of them that are ours."""
        self._delete(key, [one.name for one in self._found(key) if tags.owner(one.marks) == key.owner])

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """Asks those alarms of sets for their tags whose name has the deployment's in it."""
        seen: set[str] = set()
        for alarm in self.session.pages("cloudwatch", "describe_alarms", "MetricAlarms", region=region):
            name = str(alarm["AlarmName"])
            tail = _TAIL.search(name)
            if deployment not in name or tail is None or not alarm_base.in_set(alarm) or name[: tail.start()] in seen:
                continue
            with suppress(NotFoundError):  # deleted since it was listed
                marks = self._tags(Key(deployment=deployment, step="", name=name, region=region), alarm)
                if key := tags.found(marks, deployment, region, name[: tail.start()]):
                    seen.add(key.name)
                    yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back on each."""
        for one in self._found(key):
            self._call("tag_resource", key, one.name, ResourceARN=one.arn, Tags=tags.to_list(tags.mark(key)))

    def holders(self, key: Key) -> Sequence[resource.Holder]:
        """The composite alarms whose rules name one of them."""
        found = [holder for one in self._found(key) for holder in alarm_base.parents(self.session, key, one.name)]
        return list(dict.fromkeys(found))

    def prove(self, key: Key) -> Sequence[Proof]:
        """Whether each of them would tell somebody."""
        return alarm_proof.prove(self.session, key, [one.alarm for one in self._staying(key)])

    def ring(self, key: Key, reason: str) -> Sequence[str]:
        """Sets one of them to ALARM, a critical one if there is one: one call in the night is enough."""
        found = {one.name: one.alarm for one in self._staying(key)}
        if not found:
            raise NotFoundError("none of its alarms is there", where=f"cloudwatch {key.name}")
        first = min(found, key=lambda name: (_level(key.name, name) != "critical", name))
        return [alarm_proof.ring(self.session, key, found[first], reason)]

    def heard(self, key: Key) -> Sequence[Proof]:
        """What was done about that."""
        return alarm_proof.heard(self.session, key)

    def _put(self, key: Key, name: str, wanted: CloudwatchAlarm.Spec, marks: Mapping[str, str]) -> None:
        """Tags count for a new alarm alone; on one that is there they are not looked at."""
        told = cloudwatch_alarm.request(wanted)
        self._call("put_metric_alarm", key, name, AlarmName=name, Tags=tags.to_list(marks), **told)
        tagged.born(self.session, alarm_base.alarm_arn(self.session, key, name), marks)

    def _let_go(self, key: Key, alarms: Sequence[_Alarm]) -> None:
        """Deletes what is no longer wanted; what a composite alarm still names goes when its rule is changed."""
        for one in alarms:
            try:
                self._delete(key, [one.name])
            except InUseError:
                leaving = tags.to_list({LEAVING: "a composite alarm names it"})
                self._call("tag_resource", key, one.name, ResourceARN=one.arn, Tags=leaving)
                self._call("disable_alarm_actions", key, one.name, AlarmNames=[one.name])

    def _delete(self, key: Key, names: Sequence[str]) -> None:
        for some in chunks(names, NAMES_AT_ONCE):
            for name in some:
                tagged.forget(self.session, alarm_base.alarm_arn(self.session, key, name))
            with suppress(NotFoundError):
                self._call("delete_alarms", key, key.name, AlarmNames=some)

    def _refuse_taken(self, key: Key, there: Collection[_Alarm]) -> None:
        for one in there:
            if (owner := tags.owner(one.marks)) != key.owner:
                raise AlreadyExistsError(
                    f"the alarm belongs to {owner or 'nobody that we know'}",
                    where=f"cloudwatch PutMetricAlarm {one.name}",
                )

    def _found(self, key: Key) -> list[_Alarm]:
        """The alarms of the set's names with their tags, whoever's they are."""
        place = {"what": key.name, "region": key.region, "AlarmNamePrefix": f"{key.name}-"}
        listed = self.session.pages("cloudwatch", "describe_alarms", "MetricAlarms", MaxRecords=NAMES_AT_ONCE, **place)
        alarms = [one for one in listed if _TAIL.fullmatch(str(one["AlarmName"])[len(key.name) :])]
        known = alarm_base.known_tags(self.session, alarms, key.region)
        found = []
        for alarm in alarms:
            with suppress(NotFoundError):  # deleted since it was listed
                marks = known.get(str(alarm["AlarmArn"]))
                found.append(_Alarm(alarm, self._tags(key, alarm) if marks is None else marks))
        return found

    def _staying(self, key: Key) -> list[_Alarm]:
        """Without those that only wait for a composite alarm to let them go."""
        return [one for one in self._found(key) if LEAVING not in one.marks]

    def _tags(self, key: Key, alarm: Mapping[str, Any]) -> dict[str, str]:
        answer = self._call("list_tags_for_resource", key, str(alarm["AlarmName"]), ResourceARN=alarm["AlarmArn"])
        return tags.from_list(answer.get("Tags"))

    def _call(self, operation: str, key: Key, name: str, **parameters: Any) -> Any:
        return self.session.call("cloudwatch", operation, what=name, region=key.region, **parameters)


@dataclass(frozen=True, slots=True)
class _Alarm:
    """One alarm as CloudWatch lists it, and its tags."""

    alarm: Mapping[str, Any]
    marks: Mapping[str, str]

    @property
    def name(self) -> str:
        return str(self.alarm["AlarmName"])

    @property
    def arn(self) -> str:
        return str(self.alarm["AlarmArn"])


def _wanted(key: Key, spec: Alarms.Spec) -> dict[str, CloudwatchAlarm.Spec]:
    """The alarms by name."""
    given = fields(spec)
    facts = {name: value for name, value in given.items() if name not in ("name", "thresholds", "tags")}
    return alarm_set.made(key.name, facts, given["thresholds"])


def _level(set_name: str, name: str) -> str:
    found = _TAIL.fullmatch(name[len(set_name) :])
    return found[2] if found else ""


def _levels(thresholds: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {
        name: {level: float(at) for level, at in levels.items() if at is not None}
        for name, levels in thresholds.items()
    }


def _common_tags(key: Key, ours: Sequence[_Alarm]) -> dict[str, str]:
    """Those of all, or of one that differs."""
    shown = [tags.visible(key, one.marks) for one in ours]
    return next((one for one in shown if one != shown[0]), shown[0])
