"""RDS refuses what AWS refuses, with the codes that AWS has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.aws.conftest import PASSWORD, Aws, refused

VALUE, COMBINATION = "InvalidParameterValue", "InvalidParameterCombination"

CREATE: list[tuple[str, dict[str, Any], str]] = [
    ("a name begins with a letter", {"DBInstanceIdentifier": "1db"}, VALUE),
    ("a name does not end with a hyphen", {"DBInstanceIdentifier": "db-"}, VALUE),
    ("a name has no two hyphens in a row", {"DBInstanceIdentifier": "d--b"}, VALUE),
    ("a name has no underscore", {"DBInstanceIdentifier": "d_b"}, VALUE),
    ("a name has at most 63 characters", {"DBInstanceIdentifier": "d" * 64}, VALUE),
    ("the engine is PostgreSQL", {"Engine": "mysql"}, VALUE),
    ("15.4 can no longer be created", {"EngineVersion": "15.4"}, COMBINATION),
    ("15.12 can no longer be created", {"EngineVersion": "15.12"}, COMBINATION),
    ("there is no PostgreSQL 99", {"EngineVersion": "99"}, COMBINATION),
    (
        "13 needs extended support",
        {"EngineVersion": "13", "EngineLifecycleSupport": "open-source-rds-extended-support-disabled"},
        COMBINATION,
    ),
    ("the class exists", {"DBInstanceClass": "db.t3.gigantic"}, VALUE),
    ("storage has to be given", {"AllocatedStorage": None}, VALUE),
    ("storage begins at 20 GiB", {"AllocatedStorage": 19}, VALUE),
    ("storage ends at 64 TiB", {"AllocatedStorage": 65537}, VALUE),
    ("the storage type exists", {"StorageType": "gp9"}, VALUE),
    ("gp2 has no IOPS", {"StorageType": "gp2", "Iops": 3000}, COMBINATION),
    ("gp3 below 400 GiB has no IOPS of choice", {"StorageType": "gp3", "Iops": 3000}, COMBINATION),
    ("gp3 below 400 GiB has no throughput of choice", {"StorageType": "gp3", "StorageThroughput": 125}, COMBINATION),
    (
        "gp3 from 400 GiB has at least 12000 IOPS",
        {"StorageType": "gp3", "AllocatedStorage": 400, "Iops": 3000},
        COMBINATION,
    ),
    ("io1 needs IOPS", {"StorageType": "io1", "AllocatedStorage": 100}, COMBINATION),
    ("the most storage is 10 % above the first", {"AllocatedStorage": 100, "MaxAllocatedStorage": 105}, COMBINATION),
    ("a user has to be given", {"MasterUsername": None}, COMBINATION),
    ("admin is a reserved user", {"MasterUsername": "admin"}, VALUE),
    ("rdsadmin is a reserved user", {"MasterUsername": "rdsadmin"}, VALUE),
    ("a user begins with a letter", {"MasterUsername": "1app"}, VALUE),
    ("a user has at most 16 characters", {"MasterUsername": "a" * 17}, VALUE),
    ("a password has to be given", {"MasterUserPassword": None}, COMBINATION),
    ("a password has 8 characters", {"MasterUserPassword": "seven77"}, VALUE),
    ("a password has no slash", {"MasterUserPassword": "with/slash"}, VALUE),
    ("a password has no quote", {"MasterUserPassword": 'with"quote'}, VALUE),
    ("a password has no at sign", {"MasterUserPassword": "with@at-sign"}, VALUE),
    ("a password has no space", {"MasterUserPassword": "with space"}, VALUE),
    ("a password is ASCII", {"MasterUserPassword": "gruß-gott-allerseits"}, VALUE),
    ("a managed password excludes one of one's own", {"ManageMasterUserPassword": True}, COMBINATION),
    ("a database begins with a letter", {"DBName": "1db"}, VALUE),
    ("a database has no hyphen", {"DBName": "my-db"}, VALUE),
    ("ports begin at 1150", {"Port": 1149}, VALUE),
    ("backups are kept for 35 days at most", {"BackupRetentionPeriod": 36}, VALUE),
    ("the backup window is a time of day", {"PreferredBackupWindow": "3-4"}, VALUE),
    ("the backup window lasts half an hour", {"PreferredBackupWindow": "03:00-03:29"}, VALUE),
    ("the maintenance window has days", {"PreferredMaintenanceWindow": "03:00-04:00"}, VALUE),
    ("the maintenance window lasts half an hour", {"PreferredMaintenanceWindow": "mon:03:00-mon:03:20"}, VALUE),
    (
        "windows do not overlap",
        {"PreferredBackupWindow": "03:00-04:00", "PreferredMaintenanceWindow": "mon:03:30-mon:04:30"},
        COMBINATION,
    ),
    (
        "windows do not overlap over midnight",
        {"PreferredBackupWindow": "23:30-00:30", "PreferredMaintenanceWindow": "mon:00:00-mon:01:00"},
        COMBINATION,
    ),
    ("the monitoring interval is one of seven", {"MonitoringInterval": 7}, VALUE),
    ("monitoring needs a role", {"MonitoringInterval": 60}, COMBINATION),
    ("a monitoring role needs an interval", {"MonitoringRoleArn": "arn:aws:iam::123456789012:role/x"}, COMBINATION),
    (
        "the monitoring role exists",
        {"MonitoringInterval": 60, "MonitoringRoleArn": "arn:aws:iam::123456789012:role/nobody"},
        VALUE,
    ),
    (
        "insights are kept for 7, 31·n or 731 days",
        {"EnablePerformanceInsights": True, "PerformanceInsightsRetentionPeriod": 8},
        VALUE,
    ),
    ("retention of insights needs insights", {"PerformanceInsightsRetentionPeriod": 7}, COMBINATION),
    ("advanced insights need a long retention", {"DatabaseInsightsMode": "advanced"}, COMBINATION),
    ("insights are standard or advanced", {"DatabaseInsightsMode": "deluxe"}, VALUE),
    ("only PostgreSQL's logs are exported", {"EnableCloudwatchLogsExports": ["slowquery"]}, COMBINATION),
    ("a key needs encryption", {"KmsKeyId": "alias/some"}, COMBINATION),
    ("the key exists", {"StorageEncrypted": True, "KmsKeyId": "alias/none"}, "KMSKeyNotAccessibleFault"),
    ("the subnet group exists", {"DBSubnetGroupName": "none"}, "DBSubnetGroupNotFoundFault"),
    ("the parameter group exists", {"DBParameterGroupName": "none"}, "DBParameterGroupNotFound"),
    ("the parameter group is of the version's family", {"DBParameterGroupName": "default.postgres16"}, COMBINATION),
    ("the security group exists", {"VpcSecurityGroupIds": ["sg-0123"]}, VALUE),
    ("two zones have no zone of choice", {"MultiAZ": True, "AvailabilityZone": "us-east-1a"}, COMBINATION),
    ("the zone is in the subnet group", {"AvailabilityZone": "us-east-1z"}, "InvalidVPCNetworkStateFault"),
    ("the certificate exists", {"CACertificateIdentifier": "rds-ca-2015"}, "CertificateNotFound"),
    ("a tag's key is not aws:", {"Tags": [{"Key": "aws:x", "Value": "1"}]}, VALUE),
    ("a name is required", {"DBInstanceIdentifier": None}, "MissingParameter"),
    ("a number is a number", {"AllocatedStorage": "lots"}, "MalformedInput"),
    ("what the sandbox does not do it says", {"Timezone": "UTC"}, "NotImplemented"),
]


@pytest.mark.parametrize(("why", "wish", "code"), CREATE, ids=[why for why, _, _ in CREATE])
def test_a_database_that_aws_would_refuse_is_refused(aws: Aws, why: str, wish: dict[str, Any], code: str) -> None:
    assert refused(lambda: aws.database(**wish)) == code
    assert aws.rds.describe_db_instances()["DBInstances"] == []
    assert aws.databases.calls == []


def test_a_refused_password_is_not_in_the_answer(aws: Aws) -> None:
    with pytest.raises(aws.rds.exceptions.ClientError) as caught:
        aws.database(MasterUserPassword="geheim/geheim")
    assert "geheim" not in str(caught.value)


MODIFY: list[tuple[str, dict[str, Any], str]] = [
    ("storage never shrinks", {"AllocatedStorage": 50}, COMBINATION),
    ("storage grows by 10 % at least", {"AllocatedStorage": 105}, COMBINATION),
    ("a version does not go back", {"EngineVersion": "14.20"}, COMBINATION),
    ("a major upgrade is asked for explicitly", {"EngineVersion": "16"}, COMBINATION),
    ("a password keeps its rules", {"MasterUserPassword": "short"}, VALUE),
    ("windows still do not overlap", {"PreferredBackupWindow": "04:30-05:30"}, COMBINATION),
    ("a class exists", {"DBInstanceClass": "db.x"}, VALUE),
    ("a parameter group exists", {"DBParameterGroupName": "none"}, "DBParameterGroupNotFound"),
    ("a parameter group is of the family", {"DBParameterGroupName": "default.postgres17"}, COMBINATION),
    ("a log export is PostgreSQL's", {"CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["audit"]}}, COMBINATION),
    ("monitoring needs a role", {"MonitoringInterval": 30}, COMBINATION),
    ("renaming is not offered", {"NewDBInstanceIdentifier": "other"}, "NotImplemented"),
]


@pytest.mark.parametrize(("why", "wish", "code"), MODIFY, ids=[why for why, _, _ in MODIFY])
def test_a_change_that_aws_would_refuse_is_refused_and_changes_nothing(
    aws: Aws, why: str, wish: dict[str, Any], code: str
) -> None:
    before = aws.ready_database(
        AllocatedStorage=100,
        PreferredBackupWindow="03:00-04:00",
        PreferredMaintenanceWindow="mon:05:00-mon:06:00",
    )
    assert refused(lambda: aws.rds.modify_db_instance(DBInstanceIdentifier="db", ApplyImmediately=True, **wish)) == code
    after = aws.instance()
    for state in (before, after):
        state.pop("LatestRestorableTime")
    assert after == before


def test_what_does_not_exist_is_not_found(aws: Aws) -> None:
    rds = aws.rds
    assert refused(lambda: rds.describe_db_instances(DBInstanceIdentifier="x")) == "DBInstanceNotFound"
    assert refused(lambda: rds.modify_db_instance(DBInstanceIdentifier="x")) == "DBInstanceNotFound"
    assert refused(lambda: rds.reboot_db_instance(DBInstanceIdentifier="x")) == "DBInstanceNotFound"
    assert refused(lambda: rds.delete_db_instance(DBInstanceIdentifier="x")) == "DBInstanceNotFound"
    assert refused(lambda: rds.describe_db_snapshots(DBSnapshotIdentifier="x")) == "DBSnapshotNotFound"
    assert refused(lambda: rds.delete_db_snapshot(DBSnapshotIdentifier="x")) == "DBSnapshotNotFound"
    assert refused(lambda: rds.describe_db_subnet_groups(DBSubnetGroupName="x")) == "DBSubnetGroupNotFoundFault"
    assert refused(lambda: rds.delete_db_subnet_group(DBSubnetGroupName="x")) == "DBSubnetGroupNotFoundFault"
    assert refused(lambda: rds.describe_db_parameters(DBParameterGroupName="x")) == "DBParameterGroupNotFound"
    assert refused(lambda: rds.delete_event_subscription(SubscriptionName="x")) == "SubscriptionNotFound"


def test_the_default_vpc_needs_no_subnet_group_and_a_class_may_be_small(aws: Aws) -> None:
    made = aws.database(StorageType="gp3", MaxAllocatedStorage=100, MasterUserPassword=PASSWORD)
    assert made["DBSubnetGroup"]["DBSubnetGroupName"] == "default"
    assert made["EngineVersion"].startswith("15.")


def test_a_subnet_group_covers_two_zones_of_one_vpc(aws: Aws) -> None:
    one, two = aws.subnets()
    make = aws.rds.create_db_subnet_group
    common = {"DBSubnetGroupName": "g", "DBSubnetGroupDescription": "d"}
    assert refused(lambda: make(**common, SubnetIds=[one])) == "DBSubnetGroupDoesNotCoverEnoughAZs"
    assert refused(lambda: make(**common, SubnetIds=[one, "subnet-0"])) == "InvalidSubnet"
    vpc = aws.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    other = aws.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="us-east-1b")
    assert refused(lambda: make(**common, SubnetIds=[one, other["Subnet"]["SubnetId"]])) == "InvalidSubnet"
    make(**common, SubnetIds=[one, two])
    assert refused(lambda: make(**common, SubnetIds=[one, two])) == "DBSubnetGroupAlreadyExists"


def test_a_security_group_of_another_vpc_is_refused(aws: Aws) -> None:
    vpc = aws.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = aws.ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    assert refused(lambda: aws.database(VpcSecurityGroupIds=[group])) == "InvalidVPCNetworkStateFault"


def test_a_key_that_is_pending_deletion_encrypts_nothing(aws: Aws) -> None:
    key = aws.kms.create_key()["KeyMetadata"]["KeyId"]
    aws.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert refused(lambda: aws.database(StorageEncrypted=True, KmsKeyId=key)) == "KMSKeyNotAccessibleFault"
