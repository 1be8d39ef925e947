"""Faults that take time: effects that are not seen yet, and objects that do not get where they should."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import Aws, refused

TRUST = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}'


def _answer(call: Callable[[], object]) -> str:
    """The error code of a refusal, or nothing where there is none."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def _empty(answer: Any) -> str:
    return "" if answer else "nothing"


MADE: dict[str, tuple[str, str, Callable[[Aws], Any], Callable[[Aws], str]]] = {
    "vpc": (
        "ec2",
        "CreateVpc",
        lambda aws: aws.ec2.create_vpc(CidrBlock="10.9.0.0/16"),
        lambda aws: _empty(aws.ec2.describe_vpcs(Filters=[{"Name": "cidr-block", "Values": ["10.9.0.0/16"]}])["Vpcs"]),
    ),
    "role": (
        "iam",
        "CreateRole",
        lambda aws: aws.iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST),
        lambda aws: _answer(lambda: aws.iam.get_role(RoleName="r")),
    ),
    "topic": (
        "sns",
        "CreateTopic",
        lambda aws: aws.sns.create_topic(Name="t"),
        lambda aws: _answer(lambda: aws.sns.get_topic_attributes(TopicArn="arn:aws:sns:us-east-1:123456789012:t")),
    ),
    "bucket": (
        "s3",
        "CreateBucket",
        lambda aws: aws.s3.create_bucket(Bucket="bucket"),
        lambda aws: _answer(lambda: aws.s3.get_bucket_versioning(Bucket="bucket")),
    ),
    "secret": (
        "secretsmanager",
        "CreateSecret",
        lambda aws: aws.secretsmanager.create_secret(Name="s", SecretString="x"),
        lambda aws: _answer(lambda: aws.secretsmanager.describe_secret(SecretId="s")),
    ),
    "log group": (
        "logs",
        "CreateLogGroup",
        lambda aws: aws.logs.create_log_group(logGroupName="g"),
        lambda aws: _empty(aws.logs.describe_log_groups()["logGroups"]),
    ),
    "alias": (
        "kms",
        "CreateAlias",
        lambda aws: aws.kms.create_alias(AliasName="alias/a", TargetKeyId=aws.kms.create_key()["KeyMetadata"]["KeyId"]),
        lambda aws: _answer(lambda: aws.kms.describe_key(KeyId="alias/a")),
    ),
    "parameter group": (
        "rds",
        "CreateDBParameterGroup",
        lambda aws: aws.rds.create_db_parameter_group(
            DBParameterGroupName="p", DBParameterGroupFamily="postgres15", Description="d"
        ),
        lambda aws: _answer(lambda: aws.rds.describe_db_parameter_groups(DBParameterGroupName="p")),
    ),
}
MISSING = {
    "vpc": "nothing",
    "role": "NoSuchEntity",
    "topic": "NotFound",
    "bucket": "NoSuchBucket",
    "secret": "ResourceNotFoundException",
    "log group": "nothing",
    "alias": "NotFoundException",
    "parameter group": "DBParameterGroupNotFound",
}


@pytest.mark.parametrize("kind", MADE)
def test_a_new_object_of_any_service_can_be_made_invisible_for_a_while(aws: Aws, kind: str) -> None:
    service, operation, make, look = MADE[kind]
    aws.fault(service=service, operation=operation, kind="unseen", delay=5)
    make(aws)
    assert look(aws) == MISSING[kind]
    aws.pass_time(5)
    assert look(aws) == ""


def test_a_name_that_is_not_seen_yet_is_taken_all_the_same(aws: Aws) -> None:
    aws.fault(service="iam", operation="CreateRole", kind="unseen", delay=5)
    make = MADE["role"][2]
    make(aws)
    assert refused(lambda: make(aws)) == "EntityAlreadyExists"


def test_a_write_to_what_has_not_spread_yet_is_told_that_there_is_no_such_thing(aws: Aws) -> None:
    aws.fault(service="ec2", operation="CreateVpc", kind="unseen", delay=5)
    vpc = aws.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]

    def switch() -> Any:
        return aws.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})

    assert refused(switch) == "InvalidVpcID.NotFound"
    aws.pass_time(5)
    switch()


def test_an_old_value_can_be_shown_for_a_while_after_a_change(aws: Aws) -> None:
    aws.secretsmanager.create_secret(Name="s", SecretString="x", Description="old")
    aws.secretsmanager.create_secret(Name="other", SecretString="x", Description="old")
    aws.fault(service="secretsmanager", operation="UpdateSecret", kind="unseen", delay=5)
    aws.secretsmanager.update_secret(SecretId="s", Description="new")
    aws.secretsmanager.update_secret(SecretId="other", Description="new")

    def described(name: str) -> str:
        return str(aws.secretsmanager.describe_secret(SecretId=name)["Description"])

    assert (described("s"), described("other")) == ("old", "new")
    aws.pass_time(5)
    assert described("s") == "new"


