"""Where moto is lax and a database layer would notice, the sandbox is not."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from tests.sandbox.aws.conftest import Aws, refused


def test_a_scheduled_secret_keeps_its_name_and_hides_its_value(aws: Aws) -> None:
    sm = aws.secretsmanager
    sm.create_secret(Name="s", SecretString="x")
    sm.delete_secret(SecretId="s", RecoveryWindowInDays=7)
    invalid = "InvalidRequestException"
    assert refused(lambda: sm.create_secret(Name="s", SecretString="y")) == invalid
    assert refused(lambda: sm.get_secret_value(SecretId="s")) == invalid
    assert refused(lambda: sm.put_secret_value(SecretId="s", SecretString="y")) == invalid
    assert refused(lambda: sm.tag_resource(SecretId="s", Tags=[{"Key": "a", "Value": "b"}])) == invalid
    assert refused(lambda: sm.delete_secret(SecretId="s", RecoveryWindowInDays=7)) == invalid
    sm.restore_secret(SecretId="s")
    assert sm.get_secret_value(SecretId="s")["SecretString"] == "x"


def test_the_name_of_a_secret_deleted_by_force_is_free_only_after_a_moment(aws: Aws) -> None:
    sm = aws.secretsmanager
    sm.create_secret(Name="s", SecretString="x")
    sm.delete_secret(SecretId="s", ForceDeleteWithoutRecovery=True)
    assert refused(lambda: sm.create_secret(Name="s", SecretString="y")) == "InvalidRequestException"
    aws.pass_time(0.5)
    sm.create_secret(Name="s", SecretString="y")


def test_a_scheduled_secret_can_still_be_deleted_by_force(aws: Aws) -> None:
    sm = aws.secretsmanager
    sm.create_secret(Name="s", SecretString="x")
    sm.delete_secret(SecretId="s", RecoveryWindowInDays=7)
    sm.delete_secret(SecretId="s", ForceDeleteWithoutRecovery=True)
    assert refused(lambda: sm.describe_secret(SecretId="s")) == "ResourceNotFoundException"


def test_creating_a_secret_twice_with_one_token_is_creating_it_once(aws: Aws) -> None:
    wish = {"Name": "s", "SecretString": "x", "ClientRequestToken": "0123456789abcdef0123456789abcdef"}
    first = aws.secretsmanager.create_secret(**wish)
    assert aws.secretsmanager.create_secret(**wish)["ARN"] == first["ARN"]
    assert (
        refused(lambda: aws.secretsmanager.create_secret(**wish | {"SecretString": "y"})) == "ResourceExistsException"
    )


@pytest.mark.parametrize("name", ["with space", "s" * 513, "bad?", ""])
def test_a_secret_has_a_good_name(aws: Aws, name: str) -> None:
    assert refused(lambda: aws.secretsmanager.create_secret(Name=name, SecretString="x")) == "ValidationException"


def test_a_key_that_is_pending_deletion_is_of_no_use(aws: Aws) -> None:
    kms = aws.kms
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    assert refused(lambda: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=6)) == "ValidationException"
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    state = "KMSInvalidStateException"
    assert refused(lambda: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)) == state
    assert refused(lambda: kms.encrypt(KeyId=key, Plaintext=b"x")) == state
    assert refused(lambda: kms.enable_key_rotation(KeyId=key)) == state
    assert refused(lambda: kms.create_alias(AliasName="alias/x", TargetKeyId=key)) == state
    sm = aws.secretsmanager
    assert refused(lambda: sm.create_secret(Name="s", SecretString="x", KmsKeyId=key)) == "EncryptionFailure"
    kms.cancel_key_deletion(KeyId=key)
    assert refused(lambda: kms.cancel_key_deletion(KeyId=key)) == state
    assert refused(lambda: kms.encrypt(KeyId=key, Plaintext=b"x")) == "DisabledException"
    kms.enable_key(KeyId=key)
    kms.encrypt(KeyId=key, Plaintext=b"x")


def test_a_key_that_is_made_for_nothing_else_encrypts_and_decrypts(aws: Aws) -> None:
    made = aws.kms.create_key()["KeyMetadata"]
    found = aws.kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]
    assert (made["KeyUsage"], found["KeyUsage"], found["KeySpec"]) == (*["ENCRYPT_DECRYPT"] * 2, "SYMMETRIC_DEFAULT")
    signs = aws.kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]
    assert aws.kms.describe_key(KeyId=signs["KeyId"])["KeyMetadata"]["KeyUsage"] == "SIGN_VERIFY"


def test_a_secret_is_as_readable_as_its_key(aws: Aws) -> None:
    sm, key = aws.secretsmanager, aws.kms.create_key()["KeyMetadata"]["KeyId"]
    sm.create_secret(Name="s", SecretString="x", KmsKeyId=key)
    assert sm.get_secret_value(SecretId="s")["SecretString"] == "x"
    aws.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert refused(lambda: sm.get_secret_value(SecretId="s")) == "DecryptionFailure"
    aws.kms.cancel_key_deletion(KeyId=key)
    aws.kms.enable_key(KeyId=key)
    assert sm.get_secret_value(SecretId="s")["SecretString"] == "x"


def test_aliases_of_aws_are_not_for_everybody(aws: Aws) -> None:
    key = aws.kms.create_key()["KeyMetadata"]["KeyId"]
    assert refused(lambda: aws.kms.create_alias(AliasName="alias/aws/x", TargetKeyId=key)) == "NotAuthorizedException"
    assert refused(lambda: aws.kms.create_key(Policy="not json")) == "MalformedPolicyDocumentException"


@pytest.mark.parametrize(
    "name", ["Upper", "under_score", "192.168.0.1", "xn--bucket", "a..b", "ends-", "bucket-s3alias"]
)
def test_a_bucket_has_a_good_name(aws: Aws, name: str) -> None:
    assert refused(lambda: aws.s3.create_bucket(Bucket=name)) == "InvalidBucketName"


def test_a_new_bucket_has_its_tags_and_the_defaults_of_today(aws: Aws) -> None:
    s3 = aws.s3
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"Tags": [{"Key": "a", "Value": "<&>"}]})
    assert s3.get_bucket_tagging(Bucket="bucket")["TagSet"] == [{"Key": "a", "Value": "<&>"}]
    assert all(s3.get_public_access_block(Bucket="bucket")["PublicAccessBlockConfiguration"].values())
    for _ in range(2):
        (rule,) = s3.get_bucket_encryption(Bucket="bucket")["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
        s3.delete_bucket_encryption(Bucket="bucket")
    (owner,) = s3.get_bucket_ownership_controls(Bucket="bucket")["OwnershipControls"]["Rules"]
    assert owner == {"ObjectOwnership": "BucketOwnerEnforced"}


def test_the_name_of_a_deleted_bucket_is_free_only_after_a_moment(aws: Aws) -> None:
    aws.s3.create_bucket(Bucket="bucket")
    aws.s3.delete_bucket(Bucket="bucket")
    assert refused(lambda: aws.s3.create_bucket(Bucket="bucket")) == "OperationAborted"
    aws.pass_time(0.5)
    aws.s3.create_bucket(Bucket="bucket")


def test_objects_do_not_expire_before_they_move(aws: Aws) -> None:
    aws.s3.create_bucket(Bucket="bucket")
    for days, kind, expires in ((90, "GLACIER", 90), (29, "STANDARD_IA", 365)):
        rule = {
            "ID": "r",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "Transitions": [{"Days": days, "StorageClass": kind}],
            "Expiration": {"Days": expires},
        }
        wish: dict[str, Any] = {"Bucket": "bucket", "LifecycleConfiguration": {"Rules": [rule]}}
        assert refused(partial(aws.s3.put_bucket_lifecycle_configuration, **wish)) == "InvalidArgument"


def test_a_security_group_in_use_stays(aws: Aws) -> None:
    ec2 = aws.ec2
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    mine = ec2.create_security_group(GroupName="mine", Description="d", VpcId=vpc)["GroupId"]
    other = ec2.create_security_group(GroupName="other", Description="d", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": mine}]}
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
    assert refused(lambda: ec2.delete_security_group(GroupId=mine)) == "DependencyViolation"
    ec2.revoke_security_group_ingress(GroupId=other, IpPermissions=[rule])
    aws.ready_database(VpcSecurityGroupIds=[mine])
    aws.ready_cache(SecurityGroupIds=[other])
    assert refused(lambda: ec2.delete_security_group(GroupId=mine)) == "DependencyViolation"
    assert refused(lambda: ec2.delete_security_group(GroupId=other)) == "DependencyViolation"
    aws.rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    aws.elasticache.delete_replication_group(ReplicationGroupId="cache")
    assert refused(lambda: ec2.delete_security_group(GroupId=mine)) == "DependencyViolation"
    aws.pass_time()
    ec2.delete_security_group(GroupId=mine)
    ec2.delete_security_group(GroupId=other)


def test_a_network_in_use_stays(aws: Aws) -> None:
    ec2 = aws.ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    aws.rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="d", SubnetIds=subnets)
    aws.ready_database(DBSubnetGroupName="g", VpcSecurityGroupIds=[group])
    assert refused(lambda: ec2.delete_subnet(SubnetId=subnets[0])) == "DependencyViolation"
    aws.rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    aws.pass_time()
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    assert refused(lambda: ec2.delete_vpc(VpcId=vpc)) == "DependencyViolation"
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)


def test_a_topic_with_other_tags_is_another_topic(aws: Aws) -> None:
    wish = {"Name": "t", "Tags": [{"Key": "a", "Value": "1"}]}
    arn = aws.sns.create_topic(**wish)["TopicArn"]
    assert aws.sns.create_topic(**wish)["TopicArn"] == arn
    assert refused(lambda: aws.sns.create_topic(Name="t", Tags=[{"Key": "a", "Value": "2"}])) == "InvalidParameter"


def test_a_mail_address_has_to_confirm(aws: Aws) -> None:
    topic = aws.sns.create_topic(Name="t")["TopicArn"]
    wish = {"TopicArn": topic, "Protocol": "email", "Endpoint": "ops@example.com"}
    assert aws.sns.subscribe(**wish)["SubscriptionArn"] == "pending confirmation"
    arn = aws.sns.subscribe(**wish, ReturnSubscriptionArn=True)["SubscriptionArn"]
    assert arn.startswith(topic)
    (listed,) = aws.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    attributes = aws.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["PendingConfirmation"] == "true"
    assert refused(lambda: aws.sns.subscribe(TopicArn=topic, Protocol="smoke", Endpoint="x")) == "InvalidParameter"


def test_logs_are_kept_for_one_of_the_periods_on_offer(aws: Aws) -> None:
    aws.logs.create_log_group(logGroupName="/g")
    wish = {"logGroupName": "/g", "retentionInDays": 31}
    assert refused(lambda: aws.logs.put_retention_policy(**wish)) == "InvalidParameterException"
    aws.logs.put_retention_policy(**wish | {"retentionInDays": 30})
    assert refused(lambda: aws.logs.create_log_group(logGroupName="a b")) == "InvalidParameterException"


def test_a_role_has_a_good_name_and_a_policy_that_is_one_and_aws_policies_exist(aws: Aws) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]})
    make = aws.iam.create_role
    assert refused(lambda: make(RoleName="r 1", AssumeRolePolicyDocument=trust)) == "ValidationError"
    assert refused(lambda: make(RoleName="r", AssumeRolePolicyDocument="{")) == "MalformedPolicyDocument"
    aws.role()
    managed = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
    aws.iam.attach_role_policy(RoleName="monitoring", PolicyArn=managed)
    wrong = managed.replace("Monitoring", "Party")
    assert refused(lambda: aws.iam.attach_role_policy(RoleName="monitoring", PolicyArn=wrong)) == "NoSuchEntity"


def _stages(aws: Aws) -> dict[str, set[str]]:
    found = aws.secretsmanager.describe_secret(SecretId="s")["VersionIdsToStages"]
    return {version: set(labels) for version, labels in found.items() if labels}


def test_a_staging_label_is_on_one_version_and_the_current_one_is_read(aws: Aws) -> None:
    sm = aws.secretsmanager
    one = sm.create_secret(Name="s", SecretString="one")["VersionId"]
    sm.update_secret_version_stage(SecretId="s", VersionStage="mine/before", MoveToVersionId=one)
    labels = {"SecretId": "s", "VersionStages": ["AWSCURRENT", "mine"]}
    two = sm.put_secret_value(**labels, SecretString="two")["VersionId"]
    assert _stages(aws) == {one: {"mine/before", "AWSPREVIOUS"}, two: {"AWSCURRENT", "mine"}}
    three = sm.put_secret_value(**labels, SecretString="three")["VersionId"]
    assert _stages(aws) == {one: {"mine/before"}, two: {"AWSPREVIOUS"}, three: {"AWSCURRENT", "mine"}}
    move = {"SecretId": "s", "VersionStage": "AWSCURRENT", "MoveToVersionId": one}
    assert refused(lambda: sm.update_secret_version_stage(**move)) == "InvalidParameterException"
    sm.update_secret_version_stage(**move, RemoveFromVersionId=three)
    assert _stages(aws) == {one: {"mine/before", "AWSCURRENT"}, three: {"AWSPREVIOUS", "mine"}}
    assert sm.get_secret_value(SecretId="s")["SecretString"] == "one"
    assert sm.get_secret_value(SecretId="s", VersionStage="mine")["SecretString"] == "three"


def test_a_key_tells_how_often_it_rotates(aws: Aws) -> None:
    key = aws.kms.create_key()["KeyMetadata"]["KeyId"]
    assert aws.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    often = {"KeyId": key, "RotationPeriodInDays": 30}
    assert refused(lambda: aws.kms.enable_key_rotation(**often)) == "ValidationException"
    aws.kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    assert aws.kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 180
