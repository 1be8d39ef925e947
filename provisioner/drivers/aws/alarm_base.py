"""What metric and composite alarms share: one name in one namespace, one list call, tags that take a second one.

A put makes an alarm and changes it, and overwrites whatever has that name; it takes tags for a new one alone. So a
create looks first, unless a look of this session just saw that there is nothing.

Weakness: between that look and the call somebody else may make an alarm of the same name, and CloudWatch knows no way
to refuse then. The next look finds his tag.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import absent, alarm_proof, same, tagged, tags
from provisioner.drivers.aws.page import chunks
from provisioner.drivers.aws.session import AwsSession
from provisioner.errors import AlreadyExistsError, InUseError, NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.proof import Proof
from provisioner.resource import outright

NAMES_AT_ONCE: Final = 100
"""Alarms that one call lists or deletes."""
KINDS: Final = ("MetricAlarm", "CompositeAlarm")
_AT_ONCE: Final = 1.0
"""Seconds between the two times of an alarm that is new."""
Actions = Annotated[list[Annotated[str, Meta(min_length=1, max_length=1024, pattern=r"^arn:")]], Meta(max_length=5)]
LISTS: Final = {
    "alarm_actions": "AlarmActions",
    "ok_actions": "OKActions",
    "insufficient_data_actions": "InsufficientDataActions",
}
"""Spec field → the alarm's list of ARNs."""
SAME_LISTS: Final = dict.fromkeys(LISTS, same.as_set)
"""``matches`` for them."""


class NamedAlarm(resource.Resource):
    """An alarm with the key's name."""

    kind: ClassVar[str]
    """One of KINDS."""
    service = "cloudwatch"
    name_pattern = r"[^\x00-\x1f\x7f]{1,255}"
    immutable = frozenset({"name"})
    outputs: ClassVar[Mapping[str, type]] = {"name": str, "arn": str}

    @abstractmethod
    def settings(self, alarm: Mapping[str, Any]) -> dict[str, Any]:
        """The spec's fields as the alarm has them, but for tags."""

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

    def delete(self, key: Key) -> None:
        """Deletes the alarm."""
        tagged.forget(self.session, self._arn(key))
        with suppress(NotFoundError):
            self._call("delete_alarms", key, AlarmNames=[key.name])

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """Asks those alarms for their tags whose name has the deployment's in it: an account may have thousands."""
        listed = self.session.pages(
            "cloudwatch", "describe_alarms", f"{self.kind}s", region=region, AlarmTypes=[self.kind]
        )
        named = ((str(alarm["AlarmName"]), str(alarm["AlarmArn"])) for alarm in listed if not in_set(alarm))
        yield from tags.by_name(named, deployment, region, self._tags)

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        tagged.forget(self.session, self._arn(key))
        self._call("tag_resource", key, ResourceARN=self._arn(key), Tags=tags.to_list(tags.mark(key)))

    def holders(self, key: Key) -> Sequence[resource.Holder]:
        """The composite alarms whose rules name it: CloudWatch deletes it only after them."""
        return parents(self.session, key, key.name)

    def prove(self, key: Key) -> Sequence[Proof]:
        """Whether it would tell somebody."""
        return alarm_proof.prove(self.session, key, [self._find(key)])

    def ring(self, key: Key, reason: str) -> Sequence[str]:
        """Sets it to ALARM for as long as CloudWatch lets it."""
        return [alarm_proof.ring(self.session, key, self._find(key), reason)]

    def heard(self, key: Key) -> Sequence[Proof]:
        """What was done about that."""
        return alarm_proof.heard(self.session, key)

    def _make(self, key: Key, operation: str, plan: Mapping[str, str] | None, request: Mapping[str, Any]) -> None:
        """The put of an alarm that is new, with its tags; refuses to overwrite what is not ours."""
        with outright():
            self._refuse_taken(key)
            marks = tags.wanted(key, plan)
            self._call(operation, key, AlarmName=key.name, Tags=tags.to_list(marks), **request)
        tagged.born(self.session, self._arn(key), marks)

    def _refuse_taken(self, key: Key) -> None:
        """A put would overwrite somebody else's alarm without a word."""
        if absent.take(self.session, self.type, key):
            return
        answer = self._call("describe_alarms", key, AlarmNames=[key.name], AlarmTypes=list(KINDS))
        for found in [alarm for kind in KINDS for alarm in answer.get(f"{kind}s") or ()]:
            owner = tags.owner(self._tags(key, found["AlarmArn"]))
            if owner != key.owner:
                raise AlreadyExistsError(
                    f"the alarm belongs to {owner or 'nobody that we know'}",
                    where=f"cloudwatch Put{self.kind} {key.name}",
                )

    def _known_tags(self, alarms: Sequence[Mapping[str, Any]], region: str) -> dict[str, dict[str, str]]:
        return known_tags(self.session, alarms, region)

    def _arn(self, key: Key) -> str:
        return alarm_arn(self.session, key, key.name)

    def _seen(self, key: Key, alarm: Mapping[str, Any], marks: Mapping[str, str] | None) -> Observed:
        seen = self._tags(key, alarm["AlarmArn"]) if marks is None else marks
        return Observed(
            phase=Phase.READY,
            owner=tags.owner(seen),
            spec={**self.settings(alarm), "tags": tags.visible(key, seen)},
            outputs={"name": str(alarm["AlarmName"]), "arn": str(alarm["AlarmArn"])},
            detail=str(alarm.get("StateValue", "")),
        )

    def _find(self, key: Key) -> Mapping[str, Any]:
        for found in self._alarms([key.name], key.region):
            return found
        raise NotFoundError("it is gone", where=f"cloudwatch {key.name}")

    def _alarms(self, names: Sequence[str], region: str) -> Iterator[Mapping[str, Any]]:
        for some in chunks(names, NAMES_AT_ONCE):
            what = some[0] if len(some) == 1 else ""
            place = {"what": what, "region": region, "AlarmNames": some, "MaxRecords": NAMES_AT_ONCE}
            kind = {} if self.kind == KINDS[0] else {"AlarmTypes": [self.kind]}
            yield from self.session.pages("cloudwatch", "describe_alarms", f"{self.kind}s", **place, **kind)

    def _retag(self, key: Key, arn: str, plan: Mapping[str, str] | None) -> None:
        put, drop = tags.changes(key, plan, self._tags(key, arn))
        if put:
            self._call("tag_resource", key, ResourceARN=arn, Tags=tags.to_list(put))
        if drop:
            self._call("untag_resource", key, ResourceARN=arn, TagKeys=drop)

    def _tags(self, key: Key, arn: str) -> dict[str, str]:
        return tags.from_list(self._call("list_tags_for_resource", key, ResourceARN=arn).get("Tags"))

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call("cloudwatch", operation, what=key.name, region=key.region, **parameters)


