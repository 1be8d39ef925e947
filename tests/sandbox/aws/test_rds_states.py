"""A database passes through its states, and what it is asked on the way is answered as AWS answers it."""

from __future__ import annotations

import pytest

from tests.sandbox.aws.conftest import PASSWORD, Aws, refused


def test_a_new_database_is_creating_then_backing_up_then_available(aws: Aws) -> None:
    made = aws.database()
    assert (made["DBInstanceStatus"], made.get("Endpoint")) == ("creating", None)
    aws.pass_time(0.53)
    assert aws.instance()["DBInstanceStatus"] == "creating"
    aws.pass_time(0.02)
    assert aws.instance()["DBInstanceStatus"] == "backing-up"
    aws.pass_time(0.06)
    ready = aws.instance()
    assert (ready["DBInstanceStatus"], ready["Endpoint"]["Port"]) == ("available", 5432)


def test_without_backups_there_is_no_backing_up(aws: Aws) -> None:
    aws.database(BackupRetentionPeriod=0)
    aws.pass_time(0.61)
    assert aws.instance()["DBInstanceStatus"] == "available"
    assert "LatestRestorableTime" not in aws.instance()


def test_provisioning_takes_as_long_as_the_user_says(aws: Aws) -> None:
    aws.admin("PATCH", "options", {"provision_time": {"rds": "12s"}})
    try:
        aws.database()
        aws.pass_time(11.9)
        assert aws.instance()["DBInstanceStatus"] == "backing-up"
        aws.pass_time(0.2)
        assert aws.instance()["DBInstanceStatus"] == "available"
    finally:
        aws.admin("PATCH", "options", {"provision_time": {"rds": 0.6}})


def test_a_database_that_cannot_start_has_failed(aws: Aws) -> None:
    aws.databases.failing = True
    aws.database()
    aws.pass_time()
    assert aws.instance()["DBInstanceStatus"] == "failed"
    assert refused(lambda: aws.rds.delete_db_instance(
        DBInstanceIdentifier="db", FinalDBSnapshotIdentifier="last"
    )) == "InvalidDBInstanceState"  # fmt: skip
    aws.rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)


def test_a_name_is_taken_from_the_first_moment_to_the_last(aws: Aws) -> None:
    aws.database("Db")
    assert refused(lambda: aws.database("dB")) == "DBInstanceAlreadyExists"
    aws.pass_time()
    aws.rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    assert aws.instance()["DBInstanceStatus"] == "deleting"
    assert refused(lambda: aws.database("db")) == "DBInstanceAlreadyExists"
    assert refused(lambda: aws.rds.delete_db_instance(
        DBInstanceIdentifier="db", SkipFinalSnapshot=True
    )) == "InvalidDBInstanceState"  # fmt: skip
    aws.pass_time()
    assert refused(aws.instance) == "DBInstanceNotFound"
    assert aws.databases.alive == set()
    aws.database("db")


def test_names_are_kept_apart_by_region(aws: Aws) -> None:
    aws.database()
    assert aws.client("rds", "eu-west-1").describe_db_instances()["DBInstances"] == []


def test_a_busy_database_takes_no_change(aws: Aws) -> None:
    aws.database()
    change = {"DBInstanceIdentifier": "db", "DeletionProtection": True}
    assert refused(lambda: aws.rds.modify_db_instance(**change)) == "InvalidDBInstanceState"
    assert refused(lambda: aws.rds.reboot_db_instance(DBInstanceIdentifier="db")) == "InvalidDBInstanceState"


def test_a_deferred_change_stays_pending(aws: Aws) -> None:
    aws.ready_database()
    aws.rds.modify_db_instance(DBInstanceIdentifier="db", DBInstanceClass="db.t3.small")
    aws.pass_time()
    found = aws.instance()
    assert (found["DBInstanceClass"], found["DBInstanceStatus"]) == ("db.t3.micro", "available")
    assert found["PendingModifiedValues"] == {"DBInstanceClass": "db.t3.small"}


def test_a_later_immediate_change_takes_pending_ones_along(aws: Aws) -> None:
    aws.ready_database()
    aws.rds.modify_db_instance(DBInstanceIdentifier="db", DBInstanceClass="db.t3.small")
    aws.rds.modify_db_instance(DBInstanceIdentifier="db", MultiAZ=True, ApplyImmediately=True)
    aws.pass_time()
    found = aws.instance()
    assert (found["DBInstanceClass"], found["MultiAZ"], found["PendingModifiedValues"]) == ("db.t3.small", True, {})


