"""From a topic to its subscriptions: what is confirmed gets the message, and everything that was sent can be read.

Queues get theirs for real. Mail, text messages, web addresses and functions get theirs in the inbox alone: a sandbox
calls nobody outside.
"""

from __future__ import annotations

import uuid
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

PENDING: Final = "PendingConfirmation"
CONFIRMATION: Final = "confirmation_token"
"""Where a subscription of moto's keeps what its letter's link proves."""
_SERVICE: Final = "sns"


def publish(services: Services, topic_arn: str, message: str, subject: str) -> None:
    """Deliver a message of AWS's own (an alarm's); a topic that is gone is told nothing, as on AWS."""
    region = topic_arn.split(":")[3]
    with services.world.moto.lock(_SERVICE):
        backend = services.world.moto.backend(_SERVICE, region)
        if topic_arn not in backend.topics:
            return
        reached = confirmed(backend, topic_arn)
        for subscription in reached:
            if subscription.protocol == "sqs":
                subscription.publish(message, str(uuid.uuid4()), subject=subject)
    keep(services, reached, message, subject)


def confirmed(backend: Any, topic_arn: str) -> list[Any]:
    """The subscriptions of a topic that get messages. Hold the lock meanwhile."""
    return [
        one
        for one in backend.subscriptions.values()
        if one.topic.arn == topic_arn and one.attributes.get(PENDING) != "true"
    ]


def keep(services: Services, reached: list[Any], message: str, subject: str) -> None:
    """A letter for each subscription in the inbox."""
    for one in reached:
        _write(services, one, "notification", subject, message)


def ask(services: Services, subscription: Any, link: str) -> None:
    """The letter that asks an address whether it wants what a topic is told."""
    topic = subscription.topic.arn
    text = f"You have chosen to subscribe to the topic {topic}. To confirm this subscription, visit: {link}"
    _write(services, subscription, "confirmation", "AWS Notification - Subscription Confirmation", text, link)


def _write(services: Services, one: Any, kind: str, subject: str, message: str, link: str = "") -> None:
    services.inbox.put(
        time=services.world.wall().astimezone(UTC).isoformat(timespec="milliseconds"),
        kind=kind,
        topic=one.topic.arn,
        protocol=one.protocol,
        endpoint=one.endpoint,
        subject=subject,
        message=message,
        link=link,
    )
