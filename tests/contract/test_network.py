"""What VPCs, subnets, security groups and the like promise beyond the suite."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from provisioner.errors import BusyError, InUseError, InvalidRequestError
from provisioner.model import Key
from provisioner.sandbox import supervisor
from tests.contract.world import World, differing, settle

_DENY = {"number": 100, "action": "deny", "port": 5432, "cidr": "10.50.0.0/24"}


def _vpc(world: World, cidr: str = "10.50.0.0/16") -> str:
    _, seen = world.make("aws.vpc", "net", {"cidr": cidr})
    return str(seen.outputs["vpc_id"])


@pytest.mark.parametrize(
    ("type_", "at", "tree"),
    [
        ("aws.vpc", "vpc_id", {"cidr": "10.51.0.0/16"}),
        ("aws.subnet", "subnet_id", {"cidr": "10.50.1.0/24", "zone_index": 0}),
        ("aws.security_group", "group_id", {}),
        ("aws.network_acl", "network_acl_id", {}),
        ("aws.route_table", "route_table_id", {}),
        ("aws.internet_gateway", "internet_gateway_id", {}),
    ],
)
def test_an_object_made_by_others_is_adopted_by_its_id(
    lone_world: World, type_: str, at: str, tree: dict[str, str]
) -> None:
    theirs = World(lone_world.registry, lone_world.region)
    try:
        if type_ != "aws.vpc":
            tree = {**tree, "vpc_id": _vpc(theirs)}
        _, made = theirs.make(type_, "it", tree)
        named = {at: made.outputs[at]}
        key = lone_world.key(type_, "adopted", named)
        assert key.at == named
        seen = lone_world.driver(type_).read(key)
        assert seen.outputs == made.outputs and seen.owner != key.owner
        assert differing(lone_world.driver(type_), lone_world.spec(type_, named), seen) == set()
        lone_world.driver(type_).delete(key)
        assert lone_world.driver(type_).read(key) is not None, "what carries another owner's tag is never deleted"
    finally:
        theirs.close()


@pytest.mark.parametrize(
    ("type_", "tree"),
    [
        ("aws.vpc", {"vpc_id": "vpc-00000000000000000"}),
        ("aws.subnet", {"subnet_id": "subnet-00000000000000000"}),
        ("aws.security_group", {"group_id": "sg-00000000000000000"}),
    ],
)
def test_an_id_of_nothing_is_not_made(lone_world: World, type_: str, tree: dict[str, str]) -> None:
    driver, key = lone_world.driver(type_), lone_world.key(type_, "adopted", tree)
    assert driver.read(key) is None
    with pytest.raises(InvalidRequestError, match="does not exist"):
        driver.create(key, lone_world.spec(type_, tree))


def test_a_network_made_without_more_has_dns_names(lone_world: World) -> None:
    _, seen = lone_world.make("aws.vpc", "net", {"cidr": "10.52.0.0/16"})
    assert (seen.spec["dns_support"], seen.spec["dns_hostnames"]) == (True, True)


def test_zone_indexes_are_different_zones(lone_world: World) -> None:
    vpc = _vpc(lone_world)
    zones = {
        lone_world.make("aws.subnet", f"s{index}", {"vpc_id": vpc, "cidr": f"10.50.{index}.0/24", "zone_index": index})[
            1
        ].outputs["availability_zone"]
        for index in range(3)
    }
    assert len(zones) == 3


def test_a_zone_index_beyond_the_region_names_the_zones(lone_world: World) -> None:
    tree = {"vpc_id": _vpc(lone_world), "cidr": "10.50.1.0/24", "zone_index": 15}
    key = lone_world.key("aws.subnet", "far", tree)
    with pytest.raises(InvalidRequestError, match="us-east-1a"):
        lone_world.driver("aws.subnet").create(key, lone_world.spec("aws.subnet", tree))


def test_a_group_whose_rules_were_never_made_shows_the_difference_and_an_update_completes_it(
    lone_world: World,
) -> None:
    tree = {"vpc_id": _vpc(lone_world), "ingress": [{"port": 5432, "cidr": "10.50.0.0/24"}], "egress": []}
    driver, key = lone_world.driver("aws.security_group"), lone_world.key("aws.security_group", "db", tree)
    spec = lone_world.spec("aws.security_group", tree)
    lone_world.watch(driver, key)
    driver.create(key, msgspec.structs.replace(spec, ingress=None, egress=None))
    assert differing(driver, spec, settle(driver, key)) == {"ingress", "egress"}
    driver.update(key, spec)
    assert differing(driver, spec, settle(driver, key)) == set()


def test_rules_that_the_plan_leaves_out_are_left_alone(lone_world: World) -> None:
    tree = {"vpc_id": _vpc(lone_world), "ingress": [{"port": 5432, "cidr": "10.50.0.0/24"}]}
    key, seen = lone_world.make("aws.security_group", "db", tree)
    assert seen.spec["egress"] == [{"protocol": "all", "cidr": "0.0.0.0/0"}]
    driver = lone_world.driver("aws.security_group")
    driver.update(key, msgspec.structs.replace(lone_world.spec("aws.security_group", tree), ingress=None))
    assert settle(driver, key).spec["ingress"] == seen.spec["ingress"]


def test_a_network_in_use_is_an_error_that_says_so(lone_world: World) -> None:
    vpc = _vpc(lone_world)
    lone_world.make("aws.subnet", "s", {"vpc_id": vpc, "cidr": "10.50.1.0/24", "zone_index": 0})
    with pytest.raises(InUseError):
        lone_world.driver("aws.vpc").delete(lone_world.key("aws.vpc", "net", {"cidr": "10.50.0.0/16"}))


def test_many_objects_are_read_with_one_list(lone_world: World) -> None:
    vpc = _vpc(lone_world)
    driver = lone_world.driver("aws.subnet")
    keys: list[Key] = []
    for index in range(4):
        tree = {"vpc_id": vpc, "cidr": f"10.50.{index}.0/24", "zone_index": 0}
        keys.append(lone_world.make("aws.subnet", f"s{index}", tree)[0])
    assert set(driver.read_many(keys)) == {key.owner for key in keys}


def test_two_steps_may_adopt_one_object(lone_world: World) -> None:
    named = {"vpc_id": _vpc(lone_world)}
    keys = [lone_world.key("aws.vpc", step, named) for step in ("here", "there")]
    assert set(lone_world.driver("aws.vpc").read_many(keys)) == {key.owner for key in keys}


def test_two_objects_of_one_step_are_both_deleted(lone_world: World) -> None:
    key, _ = lone_world.make("aws.vpc", "net", {"cidr": "10.53.0.0/16"})
    tags = [{"Key": "provisioner:owner", "Value": key.owner}]
    lone_world.session().client("ec2").create_vpc(
        CidrBlock="10.53.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}]
    )
    driver = lone_world.driver("aws.vpc")
    assert "2 objects" in driver.read(key).detail
    driver.delete(key)
    assert driver.read(key) is None


@pytest.mark.parametrize(
    ("type_", "at", "tree"),
    [
        ("aws.vpc", "vpc_id", {"cidr": "10.51.0.0/16"}),
        ("aws.subnet", "subnet_id", {"cidr": "10.50.1.0/24", "zone_index": 0}),
        ("aws.security_group", "group_id", {}),
        ("aws.network_acl", "network_acl_id", {}),
        ("aws.route_table", "route_table_id", {}),
        ("aws.internet_gateway", "internet_gateway_id", {}),
    ],
)
def test_tags_of_an_adopted_object_are_added_to_and_it_keeps_its_name(
    lone_world: World, type_: str, at: str, tree: dict[str, str]
) -> None:
    theirs = World(lone_world.registry, lone_world.region)
    try:
        if type_ != "aws.vpc":
            tree = {**tree, "vpc_id": _vpc(theirs)}
        _, made = theirs.make(type_, "it", {**tree, "tags": {"Name": "corp-main", "costcentre": "42", "team": "them"}})
        named = {at: made.outputs[at], "tags": {"team": "x"}}
        driver, key = lone_world.driver(type_), lone_world.key(type_, "adopted", named)
        spec = lone_world.spec(type_, named)
        assert differing(driver, spec, driver.read(key)) == {"tags"}
        driver.update(key, spec, {"tags"})
        after = driver.read(key)
        assert after.spec["tags"] == {"Name": "corp-main", "costcentre": "42", "team": "x"}
        assert after.owner == made.owner and differing(driver, spec, after) == set()
        assert {**after.spec, "tags": 0} == {**made.spec, "tags": 0}
    finally:
        theirs.close()


@pytest.mark.parametrize(
    ("operation", "code", "type_", "tree"),
    [
        ("ModifyVpcAttribute", "InvalidVpcID.NotFound", "aws.vpc", {"cidr": "10.54.0.0/16"}),
        ("ModifySubnetAttribute", "InvalidSubnetID.NotFound", "aws.subnet", {"cidr": "10.50.1.0/24"}),
        ("AuthorizeSecurityGroupIngress", "InvalidGroup.NotFound", "aws.security_group", {}),
        ("AttachInternetGateway", "InvalidInternetGatewayID.NotFound", "aws.internet_gateway", {}),
        ("CreateNetworkAclEntry", "InvalidNetworkAclID.NotFound", "aws.network_acl", {"ingress": [_DENY]}),
        ("AssociateRouteTable", "InvalidRouteTableID.NotFound", "aws.route_table", {}),
    ],
)
def test_a_create_that_is_told_not_found_goes_on_with_what_it_made(
    lone_world: World, operation: str, code: str, type_: str, tree: dict[str, object]
) -> None:
    if type_ != "aws.vpc":
        tree = {**tree, "vpc_id": _vpc(lone_world)}
    if type_ == "aws.subnet":
        tree = {**tree, "zone_index": 0, "map_public_ip": True}
    if type_ == "aws.security_group":
        tree = {**tree, "ingress": [{"port": 5432, "cidr": "10.50.0.0/24"}]}
    if type_ == "aws.route_table":
        cidr = {"vpc_id": tree["vpc_id"], "cidr": "10.50.1.0/24", "zone_index": 0}
        tree = {**tree, "subnets": [lone_world.make("aws.subnet", "s", cidr)[1].outputs["subnet_id"]]}
    driver, key, spec = lone_world.driver(type_), lone_world.key(type_, "it", tree), lone_world.spec(type_, tree)
    lone_world.watch(driver, key)
    fault = {"service": "ec2", "operation": operation, "error": code, "times": 1}
    directory = Path(os.environ["PROVISIONER_ENDPOINTS"]).parent
    supervisor.admin(directory, "POST", "/_sandbox/faults", fault)
    with pytest.raises(BusyError):
        driver.create(key, spec)
    driver.create(key, spec)
    assert len(driver.owned(key)) == 1 and differing(driver, spec, settle(driver, key)) == set()
    assert driver.begun(key) is None
