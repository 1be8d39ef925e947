"""A sandbox that takes so many calls a second and no more throttles the rest in each service's own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import Aws, refused


@pytest.fixture
def limit(aws: Aws) -> Iterator[Callable[[float], None]]:
    """Says how many calls a second each service takes."""
    yield lambda rate: aws.admin("PATCH", "options", {"rate_limit": rate})
    aws.admin("PATCH", "options", {"rate_limit": 0})


def _passed(aws: Aws, tries: int) -> int:
    aws.admin("DELETE", "requests")
    for _ in range(tries):
        with suppress(ClientError):
            aws.sns.list_topics()
    report = aws.admin("GET", "requests")
    assert report["total"] == tries
    return tries - int(report["throttled"])


def test_without_a_limit_every_call_passes(aws: Aws) -> None:
    assert aws.admin("GET", "options")["rate_limit"] == 0
    assert _passed(aws, 40) == 40


def test_one_seconds_worth_passes_at_once_and_then_one_as_its_time_comes(
    aws: Aws, limit: Callable[[float], None]
) -> None:
    limit(10)
    assert _passed(aws, 15) == 10
    aws.clock.advance(0.25)
    assert _passed(aws, 15) == 2
    aws.clock.advance(0.0625)  # with the half token that was left
    assert _passed(aws, 15) == 1
    aws.clock.advance(3600)
    assert _passed(aws, 15) == 10


def test_a_service_that_is_busy_keeps_no_other_and_no_other_region_waiting(
    aws: Aws, limit: Callable[[float], None]
) -> None:
    limit(1)
    aws.sns.list_topics()
    assert refused(aws.sns.list_topics) == "Throttling"
    aws.rds.describe_db_instances()
    aws.client("sns", "eu-west-1").list_topics()


def test_each_service_refuses_in_its_own_words_and_nothing_happens(aws: Aws, limit: Callable[[float], None]) -> None:
    limit(0.5)
    words = {
        "ec2": (lambda: aws.ec2.create_vpc(CidrBlock="10.0.0.0/16"), "RequestLimitExceeded"),
        "rds": (aws.rds.describe_db_instances, "Throttling"),
        "secretsmanager": (lambda: aws.secretsmanager.create_secret(Name="s"), "ThrottlingException"),
        "s3": (lambda: aws.s3.create_bucket(Bucket="bucket"), "SlowDown"),
        "cloudwatch": (aws.cloudwatch.describe_alarms, "ThrottlingException"),
        "tagging": (aws.resourcegroupstaggingapi.get_resources, "ThrottledException"),
    }
    for call, _ in words.values():
        call()
    assert {name: refused(call) for name, (call, _) in words.items()} == {n: word for n, (_, word) in words.items()}
    assert len(aws.admin("GET", "inventory")["objects"]) == 3


@pytest.mark.parametrize("rate", [-1, "many", True, None, "inf"])
def test_what_is_no_limit_is_refused(aws: Aws, rate: object) -> None:
    with pytest.raises(OSError, match="400"):
        aws.admin("PATCH", "options", {"rate_limit": rate})
