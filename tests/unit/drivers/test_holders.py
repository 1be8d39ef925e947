"""Who is in the way, where it is gone between two questions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.drivers.aws import holders
from provisioner.model import Key

KEY = Key(deployment="d", step="it", name="d-it", region="us-east-1")
ENI = {
    "NetworkInterfaceId": "eni-1",
    "InterfaceType": "nat_gateway",
    "Description": "Interface for NAT Gateway nat-1",
    "SubnetId": "subnet-1",
    "Association": {"PublicIp": "192.0.2.1"},
}


class Cloud:
    """Lists what it is given, whatever the filter."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        self.lists = lists

    def pages(self, service: str, operation: str, field: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        yield from self.lists.get(field, [])


def test_the_interface_of_a_nat_gateway_that_is_gone_is_leaving() -> None:
    cloud = Cloud(NetworkInterfaces=[ENI], NatGateways=[{"NatGatewayId": "nat-1", "State": "deleted"}])
    for found in (
        holders.of_subnet(cloud, KEY, "subnet-1"),
        holders.of_internet_gateway(cloud, KEY, "vpc-1"),
        holders.of_address(cloud, KEY, {"NetworkInterfaceId": "eni-1"}),
    ):
        (holder,) = found
        assert holder.leaving and "eni-1" in holder.what and "whose NAT gateway is gone" in holder.what


def test_a_nat_gateway_stands_for_its_interface_and_others_for_themselves() -> None:
    other = {"NetworkInterfaceId": "eni-2", "Description": "a bastion", "Association": {"PublicIp": "192.0.2.2"}}
    cloud = Cloud(NetworkInterfaces=[ENI, other], NatGateways=[{"NatGatewayId": "nat-1", "State": "deleting"}])
    nat, bastion = holders.of_internet_gateway(cloud, KEY, "vpc-1")
    assert (nat.what, nat.leaving) == ("NAT gateway nat-1", True) and "a bastion" in bastion.what
    cloud.lists["NetworkInterfaces"] = [ENI]
    (nat,) = holders.of_address(cloud, KEY, {"NetworkInterfaceId": "eni-1"})
    assert nat.what == "NAT gateway nat-1"


def test_an_interface_without_a_public_address_does_not_hold_the_door() -> None:
    private = {"NetworkInterfaceId": "eni-2", "Description": "a database"}
    assert holders.of_internet_gateway(Cloud(NetworkInterfaces=[private]), KEY, "vpc-1") == []
