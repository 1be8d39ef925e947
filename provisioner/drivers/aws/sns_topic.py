"""aws.sns_topic: where events are published."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import bill_watch, tagged, tags
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.session import AwsSession
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright


def topic_tags(session: AwsSession, key: Key, arn: str) -> dict[str, str]:
    """All tags of a topic; NotFoundError where there is none."""
    tagged.forget(session, arn)
    answer = session.call("sns", "list_tags_for_resource", what=key.name, region=key.region, ResourceArn=arn)
    return tags.from_list(answer.get("Tags"))


def _topics(session: AwsSession, region: str) -> Iterator[str]:
    """ARN of every topic of the region."""
    for item in session.pages("sns", "list_topics", "Topics", region=region):
        yield str(item["TopicArn"])


def tagged_topics(session: AwsSession, region: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(ARN, tags) of every topic of the region."""
    for arn in _topics(session, region):
        with suppress(NotFoundError):  # deleted since it was listed
            answer = session.call("sns", "list_tags_for_resource", what=arn, region=region, ResourceArn=arn)
            yield arn, tags.from_list(answer.get("Tags"))


@resource.resource("aws.sns_topic")
class SnsTopic(resource.Resource):
    """One standard topic. Its policy is AWS's default: the account itself may publish, RDS and ElastiCache
    with it."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A topic."""

        name: Annotated[
            Annotated[str, Meta(max_length=256)] | None, Meta(description="Name. Left out: deployment-step.")
        ] = None
        display_name: Annotated[Annotated[str, Meta(max_length=100)], Meta(description="Sender's name in e-mail.")] = ""
        kms_key: Annotated[
            str,
            Meta(
                description="Id, ARN or alias of a KMS key; empty: not encrypted. RDS and ElastiCache publish to an "
                "encrypted topic only with a key of yours whose policy lets them."
            ),
        ] = ""
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"arn": str, "name": str}
    charges = staticmethod(bill_watch.topic)
    service = "sns"
    name_pattern = r"[A-Za-z0-9_-]{1,256}"
    immutable = frozenset({"name"})
    matches: ClassVar = {"tags": tags.same}

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed | resource.Singly]:
        """Attributes take a call each, as SNS lists names alone; but at a glance the list says which there are."""
        if not self.session.glancing:
            return {key.owner: resource.SINGLY for key in keys}
        listed: set[str] = set()
        for region in dict.fromkeys(key.region for key in keys):
            listed.update(_topics(self.session, region))
        return {key.owner: resource.SINGLY for key in keys if self._arn(key) in listed}

    def read(self, key: Key) -> Observed | None:
        """The topic of the key's name, attributes and tags."""
        arn = self._arn(key)
        try:
            attributes = self._call("get_topic_attributes", key, TopicArn=arn)["Attributes"]
            seen = tagged.known(self.session, arn, key.region) or topic_tags(self.session, key, arn)
        except NotFoundError:
            return None
        finally:
            tagged.forget(self.session, arn)
        return Observed(
            phase=Phase.READY,
            owner=tags.owner(seen),
            spec={
                "display_name": attributes.get("DisplayName", ""),
                "kms_key": attributes.get("KmsMasterKeyId", ""),
                "tags": tags.visible(key, seen),
            },
            outputs={"arn": arn, "name": key.name},
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the topic with tags and attributes; SNS answers with the same topic when asked again."""
        wanted = {name: value for name, value in _attributes(spec).items() if value}
        marks = tags.wanted(key, spec.tags)
        with outright():
            made = self._call("create_topic", key, Name=key.name, Attributes=wanted or None, Tags=tags.to_list(marks))
        tagged.born(self.session, made["TopicArn"], marks)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sets the attributes that differ, one a call, and the tags."""
        arn = self._arn(key)
        seen = self._call("get_topic_attributes", key, TopicArn=arn)["Attributes"]
        wanted = _attributes(spec)
        told = {name: wanted[name] for name, field in _FIELDS.items() if asked(changed, field)}
        for name, value in told.items():
            if seen.get(name, "") != value:
                self._call("set_topic_attributes", key, TopicArn=arn, AttributeName=name, AttributeValue=value)
        put, drop = tags.changes(key, spec.tags if asked(changed, "tags") else None, topic_tags(self.session, key, arn))
        if put:
            self._call("tag_resource", key, ResourceArn=arn, Tags=tags.to_list(put))
        if drop:
            self._call("untag_resource", key, ResourceArn=arn, TagKeys=drop)

    def delete(self, key: Key) -> None:
        """Deletes the topic and with it every subscription; SNS knows no error for a topic that is gone."""
        tagged.forget(self.session, self._arn(key))
        self._call("delete_topic", key, TopicArn=self._arn(key))

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """One list, and the tags of each."""
        for arn, marks in tagged_topics(self.session, region):
            if key := tags.found(marks, deployment, region, arn.rpartition(":")[2]):
                yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        tagged.forget(self.session, self._arn(key))
        self._call("tag_resource", key, ResourceArn=self._arn(key), Tags=tags.to_list(tags.mark(key)))

    def _arn(self, key: Key) -> str:
        caller = self.session.caller()
        region = key.region or self.session.region
        return f"arn:{caller['partition']}:sns:{region}:{caller['account']}:{key.name}"

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call("sns", operation, what=key.name, region=key.region, **parameters)


def _attributes(spec: SnsTopic.Spec) -> dict[str, str]:
    return {name: getattr(spec, field) for name, field in _FIELDS.items()}


_FIELDS = {"DisplayName": "display_name", "KmsMasterKeyId": "kms_key"}
"""The topic's attribute → the Spec's field."""
