"""What is asked of AWS when it refuses to delete something: who holds it, whose that is, and whether it is on its way out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import HoldsDataError, InUseError
from provisioner.model import Key
from provisioner.resource import CanNameHolders, Holder
from provisioner.sandbox import supervisor
from tests.contract.cases.aws_cache_replication_group import CASE as CACHE
from tests.contract.cases.aws_rds_instance import CASE as DATABASE
from tests.contract.world import World

PASSWORD = "correct-horse-battery"


def _holders(world: World, name: str, key: Key) -> list[Holder]:
    driver = world.driver(name)
    with pytest.raises(InUseError):
        driver.delete(key)
    assert isinstance(driver, CanNameHolders)
    return list(driver.holders(key))


def _network(world: World) -> dict[str, Any]:
    world.make("aws.vpc", "net", {"cidr": "10.60.0.0/16"})
    vpc = world["net"]["vpc_id"]
    for index, name in enumerate("ab"):
        tree = {"vpc_id": vpc, "cidr": f"10.60.{index}.0/24", "zone_index": index}
        world.make("aws.subnet", name, tree)
    world.make("aws.security_group", "wall", {"vpc_id": vpc})
    return {"vpc_id": vpc, "subnets": [world[name]["subnet_id"] for name in "ab"], "wall": world["wall"]["group_id"]}


def _key(world: World, name: str, step: str) -> Key:
    return world._made[step][1]


@contextmanager
def _interface(world: World, subnet: str, group: str) -> Iterator[str]:
    """An interface of somebody who works without provisioner."""
    ec2 = world.session().client("ec2")
    made = ec2.create_network_interface(SubnetId=subnet, Groups=[group], Description="a bastion")["NetworkInterface"]
    try:
        yield str(made["NetworkInterfaceId"])
    finally:
        ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])


def test_a_foreign_interface_holds_the_group_and_the_subnet_and_is_named_with_the_command_that_shows_it(
    lone_world: World,
) -> None:
    net = _network(lone_world)
    with _interface(lone_world, net["subnets"][0], net["wall"]) as eni:
        for name, step in (("aws.security_group", "wall"), ("aws.subnet", "a")):
            (holder,) = _holders(lone_world, name, _key(lone_world, name, step))
            assert eni in holder.what and "a bastion" in holder.what
            assert (holder.owner, holder.leaving) == (None, False)
            assert f"describe-network-interfaces --network-interface-ids {eni} --region us-east-1" in holder.by_hand


def test_a_rule_that_refers_to_the_group_is_named_with_its_group_and_owner(lone_world: World) -> None:
    net = _network(lone_world)
    ec2 = lone_world.session().client("ec2")
    rule = {"port": 5432, "security_group": net["wall"]}
    key, _ = lone_world.make("aws.security_group", "ours", {"vpc_id": net["vpc_id"], "ingress": [rule]})
    theirs = ec2.create_security_group(GroupName="theirs", Description="d", VpcId=net["vpc_id"])["GroupId"]
    permission = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": net["wall"]}]}
    ec2.authorize_security_group_egress(GroupId=theirs, IpPermissions=[permission])
    try:
        found = _holders(lone_world, "aws.security_group", _key(lone_world, "aws.security_group", "wall"))
        by_owner = {holder.owner: holder for holder in found}
        assert set(by_owner) == {None, key.owner}
        assert f"a rule of security group {theirs} (theirs)" == by_owner[None].what
        assert "revoke the rule" in by_owner[None].by_hand
    finally:
        ec2.delete_security_group(GroupId=theirs)


def test_what_is_in_a_vpc_is_named_but_not_what_goes_with_it(lone_world: World) -> None:
    net = _network(lone_world)
    found = _holders(lone_world, "aws.vpc", _key(lone_world, "aws.vpc", "net"))
    owners = {f"{lone_world.deployment}/{step}" for step in ("a", "b", "wall")}
    assert {holder.owner for holder in found} == owners and len(found) == 3
    assert all(net["vpc_id"] in holder.by_hand for holder in found)


def _database(world: World, name: str, net: dict[str, Any], **more: Any) -> None:
    world.session().client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        EngineVersion="15",
        AllocatedStorage=20,
        MasterUsername="app",
        MasterUserPassword=PASSWORD,
        VpcSecurityGroupIds=[net["wall"]],
        **more,
    )


def test_a_foreign_database_is_named_by_all_that_it_holds_and_while_it_goes_it_is_leaving(lone_world: World) -> None:
    net, rds = _network(lone_world), lone_world.session().client("rds")
    lone_world.make("aws.db_subnet_group", "homes", {"subnets": net["subnets"]})
    lone_world.make("aws.db_parameter_group", "tuning", {"family": "postgres15", "parameters": {}})
    name = f"{lone_world.deployment}-theirs"
    groups = {"DBSubnetGroupName": lone_world["homes"]["name"], "DBParameterGroupName": lone_world["tuning"]["name"]}
    _database(lone_world, name, net, **groups)
    held = [("aws.db_subnet_group", "homes"), ("aws.db_parameter_group", "tuning"), ("aws.security_group", "wall")]
    try:
        for type_, step in held:
            (holder,) = _holders(lone_world, type_, _key(lone_world, type_, step))
            assert holder[:3] == (f"DB instance {name}", None, False)
            assert f"--db-instance-identifier {name}" in holder.by_hand
    finally:
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    for type_, step in held:
        found = lone_world.driver(type_).holders(_key(lone_world, type_, step))
        assert all(holder.leaving for holder in found)


def test_a_database_of_ours_holds_its_groups_in_its_owners_name(lone_world: World) -> None:
    for need in DATABASE.needs:
        lone_world.make(need.type, need.step, need.spec(lone_world))
    key, _ = lone_world.make("aws.rds_instance", "db", DATABASE.spec(lone_world))
    groups = [(need.type, need.step) for need in DATABASE.needs if need.type.endswith("_group")]
    assert groups
    for type_, step in groups:
        found = _holders(lone_world, type_, _key(lone_world, type_, step))
        assert key.owner in {holder.owner for holder in found}


def test_a_cache_holds_its_groups_in_its_owners_name(lone_world: World) -> None:
    for need in CACHE.needs:
        lone_world.make(need.type, need.step, need.spec(lone_world))
    key, _ = lone_world.make("aws.cache_replication_group", "cache", CACHE.spec(lone_world))
    groups = [(need.type, need.step) for need in CACHE.needs if need.type.endswith("_group")]
    assert groups
    for type_, step in groups:
        found = _holders(lone_world, type_, _key(lone_world, type_, step))
        assert [(holder.what, holder.owner) for holder in found] == [(f"replication group {key.name}", key.owner)]


def test_an_instance_profile_holds_its_role_and_the_command_frees_it(lone_world: World) -> None:
    key, _ = lone_world.make("aws.iam_role", "role", {"services": ["ec2.amazonaws.com"]})
    iam, profile = lone_world.session().client("iam"), f"{lone_world.deployment}-profile"
    iam.create_instance_profile(InstanceProfileName=profile)
    iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=key.name)
    (holder,) = _holders(lone_world, "aws.iam_role", key)
    assert holder.what == f"instance profile {profile}"
    assert f"remove-role-from-instance-profile --role-name {key.name}" in holder.by_hand
    iam.remove_role_from_instance_profile(InstanceProfileName=profile, RoleName=key.name)
    iam.delete_instance_profile(InstanceProfileName=profile)


def test_a_source_that_may_not_be_asked_is_left_out(lone_world: World) -> None:
    net = _network(lone_world)
    fault = {"service": "ec2", "operation": "DescribeNetworkInterfaces", "error": "UnauthorizedOperation", "times": 9}
    directory = Path(os.environ["PROVISIONER_ENDPOINTS"]).parent
    rule = {"port": 5432, "security_group": net["wall"]}
    lone_world.make("aws.security_group", "ours", {"vpc_id": net["vpc_id"], "ingress": [rule]})
    supervisor.admin(directory, "POST", "/_sandbox/faults", fault)
    try:
        found = _holders(lone_world, "aws.security_group", _key(lone_world, "aws.security_group", "wall"))
        assert [holder.owner for holder in found] == [f"{lone_world.deployment}/ours"]
    finally:
        supervisor.admin(directory, "DELETE", "/_sandbox/faults")


def test_a_bucket_that_is_not_empty_says_what_is_in_it(lone_world: World) -> None:
    key, _ = lone_world.make("aws.s3_bucket", "files", {})
    s3 = lone_world.session().client("s3")
    for number in range(4):
        s3.put_object(Bucket=key.name, Key=f"theirs-{number}.txt", Body=b"x")
    with pytest.raises(HoldsDataError, match=r"it holds theirs-0\.txt, theirs-1\.txt, theirs-2\.txt and more") as held:
        lone_world.driver("aws.s3_bucket").delete(key)
    assert f"list-object-versions --bucket {key.name}" in held.value.hint