def test_right_after_a_change_the_status_may_still_say_available_but_the_value_is_pending(aws: Aws) -> None:
    aws.ready_database()
    aws.rds.modify_db_instance(DBInstanceIdentifier="db", DBInstanceClass="db.t3.small", ApplyImmediately=True)
    found = aws.instance()
    assert (found["DBInstanceStatus"], found["DBInstanceClass"]) == ("available", "db.t3.micro")
    assert found["PendingModifiedValues"] == {"DBInstanceClass": "db.t3.small"}
    aws.pass_time(0.15)
    assert aws.instance()["DBInstanceStatus"] == "modifying"
    aws.pass_time()
    found = aws.instance()
    assert (found["DBInstanceClass"], found["PendingModifiedValues"]) == ("db.t3.small", {})


def test_a_class_change_restarts_the_server_with_the_connections_of_the_class(aws: Aws) -> None:
    aws.ready_database()
    (ident,) = aws.databases.parameters.keys() & aws.databases.alive
    assert aws.databases.parameters[ident]["max_connections"] == "112"
    aws.rds.modify_db_instance(DBInstanceIdentifier="db", DBInstanceClass="db.t3.small", ApplyImmediately=True)
    aws.pass_time()
    assert ("restart", ident) in aws.databases.calls
    assert aws.databases.parameters[ident]["max_connections"] == "225"


def test_grown_storage_is_optimized_and_meanwhile_does_not_grow_again(aws: Aws) -> None:
    aws.ready_database(AllocatedStorage=100)
    grow = {"DBInstanceIdentifier": "db", "ApplyImmediately": True}
    aws.rds.modify_db_instance(**grow, AllocatedStorage=200)
    aws.pass_time(0.45)
    found = aws.instance()
    assert (found["DBInstanceStatus"], found["AllocatedStorage"]) == ("storage-optimization", 200)
    assert refused(lambda: aws.rds.modify_db_instance(**grow, AllocatedStorage=400)) == "InvalidParameterCombination"
    aws.pass_time()
    aws.rds.modify_db_instance(**grow, AllocatedStorage=400)


def test_a_new_password_reaches_the_server_without_being_told(aws: Aws) -> None:
    aws.ready_database()
    (ident,) = aws.databases.alive
    answer = aws.rds.modify_db_instance(DBInstanceIdentifier="db", MasterUserPassword="another-long-word")
    assert answer["DBInstance"]["PendingModifiedValues"] == {"MasterUserPassword": "****"}
    aws.pass_time(0.15)
    assert aws.instance()["DBInstanceStatus"] == "resetting-master-credentials"
    aws.pass_time()
    assert aws.databases.passwords[ident] == "another-long-word"
    assert aws.instance()["PendingModifiedValues"] == {}


def test_deletion_protection_is_there_at_once_and_protects(aws: Aws) -> None:
    aws.ready_database()
    aws.rds.modify_db_instance(DBInstanceIdentifier="db", DeletionProtection=True)
    delete = {"DBInstanceIdentifier": "db", "SkipFinalSnapshot": True}
    assert refused(lambda: aws.rds.delete_db_instance(**delete)) == "InvalidParameterCombination"
    aws.rds.modify_db_instance(DBInstanceIdentifier="db", DeletionProtection=False)
    aws.rds.delete_db_instance(**delete)


