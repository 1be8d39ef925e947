"""The inventory tells every object that somebody made, whose it is, and nothing else."""

from __future__ import annotations

from typing import Any

from tests.sandbox.aws.conftest import Aws

OWNED = [{"Key": "provisioner:owner", "Value": "deployment/step"}]


def _list(aws: Aws, *, everything: bool = False) -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = aws.admin("GET", f"inventory?all={int(everything)}")["objects"]
    return objects


def _types(aws: Aws, *, everything: bool = False) -> list[str]:
    return sorted(item["type"] for item in _list(aws, everything=everything))


def test_an_empty_account_is_empty_although_it_has_a_default_network(aws: Aws) -> None:
    aws.ec2.describe_subnets()
    aws.kms.describe_key(KeyId="alias/aws/rds")
    aws.iam.list_roles()
    aws.rds.describe_db_subnet_groups()
    assert _list(aws) == []


def test_every_object_is_told_with_its_owner(aws: Aws) -> None:
    spec = [{"ResourceType": "vpc", "Tags": [*OWNED, {"Key": "Name", "Value": "net"}]}]
    vpc = aws.ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=spec)["Vpc"]["VpcId"]
    subnets = [
        aws.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{z}")["Subnet"][
            "SubnetId"
        ]
        for n, z in enumerate("ab")
    ]
    aws.ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)
    aws.ec2.create_route_table(VpcId=vpc)
    aws.ec2.create_internet_gateway()
    topic = aws.sns.create_topic(Name="t", Tags=OWNED)["TopicArn"]
    aws.sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    key = aws.kms.create_key(Tags=[{"TagKey": "provisioner:owner", "TagValue": "deployment/step"}])["KeyMetadata"]
    aws.kms.create_alias(AliasName="alias/k", TargetKeyId=key["KeyId"])
    aws.role()
    aws.secretsmanager.create_secret(Name="s", SecretString="x", Tags=OWNED)
    aws.s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"Tags": OWNED})
    aws.logs.create_log_group(logGroupName="/g", tags={"provisioner:owner": "deployment/step"})
    aws.cloudwatch.put_dashboard(DashboardName="d", DashboardBody='{"widgets": []}')
    aws.sqs.create_queue(QueueName="q")
    aws.client("events").put_rule(Name="r", ScheduleExpression="rate(1 day)")
    aws.rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="d", SubnetIds=subnets, Tags=OWNED)
    aws.rds.create_db_parameter_group(DBParameterGroupName="p", DBParameterGroupFamily="postgres15", Description="d")
    aws.rds.create_event_subscription(SubscriptionName="e", SnsTopicArn=topic, Tags=OWNED)
    aws.ready_database(DBSubnetGroupName="g", Tags=OWNED)
    aws.rds.create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier="snap")
    aws.cache(Tags=OWNED)
    assert _types(aws) == sorted([
        "vpc", "subnet", "subnet", "security-group", "route-table", "internet-gateway", "topic", "subscription", "key",
        "alias", "role", "secret", "bucket", "log-group", "dashboard", "queue", "rule", "db-subnet-group",
        "db-parameter-group", "event-subscription", "db-instance", "db-snapshot", "replication-group",
    ])  # fmt: skip
    found = _list(aws)
    owned = {item["type"] for item in found if item["owner"] == "deployment/step"}
    assert owned == {
        "vpc", "topic", "key", "secret", "bucket", "log-group", "db-subnet-group", "event-subscription", "db-instance",
        "replication-group",
    }  # fmt: skip
    assert next(item for item in found if item["type"] == "vpc") == {
        "cloud": "aws", "service": "ec2", "type": "vpc", "id": vpc, "name": "net", "owner": "deployment/step",
    }  # fmt: skip


def test_the_owner_of_a_subscription_stands_on_its_topic_and_an_aliass_on_its_key(aws: Aws) -> None:
    topic = aws.sns.create_topic(Name="t")["TopicArn"]
    aws.sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")
    mark = {"Key": "provisioner:owner/2863c579a0110bc4", "Value": "deployment/mail"}
    aws.sns.tag_resource(ResourceArn=topic, Tags=[mark])
    key = aws.kms.create_key(Tags=[{"TagKey": "provisioner:alias/k", "TagValue": "deployment/alias"}])["KeyMetadata"]
    aws.kms.create_alias(AliasName="alias/k", TargetKeyId=key["KeyId"])
    owners = {item["type"]: item["owner"] for item in _list(aws)}
    assert (owners["subscription"], owners["alias"]) == ("deployment/mail", "deployment/alias")


def test_what_is_scheduled_for_deletion_is_told_only_on_request(aws: Aws) -> None:
    key = aws.kms.create_key()["KeyMetadata"]["KeyId"]
    aws.kms.schedule_key_deletion(KeyId=key)
    aws.secretsmanager.create_secret(Name="s", SecretString="x")
    aws.secretsmanager.delete_secret(SecretId="s", RecoveryWindowInDays=7)
    assert _types(aws) == []
    assert _types(aws, everything=True) == ["key", "secret"]


def test_what_goes_is_gone_and_a_vpc_takes_along_what_came_with_it(aws: Aws) -> None:
    vpc = aws.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    assert _types(aws) == ["vpc"]
    aws.ec2.delete_vpc(VpcId=vpc)
    aws.ready_database()
    aws.rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    assert _types(aws) == ["db-instance"]
    aws.pass_time()
    assert _types(aws) == []


def test_objects_of_every_region_are_told(aws: Aws) -> None:
    aws.client("ec2", "eu-west-1").create_vpc(CidrBlock="10.0.0.0/16")
    aws.client("rds", "eu-west-1").create_db_parameter_group(
        DBParameterGroupName="p", DBParameterGroupFamily="postgres15", Description="d"
    )
    assert _types(aws) == ["db-parameter-group", "vpc"]
