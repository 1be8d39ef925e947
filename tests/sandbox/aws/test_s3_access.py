"""S3 as callers without a signature see it, and the conditions that it does not know."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import Aws, refused

_ALL: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::bucket/*",
        }
    ],
}


def _anonymous(aws: Aws, method: str, path: str, data: bytes | None = None) -> int:
    request = urllib.request.Request(f"{aws.sandbox.aws.url}/{path}", method=method, data=data)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            assert method == "HEAD" or b"<Code>AccessDenied</Code>" in error.read()
            return error.code


@pytest.fixture
def bucket(aws: Aws) -> str:
    """A bucket with one object."""
    aws.s3.create_bucket(Bucket="bucket")
    aws.s3.put_object(Bucket="bucket", Key="there", Body=b"data")
    return "bucket"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "bucket/there"),
        ("HEAD", "bucket/there"),
        ("GET", "bucket/nothing"),
        ("GET", "bucket?list-type=2"),
        ("GET", "bucket"),
        ("GET", "bucket?encryption"),
        ("PUT", "bucket/there"),
        ("DELETE", "bucket/there"),
    ],
)
def test_a_private_bucket_has_nothing_for_the_anonymous(aws: Aws, bucket: str, method: str, path: str) -> None:
    assert _anonymous(aws, method, path, b"x" if method == "PUT" else None) == 403


def test_a_policy_for_everybody_opens_what_it_names_and_no_more(aws: Aws, bucket: str) -> None:
    aws.s3.delete_public_access_block(Bucket=bucket)
    aws.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_ALL))
    assert _anonymous(aws, "GET", "bucket/there") == 200
    assert _anonymous(aws, "GET", "bucket/nothing") == 403
    assert _anonymous(aws, "GET", "bucket?list-type=2") == 403
    lists = {**_ALL["Statement"][0], "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket"}
    aws.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**_ALL, "Statement": [lists]}))
    assert _anonymous(aws, "GET", "bucket?list-type=2") == 200
    assert _anonymous(aws, "GET", "bucket/there") == 403


@pytest.mark.parametrize(
    "narrower",
    [
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}},
        {"Effect": "Deny"},
    ],
)
def test_a_policy_for_some_opens_nothing(aws: Aws, bucket: str, narrower: dict[str, Any]) -> None:
    aws.s3.delete_public_access_block(Bucket=bucket)
    policy = {**_ALL, "Statement": [{**_ALL["Statement"][0], **narrower}]}
    aws.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert _anonymous(aws, "GET", "bucket/there") == 403


def test_a_public_access_block_outweighs_a_policy(aws: Aws, bucket: str) -> None:
    put = partial(aws.s3.put_bucket_policy, Bucket=bucket, Policy=json.dumps(_ALL))
    assert refused(put) == "AccessDenied"
    aws.s3.delete_public_access_block(Bucket=bucket)
    put()
    assert _anonymous(aws, "GET", "bucket/there") == 200
    aws.s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True, "BlockPublicPolicy": True}
    )
    assert _anonymous(aws, "GET", "bucket/there") == 403


def test_a_write_on_the_condition_that_an_object_is_another_one_is_not_known(aws: Aws, bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        aws.s3.put_object(Bucket=bucket, Key="there", Body=b"x", IfNoneMatch='"abc"')
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    assert refused(lambda: aws.s3.put_object(Bucket=bucket, Key="there", IfNoneMatch="*")) == "PreconditionFailed"
    assert refused(lambda: aws.s3.put_object(Bucket=bucket, Key="there", IfMatch='"abc"')) == "PreconditionFailed"
    assert refused(lambda: aws.s3.put_object(Bucket=bucket, Key="nothing", IfMatch='"abc"')) == "NoSuchKey"
