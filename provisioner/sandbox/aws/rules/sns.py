"""SNS: a topic with other tags is not the same topic, protocols are a closed list, and mail addresses must confirm."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.settings import ACCOUNT

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_PROTOCOLS: Final = {"http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"}
_PENDING: Final = "PendingConfirmation"


def create_topic(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Creating again is fine only with the tags that the topic has."""
    arn = f"arn:aws:sns:{call.region}:{ACCOUNT}:{call.form.get('Name', '')}"
    keys = {n.rpartition(".")[0]: v for n, v in call.form.items() if re.fullmatch(r"Tags\.member\.\d+\.Key", n)}
    tags = {key: call.form.get(f"{place}.Value", "") for place, key in keys.items()}
    with services.world.moto.lock("sns"):
        topic = services.world.moto.backend("sns", call.region).topics.get(arn)
        if topic is not None and tags and {str(k): str(v) for k, v in dict(_pairs(topic._tags)).items()} != tags:
            raise AwsError(
                "InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags"
            )
        return proceed()


def _pairs(tags: object) -> list[tuple[str, str]]:
    """moto keeps tags as a dictionary or as a list of Key and Value."""
    if isinstance(tags, dict):
        return list(tags.items())
    return [(tag["Key"], tag["Value"]) for tag in tags] if isinstance(tags, list) else []


def subscribe(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Mail addresses are pending until somebody follows the link, which nobody does in a sandbox."""
    protocol = call.form.get("Protocol", "")
    if protocol not in _PROTOCOLS:
        raise AwsError("InvalidParameter", f"Invalid parameter: Does not support this protocol string: {protocol}")
    if protocol.startswith("email") and not re.fullmatch(r"[^@\s]+@[^@\s]+", call.form.get("Endpoint", "")):
        raise AwsError("InvalidParameter", "Invalid parameter: Email address")
    reply = proceed()
    if reply.status < 300 and protocol.startswith("email"):
        _mark_pending(call, services)
        if call.form.get("ReturnSubscriptionArn", "false").lower() != "true":
            reply.body = re.sub(rb"(<SubscriptionArn>)[^<]*", rb"\1pending confirmation", reply.body)
    return reply


def _mark_pending(call: Call, services: Services) -> None:
    with services.world.moto.lock("sns"):
        for subscription in services.world.moto.backend("sns", call.region).subscriptions.values():
            if subscription.topic.arn == call.form["TopicArn"] and subscription.endpoint == call.form["Endpoint"]:
                subscription.attributes[_PENDING] = "true"


def list_subscriptions(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Lists do not tell the ARN of a subscription that is pending."""
    with services.world.moto.lock("sns"):
        reply = proceed()
        for arn, subscription in services.world.moto.backend("sns", call.region).subscriptions.items():
            if subscription.attributes.get(_PENDING) == "true":
                whole = f"<SubscriptionArn>{arn}</SubscriptionArn>".encode()
                reply.body = reply.body.replace(whole, f"<SubscriptionArn>{_PENDING}</SubscriptionArn>".encode())
    return reply
