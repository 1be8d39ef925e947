"""``aws.sns_message``: somebody is told, once a run, and a look tells nobody."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from provisioner.drivers.aws.session import AwsSession, open_session
from provisioner.drivers.aws.sns_message import SnsMessage
from provisioner.endpoints import endpoint_of
from provisioner.errors import AccessDeniedError, CloudError, UnavailableError
from provisioner.resource import Registry
from tests.contract.conftest import REGION
from tests.contract.world import World


class Ear:
    """A queue that hears a topic."""

    def __init__(self, world: World) -> None:
        endpoint = endpoint_of("aws")
        assert endpoint is not None
        make: Any = boto3.client
        keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
        self.sqs = make("sqs", region_name=REGION, endpoint_url=endpoint.url, **keys)
        self.queue = self.sqs.create_queue(QueueName=f"ear-{uuid.uuid4().hex[:8]}")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        _, topic = world.make("aws.sns_topic", "topic", {})
        self.topic = str(topic.outputs["arn"])
        world.make("aws.sns_subscription", "ear", {"topic_arn": self.topic, "protocol": "sqs", "endpoint": arn})

    def heard(self) -> list[str]:
        """What came since the last time."""
        found = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return [str(message["Body"]) for message in found]


@pytest.fixture(scope="module")
def ear(registry: Registry) -> Iterator[Ear]:
    world = World(registry, REGION)
    try:
        yield Ear(world)
    finally:
        world.close()


class Refusing(AwsSession):
    """A session whose every call fails."""

    def __init__(self, error: CloudError) -> None:
        super().__init__(REGION, None)
        self.error = error

    def call(self, service: str, operation: str, **how: Any) -> dict[str, Any]:
        raise self.error


def _spec(ear: Ear, **more: Any) -> SnsMessage.Spec:
    return SnsMessage.Spec(**{"topic_arn": ear.topic, "subject": "shop is deployed", "message": "version 7", **more})


def test_a_run_tells_once_however_often_it_asks_and_the_next_run_tells_again(ear: Ear) -> None:
    gate = SnsMessage(open_session(REGION))
    assert all(gate.check(_spec(ear)).passed for _ in range(3))
    assert [("version 7" in body, "shop is deployed" in body) for body in ear.heard()] == [(True, True)]
    assert SnsMessage(open_session(REGION)).check(_spec(ear)).passed
    assert len(ear.heard()) == 1


def test_a_look_says_who_would_be_told_and_tells_nobody(ear: Ear) -> None:
    verdict = SnsMessage(open_session(REGION)).look(_spec(ear))
    assert (verdict.passed, verdict.detail) == (True, "1 confirmed subscriptions")
    assert ear.heard() == []


def test_a_topic_that_is_not_there_fails_at_once_and_passes_where_it_is_not_required(ear: Ear) -> None:
    gone = f"{ear.topic}-gone"
    verdict = SnsMessage(open_session(REGION)).check(_spec(ear, topic_arn=gone))
    assert (verdict.passed, verdict.final) == (False, True)
    assert verdict.detail.startswith("not sent: ")
    assert SnsMessage(open_session(REGION)).check(_spec(ear, topic_arn=gone, required=False)).passed
    assert not SnsMessage(open_session(REGION)).look(_spec(ear, topic_arn=gone)).passed


def test_what_passes_by_itself_is_tried_again_and_what_is_forbidden_is_not(ear: Ear) -> None:
    for error, final in ((UnavailableError("not now"), False), (AccessDeniedError("not you"), True)):
        verdict = SnsMessage(Refusing(error)).check(_spec(ear))
        assert (verdict.passed, verdict.final) == (False, final)
