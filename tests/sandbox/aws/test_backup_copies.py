"""Copies of automated backups in another region: what is refused, how they come and stay, and snapshots that keep an
instance busy."""

from __future__ import annotations

from typing import Any

from tests.sandbox.aws.conftest import Aws, refused


def copies(aws: Aws, region: str = "us-west-2", **how: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.client("rds", region).describe_db_instance_automated_backups(**how)[
        "DBInstanceAutomatedBackups"
    ]
    return found


def start(aws: Aws, arn: str, region: str = "us-west-2", **extra: Any) -> Any:
    return aws.client("rds", region).start_db_instance_automated_backups_replication(SourceDBInstanceArn=arn, **extra)


def test_what_is_refused(aws: Aws) -> None:
    arn = aws.ready_database(StorageEncrypted=True)["DBInstanceArn"]
    key = aws.client("kms", "us-west-2").create_key()["KeyMetadata"]["Arn"]
    assert refused(lambda: start(aws, arn)) == "InvalidParameterCombination"
    assert refused(lambda: start(aws, arn, KmsKeyId=key.replace("us-west-2", "us-east-1"), region="us-east-1")) == (
        "InvalidParameterCombination"
    )
    assert refused(lambda: start(aws, arn, KmsKeyId="no-such-key")) == "KMSKeyNotAccessibleFault"
    assert refused(lambda: start(aws, arn, KmsKeyId=key, BackupRetentionPeriod=36)) == "InvalidParameterValue"
    assert refused(lambda: start(aws, arn.replace(":db:db", ":db:other"), KmsKeyId=key)) == "DBInstanceNotFound"
    start(aws, arn, KmsKeyId=key)
    assert refused(lambda: start(aws, arn, KmsKeyId=key)) == "InvalidDBInstanceAutomatedBackupState"
    bare = aws.ready_database("bare", BackupRetentionPeriod=0)["DBInstanceArn"]
    assert refused(lambda: start(aws, bare)) == "InvalidDBInstanceState"


def test_a_copy_comes_with_its_tags_and_both_regions_tell_of_it(aws: Aws) -> None:
    made = aws.ready_database()
    tags = [{"Key": "tier", "Value": "data"}]
    begun = start(aws, made["DBInstanceArn"], BackupRetentionPeriod=14, Tags=tags)["DBInstanceAutomatedBackup"]
    assert (begun["Status"], begun["Region"]) == ("pending", "us-east-1")
    aws.pass_time()
    (copy,) = copies(aws, DBInstanceAutomatedBackupsArn=begun["DBInstanceAutomatedBackupsArn"])
    assert (copy["Status"], copy["BackupRetentionPeriod"], copy["TagList"]) == ("replicating", 14, tags)
    (own,) = copies(aws, "us-east-1", DBInstanceIdentifier="db")
    assert own["Status"] == "active"
    assert [one["DBInstanceAutomatedBackupsArn"] for one in own["DBInstanceAutomatedBackupsReplications"]] == [
        copy["DBInstanceAutomatedBackupsArn"]
    ]


def test_a_copy_is_retained_when_its_instance_goes_and_can_be_deleted_then_alone(aws: Aws) -> None:
    arn = aws.ready_database()["DBInstanceArn"]
    copy = start(aws, arn)["DBInstanceAutomatedBackup"]["DBInstanceAutomatedBackupsArn"]
    west = aws.client("rds", "us-west-2")
    assert refused(lambda: west.delete_db_instance_automated_backup(DBInstanceAutomatedBackupsArn=copy)) == (
        "InvalidDBInstanceAutomatedBackupState"
    )
    aws.rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    aws.pass_time()
    assert [one["Status"] for one in copies(aws)] == ["retained"]
    assert refused(lambda: west.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=arn)) == (
        "DBInstanceNotFound"
    )
    west.delete_db_instance_automated_backup(DBInstanceAutomatedBackupsArn=copy)
    assert copies(aws) == []


def test_an_instance_is_backing_up_while_a_snapshot_is_taken_and_takes_no_change_then(aws: Aws) -> None:
    aws.ready_database()
    aws.rds.create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier="mine")
    assert aws.instance()["DBInstanceStatus"] == "backing-up"
    assert refused(lambda: aws.rds.modify_db_instance(DBInstanceIdentifier="db", MultiAZ=True)) == (
        "InvalidDBInstanceState"
    )
    aws.pass_time()
    assert aws.instance()["DBInstanceStatus"] == "available"
