"""Network ACLs, gateways, addresses and routes are refused, kept waiting and freed as EC2 does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.aws.conftest import Aws, refused


class _Net:
    """A VPC with two subnets, and what most tests need next."""

    def __init__(self, aws: Aws) -> None:
        self.aws, self.ec2 = aws, aws.ec2
        self.vpc = str(self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])
        self.subnets = [self._subnet(n) for n in range(2)]

    def _subnet(self, number: int) -> str:
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone="us-east-1a")
        return str(made["Subnet"]["SubnetId"])

    def door(self) -> str:
        door = str(self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"])
        self.ec2.attach_internet_gateway(InternetGatewayId=door, VpcId=self.vpc)
        return door

    def address(self) -> str:
        return str(self.ec2.allocate_address(Domain="vpc")["AllocationId"])

    def nat(self, **more: Any) -> str:
        wish = {"SubnetId": self.subnets[0], "AllocationId": more.pop("AllocationId", None) or self.address(), **more}
        return str(self.ec2.create_nat_gateway(**wish)["NatGateway"]["NatGatewayId"])

    def shown(self, nat: str) -> dict[str, Any]:
        (found,) = self.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"]
        return dict(found)

    def acl(self) -> str:
        return str(self.ec2.create_network_acl(VpcId=self.vpc)["NetworkAcl"]["NetworkAclId"])

    def link(self, subnet: str) -> tuple[str, str]:
        """(list, association) of a subnet."""
        question = [{"Name": "association.subnet-id", "Values": [subnet]}]
        (acl,) = self.ec2.describe_network_acls(Filters=question)["NetworkAcls"]
        (link,) = (one for one in acl["Associations"] if one["SubnetId"] == subnet)
        return acl["NetworkAclId"], link["NetworkAclAssociationId"]

    def table(self) -> str:
        return str(self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"])


@pytest.fixture
def net(aws: Aws) -> _Net:
    return _Net(aws)


# -- NAT gateways -------------------------------------------------------------------------------------------------


def test_a_nat_gateway_is_pending_then_available_then_deleting_then_listed_as_deleted_for_an_hour(net: _Net) -> None:
    net.door()
    nat = net.nat()
    assert net.shown(nat)["State"] == "pending"
    net.aws.clock.advance(1)
    assert net.shown(nat)["State"] == "available"
    net.ec2.delete_nat_gateway(NatGatewayId=nat)
    assert net.shown(nat)["State"] == "deleting"
    net.aws.clock.advance(1)
    assert net.shown(nat)["State"] == "deleted"
    assert refused(lambda: net.ec2.delete_nat_gateway(NatGatewayId=nat)) == "NatGatewayNotFound"
    net.aws.clock.advance(3700)
    assert net.ec2.describe_nat_gateways()["NatGateways"] == []
    assert refused(lambda: net.shown(nat)) == "NatGatewayNotFound"


def test_its_time_is_a_setting_and_a_fault_holds_it_back(net: _Net) -> None:
    net.door()
    net.aws.admin("PATCH", "options", {"provision_time": {"ec2:nat": "90s"}})
    try:
        nat = net.nat()
        net.aws.clock.advance(60)
        assert net.shown(nat)["State"] == "pending"
        net.aws.clock.advance(60)
        assert net.shown(nat)["State"] == "available"
    finally:
        net.aws.admin("PATCH", "options", {"provision_time": {"ec2:nat": 0.3}})
    net.aws.fault(service="ec2", operation="DeleteNatGateway", kind="never-ready")
    net.ec2.delete_nat_gateway(NatGatewayId=nat)
    net.aws.clock.advance(999)
    assert net.shown(nat)["State"] == "deleting"
    net.aws.admin("DELETE", "faults")
    assert net.shown(nat)["State"] == "deleted"


def test_without_an_internet_gateway_a_public_one_fails_and_lets_its_address_go(net: _Net) -> None:
    address = net.address()
    nat = net.nat(AllocationId=address)
    net.aws.clock.advance(1)
    seen = net.shown(nat)
    assert (seen["State"], seen["FailureCode"]) == ("failed", "Gateway.NotAttached") and net.vpc in seen[
        "FailureMessage"
    ]
    net.ec2.release_address(AllocationId=address)
    net.ec2.delete_nat_gateway(NatGatewayId=nat)


def test_a_private_one_needs_no_door(net: _Net) -> None:
    wish = {"SubnetId": net.subnets[0], "ConnectivityType": "private"}
    nat = net.ec2.create_nat_gateway(**wish)["NatGateway"]["NatGatewayId"]
    net.aws.clock.advance(1)
    seen = net.shown(nat)
    assert seen["State"] == "available" and seen["NatGatewayAddresses"][0]["PrivateIp"].startswith("10.0.0.")


def test_a_wish_that_cannot_be_is_refused(net: _Net) -> None:
    make, subnet, address = net.ec2.create_nat_gateway, net.subnets[0], net.address()
    assert refused(lambda: make(SubnetId=subnet)) == "MissingParameter"
    assert refused(lambda: make(AllocationId=address)) == "MissingParameter"
    assert (
        refused(lambda: make(SubnetId="subnet-0123456789abcdef0", AllocationId=address)) == "InvalidSubnetID.NotFound"
    )
    wrong = "eipalloc-0123456789abcdef0"
    assert refused(lambda: make(SubnetId=subnet, AllocationId=wrong)) == "InvalidAllocationID.NotFound"
    net.door()
    net.nat(AllocationId=address)
    assert refused(lambda: make(SubnetId=subnet, AllocationId=address)) == "Resource.AlreadyAssociated"
    tags = [{"ResourceType": "nat-gateway", "Tags": [{"Key": "a", "Value": "b"}]}]
    wish = {"SubnetId": subnet, "AllocationId": net.address(), "TagSpecifications": tags}
    assert refused(lambda: make(**wish)) == "InvalidParameterValue"


def test_it_is_found_by_its_tags_and_by_no_filter_that_ec2_does_not_have(net: _Net) -> None:
    net.door()
    tags = [{"ResourceType": "natgateway", "Tags": [{"Key": "owner", "Value": "d/nat"}]}]
    nat = net.nat(TagSpecifications=tags)
    net.nat()

    def found(name: str, value: str) -> list[str]:
        answer = net.ec2.describe_nat_gateways(Filters=[{"Name": name, "Values": [value]}])
        return [one["NatGatewayId"] for one in answer["NatGateways"]]

    assert found("tag:owner", "d/*") == found("tag-key", "owner") == found("nat-gateway-id", nat) == [nat]
    assert found("tag:owner", "e/*") == [] and len(found("vpc-id", net.vpc)) == 2
    assert refused(lambda: found("colour", "blue")) == "InvalidParameterValue"


def test_it_holds_its_subnet_its_address_and_the_door_until_it_is_deleted(net: _Net) -> None:
    ec2, door, address = net.ec2, net.door(), net.address()
    nat = net.nat(AllocationId=address)
    net.aws.clock.advance(1)
    tries: dict[str, list[Callable[[], Any]]] = {
        "DependencyViolation": [
            lambda: ec2.delete_subnet(SubnetId=net.subnets[0]),
            lambda: ec2.detach_internet_gateway(InternetGatewayId=door, VpcId=net.vpc),
        ],
        "AuthFailure": [lambda: ec2.release_address(AllocationId=address)],
    }
    ec2.delete_nat_gateway(NatGatewayId=nat)
    for code, calls in tries.items():
        assert [refused(call) for call in calls] == [code] * len(calls)
    (eni,) = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": net.subnets}])[
        "NetworkInterfaces"
    ]
    assert eni["InterfaceType"] == "nat_gateway" and nat in eni["Description"]
    wish = {"NetworkInterfaceId": eni["NetworkInterfaceId"]}
    assert refused(lambda: ec2.delete_network_interface(**wish)) == "InvalidParameterValue"
    link = ec2.describe_addresses()["Addresses"][0]["AssociationId"]
    assert refused(lambda: ec2.disassociate_address(AssociationId=link)) == "AuthFailure"
    net.aws.clock.advance(1)
    for calls in tries.values():
        for call in calls:
            call()
    assert ec2.describe_addresses()["Addresses"] == []


def test_an_address_that_an_interface_has_is_in_use(net: _Net) -> None:
    address = net.address()
    eni = net.ec2.create_network_interface(SubnetId=net.subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
    net.ec2.associate_address(AllocationId=address, NetworkInterfaceId=eni)
    assert refused(lambda: net.ec2.release_address(AllocationId=address)) == "InvalidIPAddress.InUse"


# -- internet gateways --------------------------------------------------------------------------------------------


def test_one_gateway_a_vpc_and_one_vpc_a_gateway(net: _Net) -> None:
    door = net.door()
    other = net.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    attach = net.ec2.attach_internet_gateway
    assert refused(lambda: attach(InternetGatewayId=door, VpcId=other)) == "Resource.AlreadyAssociated"
    second = net.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    assert refused(lambda: attach(InternetGatewayId=second, VpcId=net.vpc)) == "InvalidParameterValue"
    assert refused(lambda: net.ec2.delete_internet_gateway(InternetGatewayId=door)) == "DependencyViolation"
    detach = net.ec2.detach_internet_gateway
    assert refused(lambda: detach(InternetGatewayId=second, VpcId=net.vpc)) == "Gateway.NotAttached"


def test_the_default_vpc_has_a_gateway_from_the_start_and_it_is_nobodys(net: _Net) -> None:
    default = net.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    (door,) = net.ec2.describe_internet_gateways()["InternetGateways"]
    assert door["Attachments"][0]["VpcId"] == default
    (table,) = net.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [default]}])["RouteTables"]
    assert door["InternetGatewayId"] in {route.get("GatewayId") for route in table["Routes"]}
    kinds = {item["type"] for item in net.aws.admin("GET", "inventory")["objects"]}
    assert kinds == {"vpc", "subnet"}


# -- network ACLs -------------------------------------------------------------------------------------------------


def _entry(acl: str, number: int = 100, /, **more: Any) -> dict[str, Any]:
    wish = {
        "NetworkAclId": acl, "RuleNumber": number, "Egress": False, "RuleAction": "allow", "Protocol": "6",
        "PortRange": {"From": 5432, "To": 5432}, "CidrBlock": "10.0.0.0/16", **more,
    }  # fmt: skip
    return {name: value for name, value in wish.items() if value is not None}


def test_a_new_list_denies_everything_and_nothing_else(net: _Net) -> None:
    (found,) = net.ec2.describe_network_acls(NetworkAclIds=[net.acl()])["NetworkAcls"]
    assert {(e["RuleNumber"], e["RuleAction"], e["Egress"]) for e in found["Entries"]} == {
        (32767, "deny", True),
        (32767, "deny", False),
    }


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"RuleNumber": 32767}, "InvalidParameterValue"),
        ({"RuleNumber": 0}, "InvalidParameterValue"),
        ({"PortRange": None}, "MissingParameter"),
        ({"Protocol": "1", "PortRange": None}, "MissingParameter"),
        ({"Protocol": "tcp"}, "InvalidParameterValue"),
        ({"PortRange": {"From": 9, "To": 8}}, "InvalidParameterValue"),
        ({"CidrBlock": None}, "MissingParameter"),
        ({"CidrBlock": "10.0.0.0/99"}, "InvalidParameterValue"),
        ({"RuleAction": "drop"}, "InvalidParameterValue"),
        ({"NetworkAclId": "acl-0123456789abcdef0"}, "InvalidNetworkAclID.NotFound"),
        ({}, "NetworkAclEntryAlreadyExists"),
    ],
)
def test_a_rule_that_ec2_does_not_take_is_refused(net: _Net, more: dict[str, Any], code: str) -> None:
    acl = net.acl()
    net.ec2.create_network_acl_entry(**_entry(acl))
    assert refused(lambda: net.ec2.create_network_acl_entry(**_entry(acl, **more))) == code


def test_a_rule_is_stored_with_its_network_and_its_messages(net: _Net) -> None:
    acl = net.acl()
    net.ec2.create_network_acl_entry(**_entry(acl, CidrBlock="10.0.3.7/16"))
    icmp = {"Protocol": "1", "PortRange": None, "IcmpTypeCode": {"Type": 8, "Code": -1}}
    net.ec2.create_network_acl_entry(**_entry(acl, 200, **icmp))
    (found,) = net.ec2.describe_network_acls(Filters=[{"Name": "network-acl-id", "Values": [acl]}])["NetworkAcls"]
    entries = {entry["RuleNumber"]: entry for entry in found["Entries"]}
    assert entries[100]["CidrBlock"] == "10.0.0.0/16" and entries[200]["IcmpTypeCode"] == {"Type": 8, "Code": -1}


def test_a_direction_takes_twenty_rules_the_last_of_aws_included(net: _Net) -> None:
    acl = net.acl()
    for number in range(1, 20):
        net.ec2.create_network_acl_entry(**_entry(acl, number))
    full = "NetworkAclEntryLimitExceeded"
    assert refused(lambda: net.ec2.create_network_acl_entry(**_entry(acl, 20))) == full
    net.ec2.create_network_acl_entry(**_entry(acl, 20, Egress=True))


def test_only_a_rule_that_is_there_is_replaced_or_deleted(net: _Net) -> None:
    acl, missing = net.acl(), "InvalidNetworkAclEntry.NotFound"
    wish = {"NetworkAclId": acl, "RuleNumber": 100, "Egress": False}
    assert refused(lambda: net.ec2.replace_network_acl_entry(**_entry(acl))) == missing
    assert refused(lambda: net.ec2.delete_network_acl_entry(**wish)) == missing
    net.ec2.create_network_acl_entry(**_entry(acl))
    net.ec2.replace_network_acl_entry(**_entry(acl, RuleAction="deny"))
    net.ec2.delete_network_acl_entry(**wish)


def test_a_list_in_use_stays_and_goes_when_its_subnets_are_elsewhere_or_deleted(net: _Net) -> None:
    ec2, acl = net.ec2, net.acl()
    first, second = net.subnets
    default, link = net.link(first)
    assert refused(lambda: ec2.delete_network_acl(NetworkAclId=default)) == "InvalidParameterValue"
    for subnet in net.subnets:
        ec2.replace_network_acl_association(AssociationId=net.link(subnet)[1], NetworkAclId=acl)
    move = ec2.replace_network_acl_association
    assert refused(lambda: move(AssociationId=link, NetworkAclId=default)) == "InvalidAssociationID.NotFound"
    assert refused(lambda: ec2.delete_network_acl(NetworkAclId=acl)) == "DependencyViolation"
    move(AssociationId=net.link(first)[1], NetworkAclId=default)
    ec2.delete_subnet(SubnetId=second)
    ec2.delete_network_acl(NetworkAclId=acl)


# -- route tables -------------------------------------------------------------------------------------------------


def test_a_subnet_follows_one_table_and_a_deleted_one_follows_none(net: _Net) -> None:
    ec2, mine, theirs = net.ec2, net.table(), net.table()
    ec2.associate_route_table(RouteTableId=mine, SubnetId=net.subnets[0])
    wish = {"RouteTableId": theirs, "SubnetId": net.subnets[0]}
    assert refused(lambda: ec2.associate_route_table(**wish)) == "Resource.AlreadyAssociated"
    assert refused(lambda: ec2.delete_route_table(RouteTableId=mine)) == "DependencyViolation"
    ec2.delete_subnet(SubnetId=net.subnets[0])
    ec2.delete_route_table(RouteTableId=mine)


def test_the_main_table_cannot_be_deleted(net: _Net) -> None:
    question = [{"Name": "vpc-id", "Values": [net.vpc]}]
    (main,) = net.ec2.describe_route_tables(Filters=question)["RouteTables"]
    assert refused(lambda: net.ec2.delete_route_table(RouteTableId=main["RouteTableId"])) == "DependencyViolation"


def test_a_route_leads_through_a_living_gateway_of_its_vpc(net: _Net) -> None:
    ec2, door, nat, table = net.ec2, net.door(), net.nat(), net.table()
    alone = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]

    def lead(cidr: str = "0.0.0.0/0", **target: str) -> Any:
        return ec2.create_route(RouteTableId=table, DestinationCidrBlock=cidr, **target)

    assert refused(lambda: lead(GatewayId=alone)) == "InvalidParameterValue"
    assert refused(lambda: lead(GatewayId="igw-0123456789abcdef0")) == "InvalidGatewayID.NotFound"
    lead(GatewayId=door)
    assert refused(lambda: lead(NatGatewayId=nat)) == "RouteAlreadyExists"
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    ec2.delete_nat_gateway(NatGatewayId=nat)
    net.aws.clock.advance(1)
    assert refused(lambda: lead("10.9.0.0/16", NatGatewayId=nat)) == "InvalidNatGatewayID.NotFound"


def test_a_table_takes_fifty_routes(net: _Net) -> None:
    door, table = net.door(), net.table()
    for number in range(49):
        net.ec2.create_route(RouteTableId=table, DestinationCidrBlock=f"192.168.{number}.0/24", GatewayId=door)
    wish = {"RouteTableId": table, "DestinationCidrBlock": "192.168.99.0/24", "GatewayId": door}
    assert refused(lambda: net.ec2.create_route(**wish)) == "RouteLimitExceeded"