LEAVING: Final = "provisioner:leaving"
"""A tag of an alarm that its set no longer wants and a composite alarm still names: it goes when that rule changes."""
SET_MARK: Final = "\nprovisioner: {"
"""What stands in the description of an alarm that belongs to a set: the step's object is the set, not the alarm."""


def in_set(alarm: Mapping[str, Any]) -> bool:
    """Whether the alarm is one of a set (:mod:`.alarms`)."""
    return SET_MARK in str(alarm.get("AlarmDescription") or "")


def sweep(session: AwsSession, key: Key, names: Sequence[str]) -> None:
    """Deletes those of the named alarms that were only waiting for a rule to let them go."""
    for name in names:
        arn = alarm_arn(session, key, name)
        place = {"what": name, "region": key.region}
        with suppress(NotFoundError, InUseError):  # it is gone, or another rule names it
            answer = session.call("cloudwatch", "list_tags_for_resource", ResourceARN=arn, **place)
            marks = tags.from_list(answer.get("Tags"))
            if LEAVING in marks and str(tags.owner(marks)).partition("/")[0] == key.deployment:
                session.call("cloudwatch", "delete_alarms", AlarmNames=[name], **place)


def alarm_arn(session: AwsSession, key: Key, name: str) -> str:
    """The ARN of the alarm ``name`` in the key's region."""
    caller = session.caller()
    return f"arn:{caller['partition']}:cloudwatch:{key.region or session.region}:{caller['account']}:alarm:{name}"


def known_tags(session: AwsSession, alarms: Sequence[Mapping[str, Any]], region: str) -> dict[str, dict[str, str]]:
    """By ARN, the tags that need not be asked for; what a create of this session told is used once."""
    arns = [str(alarm["AlarmArn"]) for alarm in alarms]
    for alarm in alarms:
        if older(alarm):
            tagged.forget(session, str(alarm["AlarmArn"]))
    found = tagged.known_of_many(session, arns, region)
    for arn in arns:
        tagged.forget(session, arn)
    return found


def parents(session: AwsSession, key: Key, name: str) -> list[resource.Holder]:
    """The composite alarms that keep the alarm ``name`` from being deleted."""
    answer = session.call(
        "cloudwatch", "describe_alarms", what=name, region=key.region, ParentsOfAlarmName=name, MaxRecords=NAMES_AT_ONCE
    )
    return [_holder(session, key, str(alarm["AlarmName"])) for alarm in answer.get("CompositeAlarms") or ()]


def _holder(session: AwsSession, key: Key, name: str) -> resource.Holder:
    arn = alarm_arn(session, key, name)
    marks: dict[str, str] = {}
    with suppress(NotFoundError):
        answer = session.call("cloudwatch", "list_tags_for_resource", what=name, region=key.region, ResourceARN=arn)
        marks = tags.from_list(answer.get("Tags"))
    show = f"`aws cloudwatch describe-alarms --alarm-names {name} --alarm-types CompositeAlarm --region {key.region}`"
    return resource.Holder(
        f"composite alarm {name}", owner=tags.owner(marks), by_hand=f"{show} shows its rule; take the alarm out of it"
    )


def older(alarm: Mapping[str, Any]) -> bool:
    """Whether its state is older than its settings: then the call that set them met an alarm, whose tags it left."""
    state, settings = alarm.get("StateUpdatedTimestamp"), alarm.get("AlarmConfigurationUpdatedTimestamp")
    return state is None or settings is None or (settings - state).total_seconds() > _AT_ONCE
