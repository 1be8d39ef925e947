"""ElastiCache refuses what AWS refuses, and its replication groups pass through their states."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.aws.conftest import Aws, refused

VALUE, COMBINATION = "InvalidParameterValue", "InvalidParameterCombination"
TOKEN, OTHER = "correct-horse-battery-1", "correct-horse-battery-2"
TLS: dict[str, Any] = {"TransitEncryptionEnabled": True}

CREATE: list[tuple[str, dict[str, Any], str]] = [
    ("a name has at most 40 characters", {"ReplicationGroupId": "c" * 41}, VALUE),
    ("a name begins with a letter", {"ReplicationGroupId": "1c"}, VALUE),
    ("a name does not end with a hyphen", {"ReplicationGroupId": "c-"}, VALUE),
    ("a name has no two hyphens in a row", {"ReplicationGroupId": "c--c"}, VALUE),
    ("a description is required", {"ReplicationGroupDescription": None}, "MissingParameter"),
    ("the engine is Redis or Valkey", {"Engine": "memcached"}, VALUE),
    ("the version exists", {"EngineVersion": "3.2"}, COMBINATION),
    ("the node type exists", {"CacheNodeType": "cache.huge"}, VALUE),
    ("a node type has to be given", {"CacheNodeType": None}, VALUE),
    ("there is one node at least", {"NumCacheClusters": 0}, VALUE),
    ("there are six nodes at most", {"NumCacheClusters": 7}, VALUE),
    ("failover needs two nodes", {"NumCacheClusters": 1, "AutomaticFailoverEnabled": True}, COMBINATION),
    ("two zones need failover", {"MultiAZEnabled": True}, COMBINATION),
    ("nodes are counted once", {"ReplicasPerNodeGroup": 1}, COMBINATION),
    ("a token needs TLS", {"AuthToken": TOKEN}, COMBINATION),
    ("a token has 16 characters", {**TLS, "AuthToken": "short"}, VALUE),
    ("a token has 128 characters at most", {**TLS, "AuthToken": "t" * 129}, VALUE),
    ("a token has no at sign", {**TLS, "AuthToken": "correct-horse@battery"}, VALUE),
    ("a token has no space", {**TLS, "AuthToken": "correct horse battery"}, VALUE),
    ("a key needs encryption at rest", {"KmsKeyId": "alias/x"}, COMBINATION),
    ("the key exists", {"AtRestEncryptionEnabled": True, "KmsKeyId": "alias/x"}, VALUE),
    ("the parameter group exists", {"CacheParameterGroupName": "none"}, "CacheParameterGroupNotFound"),
    ("the parameter group is of the family", {"CacheParameterGroupName": "default.redis6.x"}, COMBINATION),
    ("the subnet group exists", {"CacheSubnetGroupName": "none"}, "CacheSubnetGroupNotFoundFault"),
    ("the security group exists", {"SecurityGroupIds": ["sg-0"]}, VALUE),
    ("snapshots are kept for 35 days at most", {"SnapshotRetentionLimit": 36}, VALUE),
    ("the maintenance window lasts an hour", {"PreferredMaintenanceWindow": "mon:05:00-mon:05:30"}, VALUE),
    ("the snapshot window lasts an hour", {"SnapshotWindow": "03:00-03:30"}, VALUE),
    (
        "windows do not overlap",
        {"SnapshotWindow": "03:00-05:00", "PreferredMaintenanceWindow": "mon:04:00-mon:06:00"},
        VALUE,
    ),
    ("the topic exists", {"NotificationTopicArn": "arn:aws:sns:us-east-1:123456789012:none"}, VALUE),
    ("every node has a zone", {"PreferredCacheClusterAZs": ["us-east-1a"]}, COMBINATION),
    ("the zones are in the subnet group", {"PreferredCacheClusterAZs": ["us-east-1a", "us-east-1z"]}, VALUE),
    ("what the sandbox does not do it says", {"NumNodeGroups": 2}, "NotImplemented"),
]


@pytest.mark.parametrize(("why", "wish", "code"), CREATE, ids=[why for why, _, _ in CREATE])
def test_a_cache_that_aws_would_refuse_is_refused(aws: Aws, why: str, wish: dict[str, Any], code: str) -> None:
    assert refused(lambda: aws.cache(**wish)) == code
    assert aws.elasticache.describe_replication_groups()["ReplicationGroups"] == []
    assert aws.databases.calls == []


def test_a_new_cache_is_creating_then_available_with_its_endpoints(aws: Aws) -> None:
    made = aws.cache("Cache", AutomaticFailoverEnabled=True, MultiAZEnabled=True)
    assert (made["Status"], made["NodeGroups"]) == ("creating", [])
    aws.pass_time()
    found = aws.group()
    assert (found["Status"], found["AutomaticFailover"], found["MultiAZ"]) == ("available", "enabled", "enabled")
    (node_group,) = found["NodeGroups"]
    assert node_group["PrimaryEndpoint"] == {"Address": "127.99.1.100", "Port": 6379}
    assert [m["CurrentRole"] for m in node_group["NodeGroupMembers"]] == ["primary", "replica"]
    clusters = aws.elasticache.describe_cache_clusters(ShowCacheNodeInfo=True)["CacheClusters"]
    assert [c["CacheClusterId"] for c in clusters] == found["MemberClusters"] == ["cache-001", "cache-002"]
    assert clusters[0]["EngineVersion"].startswith("7.0.")


def test_a_deleted_cache_is_gone_and_its_name_is_free_again(aws: Aws) -> None:
    aws.cache()
    delete = {"ReplicationGroupId": "cache"}
    assert refused(lambda: aws.elasticache.delete_replication_group(**delete)) == "InvalidReplicationGroupState"
    aws.pass_time()
    assert refused(aws.cache) == "ReplicationGroupAlreadyExists"
    aws.elasticache.delete_replication_group(**delete)
    assert aws.group()["Status"] == "deleting"
    assert refused(aws.cache) == "ReplicationGroupAlreadyExists"
    aws.pass_time()
    assert refused(aws.group) == "ReplicationGroupNotFoundFault"
    waiter = aws.elasticache.get_waiter("replication_group_deleted")
    waiter.wait(**delete, WaiterConfig={"MaxAttempts": 1})
    assert aws.databases.alive == set()
    aws.cache()


def test_a_cache_that_cannot_start_has_failed_and_can_be_deleted(aws: Aws) -> None:
    aws.databases.failing = True
    aws.cache()
    aws.pass_time()
    assert aws.group()["Status"] == "create-failed"
    aws.elasticache.delete_replication_group(ReplicationGroupId="cache")
    aws.pass_time()
    assert refused(aws.group) == "ReplicationGroupNotFoundFault"


def _rotate(aws: Aws, strategy: str | None, token: str | None, **extra: object) -> list[str]:
    wish = {"AuthToken": token, "AuthTokenUpdateStrategy": strategy, "ApplyImmediately": True, **extra}
    given = {name: value for name, value in wish.items() if value is not None}
    aws.elasticache.modify_replication_group(ReplicationGroupId="cache", **given)
    aws.pass_time()
    (ident,) = aws.databases.alive
    return aws.databases.tokens[ident]


def test_a_rotated_token_is_valid_beside_the_old_one_until_it_is_set(aws: Aws) -> None:
    aws.ready_cache(**TLS, AuthToken=TOKEN)
    assert refused(lambda: _rotate(aws, "SET", OTHER)) == COMBINATION
    assert _rotate(aws, "ROTATE", OTHER) == [TOKEN, OTHER]
    assert _rotate(aws, "SET", OTHER) == [OTHER]
    assert _rotate(aws, "DELETE", None) == []
    assert aws.group()["AuthTokenEnabled"] is False


def test_rotating_in_a_first_token_leaves_the_cache_open_until_it_is_set(aws: Aws) -> None:
    aws.ready_cache(**TLS)
    assert _rotate(aws, "ROTATE", TOKEN) == []
    assert _rotate(aws, "SET", TOKEN) == [TOKEN]


def test_a_token_changes_at_once_or_not_at_all(aws: Aws) -> None:
    aws.ready_cache(**TLS, AuthToken=TOKEN)
    assert refused(lambda: _rotate(aws, "ROTATE", OTHER, ApplyImmediately=False)) == COMBINATION
    assert refused(lambda: _rotate(aws, "ROTATE", "short")) == VALUE
    assert refused(lambda: _rotate(aws, "DELETE", OTHER)) == COMBINATION


def test_changes_are_instant_deferred_or_refused(aws: Aws) -> None:
    aws.ready_cache()
    change = aws.elasticache.modify_replication_group
    change(ReplicationGroupId="cache", SnapshotRetentionLimit=5)
    assert aws.group()["SnapshotRetentionLimit"] == 5
    change(ReplicationGroupId="cache", CacheNodeType="cache.t3.small")
    aws.pass_time()
    assert aws.group()["CacheNodeType"] == "cache.t3.micro"
    change(ReplicationGroupId="cache", CacheNodeType="cache.t3.small", ApplyImmediately=True)
    assert aws.group()["Status"] == "modifying"
    busy = {"ReplicationGroupId": "cache", "SnapshotRetentionLimit": 6}
    assert refused(lambda: change(**busy)) == "InvalidReplicationGroupState"
    aws.pass_time()
    assert aws.group()["CacheNodeType"] == "cache.t3.small"
    now = {"ReplicationGroupId": "cache", "ApplyImmediately": True}
    assert refused(lambda: change(**now, MultiAZEnabled=True)) == COMBINATION
    assert refused(lambda: change(**now, EngineVersion="6.2")) == COMBINATION
    assert refused(lambda: change(**now, TransitEncryptionEnabled=True)) == "NotImplemented"


def test_parameters_reach_the_cache_and_a_group_in_use_stays(aws: Aws) -> None:
    ec = aws.elasticache
    ec.create_cache_parameter_group(CacheParameterGroupName="p", CacheParameterGroupFamily="redis7", Description="d")
    policy = [{"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lru"}]
    ec.modify_cache_parameter_group(CacheParameterGroupName="p", ParameterNameValues=policy)
    user = ec.describe_cache_parameters(CacheParameterGroupName="p", Source="user")["Parameters"]
    assert [(p["ParameterName"], p["ParameterValue"]) for p in user] == [("maxmemory-policy", "allkeys-lru")]
    aws.ready_cache(CacheParameterGroupName="p")
    (ident,) = aws.databases.alive
    assert aws.databases.parameters[ident]["maxmemory-policy"] == "allkeys-lru"
    assert "reserved-memory-percent" not in aws.databases.parameters[ident]
    policy[0]["ParameterValue"] = "noeviction"
    ec.modify_cache_parameter_group(CacheParameterGroupName="p", ParameterNameValues=policy)
    aws.pass_time()
    assert aws.databases.parameters[ident]["maxmemory-policy"] == "noeviction"
    assert (
        refused(lambda: ec.delete_cache_parameter_group(CacheParameterGroupName="p"))
        == "InvalidCacheParameterGroupState"
    )


@pytest.mark.parametrize(
    ("name", "value"), [("maxmemory-policy", "some-lru"), ("none", "1"), ("maxclients", "10"), ("timeout", "19")]
)
def test_a_bad_cache_parameter_is_refused(aws: Aws, name: str, value: str) -> None:
    ec = aws.elasticache
    ec.create_cache_parameter_group(CacheParameterGroupName="p", CacheParameterGroupFamily="redis7", Description="d")
    wish = {"CacheParameterGroupName": "p", "ParameterNameValues": [{"ParameterName": name, "ParameterValue": value}]}
    assert refused(lambda: ec.modify_cache_parameter_group(**wish)) == VALUE


def test_a_cache_subnet_group_in_use_stays(aws: Aws) -> None:
    ec = aws.elasticache
    wish = {"CacheSubnetGroupName": "g", "CacheSubnetGroupDescription": "d", "SubnetIds": aws.subnets()}
    ec.create_cache_subnet_group(**wish)
    assert refused(lambda: ec.create_cache_subnet_group(**wish)) == "CacheSubnetGroupAlreadyExists"
    aws.ready_cache(CacheSubnetGroupName="g")
    assert refused(lambda: ec.delete_cache_subnet_group(CacheSubnetGroupName="g")) == "CacheSubnetGroupInUse"
    ec.delete_replication_group(ReplicationGroupId="cache")
    aws.pass_time()
    ec.delete_cache_subnet_group(CacheSubnetGroupName="g")


def test_tags_of_a_cache_wait_until_it_is_available(aws: Aws) -> None:
    arn = aws.cache(Tags=[{"Key": "a", "Value": "1"}])["ARN"]
    ec = aws.elasticache
    assert refused(lambda: ec.list_tags_for_resource(ResourceName=arn)) == "InvalidReplicationGroupState"
    aws.pass_time()
    ec.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "b", "Value": "2"}])
    ec.remove_tags_from_resource(ResourceName=arn, TagKeys=["a"])
    assert ec.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "b", "Value": "2"}]
    assert refused(lambda: ec.remove_tags_from_resource(ResourceName=arn, TagKeys=["a"])) == "TagNotFound"


def test_a_final_snapshot_is_taken_once_under_a_name(aws: Aws) -> None:
    aws.ready_cache()
    aws.elasticache.delete_replication_group(ReplicationGroupId="cache", FinalSnapshotIdentifier="last")
    aws.pass_time()
    assert [s["SnapshotName"] for s in aws.elasticache.describe_snapshots()["Snapshots"]] == ["last"]
    aws.ready_cache()
    again = {"ReplicationGroupId": "cache", "FinalSnapshotIdentifier": "last"}
    assert refused(lambda: aws.elasticache.delete_replication_group(**again)) == "SnapshotAlreadyExistsFault"
