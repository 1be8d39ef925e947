"""Routes: what a plan writes, what EC2 shows, and which of that is a plan's business."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.drivers.aws.routes import Target, destination, from_cloud, from_plan, lost, problem, same, to_cloud

DOOR = {"cidr": "0.0.0.0/0", "internet_gateway": "igw-1"}
SHOWN = [
    {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"},
    {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "Origin": "CreateRoute", "State": "blackhole"},
    {"DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw-1", "Origin": "CreateRoute", "State": "active"},
    {"DestinationCidrBlock": "10.9.0.0/16", "TransitGatewayId": "tgw-1", "Origin": "CreateRoute", "State": "active"},
    {"DestinationCidrBlock": "10.8.0.0/16", "GatewayId": "vgw-1", "Origin": "EnableVgwRoutePropagation"},
    {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "Origin": "CreateRoute", "State": "active"},
]


def test_only_routes_that_somebody_made_to_a_network_are_shown() -> None:
    assert from_cloud(SHOWN) == {
        "0.0.0.0/0": Target("nat_gateway", "nat-1"),
        "::/0": Target("internet_gateway", "igw-1"),
        "10.9.0.0/16": Target("other", "tgw-1"),
    }


def test_a_route_to_what_is_gone_is_named() -> None:
    assert lost(SHOWN) == ["0.0.0.0/0"]


def test_a_route_that_no_plan_can_write_is_a_difference() -> None:
    assert not same([DOOR], [DOOR, {"cidr": "10.9.0.0/16", "other": "tgw-1"}])
    assert same([DOOR, {"cidr": "::/0", "internet_gateway": "igw-1"}], [{**DOOR, "cidr": "::/0"}, DOOR])


def test_a_route_is_written_in_the_words_of_its_kind() -> None:
    (cidr, target), *_ = from_plan([DOOR]).items()
    assert to_cloud(cidr, target) == {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}
    assert to_cloud("::/0", target) == {**destination("::/0"), "GatewayId": "igw-1"}
    assert destination("::/0") == {"DestinationIpv6CidrBlock": "::/0"}


@pytest.mark.parametrize(
    ("routes", "complaint"),
    [
        ([{"cidr": "0.0.0.0/0"}], "exactly one"),
        ([{**DOOR, "nat_gateway": "nat-1"}], "exactly one"),
        ([{**DOOR, "cidr": "ten"}], "is not a network"),
        ([{"cidr": "::/0", "nat_gateway": "nat-1"}], "IPv4"),
        ([DOOR, {"cidr": "0.0.0.0/0", "nat_gateway": "nat-1"}], "route 1: 0.0.0.0/0 is there twice"),
    ],
)
def test_a_route_that_aws_refuses_is_named(routes: list[Any], complaint: str) -> None:
    assert complaint in (problem(routes) or "")


def test_no_routes_are_fine() -> None:
    assert problem(None) is None and problem([]) is None and problem([DOOR]) is None