@pytest.mark.parametrize("how", [{}, {"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "last"}])
def test_a_delete_says_exactly_one_thing_about_the_final_snapshot(aws: Aws, how: dict[str, object]) -> None:
    aws.ready_database()
    assert (
        refused(lambda: aws.rds.delete_db_instance(DBInstanceIdentifier="db", **how)) == "InvalidParameterCombination"
    )


def test_the_final_snapshot_outlives_the_database_and_its_name_is_used_once(aws: Aws) -> None:
    delete = {"DBInstanceIdentifier": "db", "FinalDBSnapshotIdentifier": "last"}
    aws.ready_database(Tags=[{"Key": "a", "Value": "b"}], CopyTagsToSnapshot=True)
    aws.rds.delete_db_instance(**delete)
    assert aws.rds.describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"][0]["Status"] == "creating"
    aws.pass_time()
    (snapshot,) = aws.rds.describe_db_snapshots()["DBSnapshots"]
    assert (snapshot["Status"], snapshot["DBInstanceIdentifier"]) == ("available", "db")
    assert snapshot["TagList"] == [{"Key": "a", "Value": "b"}]
    aws.ready_database()
    assert refused(lambda: aws.rds.delete_db_instance(**delete)) == "DBSnapshotAlreadyExists"
    aws.rds.delete_db_snapshot(DBSnapshotIdentifier="last")
    aws.pass_time()
    assert aws.databases.snapshots == set()


def test_a_restored_database_comes_up_with_defaults_unless_told_otherwise(aws: Aws) -> None:
    aws.rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="d", SubnetIds=aws.subnets())
    aws.ready_database(DBSubnetGroupName="g", MultiAZ=True, BackupRetentionPeriod=7)
    aws.rds.create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier="copy")
    restore = {"DBInstanceIdentifier": "again", "DBSnapshotIdentifier": "copy"}
    assert refused(lambda: aws.rds.restore_db_instance_from_db_snapshot(**restore)) == "InvalidDBSnapshotState"
    aws.pass_time()
    aws.rds.restore_db_instance_from_db_snapshot(**restore)
    aws.pass_time()
    found = aws.instance("again")
    assert found["DBInstanceStatus"] == "available"
    assert (found["DBSubnetGroup"]["DBSubnetGroupName"], found["MultiAZ"]) == ("default", False)
    assert (found["BackupRetentionPeriod"], found["MasterUsername"]) == (7, "app")


def test_lists_come_in_pages_and_can_be_filtered(aws: Aws) -> None:
    for number in range(23):
        aws.database(f"db-{number:02d}")
    pages = list(aws.rds.get_paginator("describe_db_instances").paginate(PaginationConfig={"PageSize": 20}))
    assert [len(page["DBInstances"]) for page in pages] == [20, 3]
    wish = [{"Name": "db-instance-id", "Values": ["db-07", "db-08"]}]
    assert len(aws.rds.describe_db_instances(Filters=wish)["DBInstances"]) == 2
    bad = [{"Name": "colour", "Values": ["red"]}]
    assert refused(lambda: aws.rds.describe_db_instances(Filters=bad)) == "InvalidParameterValue"
    assert refused(lambda: aws.rds.describe_db_instances(MaxRecords=19)) == "InvalidParameterValue"


def test_waiters_of_the_sdk_understand_the_states(aws: Aws) -> None:
    aws.ready_database()
    aws.rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="db", WaiterConfig={"MaxAttempts": 1})
    aws.rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    aws.pass_time()
    aws.rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier="db", WaiterConfig={"MaxAttempts": 1})


def test_tags_are_kept_and_go_with_the_database(aws: Aws) -> None:
    arn = aws.database(Tags=[{"Key": "a", "Value": "1"}])["DBInstanceArn"]
    aws.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "b", "Value": "2"}])
    aws.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["a"])
    assert aws.rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "b", "Value": "2"}]
    assert aws.instance()["TagList"] == [{"Key": "b", "Value": "2"}]
    aws.pass_time()
    aws.rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    aws.pass_time()
    assert refused(lambda: aws.rds.list_tags_for_resource(ResourceName=arn)) == "DBInstanceNotFound"


def test_a_log_group_appears_with_the_first_line_of_its_log_unless_it_is_there(aws: Aws) -> None:
    name = "/aws/rds/instance/db/postgresql"
    aws.logs.create_log_group(logGroupName=name)
    aws.logs.put_retention_policy(logGroupName=name, retentionInDays=30)
    aws.ready_database(EnableCloudwatchLogsExports=["postgresql", "upgrade"])
    groups = {g["logGroupName"]: g.get("retentionInDays") for g in aws.logs.describe_log_groups()["logGroups"]}
    assert groups == {name: 30}
    aws.rds.modify_db_instance(
        DBInstanceIdentifier="db", EngineVersion="16", AllowMajorVersionUpgrade=True, ApplyImmediately=True,
        DBParameterGroupName="default.postgres16",
    )  # fmt: skip
    aws.pass_time()
    assert aws.instance()["EngineVersion"].startswith("16.")
    groups = {g["logGroupName"]: g.get("retentionInDays") for g in aws.logs.describe_log_groups()["logGroups"]}
    assert groups == {name: 30, "/aws/rds/instance/db/upgrade": None}


def test_encryption_monitoring_and_insights_come_back_as_asked(aws: Aws) -> None:
    key = aws.kms.create_key()["KeyMetadata"]
    role = aws.role()
    found = aws.ready_database(
        StorageEncrypted=True,
        KmsKeyId=key["KeyId"],
        MonitoringInterval=60,
        MonitoringRoleArn=role,
        EnablePerformanceInsights=True,
        MasterUserPassword=PASSWORD,
    )
    assert (found["StorageEncrypted"], found["KmsKeyId"]) == (True, key["Arn"])
    assert (found["MonitoringInterval"], found["MonitoringRoleArn"]) == (60, role)
    assert (found["PerformanceInsightsEnabled"], found["PerformanceInsightsRetentionPeriod"]) == (True, 7)
