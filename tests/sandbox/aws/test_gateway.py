"""Every request is told apart, logged, and struck by the faults that were asked for, in the caller's own protocol."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from tests.sandbox.aws.conftest import Aws, refused

# One call in each protocol that AWS has: query, ec2, json, REST with JSON, REST with XML, CBOR.
READS: dict[str, tuple[str, str, Callable[[Aws], Any]]] = {
    "query": ("rds", "DescribeDBInstances", lambda aws: aws.rds.describe_db_instances()),
    "ec2": ("ec2", "DescribeVpcs", lambda aws: aws.ec2.describe_vpcs()),
    "json": ("secretsmanager", "ListSecrets", lambda aws: aws.secretsmanager.list_secrets()),
    "rest-json": ("lambda", "ListFunctions", lambda aws: aws.client("lambda").list_functions()),
    "rest-xml": ("s3", "ListBuckets", lambda aws: aws.s3.list_buckets()),
    "cbor": ("cloudwatch", "DescribeAlarms", lambda aws: aws.cloudwatch.describe_alarms()),
}
WRITES: dict[str, tuple[str, str, Callable[[Aws], Any], Callable[[Aws], int]]] = {
    "query": (
        "iam", "CreateRole", lambda aws: aws.role(), lambda aws: len(aws.iam.list_roles()["Roles"]),
    ),
    "own": (
        "rds", "CreateDBInstance", lambda aws: aws.database(),
        lambda aws: len(aws.rds.describe_db_instances()["DBInstances"]),
    ),
    "ec2": (
        "ec2", "CreateVpc", lambda aws: aws.ec2.create_vpc(CidrBlock="10.0.0.0/16"),
        lambda aws: len(aws.ec2.describe_vpcs()["Vpcs"]) - 1,
    ),
    "json": (
        "secretsmanager", "CreateSecret", lambda aws: aws.secretsmanager.create_secret(Name="s"),
        lambda aws: len(aws.secretsmanager.list_secrets()["SecretList"]),
    ),
    "rest-xml": (
        "s3", "CreateBucket", lambda aws: aws.s3.create_bucket(Bucket="bucket"),
        lambda aws: len(aws.s3.list_buckets()["Buckets"]),
    ),
    "cbor": (
        "cloudwatch", "PutDashboard",
        lambda aws: aws.cloudwatch.put_dashboard(DashboardName="d", DashboardBody='{"widgets": []}'),
        lambda aws: len(aws.cloudwatch.list_dashboards()["DashboardEntries"]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("protocol", READS)
def test_a_refusal_for_lack_of_permission_comes_in_the_callers_protocol(aws: Aws, protocol: str) -> None:
    service, operation, call = READS[protocol]
    aws.fault(service=service, operation=operation, error="AccessDenied")
    code = refused(lambda: call(aws))
    assert code == {"ec2": "UnauthorizedOperation"}.get(
        protocol, "AccessDenied" if protocol in ("query", "rest-xml") else "AccessDeniedException"
    )
    call(aws)


@pytest.mark.parametrize("protocol", READS)
def test_any_error_code_can_be_asked_for(aws: Aws, protocol: str) -> None:
    service, operation, call = READS[protocol]
    aws.fault(service=service, operation=operation, error="PartyException", message="too loud")
    with pytest.raises(ClientError) as caught:
        call(aws)
    assert caught.value.response["Error"]["Code"] == "PartyException"
    assert caught.value.response["Error"]["Message"] == "too loud"


@pytest.mark.parametrize("protocol", READS)
def test_throttling_and_internal_errors_have_the_services_own_names(aws: Aws, protocol: str) -> None:
    service, operation, call = READS[protocol]
    aws.fault(service=service, operation=operation, kind="throttling", times=2)
    aws.fault(service=service, operation=operation, kind="internal")
    names = {
        "ec2": "RequestLimitExceeded",
        "rest-xml": "SlowDown",
        "query": "Throttling",
        "rest-json": "TooManyRequestsException",
    }
    assert [refused(lambda: call(aws)) for _ in range(2)] == [names.get(protocol, "ThrottlingException")] * 2
    with pytest.raises(ClientError) as caught:
        call(aws)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    call(aws)


@pytest.mark.parametrize("protocol", WRITES)
def test_a_connection_dropped_before_the_effect_leaves_nothing(aws: Aws, protocol: str) -> None:
    service, operation, write, count = WRITES[protocol]
    aws.fault(service=service, operation=operation, kind="reset-before")
    with pytest.raises((HTTPClientError, ConnectionClosedError)):
        write(aws)
    assert count(aws) == 0


@pytest.mark.parametrize("protocol", WRITES)
def test_a_connection_dropped_after_the_effect_leaves_it(aws: Aws, protocol: str) -> None:
    service, operation, write, count = WRITES[protocol]
    aws.fault(service=service, operation=operation, kind="reset-after")
    with pytest.raises((HTTPClientError, ConnectionClosedError)):
        write(aws)
    assert count(aws) == 1


def test_a_fault_can_let_calls_pass_and_strike_for_ever(aws: Aws) -> None:
    aws.fault(service="rds", operation="DescribeDBInstances", error="InternalFailure", skip=1, times=0)
    aws.rds.describe_db_instances()
    for _ in range(3):
        assert refused(aws.rds.describe_db_instances) == "InternalFailure"
    (fault,) = aws.admin("GET", "faults")["faults"]
    assert (fault["seen"], fault["struck"]) == (4, 3)
    aws.admin("DELETE", f"faults/{fault['id']}")
    aws.rds.describe_db_instances()


def test_a_fault_can_wait_for_one_object(aws: Aws) -> None:
    aws.fault(service="rds", operation="CreateDBInstance", error="AccessDenied", match="db-two")
    aws.database("db-one")
    assert refused(lambda: aws.database("db-two")) == "AccessDenied"
    aws.fault(service="secretsmanager", error="AccessDenied", match='"Name": "two"')
    aws.secretsmanager.create_secret(Name="one")
    assert refused(lambda: aws.secretsmanager.create_secret(Name="two")) == "AccessDeniedException"


def test_a_slow_call_is_slow_and_then_as_usual(aws: Aws) -> None:
    aws.fault(service="rds", kind="slow", delay=0.3)
    began = time.perf_counter()
    aws.rds.describe_db_instances()
    assert time.perf_counter() - began >= 0.3


def test_a_call_can_be_left_hanging_and_still_take_effect(aws: Aws) -> None:
    aws.fault(service="sns", operation="CreateTopic", kind="hang", delay=0.2)
    with pytest.raises((HTTPClientError, ConnectionClosedError)):
        aws.sns.create_topic(Name="t")
    assert len(aws.sns.list_topics()["Topics"]) == 1


def test_a_new_cache_can_be_made_invisible_for_a_while(aws: Aws) -> None:
    aws.fault(service="elasticache", operation="CreateReplicationGroup", kind="unseen", delay=2)
    aws.cache()
    assert refused(aws.group) == "ReplicationGroupNotFoundFault"
    assert aws.elasticache.describe_cache_clusters()["CacheClusters"] == []
    aws.pass_time(2)
    assert aws.group()["Status"] == "available"


def test_latency_is_added_to_every_call(aws: Aws) -> None:
    aws.admin("PATCH", "options", {"latency": "150ms"})
    try:
        began = time.perf_counter()
        aws.sns.list_topics()
        assert time.perf_counter() - began >= 0.15
    finally:
        aws.admin("PATCH", "options", {"latency": 0})


def test_a_database_can_be_made_to_fail(aws: Aws) -> None:
    aws.fault(service="rds", operation="CreateDBInstance", kind="failed")
    aws.ready_database()
    assert aws.instance()["DBInstanceStatus"] == "failed"


def test_a_cache_can_be_made_never_to_come_up(aws: Aws) -> None:
    aws.fault(service="elasticache", operation="CreateReplicationGroup", kind="never-ready")
    aws.cache()
    aws.pass_time(1e6)
    assert aws.group()["Status"] == "creating"


def test_a_database_can_be_made_to_fail_after_it_was_ready(aws: Aws) -> None:
    aws.fault(service="rds", operation="CreateDBInstance", kind="ready-then-failed", delay=5)
    aws.database()
    aws.pass_time(1)
    assert aws.instance()["DBInstanceStatus"] == "available"
    aws.pass_time(5)
    assert aws.instance()["DBInstanceStatus"] == "failed"


def test_a_new_database_can_be_made_invisible_for_a_while(aws: Aws) -> None:
    aws.fault(service="rds", operation="CreateDBInstance", kind="unseen", delay=2)
    aws.database()
    assert refused(aws.instance) == "DBInstanceNotFound"
    assert aws.rds.describe_db_instances()["DBInstances"] == []
    assert refused(aws.database) == "DBInstanceAlreadyExists"
    aws.pass_time(2)
    assert aws.instance()["DBInstanceIdentifier"] == "db"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "party"},
        {},
        {"kind": "slow", "delay": "long"},
        {"error": "X", "times": -1},
        {"error": "X", "colour": 1},
        {"error": "X", "service": "rdss"},
        {"error": "X", "service": "rds", "operation": "CreateDbInstance"},
        {"kind": "never-ready", "service": "s3"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(aws: Aws, fault: dict[str, object]) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        aws.fault(**fault)
    with caught.value as answer:
        assert answer.code == 400


def test_the_log_tells_every_call_and_which_of_them_write(aws: Aws) -> None:
    aws.rds.describe_db_instances()
    aws.s3.create_bucket(Bucket="bucket")
    aws.s3.put_object(Bucket="bucket", Key="a/b", Body=b"x")
    aws.s3.get_object(Bucket="bucket", Key="a/b")
    aws.s3.get_bucket_versioning(Bucket="bucket")
    aws.s3.list_objects_v2(Bucket="bucket")
    aws.kms.create_key()
    refused(lambda: aws.database(Engine="mysql"))
    report = aws.admin("GET", "requests")
    seen = [(r["service"], r["operation"], r["write"], r["status"]) for r in report["requests"]]
    assert seen == [
        ("rds", "DescribeDBInstances", False, 200),
        ("s3", "CreateBucket", True, 200),
        ("s3", "PutObject", True, 200),
        ("s3", "GetObject", False, 200),
        ("s3", "GetBucketVersioning", False, 200),
        ("s3", "ListObjectsV2", False, 200),
        ("kms", "CreateKey", True, 200),
        ("rds", "CreateDBInstance", True, 400),
    ]
    assert (report["total"], report["writes"]) == (8, 4)
    assert report["counts"]["rds"] == {"CreateDBInstance": 1, "DescribeDBInstances": 1}
    assert all(r["seconds"] > 0 for r in report["requests"])
    later = aws.admin("GET", f"requests?since={report['requests'][-1]['seq']}")
    assert later["requests"] == []


def test_a_bucket_in_the_hosts_name_is_the_bucket(aws: Aws) -> None:
    aws.s3.create_bucket(Bucket="bucket")
    aws.s3.put_object(Bucket="bucket", Key="key", Body=b"hello")
    host = f"localhost:{aws.sandbox.aws.port}"
    style = Config(s3={"addressing_style": "virtual"}, signature_version="s3v4")
    keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
    make: Any = boto3.client
    client = make("s3", "us-east-1", endpoint_url=f"http://{host}", config=style, **keys)
    url = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "key"})
    assert url.startswith(f"http://bucket.{host}/key?")
    there = url.replace(f"bucket.{host}", f"127.0.0.1:{aws.sandbox.aws.port}")
    request = urllib.request.Request(there, headers={"Host": f"bucket.{host}"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.read() == b"hello"


def test_a_request_without_a_signature_is_refused(aws: Aws) -> None:
    for path in ("/", "/?Action=DescribeDBInstances", "/moto-api/reset"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{aws.sandbox.aws.url}{path}", data=b"", timeout=5)
        with caught.value as answer:
            assert answer.code == 403


def test_the_admin_api_is_not_for_web_pages(aws: Aws) -> None:
    request = urllib.request.Request(
        f"{aws.sandbox.admin.url}/_sandbox/stop", method="POST", headers={"Origin": "https://evil.example"}
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=5)
    with caught.value as answer:
        assert answer.code == 403


def test_an_operation_that_is_not_offered_says_so(aws: Aws) -> None:
    assert refused(lambda: aws.kms.create_custom_key_store(CustomKeyStoreName="x")) == "NotImplemented"
    assert refused(lambda: aws.rds.create_db_cluster(DBClusterIdentifier="c", Engine="aurora")) == "NotImplemented"


def test_large_bodies_and_many_connections_are_served(aws: Aws) -> None:
    aws.s3.create_bucket(Bucket="bucket")
    body = b"0123456789" * 500_000
    aws.s3.put_object(Bucket="bucket", Key="big", Body=body)
    assert aws.s3.get_object(Bucket="bucket", Key="big")["Body"].read() == body
    assert aws.s3.head_object(Bucket="bucket", Key="big")["ContentLength"] == len(body)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: aws.sns.create_topic(Name=f"t-{n}"), range(40)))
        lists = list(pool.map(lambda n: aws.sns.list_topics(), range(40)))
    assert len(made) == len(lists) == 40
    assert len(lists[-1]["Topics"]) == 40


def test_a_body_is_asked_for_when_a_client_waits_for_permission(aws: Aws) -> None:
    head = "PUT /bucket/key HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    with socket.create_connection(("127.0.0.1", aws.sandbox.aws.port), timeout=5) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
