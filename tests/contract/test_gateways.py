"""What network ACLs, gateways, addresses and route tables promise beyond the suite."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from provisioner.errors import InUseError, InvalidRequestError
from provisioner.model import Key, Phase
from provisioner.resource import Holder
from tests.contract.world import World, differing, gone, settle

ACL, TABLE, NAT, DOOR, ADDRESS = (
    "aws.network_acl", "aws.route_table", "aws.nat_gateway", "aws.internet_gateway", "aws.elastic_ip",
)  # fmt: skip
ENTRIES = {
    "ingress": [{"number": 100, "port": 5432, "cidr": "0.0.0.0/0"}],
    "egress": [{"number": 100, "protocol": "all", "cidr": "0.0.0.0/0"}],
}


def _network(world: World, subnets: int = 1) -> list[str]:
    """A VPC ``net`` with subnets ``s0``, ``s1``, …; their ids."""
    world.make("aws.vpc", "net", {"cidr": "10.70.0.0/16"})
    for number in range(subnets):
        tree = {"vpc_id": world["net"]["vpc_id"], "cidr": f"10.70.{number}.0/24", "zone_index": 0}
        world.make("aws.subnet", f"s{number}", tree)
    return [str(world[f"s{number}"]["subnet_id"]) for number in range(subnets)]


def _gateway(world: World, subnet: str) -> Key:
    """A NAT gateway ``nat`` behind a ``door``, with an ``address``."""
    world.make(DOOR, "door", {"vpc_id": world["net"]["vpc_id"]})
    world.make(ADDRESS, "address", {})
    tree = {"subnet_id": subnet, "allocation_id": world["address"]["allocation_id"]}
    return world.make(NAT, "nat", tree)[0]


def _key(world: World, step: str) -> Key:
    return world._made[step][1]


def _list_of(world: World, subnet: str) -> dict[str, Any]:
    question = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (acl,) = world.session().client("ec2").describe_network_acls(Filters=question)["NetworkAcls"]
    return dict(acl)


# -- NAT gateways -------------------------------------------------------------------------------------------------


def test_a_nat_gateway_that_aws_still_lists_as_deleted_does_not_exist_any_more(lone_world: World) -> None:
    key = _gateway(lone_world, *_network(lone_world))
    driver, number = lone_world.driver(NAT), lone_world["nat"]["nat_gateway_id"]
    driver.delete(key)
    assert driver.read(key).phase is Phase.DELETING
    gone(driver, key)
    (listed,) = lone_world.session().client("ec2").describe_nat_gateways(NatGatewayIds=[number])["NatGateways"]
    assert listed["State"] == "deleted"
    assert driver.find(key, number) is None and list(driver.search(key.deployment, key.region)) == []
    again, _ = lone_world.make(NAT, "nat", _tree_of_nat(lone_world))
    assert driver.read(again).outputs["nat_gateway_id"] != number


def _tree_of_nat(world: World) -> dict[str, str]:
    return {"subnet_id": world["s0"]["subnet_id"], "allocation_id": world["address"]["allocation_id"]}


def test_a_nat_gateway_that_cannot_be_made_is_failed_with_the_reason_and_what_to_do(lone_world: World) -> None:
    _network(lone_world)
    lone_world.make(ADDRESS, "address", {})
    tree = _tree_of_nat(lone_world)
    driver, key = lone_world.driver(NAT), lone_world.key(NAT, "nat", tree)
    lone_world.watch(driver, key)
    driver.create(key, lone_world.spec(NAT, tree))
    while (seen := driver.read(key)).phase is Phase.PENDING:
        time.sleep(driver.poll_first)
    assert seen.phase is Phase.FAILED
    assert "no Internet gateway attached [Gateway.NotAttached]" in seen.detail and "`after:`" in seen.detail


def test_while_a_nat_gateway_is_there_its_address_its_subnet_and_the_door_are_in_use_by_it(lone_world: World) -> None:
    key = _gateway(lone_world, *_network(lone_world))
    number = lone_world["nat"]["nat_gateway_id"]
    held = ((ADDRESS, "address"), ("aws.subnet", "s0"), (DOOR, "door"))
    for type_, step in held:
        (holder,) = _holders(lone_world, type_, step)
        assert holder[:3] == (f"NAT gateway {number}", key.owner, False), step
        assert f"describe-nat-gateways --nat-gateway-ids {number} --region" in holder.by_hand
    lone_world.driver(NAT).delete(key)
    for type_, step in held:
        assert all(one.leaving for one in lone_world.driver(type_).holders(_key(lone_world, step))), step


def test_an_interface_that_has_the_address_is_named(lone_world: World) -> None:
    (subnet,), ec2 = _network(lone_world), lone_world.session().client("ec2")
    lone_world.make(ADDRESS, "address", {})
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    wish = {"AllocationId": lone_world["address"]["allocation_id"], "NetworkInterfaceId": eni}
    link = ec2.associate_address(**wish)["AssociationId"]
    try:
        (holder,) = _holders(lone_world, ADDRESS, "address")
        assert eni in holder.what and "disassociate the address" in holder.by_hand
    finally:
        ec2.disassociate_address(AssociationId=link)
        ec2.delete_network_interface(NetworkInterfaceId=eni)


def _holders(world: World, type_: str, step: str) -> Sequence[Holder]:
    driver, key = world.driver(type_), _key(world, step)
    with pytest.raises(InUseError):
        driver.delete(key)
    found: Sequence[Holder] = driver.holders(key)
    return found


# -- network ACLs -------------------------------------------------------------------------------------------------


def test_a_deleted_list_gives_its_subnets_back_to_the_default_one(lone_world: World) -> None:
    subnets = _network(lone_world, 2)
    key, _ = lone_world.make(ACL, "list", {"vpc_id": lone_world["net"]["vpc_id"], "subnets": subnets, **ENTRIES})
    assert {_list_of(lone_world, subnet)["IsDefault"] for subnet in subnets} == {False}
    lone_world.driver(ACL).delete(key)
    assert {_list_of(lone_world, subnet)["IsDefault"] for subnet in subnets} == {True}
    assert lone_world.driver(ACL).read(key) is None


def test_a_list_that_was_made_in_part_shows_what_is_missing_and_an_update_completes_it(lone_world: World) -> None:
    subnets = _network(lone_world)
    tree = {"vpc_id": lone_world["net"]["vpc_id"], "subnets": subnets, **ENTRIES}
    driver, key, spec = lone_world.driver(ACL), lone_world.key(ACL, "list", tree), lone_world.spec(ACL, tree)
    lone_world.watch(driver, key)
    driver.create(key, msgspec.structs.replace(spec, egress=None, subnets=None))
    assert differing(driver, spec, settle(driver, key)) == {"egress", "subnets"}
    driver.create(key, spec)  # as after a crash whose record is lost: it goes on with what is there
    assert differing(driver, spec, settle(driver, key)) == set() and len(driver.owned(key)) == 1


def test_a_subnet_under_a_list_of_somebody_else_is_not_taken_out_of_it(lone_world: World) -> None:
    subnets = _network(lone_world)
    tree = {"vpc_id": lone_world["net"]["vpc_id"], "subnets": subnets, **ENTRIES}
    theirs = World(lone_world.registry, lone_world.region)
    try:
        theirs.make(ACL, "list", tree)
        driver, key = lone_world.driver(ACL), lone_world.key(ACL, "list", tree)
        lone_world.watch(driver, key)
        with pytest.raises(InvalidRequestError, match=f"which is of {theirs.deployment}/list") as refused:
            driver.create(key, lone_world.spec(ACL, tree))
        assert not refused.value.nothing_done and "describe-network-acls" in refused.value.hint
        assert _list_of(lone_world, subnets[0])["NetworkAclId"] == theirs["list"]["network_acl_id"]
    finally:
        theirs.close()


@pytest.mark.parametrize("type_", [ACL, TABLE])
def test_a_subnet_moves_between_two_steps_of_one_deployment(lone_world: World, type_: str) -> None:
    subnets = _network(lone_world)
    vpc = {"subnets": subnets, "vpc_id": lone_world["net"]["vpc_id"]}
    first, _ = lone_world.make(type_, "first", vpc)
    second, seen = lone_world.make(type_, "second", vpc)
    driver = lone_world.driver(type_)
    assert seen.spec["subnets"] == subnets and driver.read(first).spec["subnets"] == []
    driver.update(first, lone_world.spec(type_, {**vpc, "subnets": []}), {"subnets"})
    assert driver.read(second).spec["subnets"] == subnets


def test_nothing_can_leave_the_default_list_but_for_another(lone_world: World) -> None:
    (subnet,) = _network(lone_world)
    tree = {"network_acl_id": _list_of(lone_world, subnet)["NetworkAclId"], "subnets": []}
    driver, key = lone_world.driver(ACL), lone_world.key(ACL, "list", tree)
    with pytest.raises(InvalidRequestError, match="cannot leave the default list"):
        driver.update(key, lone_world.spec(ACL, tree), {"subnets"})


def test_a_full_list_is_changed_all_the_same(lone_world: World) -> None:
    _network(lone_world, 0)
    tree: dict[str, Any] = {"vpc_id": lone_world["net"]["vpc_id"]}

    def rules(start: int) -> list[dict[str, Any]]:
        return [{"number": start + n, "action": "deny", "port": n + 1, "cidr": "10.0.0.0/8"} for n in range(19)]

    key, _ = lone_world.make(ACL, "list", {**tree, "ingress": rules(100)})
    driver, after = lone_world.driver(ACL), lone_world.spec(ACL, {**tree, "ingress": rules(200)})
    driver.update(key, after)
    assert differing(driver, after, settle(driver, key)) == set()


# -- route tables -------------------------------------------------------------------------------------------------


def test_a_subnet_that_follows_a_table_of_somebody_else_stays_there(lone_world: World) -> None:
    subnets = _network(lone_world)
    tree = {"subnets": subnets, "vpc_id": lone_world["net"]["vpc_id"]}
    ec2 = lone_world.session().client("ec2")
    theirs = ec2.create_route_table(VpcId=tree["vpc_id"])["RouteTable"]["RouteTableId"]
    link = ec2.associate_route_table(RouteTableId=theirs, SubnetId=subnets[0])["AssociationId"]
    driver, key = lone_world.driver(TABLE), lone_world.key(TABLE, "table", tree)
    lone_world.watch(driver, key)
    try:
        with pytest.raises(InvalidRequestError, match=f"under route table {theirs}, which is not ours"):
            driver.create(key, lone_world.spec(TABLE, tree))
    finally:
        ec2.disassociate_route_table(AssociationId=link)
        ec2.delete_route_table(RouteTableId=theirs)


# -- what AWS made ------------------------------------------------------------------------------------------------


def test_default_subnets_are_told_apart_by_their_place_among_the_zones(lone_world: World) -> None:
    driver = lone_world.driver("aws.default_subnet")
    keys = [lone_world.key("aws.default_subnet", f"s{n}", {"zone_index": n}) for n in (0, 1, 15)]
    seen = driver.read_many(keys)
    assert [one.outputs["availability_zone"] for one in seen.values()] == ["us-east-1a", "us-east-1b"]
    assert [one.outputs["cidr"] for one in seen.values()] == ["172.31.0.0/20", "172.31.16.0/20"]
    vpc = lone_world.driver("aws.default_vpc").read(lone_world.key("aws.default_vpc", "net", {}))
    assert {one.outputs["vpc_id"] for one in seen.values()} == {vpc.outputs["vpc_id"]}
    assert driver.read(keys[2]) is None


def test_what_aws_made_has_the_outputs_of_what_a_plan_makes(lone_world: World) -> None:
    for made in ("vpc", "subnet"):
        types = [lone_world.registry.type(name) for name in (f"aws.default_{made}", f"aws.{made}")]
        assert types[0].outputs == types[1].outputs


def test_a_refusal_to_make_what_only_aws_makes_names_the_command(lone_world: World) -> None:
    key = lone_world.key("aws.default_vpc", "net", {})
    with pytest.raises(InvalidRequestError) as refused:
        lone_world.driver("aws.default_vpc").create(key, lone_world.spec("aws.default_vpc", {}))
    assert "aws ec2 create-default-vpc --region us-east-1" in refused.value.hint
