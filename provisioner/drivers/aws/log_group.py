"""aws.log_group: a CloudWatch log group with its retention.

RDS makes the group of an exported log by itself, without retention and without an owner; so make it before
the instance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import bill_watch, tagged, tags, thrift
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.page import chunks
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import AlreadyExistsError, NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright

Retention = Literal[
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
_NAMES_AT_ONCE: Final = 50


@resource.resource("aws.log_group")
class LogGroup(resource.Resource):
    """One log group. It is made by up to two calls: create, then retention."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A log group."""

        name: Annotated[
            Annotated[str, Meta(max_length=512)] | None,
            Meta(
                description="Name. Left out: deployment-step.",
                examples=["/aws/rds/instance/app-db/postgresql"],
            ),
        ] = None
        retention_days: Annotated[Retention, Meta(description="Days that events are kept; 0: for ever.")] = 30
        kms_key: Annotated[
            str,
            Meta(description="ARN of a KMS key whose policy lets CloudWatch Logs use it; empty: AWS's own."),
        ] = ""
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"name": str, "arn": str}
    charges = staticmethod(bill_watch.log_group)
    savings = staticmethod(thrift.log_group)
    service = "logs"
    name_pattern = r"(?!aws/)[.\-_/#A-Za-z0-9]{1,512}"
    immutable = frozenset({"name"})
    matches: ClassVar = {"tags": tags.same}

    def read(self, key: Key) -> Observed | None:
        """The group of exactly the key's name, and its tags."""
        group = self._groups({key.name: key}, key.region).get(key.name)
        if group is None:
            return None
        marks = tagged.known(self.session, _arn(group), key.region)
        tagged.forget(self.session, _arn(group))
        with suppress(NotFoundError):  # deleted since it was listed
            return self._seen(key, group, marks)
        return None

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed | resource.Singly]:
        """One list for up to 50 names; those whose tags must be asked for are read singly."""
        seen: dict[str, Observed | resource.Singly] = {}
        for region in dict.fromkeys(key.region for key in keys):
            wanted = {key.name: key for key in keys if key.region == region}
            groups = {name: group for name, group in self._groups(wanted, region).items() if name in wanted}
            marks = tagged.known_of_many(self.session, map(_arn, groups.values()), region)
            for name, group in groups.items():
                key, known = wanted[name], marks.get(_arn(group))
                tagged.forget(self.session, _arn(group))
                seen[key.owner] = resource.SINGLY if known is None else self._seen(key, group, known)
        return seen

    def _seen(self, key: Key, group: Mapping[str, Any], marks: Mapping[str, str] | None) -> Observed:
        seen = self._tags(key, group) if marks is None else marks
        return Observed(
            phase=Phase.READY,
            owner=tags.owner(seen),
            spec={
                "retention_days": group.get("retentionInDays", 0),
                "kms_key": group.get("kmsKeyId", ""),
                "tags": tags.visible(key, seen),
            },
            outputs={"name": key.name, "arn": _arn(group)},
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the group with its tags, then sets the retention; goes on with one of ours that is half made."""
        marks = tags.wanted(key, spec.tags)
        try:
            with outright():
                self._call("create_log_group", key, kmsKeyId=spec.kms_key or None, tags=marks)
            tagged.born(self.session, self._own_arn(key), marks)
        except AlreadyExistsError:
            seen = self.read(key)
            if seen is None or seen.owner != key.owner:
                raise
        if spec.retention_days:  # a new one keeps its events for ever
            self._retain(key, spec.retention_days)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sets what differs."""
        tagged.forget(self.session, self._own_arn(key))
        group = self._find(key)
        if group is None:
            raise NotFoundError("it is gone", where=f"logs {key.name}")
        if asked(changed, "retention_days") and spec.retention_days != group.get("retentionInDays", 0):
            self._retain(key, spec.retention_days)
        if asked(changed, "kms_key") and spec.kms_key != group.get("kmsKeyId", ""):
            if spec.kms_key:
                self._call("associate_kms_key", key, kmsKeyId=spec.kms_key)
            else:
                self._call("disassociate_kms_key", key)
        put, drop = tags.changes(key, spec.tags if asked(changed, "tags") else None, self._tags(key, group))
        if put:
            self._tagging("tag_resource", key, resourceArn=_arn(group), tags=put)
        if drop:
            self._tagging("untag_resource", key, resourceArn=_arn(group), tagKeys=drop)

    def delete(self, key: Key) -> None:
        """Deletes the group with its events."""
        tagged.forget(self.session, self._own_arn(key))
        with suppress(NotFoundError):
            self._call("delete_log_group", key)

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """Asks those groups for their tags whose name has the deployment's in it: an account may have thousands."""
        listed = self.session.pages(
            "logs", "describe_log_groups", "logGroups", region=region, logGroupNamePattern=deployment
        )
        named = ((str(group["logGroupName"]), group) for group in listed)
        yield from tags.by_name(named, deployment, region, self._tags)

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        tagged.forget(self.session, self._own_arn(key))
        group = self._find(key)
        if group is not None:
            self._tagging("tag_resource", key, resourceArn=_arn(group), tags=tags.mark(key))

    def _retain(self, key: Key, days: int) -> None:
        if days:
            self._call("put_retention_policy", key, retentionInDays=days)
        else:
            self._call("delete_retention_policy", key)

    def _find(self, key: Key) -> Mapping[str, Any] | None:
        return self._groups([key.name], key.region).get(key.name)

    def _groups(self, names: Iterable[str], region: str) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        for some in chunks(list(names), _NAMES_AT_ONCE):
            only = {"logGroupIdentifiers": some} if len(some) > 1 else {"logGroupNamePrefix": some[0]}
            what = "" if len(some) > 1 else some[0]
            for group in self.session.pages(
                "logs", "describe_log_groups", "logGroups", what=what, region=region, **only
            ):
                found[str(group["logGroupName"])] = group
        return found

    def _own_arn(self, key: Key) -> str:
        caller = self.session.caller()
        place = f"{key.region or self.session.region}:{caller['account']}"
        return f"arn:{caller['partition']}:logs:{place}:log-group:{key.name}"

    def _tags(self, key: Key, group: Mapping[str, Any]) -> dict[str, str]:
        found = self._tagging("list_tags_for_resource", key, resourceArn=_arn(group)).get("tags") or {}
        return {str(name): str(value) for name, value in found.items()}

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self._tagging(operation, key, logGroupName=key.name, **parameters)

    def _tagging(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call("logs", operation, what=key.name, region=key.region, **parameters)


def _arn(group: Mapping[str, Any]) -> str:
    """Without the ``:*`` that IAM wants and the tagging calls refuse."""
    return str(group.get("logGroupArn") or group["arn"]).removesuffix(":*")
