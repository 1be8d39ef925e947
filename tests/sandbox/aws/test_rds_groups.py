"""Parameter groups, subnet groups and event subscriptions of RDS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.aws.conftest import Aws, refused


def _group(aws: Aws, name: str = "p") -> None:
    aws.rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily="postgres15", Description="d")


def _set(aws: Aws, *changes: tuple[str, str, str]) -> None:
    aws.rds.modify_db_parameter_group(
        DBParameterGroupName="p",
        Parameters=[{"ParameterName": n, "ParameterValue": v, "ApplyMethod": m} for n, v, m in changes],
    )


def _parameters(aws: Aws, **filters: str) -> dict[str, dict[str, Any]]:
    pages = aws.rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName="p", **filters)
    return {p["ParameterName"]: p for page in pages for p in page["Parameters"]}


def test_a_parameter_tells_its_type_bounds_source_and_how_it_is_applied(aws: Aws) -> None:
    _group(aws)
    _set(aws, ("max_connections", "100", "pending-reboot"))
    every = _parameters(aws)
    assert len(every) > 150
    mine = every["max_connections"]
    assert (mine["ParameterValue"], mine["Source"], mine["ApplyType"]) == ("100", "user", "static")
    assert (mine["DataType"], mine["AllowedValues"], mine["IsModifiable"]) == ("integer", "6-262143", True)
    assert every["log_statement"]["ApplyType"] == "dynamic"
    assert "ParameterValue" not in every["log_statement"]
    assert every["rds.force_ssl"]["ParameterValue"] == "1"
    assert every["rds.extensions"]["IsModifiable"] is False
    assert list(_parameters(aws, Source="user")) == ["max_connections"]


def test_tls_is_forced_by_default_from_postgresql_15_on(aws: Aws) -> None:
    for family, value in (("postgres14", "0"), ("postgres15", "1")):
        answer = aws.rds.describe_db_parameters(
            DBParameterGroupName=f"default.{family}", Source="system", Marker="rds.e"
        )
        assert {p["ParameterName"]: p["ParameterValue"] for p in answer["Parameters"]}["rds.force_ssl"] == value


BAD: list[tuple[str, tuple[str, str, str], str]] = [
    ("a parameter exists", ("no_such_thing", "1", "immediate"), "InvalidParameterValue"),
    ("a number is within its bounds", ("max_connections", "3", "pending-reboot"), "InvalidParameterValue"),
    ("a number is a number", ("max_connections", "many", "pending-reboot"), "InvalidParameterValue"),
    ("a word is one of those allowed", ("log_statement", "some", "immediate"), "InvalidParameterValue"),
    (
        "a library is one of those allowed",
        ("shared_preload_libraries", "evil", "pending-reboot"),
        "InvalidParameterValue",
    ),
    ("a static parameter is not immediate", ("max_connections", "100", "immediate"), "InvalidParameterCombination"),
    ("some parameters are AWS's", ("log_line_prefix", "%t", "immediate"), "InvalidParameterValue"),
]


@pytest.mark.parametrize(("why", "change", "code"), BAD, ids=[why for why, _, _ in BAD])
def test_a_bad_parameter_is_refused_and_named_and_none_of_its_call_is_taken(
    aws: Aws, why: str, change: tuple[str, str, str], code: str
) -> None:
    _group(aws)
    with pytest.raises(aws.rds.exceptions.ClientError) as caught:
        _set(aws, ("work_mem", "4096", "immediate"), change)
    assert caught.value.response["Error"]["Code"] == code
    assert change[0] in caught.value.response["Error"]["Message"]
    assert _parameters(aws, Source="user") == {}


def test_one_call_changes_twenty_parameters_at_most(aws: Aws) -> None:
    _group(aws)
    assert refused(lambda: _set(aws, *[("work_mem", "4096", "immediate")] * 21)) == "InvalidParameterValue"
    assert refused(lambda: _set(aws)) in ("InvalidParameterValue", "MissingParameter")


def test_dynamic_parameters_reach_the_server_at_once_and_static_ones_with_a_reboot(aws: Aws) -> None:
    _group(aws)
    aws.ready_database(DBParameterGroupName="p")
    (ident,) = aws.databases.alive
    _set(aws, ("work_mem", "8192", "immediate"), ("max_connections", "50", "pending-reboot"))
    aws.pass_time()
    assert aws.databases.parameters[ident]["work_mem"] == "8192"
    assert aws.databases.parameters[ident]["max_connections"] == "112"
    assert aws.instance()["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot"
    aws.rds.reboot_db_instance(DBInstanceIdentifier="db")
    assert aws.instance()["DBInstanceStatus"] == "rebooting"
    aws.pass_time()
    assert aws.databases.parameters[ident]["max_connections"] == "50"
    assert aws.instance()["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"


def test_dynamic_parameters_alone_need_no_reboot(aws: Aws) -> None:
    _group(aws)
    aws.ready_database(DBParameterGroupName="p")
    _set(aws, ("work_mem", "8192", "immediate"))
    assert aws.instance()["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"


def test_another_parameter_group_waits_for_a_reboot(aws: Aws) -> None:
    _group(aws)
    _set(aws, ("work_mem", "8192", "immediate"))
    aws.ready_database()
    aws.rds.modify_db_instance(DBInstanceIdentifier="db", DBParameterGroupName="p", ApplyImmediately=True)
    aws.pass_time()
    (group,) = aws.instance()["DBParameterGroups"]
    assert group == {"DBParameterGroupName": "p", "ParameterApplyStatus": "pending-reboot"}


def test_formulas_are_worked_out_for_the_class(aws: Aws) -> None:
    _group(aws)
    _set(aws, ("work_mem", "{DBInstanceClassMemory/65536}", "immediate"))
    aws.ready_database(DBParameterGroupName="p", DBInstanceClass="db.t3.small")
    (ident,) = aws.databases.alive
    assert aws.databases.parameters[ident]["work_mem"] == str(2**31 // 65536)


def test_a_parameter_group_is_reset_by_name_or_whole(aws: Aws) -> None:
    _group(aws)
    _set(aws, ("work_mem", "8192", "immediate"), ("jit", "0", "immediate"), ("max_connections", "50", "pending-reboot"))
    one = [{"ParameterName": "jit", "ApplyMethod": "immediate"}]
    aws.rds.reset_db_parameter_group(DBParameterGroupName="p", Parameters=one)
    assert sorted(_parameters(aws, Source="user")) == ["max_connections", "work_mem"]
    aws.rds.reset_db_parameter_group(DBParameterGroupName="p", ResetAllParameters=True)
    assert _parameters(aws, Source="user") == {}


def test_groups_in_use_are_not_deleted_and_default_ones_never(aws: Aws) -> None:
    _group(aws)
    aws.rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="d", SubnetIds=aws.subnets())
    aws.ready_database(DBParameterGroupName="p", DBSubnetGroupName="g")
    state = "InvalidDBParameterGroupState"
    assert refused(lambda: aws.rds.delete_db_parameter_group(DBParameterGroupName="p")) == state
    assert refused(lambda: aws.rds.delete_db_parameter_group(DBParameterGroupName="default.postgres15")) == state
    assert refused(lambda: aws.rds.delete_db_subnet_group(DBSubnetGroupName="g")) == "InvalidDBSubnetGroupStateFault"
    aws.rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    assert refused(lambda: aws.rds.delete_db_subnet_group(DBSubnetGroupName="g")) == "InvalidDBSubnetGroupStateFault"
    aws.pass_time()
    aws.rds.delete_db_parameter_group(DBParameterGroupName="p")
    aws.rds.delete_db_subnet_group(DBSubnetGroupName="g")


def test_a_family_exists_and_a_name_is_used_once(aws: Aws) -> None:
    make = aws.rds.create_db_parameter_group
    wish = {"DBParameterGroupName": "p", "Description": "d"}
    assert refused(lambda: make(**wish, DBParameterGroupFamily="postgres9")) == "InvalidParameterValue"
    _group(aws)
    assert refused(lambda: make(**wish, DBParameterGroupFamily="postgres15")) == "DBParameterGroupAlreadyExists"
    bad = wish | {"DBParameterGroupName": "p--p", "DBParameterGroupFamily": "postgres15"}
    assert refused(lambda: make(**bad)) == "InvalidParameterValue"


def test_a_subnet_that_a_database_needs_stays_in_its_group(aws: Aws) -> None:
    aws.rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="d", SubnetIds=aws.subnets("ab"))
    aws.ready_database(DBSubnetGroupName="g", AvailabilityZone="us-east-1a")
    change = aws.rds.modify_db_subnet_group
    assert refused(lambda: change(DBSubnetGroupName="g", SubnetIds=aws.subnets("bc"))) == "SubnetAlreadyInUse"
    change(DBSubnetGroupName="g", SubnetIds=aws.subnets("ac"))
    zones = {s["SubnetAvailabilityZone"]["Name"] for s in aws.instance()["DBSubnetGroup"]["Subnets"]}
    assert zones == {"us-east-1a", "us-east-1c"}


def test_an_event_subscription_needs_a_topic_known_categories_and_existing_sources(aws: Aws) -> None:
    make = aws.rds.create_event_subscription
    assert refused(lambda: make(SubscriptionName="s", SnsTopicArn="arn:aws:sns:us-east-1:1:x")) == "SNSTopicArnNotFound"
    topic = aws.sns.create_topic(Name="t")["TopicArn"]
    wish = {"SubscriptionName": "s", "SnsTopicArn": topic, "SourceType": "db-instance"}
    assert refused(lambda: make(**wish, EventCategories=["party"])) == "SubscriptionCategoryNotFound"
    assert refused(lambda: make(**wish, SourceIds=["nobody"])) == "SourceNotFound"
    assert refused(lambda: make(**wish | {"SourceType": "db-party"})) == "InvalidParameterValue"
    made = make(**wish, EventCategories=["failure"])["EventSubscription"]
    assert (made["Status"], made["EventCategoriesList"]) == ("active", ["failure"])
    assert refused(lambda: make(**wish)) == "SubscriptionAlreadyExist"
    aws.rds.modify_event_subscription(SubscriptionName="s", Enabled=False)
    assert aws.rds.describe_event_subscriptions()["EventSubscriptionsList"][0]["Enabled"] is False
    aws.rds.delete_event_subscription(SubscriptionName="s")
    assert aws.rds.describe_event_subscriptions()["EventSubscriptionsList"] == []


def test_a_subscribed_topic_is_told_what_happens(aws: Aws) -> None:
    topic = aws.sns.create_topic(Name="t")["TopicArn"]
    queue = aws.sqs.create_queue(QueueName="q")["QueueUrl"].replace("http://", "")
    arn = "arn:aws:sqs:us-east-1:123456789012:q"
    aws.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    aws.rds.create_event_subscription(SubscriptionName="s", SnsTopicArn=topic, EventCategories=["creation"])
    aws.ready_database()
    aws.instance()
    aws.pass_time()
    found = aws.sqs.receive_message(QueueUrl=f"{aws.sandbox.aws.url}/123456789012/{queue.rpartition('/')[2]}")
    assert json.loads(found["Messages"][0]["Body"])["Message"] == "DB instance created"
    events = aws.rds.describe_events(SourceIdentifier="db", SourceType="db-instance")["Events"]
    assert [e["Message"] for e in events] == ["DB instance created"]


def test_only_versions_that_can_be_created_are_offered_and_15_means_the_latest_15(aws: Aws) -> None:
    offered = aws.rds.describe_db_engine_versions(Engine="postgres", EngineVersion="15")["DBEngineVersions"]
    numbers = [v["EngineVersion"] for v in offered]
    assert "15.4" not in numbers and "15.12" not in numbers and "15.13" in numbers
    default = aws.rds.describe_db_engine_versions(Engine="postgres", EngineVersion="15", DefaultOnly=True)
    (latest,) = default["DBEngineVersions"]
    assert latest["DBParameterGroupFamily"] == "postgres15"
    assert aws.database()["EngineVersion"] == latest["EngineVersion"]


def test_orderable_options_tell_classes_and_storage(aws: Aws) -> None:
    pages = aws.rds.get_paginator("describe_orderable_db_instance_options").paginate(
        Engine="postgres", EngineVersion="15.13", DBInstanceClass="db.t3.micro"
    )
    options = [o for page in pages for o in page["OrderableDBInstanceOptions"]]
    assert {o["StorageType"] for o in options} == {"gp2", "gp3", "io1", "io2"}
    assert all(o["MultiAZCapable"] and len(o["AvailabilityZones"]) > 1 for o in options)
