"""What boto3 says of a deployed credlink, compared with the tables that it was designed from.

Nothing here comes from provisioner's drivers: the command line deploys, and boto3 alone looks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.plans.conftest import PLANS, Run

_NAME = "credlink-production"
_PLAN = (str(PLANS / "aws-credlink.yaml"), "-e", "production", "--sandbox")

Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def outputs(provisioner: Run, client: Client) -> Iterator[dict[str, Any]]:
    """credlink in production, deployed; its outputs."""
    report = json.loads(provisioner("deploy", *_PLAN, "--yes", "--json").stdout)
    assert report["exit_code"] == 0
    yield report["outputs"]
    provisioner("destroy", *_PLAN, "--yes", "--allow-data-loss")


@pytest.fixture(scope="module")
def db(outputs: dict[str, Any], client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client("rds").describe_db_instances(DBInstanceIdentifier=f"{_NAME}-db")["DBInstances"][0]
    return found


@pytest.fixture(scope="module")
def cache(outputs: dict[str, Any], client: Client) -> dict[str, Any]:
    groups = client("elasticache").describe_replication_groups(ReplicationGroupId=f"{_NAME}-redis")
    found: dict[str, Any] = groups["ReplicationGroups"][0]
    return found


@pytest.fixture(scope="module")
def nodes(cache: dict[str, Any], client: Client) -> list[dict[str, Any]]:
    listed = client("elasticache").describe_cache_clusters(ShowCacheNodeInfo=True)["CacheClusters"]
    return [node for node in listed if node["ReplicationGroupId"] == cache["ReplicationGroupId"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("DBInstanceStatus", "available"),
        ("DBInstanceClass", "db.t3.small"),
        ("Engine", "postgres"),
        ("MultiAZ", True),
        ("StorageType", "gp3"),
        ("AllocatedStorage", 20),
        ("MaxAllocatedStorage", 100),
        ("StorageEncrypted", True),
        ("BackupRetentionPeriod", 30),
        ("PreferredBackupWindow", "03:00-04:00"),
        ("PreferredMaintenanceWindow", "mon:04:00-mon:05:00"),
        ("PerformanceInsightsEnabled", True),
        ("PerformanceInsightsRetentionPeriod", 7),
        ("MonitoringInterval", 60),
        ("DeletionProtection", True),
        ("PubliclyAccessible", False),
        ("CopyTagsToSnapshot", True),
        ("DBName", "credlink"),
        ("MasterUsername", "credlink_admin"),
        ("EngineLifecycleSupport", "open-source-rds-extended-support-disabled"),
    ],
)
def test_the_database_is_as_designed(db: dict[str, Any], field: str, value: Any) -> None:
    assert db[field] == value


def test_the_database_is_a_version_15_that_can_be_made_today(db: dict[str, Any], client: Client) -> None:
    assert db["EngineVersion"].split(".")[0] == "15"
    listed = client("rds").describe_db_engine_versions(Engine="postgres", EngineVersion=db["EngineVersion"])
    assert listed["DBEngineVersions"]


def test_the_databases_logs_go_where_they_end_after_thirty_days(db: dict[str, Any], client: Client) -> None:
    assert sorted(db["EnabledCloudwatchLogsExports"]) == ["postgresql", "upgrade"]
    groups = client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/rds/instance/{_NAME}-db/")["logGroups"]
    assert {group["logGroupName"].rpartition("/")[2]: group["retentionInDays"] for group in groups} == {
        "postgresql": 30,
        "upgrade": 30,
    }


def test_the_database_has_its_own_parameters(db: dict[str, Any], client: Client) -> None:
    group = db["DBParameterGroups"][0]
    assert group["ParameterApplyStatus"] == "in-sync"
    pages = client("rds").get_paginator("describe_db_parameters")
    own = {
        parameter["ParameterName"]: parameter["ParameterValue"]
        for page in pages.paginate(DBParameterGroupName=group["DBParameterGroupName"], Source="user")
        for parameter in page["Parameters"]
    }
    assert own == {
        "shared_preload_libraries": "pg_stat_statements",
        "max_connections": "100",
        "log_min_duration_statement": "1000",
        "log_statement": "ddl",
        "rds.force_ssl": "1",
    }


def test_the_database_lives_in_two_private_subnets_of_two_zones(db: dict[str, Any], client: Client) -> None:
    ids = [subnet["SubnetIdentifier"] for subnet in db["DBSubnetGroup"]["Subnets"]]
    subnets = client("ec2").describe_subnets(SubnetIds=ids)["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    vpc = client("ec2").describe_vpcs(VpcIds=[subnets[0]["VpcId"]])["Vpcs"][0]
    assert vpc["CidrBlock"] == "10.0.0.0/16"


@pytest.mark.parametrize(("wall", "port"), [("db-wall", 5432), ("redis-wall", 6379)])
def test_only_the_private_subnets_get_in_and_everything_gets_out(
    outputs: dict[str, Any], client: Client, wall: str, port: int
) -> None:
    named = [{"Name": "group-name", "Values": [f"{_NAME}-{wall}"]}]
    group = client("ec2").describe_security_groups(Filters=named)["SecurityGroups"][0]
    (ingress,) = group["IpPermissions"]
    assert (ingress["IpProtocol"], ingress["FromPort"], ingress["ToPort"]) == ("tcp", port, port)
    assert sorted(r["CidrIp"] for r in ingress["IpRanges"]) == ["10.0.11.0/24", "10.0.12.0/24"]
    assert [r["CidrIp"] for e in group["IpPermissionsEgress"] for r in e["IpRanges"]] == ["0.0.0.0/0"]


def test_the_database_wears_its_wall_and_the_cache_its_own(
    db: dict[str, Any], nodes: list[dict[str, Any]], client: Client
) -> None:
    worn = [group["VpcSecurityGroupId"] for group in db["VpcSecurityGroups"]]
    worn += [group["SecurityGroupId"] for group in nodes[0]["SecurityGroups"]]
    groups = client("ec2").describe_security_groups(GroupIds=worn)["SecurityGroups"]
    assert sorted(group["GroupName"] for group in groups) == [f"{_NAME}-db-wall", f"{_NAME}-redis-wall"]


def test_database_and_cache_are_encrypted_with_a_key_of_ours_that_rotates(
    db: dict[str, Any], cache: dict[str, Any], client: Client
) -> None:
    assert db["KmsKeyId"] == cache["KmsKeyId"]
    kms = client("kms")
    key = kms.describe_key(KeyId=db["KmsKeyId"])["KeyMetadata"]
    assert (key["KeyManager"], key["KeyState"]) == ("CUSTOMER", "Enabled")
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]


def test_enhanced_monitoring_writes_with_a_role_that_only_it_can_assume(db: dict[str, Any], client: Client) -> None:
    iam, name = client("iam"), db["MonitoringRoleArn"].rpartition("/")[2]
    (statement,) = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    service = statement["Principal"]["Service"]
    assert service in ("monitoring.rds.amazonaws.com", ["monitoring.rds.amazonaws.com"])
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonRDSEnhancedMonitoringRole"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Status", "available"),
        ("CacheNodeType", "cache.t3.micro"),
        ("AutomaticFailover", "enabled"),
        ("MultiAZ", "enabled"),
        ("AtRestEncryptionEnabled", True),
        ("TransitEncryptionEnabled", True),
        ("AuthTokenEnabled", True),
        ("SnapshotRetentionLimit", 5),
        ("SnapshotWindow", "03:00-05:00"),
    ],
)
def test_the_cache_is_as_designed(cache: dict[str, Any], field: str, value: Any) -> None:
    assert cache[field] == value


def test_the_cache_has_two_nodes_of_redis_7_0_and_a_window(nodes: list[dict[str, Any]]) -> None:
    assert len(nodes) == 2
    for node in nodes:
        assert node["EngineVersion"].startswith("7.0")
        assert node["PreferredMaintenanceWindow"] == "mon:05:00-mon:07:00"


def test_a_full_cache_evicts_what_was_used_least(nodes: list[dict[str, Any]], client: Client) -> None:
    group = nodes[0]["CacheParameterGroup"]["CacheParameterGroupName"]
    own = client("elasticache").describe_cache_parameters(CacheParameterGroupName=group, Source="user")["Parameters"]
    assert {p["ParameterName"]: p["ParameterValue"] for p in own} == {"maxmemory-policy": "allkeys-lru"}


def test_events_of_cache_and_database_reach_the_topic_and_somebody_hears_them(
    nodes: list[dict[str, Any]], client: Client
) -> None:
    topic = nodes[0]["NotificationConfiguration"]
    assert topic["TopicStatus"] == "active"
    heard = client("sns").list_subscriptions_by_topic(TopicArn=topic["TopicArn"])["Subscriptions"]
    assert [(s["Protocol"], s["Endpoint"]) for s in heard] == [("email", "ops@credlink.example")]
    (events,) = client("rds").describe_event_subscriptions(SubscriptionName=f"{_NAME}-db-events")[
        "EventSubscriptionsList"
    ]
    assert (events["SnsTopicArn"], events["SourceIdsList"]) == (topic["TopicArn"], [f"{_NAME}-db"])
    assert {"failover", "failure", "low storage"} <= set(events["EventCategoriesList"])


def test_the_bucket_is_as_designed(outputs: dict[str, Any], client: Client) -> None:
    s3, account = client("s3"), client("sts").get_caller_identity()["Account"]
    name = f"{_NAME}-proofs-{account}"
    assert outputs["proofs_bucket_name"] == name
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    (encryption,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert rule["Status"] == "Enabled"
    assert [(t["Days"], t["StorageClass"]) for t in rule["Transitions"]] == [(90, "GLACIER")]
    assert rule["Expiration"]["Days"] == 365
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    (cors,) = s3.get_bucket_cors(Bucket=name)["CORSRules"]
    assert cors["AllowedOrigins"] == ["https://credlink.example"]


def test_the_credentials_are_a_document_of_six_members_that_opens_the_database(
    outputs: dict[str, Any], db: dict[str, Any], client: Client
) -> None:
    import psycopg

    value = client("secretsmanager").get_secret_value(SecretId=outputs["credentials_secret_arn"])
    document = json.loads(value["SecretString"])
    assert sorted(document) == ["dbname", "engine", "host", "password", "port", "username"]
    assert len(document["password"]) == 32
    assert document | {"password": ""} == {
        "engine": "postgres",
        "username": "credlink_admin",
        "password": "",
        "dbname": "credlink",
        "host": db["Endpoint"]["Address"],
        "port": 5432,
    }
    address = {name: document[name] for name in ("host", "port", "dbname", "password")}
    with psycopg.connect(**address, user=document["username"], sslmode="require") as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        shown = connection.execute("SHOW max_connections").fetchone()
        assert shown == ("100",)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**address, user=document["username"], sslmode="disable")


def test_every_object_says_whose_it_is(outputs: dict[str, Any], provisioner: Run) -> None:
    objects = json.loads(provisioner("sandbox", "inventory", "--json").stdout)["objects"]
    ours = [item for item in objects if (item["owner"] or "").startswith(f"{_NAME}/")]
    assert [item for item in objects if item not in ours] == []
    steps = {item["owner"].partition("/")[2] for item in ours}
    assert {"db", "redis", "proofs", "db-secret", "alerts", "alerts-by-mail", "vpc", "data-key", "db-log"} <= steps


def test_a_second_deploy_finds_nothing_to_do(outputs: dict[str, Any], provisioner: Run) -> None:
    report = json.loads(provisioner("deploy", *_PLAN, "--yes", "--json").stdout)
    assert [change for change in report["changes"] if change["action"] not in ("keep", "check")] == []


def test_what_is_deployed_passes_the_scan_as_the_plan_does(provisioner: Run, outputs: dict[str, Any]) -> None:
    scanned = json.loads(provisioner("scan", *_PLAN, "--deployed", "--json").stdout)
    assert scanned["deployed"] is True
    assert [one for one in scanned["findings"] if not one["waived"]] == []
    assert scanned["summary"]["rules"] > 25


def test_what_is_opened_behind_the_plan_fails_the_scan_of_what_is_deployed(
    provisioner: Run, outputs: dict[str, Any], client: Client
) -> None:
    ec2 = client("ec2")
    (wall,) = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [f"{_NAME}-db-wall"]}])[
        "SecurityGroups"
    ]
    world = [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.authorize_security_group_ingress(GroupId=wall["GroupId"], IpPermissions=world)
    try:
        scanned = provisioner("scan", *_PLAN, "--deployed", "--json", check=False)
    finally:
        ec2.revoke_security_group_ingress(GroupId=wall["GroupId"], IpPermissions=world)
    assert scanned.returncode == 8
    found = json.loads(scanned.stdout)["findings"]
    assert [one["step"] for one in found if one["id"] == "sec.group-world"] == ["db-wall"]


def test_a_preflight_of_what_is_deployed_finds_nothing(provisioner: Run, outputs: dict[str, Any]) -> None:
    found = json.loads(provisioner("preflight", *_PLAN, "--json").stdout)
    assert (found["exit_code"], found["findings"]) == (0, [])
