"""aws.rds_event_subscription: which of RDS's events go to a topic."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from provisioner import charge, resource
from provisioner.drivers.aws import arn_tags, same, tagged, tags
from provisioner.drivers.aws.given import asked, rule
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright

SourceType = Literal[
    "db-instance", "db-parameter-group", "db-security-group", "db-snapshot", "db-cluster", "db-cluster-snapshot",
    "db-proxy", "blue-green-deployment",
]  # fmt: skip
_PHASES: Mapping[str, Phase] = {
    "active": Phase.READY,
    "deleting": Phase.DELETING,
    "no-permission": Phase.FAILED,
    "topic-not-exist": Phase.FAILED,
}


def _sources(source_type: str, ids: Sequence[str]) -> str | None:
    return "source_ids need a source_type" if ids and not source_type else None


@resource.resource("aws.rds_event_subscription")
class RdsEventSubscription(resource.Resource):
    """Events of databases, by source and category, sent to one SNS topic."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """An event subscription."""

        name: Annotated[
            Annotated[str, Meta(max_length=254)] | None, Meta(description="Name. Left out: deployment-step.")
        ] = None
        topic_arn: Annotated[str, Meta(pattern=r"^arn:[a-z-]+:sns:", description="ARN of the SNS topic.")]
        source_type: Annotated[
            Literal["", SourceType], Meta(description="Kind of thing the events are about; empty: all.")
        ] = "db-instance"
        source_ids: Annotated[
            list[str], Meta(description="Names of the things; empty: all of the kind.", examples=[["app-db"]])
        ] = []
        categories: Annotated[
            list[str],
            Meta(description="Categories; empty: all.", examples=[["failover", "failure", "low storage"]]),
        ] = []
        enabled: Annotated[bool, Meta(description="Whether events are sent.")] = True
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"name": str, "arn": str}
    charges = staticmethod(charge.nothing)
    rules = (rule(_sources, "source_type", "source_ids"),)
    service = "rds"
    name_pattern = r"(?=.{1,254}$)[a-z](?:[a-z0-9]|-(?=[a-z0-9]))*"
    immutable = frozenset({"name"})
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "source_ids": same.as_set,
        "categories": same.as_set,
        "tags": tags.same,
    }

    def read(self, key: Key) -> Observed | None:
        """The subscription of the key's name; its tags take a second call."""
        found = self._find(key)
        if found is None:
            return None
        try:
            return self._seen(key, found)
        except NotFoundError:  # deleted meanwhile
            return None

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed]:
        """One list a region; tags of those asked for."""
        seen: dict[str, Observed] = {}
        for region, wanted in same.by_region(keys).items():
            for item in self.session.pages(
                "rds", "describe_event_subscriptions", "EventSubscriptionsList", region=region
            ):
                key = wanted.get(item["CustSubscriptionId"].lower())
                if key is not None:
                    with suppress(NotFoundError):  # deleted since it was listed
                        seen[key.owner] = self._seen(key, item)
        return seen

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the subscription with its tags."""
        marks = tags.wanted(key, spec.tags)
        with outright():
            made = self._call(
                "create_event_subscription",
                key,
                **_body(spec),
                SourceIds=sorted(set(spec.source_ids)) or None,
                Tags=tags.to_list(marks),
            )
        tagged.born(self.session, made["EventSubscription"]["EventSubscriptionArn"], marks)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sets topic, categories and the switch in one call; then sources, one a call; then the tags."""
        found = self._find(key)
        if found is None:
            raise NotFoundError("it is gone", where=f"rds {key.name}")
        settings = _changes(spec, found, changed)
        if settings:
            self._call("modify_event_subscription", key, **settings)
        seen = set(found.get("SourceIdsList", ()))
        wanted = set(spec.source_ids) if asked(changed, "source_ids") else seen
        for source in sorted(wanted - seen):
            self._call("add_source_identifier_to_subscription", key, SourceIdentifier=source)
        for source in sorted(seen - wanted):
            self._call("remove_source_identifier_from_subscription", key, SourceIdentifier=source)
        arn_tags.write(
            self.session, "rds", found["EventSubscriptionArn"], key, spec.tags if asked(changed, "tags") else None
        )

    def delete(self, key: Key) -> None:
        """Deletes the subscription."""
        with suppress(NotFoundError):
            self._call("delete_event_subscription", key)

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """One list, and the tags of each."""
        for item in self.session.pages("rds", "describe_event_subscriptions", "EventSubscriptionsList", region=region):
            name = str(item["CustSubscriptionId"])
            with suppress(NotFoundError):  # deleted since it was listed
                marks = arn_tags.of(self.session, "rds", item["EventSubscriptionArn"], name, region)
                if key := tags.found(marks, deployment, region, name):
                    yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        found = self._find(key)
        if found is not None:
            arn_tags.claim(self.session, "rds", found["EventSubscriptionArn"], key)

    def _find(self, key: Key) -> Mapping[str, Any] | None:
        try:
            found = self._call("describe_event_subscriptions", key)["EventSubscriptionsList"]
        except NotFoundError:
            return None
        return found[0] if found else None

    def _seen(self, key: Key, item: Mapping[str, Any]) -> Observed:
        status = str(item.get("Status", ""))
        ready = status != "creating"
        seen = arn_tags.known(self.session, "rds", item["EventSubscriptionArn"], key, ready=ready)
        return Observed(
            phase=_PHASES.get(status, Phase.PENDING),
            owner=tags.owner(seen),
            spec={
                "topic_arn": item["SnsTopicArn"],
                "source_type": item.get("SourceType", ""),
                "source_ids": sorted(item.get("SourceIdsList", ())),
                "categories": sorted(item.get("EventCategoriesList", ())),
                "enabled": bool(item.get("Enabled")),
                "tags": tags.visible(key, seen),
            },
            outputs={"name": item["CustSubscriptionId"], "arn": item["EventSubscriptionArn"]},
            detail=status,
        )

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call(
            "rds", operation, what=key.name, region=key.region, SubscriptionName=key.name, **parameters
        )


def _body(spec: RdsEventSubscription.Spec) -> dict[str, Any]:
    return {
        "SnsTopicArn": spec.topic_arn,
        "SourceType": spec.source_type or None,
        "EventCategories": sorted(set(spec.categories)) or None,
        "Enabled": spec.enabled,
    }


def _changes(spec: RdsEventSubscription.Spec, found: Mapping[str, Any], changed: Collection[str]) -> dict[str, Any]:
    """What a modification is told, or nothing where it may touch none of it.

    A source type that is left out means all sources, so what is not to be touched is said as it is.
    """
    wanted = {**_body(spec), "EventCategories": sorted(set(spec.categories))}  # none must be said, or the old ones stay
    seen = {
        "SnsTopicArn": found["SnsTopicArn"],
        "SourceType": found.get("SourceType") or None,
        "EventCategories": sorted(found.get("EventCategoriesList", ())),
        "Enabled": bool(found.get("Enabled")),
    }
    fields = {
        "topic_arn": "SnsTopicArn",
        "source_type": "SourceType",
        "categories": "EventCategories",
        "enabled": "Enabled",
    }
    told = {name: wanted[name] for field, name in fields.items() if asked(changed, field)}
    return {**seen, **told} if told else {}
