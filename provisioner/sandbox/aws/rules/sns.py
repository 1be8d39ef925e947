"""SNS: a topic with other tags is not the same topic, protocols are a closed list, and mail addresses must confirm.

The letter that asks an address stands in the inbox; its link confirms, as on AWS, without a signature.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.delivery import CONFIRMATION, PENDING, ask, confirmed, keep
from provisioner.sandbox.aws.wire import answer
from provisioner.sandbox.settings import ACCOUNT

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_PROTOCOLS: Final = {"http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"}


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
    """Mail addresses are pending until somebody follows the link in the letter that they get."""
    protocol = call.form.get("Protocol", "")
    if protocol not in _PROTOCOLS:
        raise AwsError("InvalidParameter", f"Invalid parameter: Does not support this protocol string: {protocol}")
    if protocol.startswith("email") and not re.fullmatch(r"[^@\s]+@[^@\s]+", call.form.get("Endpoint", "")):
        raise AwsError("InvalidParameter", "Invalid parameter: Email address")
    reply = proceed()
    waits = reply.status < 300 and protocol.startswith("email") and _mark_pending(call, services)
    if waits and call.form.get("ReturnSubscriptionArn", "false").lower() != "true":
        reply.body = re.sub(rb"(<SubscriptionArn>)[^<]*", rb"\1pending confirmation", reply.body)
    return reply


def _mark_pending(call: Call, services: Services) -> bool:
    """Whether the subscription waits for its address; each request for it sends a letter."""
    place = (call.form["TopicArn"], call.form["Protocol"], call.form["Endpoint"])
    with services.world.moto.lock("sns"):
        backend = services.world.moto.backend("sns", call.region)
        found = [one for one in backend.subscriptions.values() if (one.topic.arn, one.protocol, one.endpoint) == place]
        if not found or found[0].attributes.get(PENDING) == "false":
            return False
        found[0].attributes[PENDING] = "true"
        token = found[0].__dict__.setdefault(CONFIRMATION, uuid.uuid4().hex)
    query = urlencode({"Action": "ConfirmSubscription", "TopicArn": place[0], "Token": token})
    address = f"{call.environ['wsgi.url_scheme']}://{call.environ['HTTP_HOST']}"
    ask(services, found[0], f"{address}/?{query}")
    return True


def confirm(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """What the link in a letter does; who has the token needs no signature."""
    topic, token = call.form.get("TopicArn", ""), call.form.get("Token", "")
    region = topic.split(":")[3] if topic.count(":") == 5 else call.region
    with services.world.moto.lock("sns"):
        backend = services.world.moto.backend("sns", region)
        if topic not in backend.topics:
            raise AwsError("NotFound", "Topic does not exist", 404)
        for arn, one in backend.subscriptions.items():
            if one.topic.arn == topic and token and one.__dict__.get(CONFIRMATION) == token:
                one.attributes[PENDING] = "false"
                return answer(call, {"SubscriptionArn": arn})
    raise AwsError("InvalidParameter", "Invalid parameter: Token")


def confirm_all(services: Services, endpoint: str) -> int:
    """An address says yes to everything that it was asked; to how many subscriptions."""
    said = 0
    with services.world.moto.lock("sns"):
        for region in services.world.moto.regions("sns"):
            for one in services.world.moto.backend("sns", region).subscriptions.values():
                if one.endpoint == endpoint and one.attributes.get(PENDING) == "true":
                    one.attributes[PENDING] = "false"
                    said += 1
    return said


def publish(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """moto's own delivery, and a letter for each subscription that is confirmed."""
    reply = proceed()
    topic = call.form.get("TopicArn") or call.form.get("TargetArn") or ""
    if reply.status < 300 and topic:
        with services.world.moto.lock("sns"):
            reached = confirmed(services.world.moto.backend("sns", call.region), topic)
        keep(services, reached, call.form.get("Message", ""), call.form.get("Subject", ""))
    return reply


def list_subscriptions(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Lists do not tell the ARN of a subscription that is pending."""
    with services.world.moto.lock("sns"):
        reply = proceed()
        for arn, subscription in services.world.moto.backend("sns", call.region).subscriptions.items():
            if subscription.attributes.get(PENDING) == "true":
                whole = f"<SubscriptionArn>{arn}</SubscriptionArn>".encode()
                reply.body = reply.body.replace(whole, f"<SubscriptionArn>{PENDING}</SubscriptionArn>".encode())
    return reply
