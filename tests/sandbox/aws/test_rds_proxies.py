"""DB proxies: what RDS refuses, and how they pass through their states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.aws.conftest import Aws, refused
from tests.sandbox.aws.proxysite import Site

VALUE, COMBINATION = "InvalidParameterValue", "InvalidParameterCombination"


@pytest.fixture
def site(aws: Aws) -> Site:
    return Site(aws)


def _auth(site: Site, **more: str) -> dict[str, Any]:
    return {"Auth": [{"AuthScheme": "SECRETS", "SecretArn": site.secret, **more}]}


CREATE: list[tuple[str, Callable[[Site], dict[str, Any]], str]] = [
    ("a name begins with a letter", lambda s: {"DBProxyName": "1proxy"}, VALUE),
    ("a name does not end with a hyphen", lambda s: {"DBProxyName": "proxy-"}, VALUE),
    ("a name has no two hyphens in a row", lambda s: {"DBProxyName": "pro--xy"}, VALUE),
    ("a name has at most 63 characters", lambda s: {"DBProxyName": "p" * 64}, VALUE),
    ("the engine family exists", lambda s: {"EngineFamily": "ORACLE"}, VALUE),
    ("proxies for MySQL are not played", lambda s: {"EngineFamily": "MYSQL"}, "NotImplemented"),
    ("log-ins by IAM alone are not played", lambda s: {"DefaultAuthScheme": "IAM_AUTH"}, "NotImplemented"),
    ("somebody can log in", lambda s: {"Auth": None}, COMBINATION),
    ("the secret exists", lambda s: _auth(s, SecretArn=s.secret + "x"), VALUE),
    ("a secret is named once", lambda s: {"Auth": _auth(s)["Auth"] * 2}, VALUE),
    ("secrets are the only scheme", lambda s: _auth(s, AuthScheme="OTHER"), VALUE),
    ("the user's name is in the secret", lambda s: _auth(s, UserName="app"), COMBINATION),
    ("optional IAM is SQL Server's", lambda s: _auth(s, IAMAuth="ENABLED"), COMBINATION),
    ("tokens need TLS", lambda s: {**_auth(s, IAMAuth="REQUIRED"), "RequireTLS": False}, COMBINATION),
    (
        "the clients' proof is PostgreSQL's",
        lambda s: _auth(s, ClientPasswordAuthType="MYSQL_NATIVE_PASSWORD"),
        COMBINATION,
    ),
    ("the role exists", lambda s: {"RoleArn": s.role + "x"}, VALUE),
    ("the subnets exist", lambda s: {"VpcSubnetIds": ["subnet-12345678", *s.aws.subnets("a")]}, "InvalidSubnet"),
    ("the subnets are in two zones", lambda s: {"VpcSubnetIds": s.aws.subnets("a")}, "InvalidSubnet"),
    ("the security groups exist", lambda s: {"VpcSecurityGroupIds": ["sg-12345678"]}, VALUE),
    ("clients may be silent for a second at least", lambda s: {"IdleClientTimeout": 0}, VALUE),
    ("clients may be silent for eight hours at most", lambda s: {"IdleClientTimeout": 28_801}, VALUE),
    ("the prefix aws: is reserved", lambda s: {"Tags": [{"Key": "aws:x", "Value": "y"}]}, VALUE),
]


def test_create_refuses(site: Site) -> None:
    for rule, change, code in CREATE:
        assert refused(lambda: site.aws.rds.create_db_proxy(**site.wish(**change(site)))) == code, rule
    assert site.aws.rds.describe_db_proxies()["DBProxies"] == []


def test_create_refuses_a_subnet_and_a_group_of_another_network(site: Site) -> None:
    ec2 = site.aws.ec2
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24", AvailabilityZone="us-east-1b")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="theirs", Description="d", VpcId=vpc)["GroupId"]
    for change, code in (
        ({"VpcSubnetIds": [*site.aws.subnets("a"), subnet]}, "InvalidSubnet"),
        ({"VpcSecurityGroupIds": [group]}, VALUE),
    ):
        assert refused(lambda: site.aws.rds.create_db_proxy(**site.wish(**change))) == code


def test_a_name_is_taken_once_and_there_are_twenty_proxies_at_most(site: Site) -> None:
    rds = site.aws.rds
    rds.create_db_proxy(**site.wish())
    assert refused(lambda: rds.create_db_proxy(**site.wish(DBProxyName="PROXY"))) == "DBProxyAlreadyExistsFault"
    for number in range(19):
        rds.create_db_proxy(**site.wish(DBProxyName=f"p{number}"))
    assert refused(lambda: rds.create_db_proxy(**site.wish(DBProxyName="more"))) == "DBProxyQuotaExceededFault"


def test_a_proxy_is_created_then_available_and_takes_nothing_before(site: Site) -> None:
    rds, name = site.aws.rds, {"DBProxyName": "proxy"}
    made = rds.create_db_proxy(**site.wish())["DBProxy"]
    assert (made["Status"], "Endpoint" in made, made["DBProxyArn"].count(":db-proxy:prx-")) == ("creating", False, 1)
    early: list[Callable[[], object]] = [
        lambda: rds.register_db_proxy_targets(**name, DBInstanceIdentifiers=["db"]),
        lambda: rds.modify_db_proxy_target_group(**name, TargetGroupName="default"),
        lambda: rds.modify_db_proxy(**name, RequireTLS=False),
        lambda: rds.delete_db_proxy(**name),
    ]
    for call in early:
        assert refused(call) == "InvalidDBProxyStateFault"
    site.aws.pass_time()
    found = rds.describe_db_proxies(**name)["DBProxies"][0]
    assert (found["Status"], found["Endpoint"], found["IdleClientTimeout"]) == ("available", "127.99.0.3", 1800)
    assert found["Auth"][0]["IAMAuth"] == "DISABLED"
    rds.modify_db_proxy(**name, IdleClientTimeout=60, SecurityGroups=[site.wall])
    found = rds.describe_db_proxies(**name)["DBProxies"][0]
    assert (found["Status"], found["IdleClientTimeout"]) == ("modifying", 1800)
    site.aws.pass_time()
    found = rds.describe_db_proxies(**name)["DBProxies"][0]
    assert (found["IdleClientTimeout"], found["VpcSecurityGroupIds"]) == (60, [site.wall])
    rds.delete_db_proxy(**name)
    assert refused(lambda: rds.delete_db_proxy(**name)) == "InvalidDBProxyStateFault"
    site.aws.pass_time()
    assert refused(lambda: rds.describe_db_proxies(**name)) == "DBProxyNotFoundFault"
    assert refused(lambda: rds.list_tags_for_resource(ResourceName=made["DBProxyArn"])) == "DBProxyNotFoundFault"


def test_a_change_is_judged_as_a_creation_is(site: Site) -> None:
    site.proxy()
    changes: list[tuple[dict[str, Any], str]] = [
        ({"IdleClientTimeout": 0}, VALUE),
        ({"RoleArn": site.role + "x"}, VALUE),
        ({"Auth": []}, COMBINATION),
        ({"SecurityGroups": ["sg-12345678"]}, VALUE),
        ({"SecurityGroups": []}, VALUE),
        ({"NewDBProxyName": "other"}, "NotImplemented"),
    ]
    for change, code in changes:
        assert refused(lambda: site.aws.rds.modify_db_proxy(DBProxyName="proxy", **change)) == code, change


POOL: list[tuple[dict[str, Any], str]] = [
    ({"MaxConnectionsPercent": 0}, VALUE),
    ({"MaxConnectionsPercent": 101}, VALUE),
    ({"MaxIdleConnectionsPercent": 10}, COMBINATION),
    ({"MaxConnectionsPercent": 10, "MaxIdleConnectionsPercent": 11}, VALUE),
    ({"ConnectionBorrowTimeout": 301}, VALUE),
    ({"SessionPinningFilters": ["EXCLUDE_VARIABLE_SETS"]}, COMBINATION),
]


def test_a_pool_has_its_bounds_and_idle_is_half_unless_told(site: Site) -> None:
    site.proxy()
    rds, group = site.aws.rds, {"DBProxyName": "proxy", "TargetGroupName": "default"}
    for pool, code in POOL:
        assert refused(lambda: rds.modify_db_proxy_target_group(**group, ConnectionPoolConfig=pool)) == code, pool
    rds.modify_db_proxy_target_group(**group, ConnectionPoolConfig={"MaxConnectionsPercent": 60})
    (found,) = rds.describe_db_proxy_target_groups(DBProxyName="proxy")["TargetGroups"]
    assert (found["TargetGroupName"], found["IsDefault"]) == ("default", True)
    assert found["ConnectionPoolConfig"]["MaxIdleConnectionsPercent"] == 30
    other = {**group, "TargetGroupName": "other"}
    for call in (rds.describe_db_proxy_target_groups, rds.describe_db_proxy_targets, rds.modify_db_proxy_target_group):
        assert refused(lambda: call(**other)) == "DBProxyTargetGroupNotFoundFault"
    assert refused(lambda: rds.modify_db_proxy_target_group(**group, NewName="other")) == COMBINATION


def test_a_group_has_one_database_which_is_up_and_in_the_same_network(site: Site) -> None:
    site.proxy()
    rds, name = site.aws.rds, {"DBProxyName": "proxy"}
    site.aws.database("young")
    wishes: list[tuple[dict[str, Any], str]] = [
        ({"DBInstanceIdentifiers": ["nobody"]}, "DBInstanceNotFound"),
        ({"DBInstanceIdentifiers": ["young"]}, "InvalidDBInstanceState"),
        ({"DBInstanceIdentifiers": []}, COMBINATION),
        ({"DBClusterIdentifiers": ["cluster"]}, "NotImplemented"),
    ]
    for wish, code in wishes:
        assert refused(lambda: rds.register_db_proxy_targets(**name, **wish)) == code, wish
    gone = {**name, "DBInstanceIdentifiers": ["db"]}
    assert refused(lambda: rds.deregister_db_proxy_targets(**gone)) == "DBProxyTargetNotFoundFault"
    (target,) = rds.register_db_proxy_targets(**gone)["DBProxyTargets"]
    assert (target["RdsResourceId"], target["Type"], target["Port"]) == ("db", "RDS_INSTANCE", 5432)
    assert refused(lambda: rds.register_db_proxy_targets(**gone)) == "DBProxyTargetAlreadyRegisteredFault"
    rds.deregister_db_proxy_targets(**gone)
    assert rds.describe_db_proxy_targets(**name)["Targets"] == []


def test_tags_are_the_proxys_and_go_with_it(site: Site) -> None:
    arn = site.proxy(Tags=[{"Key": "tier", "Value": "access"}])["DBProxyArn"]
    rds = site.aws.rds
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "team", "Value": "platform"}])
    rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["tier"])
    assert rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "team", "Value": "platform"}]
    listed = site.aws.admin("GET", "inventory")["objects"]
    assert [thing["name"] for thing in listed if thing["type"] == "db-proxy"] == ["proxy"]


def test_a_proxy_is_in_each_of_its_subnets_and_holds_its_groups_until_it_is_gone(site: Site) -> None:
    site.proxy()
    question = [{"Name": "group-id", "Values": [site.front]}]
    found = site.aws.ec2.describe_network_interfaces(Filters=question)["NetworkInterfaces"]
    assert sorted(eni["SubnetId"] for eni in found) == sorted(site.aws.subnets())
    assert {eni["RequesterId"] for eni in found} == {"amazon-rds"}
    site.aws.ec2.revoke_security_group_ingress(GroupId=site.wall, IpPermissions=site.rule)
    assert refused(lambda: site.aws.ec2.delete_security_group(GroupId=site.front)) == "DependencyViolation"
    site.aws.rds.delete_db_proxy(DBProxyName="proxy")
    site.aws.pass_time()
    site.aws.ec2.delete_security_group(GroupId=site.front)
