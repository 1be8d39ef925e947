"""Databases and caches are in their subnets by network interfaces that AWS makes and nobody else can delete."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import Aws, refused


def _interfaces(aws: Aws, **filters: str) -> list[dict[str, Any]]:
    question = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
    found: list[dict[str, Any]] = aws.ec2.describe_network_interfaces(Filters=question)["NetworkInterfaces"]
    return found


def _group(aws: Aws, name: str) -> str:
    vpc = aws.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    return str(aws.ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"])


def test_a_database_wears_its_security_groups_on_an_interface_of_amazon_rds(aws: Aws) -> None:
    wall = _group(aws, "wall")
    aws.ready_database(VpcSecurityGroupIds=[wall])
    (eni,) = _interfaces(aws, group_id=wall)
    assert (eni["RequesterManaged"], eni["RequesterId"]) == (True, "amazon-rds")
    assert (eni["Description"], eni["Status"]) == ("RDSNetworkInterface", "in-use")
    assert eni["AvailabilityZone"] == aws.instance()["AvailabilityZone"]
    assert [item["NetworkInterfaceId"] for item in _interfaces(aws, subnet_id=eni["SubnetId"])] == [
        eni["NetworkInterfaceId"]
    ]


def test_a_standby_has_an_interface_in_another_zone_and_each_node_of_a_cache_has_one(aws: Aws) -> None:
    aws.ready_database(MultiAZ=True)
    aws.ready_cache(NumCacheClusters=2)
    found = _interfaces(aws)
    databases = [eni for eni in found if eni["RequesterId"] == "amazon-rds"]
    assert len({eni["AvailabilityZone"] for eni in databases}) == len(databases) == 2
    caches = sorted(eni["Description"] for eni in found if eni["RequesterId"] == "amazon-elasticache")
    assert caches == ["ElastiCache cache-001", "ElastiCache cache-002"]


def test_an_interface_keeps_its_id_follows_its_databases_groups_and_goes_with_it(aws: Aws) -> None:
    one, two = _group(aws, "one"), _group(aws, "two")
    aws.ready_database(VpcSecurityGroupIds=[one])
    (eni,) = _interfaces(aws)
    aws.rds.modify_db_instance(DBInstanceIdentifier="db", VpcSecurityGroupIds=[two], ApplyImmediately=True)
    aws.pass_time()
    assert _interfaces(aws, group_id=one) == []
    assert _interfaces(aws, group_id=two)[0]["NetworkInterfaceId"] == eni["NetworkInterfaceId"]
    aws.rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    assert _interfaces(aws) != []
    aws.pass_time()
    assert _interfaces(aws) == []


def test_nobody_deletes_an_interface_that_aws_manages(aws: Aws) -> None:
    aws.ready_database()
    (eni,) = _interfaces(aws)
    wish = {"NetworkInterfaceId": eni["NetworkInterfaceId"]}
    assert refused(lambda: aws.ec2.delete_network_interface(**wish)) == "InvalidParameterValue"


def test_an_interface_of_somebody_holds_its_group_and_its_subnet_until_it_is_deleted(aws: Aws) -> None:
    wall, subnet = _group(aws, "wall"), aws.subnets("a")[0]
    made = aws.ec2.create_network_interface(SubnetId=subnet, Groups=[wall])["NetworkInterface"]
    assert refused(lambda: aws.ec2.delete_security_group(GroupId=wall)) == "DependencyViolation"
    assert refused(lambda: aws.ec2.delete_subnet(SubnetId=subnet)) == "DependencyViolation"
    aws.ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])
    aws.ec2.delete_security_group(GroupId=wall)
    aws.ec2.delete_subnet(SubnetId=subnet)


def test_a_refusal_does_not_say_who_is_in_the_way(aws: Aws) -> None:
    wall = _group(aws, "wall")
    aws.ready_database(VpcSecurityGroupIds=[wall])
    with pytest.raises(ClientError, match=f"resource {wall} has a dependent object$"):
        aws.ec2.delete_security_group(GroupId=wall)


def test_the_interfaces_that_aws_manages_are_nobodys_objects(aws: Aws) -> None:
    aws.ready_database()
    assert _interfaces(aws)
    objects = aws.admin("GET", "inventory")["objects"]
    assert "network-interface" not in {thing["type"] for thing in objects}


def _function(aws: Aws, subnet: str, wall: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.py", "def handle(event, context):\n    return None\n")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = aws.iam.create_role(RoleName="runner", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    network = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
    aws.iam.attach_role_policy(RoleName="runner", PolicyArn=network)
    aws.pass_time(60)
    aws.client("lambda").create_function(
        FunctionName="f",
        Runtime="python3.12",
        Role=role,
        Handler="main.handle",
        Code={"ZipFile": packed.getvalue()},
        VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": [wall]},
    )


def test_a_function_has_one_interface_however_often_one_looks_and_none_a_while_after_it_is_gone(aws: Aws) -> None:
    (subnet,), wall = aws.subnets("a"), _group(aws, "wall")
    address = aws.ec2.allocate_address(Domain="vpc")["AllocationId"]
    aws.ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
    _function(aws, subnet, wall)
    looks = [{eni["NetworkInterfaceId"] for eni in _interfaces(aws, group_id=wall)} for _ in range(3)]
    assert len(looks[0]) == 1 and looks[0] == looks[1] == looks[2]
    aws.pass_time(60)
    aws.client("lambda").delete_function(FunctionName="f")
    aws.pass_time(3600)
    assert [eni["InterfaceType"] for eni in _interfaces(aws)] == ["nat_gateway"]
    aws.ec2.delete_security_group(GroupId=wall)
