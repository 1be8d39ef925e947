"""aws.sns_subscription: who hears what a topic is told.

A subscription carries no tags, so whose it is stands on its topic: a tag ``provisioner:owner/<digest>``,
where the digest is that of protocol and endpoint, written before the subscription is made. SNS itself answers
a second Subscribe of the same endpoint with the same subscription.

Weakness: an e-mail subscription that nobody has confirmed cannot be deleted by anyone; SNS drops it after two
days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import bill_watch, tagged, tags
from provisioner.drivers.aws.given import rule
from provisioner.drivers.aws.sns_topic import tagged_topics, topic_tags
from provisioner.errors import AlreadyExistsError, BusyError, NotFoundError
from provisioner.model import OWNER_TAG, Key, Observed, Phase
from provisioner.resource import outright

_BEGINS: Final[Mapping[str, str]] = {
    "http": "http://", "https": "https://", "sqs": "arn:", "lambda": "arn:", "firehose": "arn:", "application": "arn:",
}  # fmt: skip
_CLAIMED: Final = "sns_subscription claimed"


def owner_tag(protocol: str, endpoint: str) -> str:
    """The name of the topic's tag that says whose subscription this is.

    >>> owner_tag("email", "ops@example.com")
    'provisioner:owner/2863c579a0110bc4'
    """
    return f"{OWNER_TAG}/{hashlib.sha256(f'{protocol} {endpoint}'.encode()).hexdigest()[:16]}"


def _endpoint(protocol: str, endpoint: str) -> str | None:
    if protocol.startswith("email") and "@" not in endpoint:
        return f"{endpoint!r} is not an e-mail address"
    start = _BEGINS.get(protocol, "")
    return None if endpoint.startswith(start) else f"protocol {protocol} wants an endpoint that begins with {start}"


@resource.resource("aws.sns_subscription")
class SnsSubscription(resource.Resource):
    """One endpoint that gets a topic's messages. An e-mail address must confirm before it does."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A subscription."""

        topic_arn: Annotated[str, Meta(pattern=r"^arn:[a-z-]+:sns:", description="ARN of the topic.")]
        protocol: Annotated[
            Literal["email", "email-json", "https", "http", "sqs", "lambda", "sms", "firehose", "application"],
            Meta(description="How messages are delivered."),
        ]
        endpoint: Annotated[
            str,
            Meta(min_length=1, description="Address, URL, number or ARN, as the protocol wants it.",
                 examples=["ops@example.com"]),
        ]  # fmt: skip

    outputs: ClassVar[Mapping[str, type]] = {"arn": str, "confirmed": bool}
    charges = staticmethod(bill_watch.subscription)
    rules = (rule(_endpoint, "protocol", "endpoint"),)
    service = "sns"
    identity = ("topic_arn", "protocol", "endpoint")

    def read(self, key: Key) -> Observed | None:
        """The topic's subscription of this protocol and endpoint; its owner from the topic's tags."""
        try:
            found = self._find(key)
            if found is None:
                return None
            arn = key.at["topic_arn"]
            if self.session.memory(_CLAIMED).pop(_place(key), None):
                return self._seen(key, found, key.owner)  # written a moment ago, before the subscription was made
            listed = tagged.known(self.session, arn, key.region) or {}
            owner = listed.get(self._tag(key)) or self._tags(key).get(self._tag(key))
        except NotFoundError:  # the topic is gone, and its subscriptions with it
            return None
        return self._seen(key, found, owner)

    def _seen(self, key: Key, found: Mapping[str, Any], owner: str | None) -> Observed | None:
        confirmed = found["SubscriptionArn"].startswith("arn:")
        if owner is None and not confirmed:
            return None  # nobody's yet, and nobody can delete it: subscribing again takes it over
        return Observed(
            phase=Phase.READY,
            owner=owner,
            spec={field: key.at[field] for field in self.identity},
            outputs={"arn": found["SubscriptionArn"], "confirmed": confirmed},
            detail="confirmed" if confirmed else "waiting for the address to confirm",
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Claims the subscription on the topic, then subscribes."""
        with outright():
            self._claim(key, spec)
        # The claim may have made one ours that nobody can delete because its address never confirmed it.
        self._call(
            "subscribe",
            key,
            TopicArn=spec.topic_arn,
            Protocol=spec.protocol,
            Endpoint=spec.endpoint,
            ReturnSubscriptionArn=True,
        )
        self.session.memory(_CLAIMED)[_place(key)] = True

    def _claim(self, key: Key, spec: Spec) -> None:
        try:
            seen = self._tags(key).get(self._tag(key))
        except NotFoundError as err:  # to a reader the topic is gone; to who builds on it, it is not there yet
            raise BusyError(err.message, where=err.where, cloud_code=err.cloud_code) from err
        if seen not in (None, key.owner):
            raise AlreadyExistsError(
                f"the subscription of {spec.endpoint} belongs to {seen}", where=f"sns Subscribe {key.name}"
            )
        claim = {self._tag(key): key.owner}
        self._call("tag_resource", key, ResourceArn=spec.topic_arn, Tags=tags.to_list(claim))

    def delete(self, key: Key) -> None:
        """Unsubscribes, then takes the claim back."""
        self.session.memory(_CLAIMED).pop(_place(key), None)
        try:
            found = self._find(key)
            if found is not None and found["SubscriptionArn"].startswith("arn:"):
                self._call("unsubscribe", key, SubscriptionArn=found["SubscriptionArn"])
            if self._tag(key) in self._tags(key):
                self._call("untag_resource", key, ResourceArn=key.at["topic_arn"], TagKeys=[self._tag(key)])
        except NotFoundError:
            return

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """The subscriptions of every topic on which one is claimed for the deployment."""
        for arn, marks in tagged_topics(self.session, region):
            claims = {tag: whose for tag, whose in marks.items() if whose.startswith(f"{deployment}/")}
            if not any(tag.startswith(f"{OWNER_TAG}/") for tag in claims):
                continue
            listed = self.session.pages(
                "sns", "list_subscriptions_by_topic", "Subscriptions", what=arn, region=region, TopicArn=arn
            )
            for item in listed:
                at = {"topic_arn": arn, "protocol": str(item["Protocol"]), "endpoint": str(item["Endpoint"])}
                owner = claims.get(owner_tag(at["protocol"], at["endpoint"]), "")
                if key := tags.found({OWNER_TAG: owner}, deployment, region, **at):
                    yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Claims the subscription on its topic again."""
        self.session.memory(_CLAIMED).pop(_place(key), None)
        claim = tags.to_list({self._tag(key): key.owner})
        self._call("tag_resource", key, ResourceArn=key.at["topic_arn"], Tags=claim)

    def _find(self, key: Key) -> Mapping[str, Any] | None:
        listed = self.session.pages(
            "sns",
            "list_subscriptions_by_topic",
            "Subscriptions",
            what=key.name,
            region=key.region,
            TopicArn=key.at["topic_arn"],
        )
        for item in listed:
            if (item["Protocol"], item["Endpoint"]) == (key.at["protocol"], key.at["endpoint"]):
                found: Mapping[str, Any] = item
                return found
        return None

    def _tag(self, key: Key) -> str:
        return owner_tag(key.at["protocol"], key.at["endpoint"])

    def _tags(self, key: Key) -> dict[str, str]:
        return topic_tags(self.session, key, key.at["topic_arn"])

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call("sns", operation, what=key.name, region=key.region, **parameters)


def _place(key: Key) -> str:
    return f"{key.region} {key.owner} {sorted(key.at.items())}"
