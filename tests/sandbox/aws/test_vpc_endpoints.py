"""VPC endpoints are refused, kept waiting and taken away as EC2 does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.aws.conftest import Aws, refused

SERVICE = "com.amazonaws.us-east-1.secretsmanager"
S3 = "com.amazonaws.us-east-1.s3"


class _Net:
    """A VPC with two subnets in one zone and one in another, and a VPC beside it."""

    def __init__(self, aws: Aws) -> None:
        self.aws, self.ec2 = aws, aws.ec2
        self.vpc, self.other = (self._vpc(f"10.{n}.0.0/16") for n in range(2))
        self.subnets = [self._subnet(self.vpc, f"10.0.{n}.0/24", zone) for n, zone in enumerate("aab")]
        self.far = self._subnet(self.other, "10.1.0.0/24", "a")

    def _vpc(self, cidr: str) -> str:
        vpc = str(self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"])
        self.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        return vpc

    def _subnet(self, vpc: str, cidr: str, zone: str) -> str:
        made = self.ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=f"us-east-1{zone}")
        return str(made["Subnet"]["SubnetId"])

    def group(self, vpc: str) -> str:
        return str(self.ec2.create_security_group(GroupName="wall", Description="d", VpcId=vpc)["GroupId"])

    def table(self, vpc: str) -> str:
        return str(self.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])

    def make(self, **more: Any) -> str:
        wish = {"VpcEndpointType": "Interface", "VpcId": self.vpc, "ServiceName": SERVICE, **more}
        wish = {name: value for name, value in wish.items() if value is not None}
        return str(self.ec2.create_vpc_endpoint(**wish)["VpcEndpoint"]["VpcEndpointId"])

    def shown(self, number: str) -> dict[str, Any]:
        (found,) = self.ec2.describe_vpc_endpoints(VpcEndpointIds=[number])["VpcEndpoints"]
        return dict(found)

    def interfaces(self) -> list[dict[str, Any]]:
        question = [{"Name": "vpc-id", "Values": [self.vpc]}]
        return list(self.ec2.describe_network_interfaces(Filters=question)["NetworkInterfaces"])


@pytest.fixture
def net(aws: Aws) -> _Net:
    return _Net(aws)


def test_an_endpoint_is_pending_then_available_then_deleting_then_listed_as_deleted_for_a_while(net: _Net) -> None:
    number = net.make(SubnetIds=net.subnets[1:])
    assert net.shown(number)["State"] == "pending"
    change = {"VpcEndpointId": number, "RemoveSubnetIds": net.subnets[1:2]}
    assert refused(lambda: net.ec2.modify_vpc_endpoint(**change)) == "IncorrectState"
    net.aws.clock.advance(1)
    seen = net.shown(number)
    assert seen["State"] == "available" and len(seen["Groups"]) == 1
    assert seen["DnsEntries"][0]["DnsName"].endswith(".secretsmanager.us-east-1.vpce.amazonaws.com")
    for _ in range(2):
        assert net.ec2.delete_vpc_endpoints(VpcEndpointIds=[number])["Unsuccessful"] == []
    assert net.shown(number)["State"] == "deleting"
    assert refused(lambda: net.ec2.delete_vpc(VpcId=net.vpc)) == "DependencyViolation"
    net.aws.clock.advance(1)
    assert net.shown(number)["State"] == "deleted"
    net.aws.clock.advance(1000)
    assert refused(lambda: net.shown(number)) == "InvalidVpcEndpointId.NotFound"


def test_its_time_is_a_setting_and_a_fault_holds_it_back(net: _Net) -> None:
    net.aws.fault(service="ec2", operation="CreateVpcEndpoint", kind="never-ready")
    number = net.make(SubnetIds=net.subnets[:1])
    net.aws.clock.advance(999)
    assert net.shown(number)["State"] == "pending"
    net.aws.admin("DELETE", "faults")
    assert net.shown(number)["State"] == "available"


def test_a_delete_of_what_is_not_there_is_refused_in_an_answer_that_is_a_success(net: _Net) -> None:
    number = net.make(SubnetIds=net.subnets[:1])
    wrong = "vpce-0123456789abcdef0"
    (item,) = net.ec2.delete_vpc_endpoints(VpcEndpointIds=[wrong, number])["Unsuccessful"]
    assert (item["ResourceId"], item["Error"]["Code"]) == (wrong, "InvalidVpcEndpointId.NotFound")
    assert net.shown(number)["State"] == "deleting"


def test_its_interfaces_hold_its_subnets_and_groups_and_follow_a_change(net: _Net) -> None:
    ec2, first, second = net.ec2, net.group(net.vpc), net.ec2.create_security_group(
        GroupName="door", Description="d", VpcId=net.vpc
    )["GroupId"]  # fmt: skip
    number = net.make(SubnetIds=net.subnets[:1], SecurityGroupIds=[first])
    (eni,) = net.interfaces()
    assert (eni["InterfaceType"], eni["RequesterManaged"]) == ("vpc_endpoint", True) and number in eni["Description"]
    assert eni["PrivateIpAddress"].startswith("10.0.0.") and eni["Groups"][0]["GroupId"] == first
    wish = {"NetworkInterfaceId": eni["NetworkInterfaceId"]}
    assert refused(lambda: ec2.delete_network_interface(**wish)) == "InvalidParameterValue"
    net.aws.clock.advance(1)
    ec2.modify_vpc_endpoint(
        VpcEndpointId=number, AddSubnetIds=net.subnets[2:], RemoveSubnetIds=net.subnets[:1],
        AddSecurityGroupIds=[second], RemoveSecurityGroupIds=[first],
    )  # fmt: skip
    ec2.delete_security_group(GroupId=first)
    ec2.delete_subnet(SubnetId=net.subnets[0])
    tries: list[Callable[[], Any]] = [
        lambda: ec2.delete_subnet(SubnetId=net.subnets[2]),
        lambda: ec2.delete_security_group(GroupId=second),
    ]
    assert [refused(attempt) for attempt in tries] == ["DependencyViolation"] * 2
    ec2.delete_vpc_endpoints(VpcEndpointIds=[number])
    net.aws.clock.advance(1)
    for attempt in tries:
        attempt()
    assert net.interfaces() == []


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"ServiceName": None}, "MissingParameter"),
        ({"ServiceName": "com.amazonaws.us-east-1.secretmanager"}, "InvalidServiceName"),
        ({"ServiceName": "com.amazonaws.us-west-2.kms"}, "InvalidServiceName"),
        ({"VpcEndpointType": "Gateway"}, "InvalidParameter"),
        ({"VpcEndpointType": "Gateway", "ServiceName": S3, "SubnetIds": ["0"]}, "InvalidParameter"),
        ({"VpcEndpointType": "Gateway", "ServiceName": S3, "RouteTableIds": ["far"]}, "InvalidParameter"),
        ({"VpcEndpointType": "Gateway", "ServiceName": S3, "RouteTableIds": ["rtb-1"]}, "InvalidRouteTableId.NotFound"),
        ({"RouteTableIds": ["far"]}, "InvalidParameter"),
        ({"VpcId": "vpc-0123456789abcdef0"}, "InvalidVpcId.NotFound"),
        ({"SubnetIds": ["subnet-0123456789abcdef0"]}, "InvalidSubnetId.NotFound"),
        ({"SubnetIds": ["0", "1"]}, "DuplicateSubnetsInSameZone"),
        ({"SubnetIds": ["far"]}, "InvalidParameter"),
        ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidSecurityGroupId.NotFound"),
        ({"SecurityGroupIds": ["far"]}, "InvalidParameter"),
        ({"PolicyDocument": "{"}, "InvalidPolicyDocument"),
        ({"ServiceName": S3}, "InvalidParameter"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(net: _Net, wish: dict[str, Any], code: str) -> None:
    places = {"SubnetIds": [*net.subnets, net.far]}
    for name, make in (("SecurityGroupIds", net.group), ("RouteTableIds", net.table)):
        if wish.get(name) == ["far"]:
            wish = {**wish, name: [make(net.other)]}
    known = {"0": net.subnets[0], "1": net.subnets[1], "far": net.far}
    for name in places.keys() & wish.keys():
        wish = {**wish, name: [known.get(value, value) for value in wish[name]]}
    assert refused(lambda: net.make(**wish)) == code
    assert net.ec2.describe_vpc_endpoints()["VpcEndpoints"] == [] and net.interfaces() == []


def test_one_endpoint_a_service_has_its_name_in_a_vpc_whose_dns_is_on(net: _Net) -> None:
    number = net.make(SubnetIds=net.subnets[:1])
    assert refused(net.make) == "InvalidParameter"
    second = net.make(PrivateDnsEnabled=False)
    net.aws.clock.advance(1)
    take, leave = ({"VpcEndpointId": one, "PrivateDnsEnabled": on} for one, on in ((second, True), (number, False)))
    assert refused(lambda: net.ec2.modify_vpc_endpoint(**take)) == "InvalidParameter"
    net.ec2.modify_vpc_endpoint(**leave)
    net.ec2.modify_vpc_endpoint(**take)
    assert [net.shown(one)["PrivateDnsEnabled"] for one in (number, second)] == [False, True]
    net.ec2.modify_vpc_attribute(VpcId=net.other, EnableDnsHostnames={"Value": False})
    assert refused(lambda: net.make(VpcId=net.other)) == "InvalidParameter"


def test_a_table_leads_once_to_a_service_and_no_more_when_the_gateway_is_gone(net: _Net) -> None:
    table = net.table(net.vpc)
    gateway = {"VpcEndpointType": "Gateway", "ServiceName": S3, "RouteTableIds": [table]}
    number = net.make(**gateway)
    assert refused(lambda: net.make(**gateway)) == "RouteAlreadyExists"
    net.make(ServiceName=S3)
    seen = net.shown(number)
    assert (seen["VpcEndpointType"], seen["PrivateDnsEnabled"]) == ("Gateway", False)

    def leads() -> list[str]:
        (found,) = net.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        return [route["GatewayId"] for route in found["Routes"] if route["GatewayId"] != "local"]

    assert leads() == [number]
    net.ec2.delete_vpc_endpoints(VpcEndpointIds=[number])
    net.aws.clock.advance(1)
    assert leads() == []


def test_it_is_found_by_its_tags_and_by_no_filter_that_ec2_does_not_have(net: _Net) -> None:
    tags = [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "owner", "Value": "d/x"}]}]
    number = net.make(TagSpecifications=tags)
    net.make(ServiceName="com.amazonaws.us-east-1.kms")

    def found(name: str, value: str) -> list[str]:
        answer = net.ec2.describe_vpc_endpoints(Filters=[{"Name": name, "Values": [value]}])
        return [one["VpcEndpointId"] for one in answer["VpcEndpoints"]]

    assert found("tag:owner", "d/*") == found("vpc-endpoint-id", number) == found("service-name", SERVICE) == [number]
    assert len(found("vpc-id", net.vpc)) == 2 and refused(lambda: found("colour", "blue")) == "InvalidParameterValue"
    assert refused(lambda: net.make(TagSpecifications=[{**tags[0], "ResourceType": "vpc"}])) == "InvalidParameterValue"
    kinds = [item["type"] for item in net.aws.admin("GET", "inventory")["objects"]]
    assert kinds.count("vpc-endpoint") == 2 and "network-interface" not in kinds
