"""Read replicas of RDS: what the service refuses, what it inherits, and what becomes of them without their source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import Aws


@contextmanager
def refused(code: str, words: str) -> Iterator[None]:
    """The error that the service answers with."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code and words in error["Message"]


def replica(aws: Aws, name: str = "copy", region: str = "us-east-1", **extra: Any) -> dict[str, Any]:
    wish = {"DBInstanceIdentifier": name, "SourceDBInstanceIdentifier": "db"} | extra
    answer = aws.client("rds", region).create_db_instance_read_replica(**wish)
    aws.pass_time()
    made: dict[str, Any] = answer["DBInstance"]
    return made


def seen(aws: Aws, name: str = "copy", region: str = "us-east-1") -> dict[str, Any]:
    found: dict[str, Any] = aws.client("rds", region).describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    return found


@pytest.fixture
def source(aws: Aws) -> dict[str, Any]:
    return aws.ready_database(DBInstanceClass="db.t3.small", BackupRetentionPeriod=7, CopyTagsToSnapshot=True)


def test_source_and_replica_name_each_other(aws: Aws, source: dict[str, Any]) -> None:
    assert replica(aws)["DBInstanceStatus"] == "creating"
    made = seen(aws)
    assert made["DBInstanceStatus"] == "available"
    assert made["ReadReplicaSourceDBInstanceIdentifier"] == "db"
    assert made["StatusInfos"] == [{"StatusType": "read replication", "Normal": True, "Status": "replicating"}]
    assert seen(aws, "db")["ReadReplicaDBInstanceIdentifiers"] == ["copy"]
    assert ("replicate_postgres" in dict(aws.databases.calls)) and made["MasterUsername"] == source["MasterUsername"]


def test_what_is_not_passed_is_the_sources_or_off(aws: Aws, source: dict[str, Any]) -> None:
    replica(aws)
    made = seen(aws)
    for same in ("DBInstanceClass", "AllocatedStorage", "EngineVersion", "DBParameterGroups"):
        assert made[same] == source[same]
    assert (made["BackupRetentionPeriod"], made["MultiAZ"], made["CopyTagsToSnapshot"]) == (0, False, False)


def test_deletion_protection_is_taken_and_ignored_as_the_service_does(aws: Aws, source: dict[str, Any]) -> None:
    replica(aws, DeletionProtection=True)
    assert seen(aws)["DeletionProtection"] is False


def test_a_source_without_backups_has_no_replicas(aws: Aws) -> None:
    aws.ready_database(BackupRetentionPeriod=0)
    with refused("InvalidDBInstanceState", "Automated backups are not enabled"):
        replica(aws)


@pytest.mark.parametrize(
    ("extra", "code", "words"),
    [
        ({"DBParameterGroupName": "default.postgres15"}, "InvalidParameterCombination", "parameter group can't be"),
        ({"DBSubnetGroupName": "default"}, "DBSubnetGroupNotAllowedFault", "same region"),
        ({"SourceDBInstanceIdentifier": "nobody"}, "DBInstanceNotFound", "nobody"),
        ({"DBInstanceIdentifier": "db"}, "DBInstanceAlreadyExists", "already exists"),
        ({"KmsKeyId": "alias/any"}, "InvalidParameterCombination", "unencrypted"),
        ({"AllocatedStorage": 10}, "InvalidParameterValue", "storage size"),
        ({"DBInstanceClass": "db.huge"}, "InvalidParameterValue", "class"),
    ],
)
def test_what_the_service_refuses(
    aws: Aws, source: dict[str, Any], extra: dict[str, Any], code: str, words: str
) -> None:
    with refused(code, words):
        replica(aws, **extra)
    assert len(aws.rds.describe_db_instances()["DBInstances"]) == 1


def test_an_instance_has_fifteen_replicas_at_most(aws: Aws, source: dict[str, Any]) -> None:
    for number in range(15):
        aws.rds.create_db_instance_read_replica(DBInstanceIdentifier=f"copy{number}", SourceDBInstanceIdentifier="db")
    with refused("InvalidParameterCombination", "15"):
        replica(aws)


def test_backups_of_a_source_stay_on_and_a_replica_has_no_password_of_its_own(aws: Aws, source: dict[str, Any]) -> None:
    replica(aws)
    with refused("InvalidParameterCombination", "source to read replicas"):
        aws.rds.modify_db_instance(DBInstanceIdentifier="db", BackupRetentionPeriod=0)
    with refused("InvalidParameterCombination", "read replica"):
        aws.rds.modify_db_instance(DBInstanceIdentifier="copy", MasterUserPassword="another-one-of-mine")


def test_a_replica_leaves_no_final_snapshot(aws: Aws, source: dict[str, Any]) -> None:
    replica(aws)
    with refused("InvalidParameterCombination", "read replica"):
        aws.rds.delete_db_instance(DBInstanceIdentifier="copy", FinalDBSnapshotIdentifier="last")
    aws.rds.delete_db_instance(DBInstanceIdentifier="copy", SkipFinalSnapshot=True)
    aws.pass_time()
    assert seen(aws, "db")["ReadReplicaDBInstanceIdentifiers"] == []


def test_a_replica_in_another_region_goes_by_arns_and_needs_a_key_of_its_own(aws: Aws) -> None:
    arn = aws.ready_database(StorageEncrypted=True)["DBInstanceArn"]
    with refused("InvalidParameterCombination", "KmsKeyId"):
        replica(aws, region="us-west-2", SourceDBInstanceIdentifier=arn)
    with refused("DBInstanceNotFound", "db"):
        replica(aws, region="us-west-2")
    key = aws.client("kms", "us-west-2").create_key()["KeyMetadata"]["Arn"]
    replica(aws, region="us-west-2", SourceDBInstanceIdentifier=arn, KmsKeyId=key)
    made = seen(aws, region="us-west-2")
    assert (made["ReadReplicaSourceDBInstanceIdentifier"], made["KmsKeyId"]) == (arn, key)
    assert made["DBParameterGroups"][0]["DBParameterGroupName"] == "default.postgres15"
    assert seen(aws, "db")["ReadReplicaDBInstanceIdentifiers"] == [made["DBInstanceArn"]]


def test_without_its_source_a_replica_nearby_is_promoted_and_one_far_away_stops(
    aws: Aws, source: dict[str, Any]
) -> None:
    replica(aws)
    replica(aws, region="us-west-2", SourceDBInstanceIdentifier=source["DBInstanceArn"])
    aws.rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    aws.pass_time()
    near, far = seen(aws), seen(aws, region="us-west-2")
    assert "ReadReplicaSourceDBInstanceIdentifier" not in near and "promote_postgres" in dict(aws.databases.calls)
    assert far["StatusInfos"][0]["Status"] == "terminated"


def test_a_promoted_replica_is_an_instance_of_its_own(aws: Aws, source: dict[str, Any]) -> None:
    replica(aws)
    with refused("InvalidDBInstanceState", "not a read replica"):
        aws.rds.promote_read_replica(DBInstanceIdentifier="db")
    aws.rds.promote_read_replica(DBInstanceIdentifier="copy", BackupRetentionPeriod=3)
    aws.pass_time()
    made = seen(aws)
    assert "ReadReplicaSourceDBInstanceIdentifier" not in made and made["BackupRetentionPeriod"] == 3
    assert seen(aws, "db")["ReadReplicaDBInstanceIdentifiers"] == []