def test_the_old_status_of_a_database_is_shown_with_its_old_values(aws: Aws) -> None:
    aws.ready_database()
    aws.fault(service="rds", operation="ModifyDBInstance", kind="unseen", delay=5)
    aws.rds.modify_db_instance(DBInstanceIdentifier="db", DBInstanceClass="db.t3.small", ApplyImmediately=True)
    seen = aws.instance()
    assert (seen["DBInstanceStatus"], seen["DBInstanceClass"]) == ("available", "db.t3.micro")
    assert seen.get("PendingModifiedValues", {}) == {}
    aws.pass_time(5)
    assert aws.instance()["DBInstanceClass"] == "db.t3.small"


def test_a_deleted_object_can_be_shown_for_a_while_with_its_tags(aws: Aws) -> None:
    owned = [{"ResourceType": "vpc", "Tags": [{"Key": "mine", "Value": "yes"}]}]
    vpc = aws.ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=owned)["Vpc"]["VpcId"]
    aws.fault(service="ec2", operation="DeleteVpc", kind="unseen", delay=5)
    aws.ec2.delete_vpc(VpcId=vpc)
    mine = [{"Name": "tag:mine", "Values": ["yes"]}]
    assert [found["VpcId"] for found in aws.ec2.describe_vpcs(Filters=mine)["Vpcs"]] == [vpc]
    assert refused(lambda: aws.ec2.delete_vpc(VpcId=vpc)) == "InvalidVpcID.NotFound"
    aws.pass_time(5)
    assert aws.ec2.describe_vpcs(Filters=mine)["Vpcs"] == []


def test_what_is_never_ready_goes_on_once_its_fault_is_taken_away(aws: Aws) -> None:
    aws.fault(service="elasticache", operation="CreateReplicationGroup", kind="never-ready")
    aws.cache()
    aws.pass_time(1e6)
    assert aws.group()["Status"] == "creating"
    aws.admin("DELETE", "faults")
    aws.pass_time()
    assert aws.group()["Status"] == "available"


def test_a_network_can_be_made_to_stay_pending(aws: Aws) -> None:
    aws.fault(service="ec2", operation="CreateVpc", kind="never-ready")
    vpc = aws.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]

    def state() -> str:
        return str(aws.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["State"])

    assert state() == "pending"
    aws.admin("DELETE", "faults")
    assert state() == "available"


@pytest.mark.parametrize(
    ("kind", "seen", "later"),
    [("never-ready", "creating", "creating"), ("ready-then-failed", "active", "no-permission")],
)
def test_an_event_subscription_can_be_made_to_stay_on_its_way_or_to_fail(
    aws: Aws, kind: str, seen: str, later: str
) -> None:
    topic = aws.sns.create_topic(Name="t")["TopicArn"]
    aws.fault(service="rds", operation="CreateEventSubscription", kind=kind, delay=5)
    aws.rds.create_event_subscription(SubscriptionName="s", SnsTopicArn=topic)

    def status() -> str:
        found = aws.rds.describe_event_subscriptions(SubscriptionName="s")["EventSubscriptionsList"]
        return str(found[0]["Status"])

    assert status() == seen
    aws.pass_time(5)
    assert status() == later


@pytest.mark.parametrize(
    ("service", "code", "call"),
    [
        ("ec2", "InvalidParameterValue", lambda aws: aws.ec2.describe_vpcs()),
        ("rds", "InvalidParameterValue", lambda aws: aws.rds.describe_db_instances()),
        ("kms", "ValidationException", lambda aws: aws.kms.list_keys()),
        ("secretsmanager", "InvalidParameterException", lambda aws: aws.secretsmanager.list_secrets()),
        ("iam", "ValidationError", lambda aws: aws.iam.list_roles()),
        ("sns", "InvalidParameter", lambda aws: aws.sns.list_topics()),
        ("s3", "InvalidArgument", lambda aws: aws.s3.list_buckets()),
        ("logs", "InvalidParameterException", lambda aws: aws.logs.describe_log_groups()),
    ],
)
def test_each_service_has_its_own_word_for_a_bad_value(
    aws: Aws, service: str, code: str, call: Callable[[Aws], Any]
) -> None:
    aws.fault(service=service, kind="invalid")
    assert refused(lambda: call(aws)) == code
