"""aws.route_table."""

import msgspec

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.network import subnets
from tests.contract.world import World


def _subnet(step: str, third: int) -> Need:
    return Need(
        step,
        "aws.subnet",
        lambda world: {"vpc_id": world["net"]["vpc_id"], "cidr": f"10.46.{third}.0/24", "zone_index": third},
    )


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("ec2").delete_route(
        RouteTableId=world["example"]["route_table_id"], DestinationCidrBlock="0.0.0.0/0"
    )
    return {"routes"}


def _by_id(world: World, key: Key) -> Key:
    at = {"route_table_id": world["example"]["route_table_id"]}
    return msgspec.structs.replace(key, deployment="other", at=at)


CASE = Case(
    needs=(
        Need("net", "aws.vpc", lambda world: {"cidr": "10.46.0.0/16"}),
        Need("door", "aws.internet_gateway", lambda world: {"vpc_id": world["net"]["vpc_id"]}),
        _subnet("a", 0),
        _subnet("b", 1),
        _subnet("c", 2),
        Need("address", "aws.elastic_ip", lambda world: {}),
        Need(
            "nat",
            "aws.nat_gateway",
            lambda w: {"subnet_id": w["a"]["subnet_id"], "allocation_id": w["address"]["allocation_id"]},
        ),
    ),
    spec=lambda world: {
        "vpc_id": world["net"]["vpc_id"],
        "routes": [
            {"cidr": "::/0", "internet_gateway": world["door"]["internet_gateway_id"]},
            {"cidr": "0.0.0.0/0", "nat_gateway": world["nat"]["nat_gateway_id"]},
        ],
        "subnets": subnets(world, "b", "a"),
        "tags": {"tier": "private"},
    },
    changed=lambda world: {
        "routes": [
            {"cidr": "0.0.0.0/0", "internet_gateway": world["door"]["internet_gateway_id"]},
            {"cidr": "192.0.2.0/24", "nat_gateway": world["nat"]["nat_gateway_id"]},
        ],
        "subnets": subnets(world, "b", "c"),
        "tags": {},
    },
    replaced=lambda world: {"vpc_id": "vpc-0123456789abcdef0"},
    beside=lambda world, step: {"subnets": subnets(world, "c")},
    drift=_drift,
    foreign=_by_id,
    invalid=(
        {"vpc_id": None},
        {"routes": [{"cidr": "0.0.0.0/0"}]},
        {"routes": [{"cidr": "10.0.0.1/8", "internet_gateway": "igw-1"}]},
        {"routes": [{"cidr": "::/0", "nat_gateway": "nat-1"}]},
        {"routes": [{"cidr": "0.0.0.0/0", "nat_gateway": "nat-1", "internet_gateway": "igw-1"}]},
        {"routes": [{"cidr": "0.0.0.0/0", "nat_gateway": "n"}, {"cidr": "0.0.0.0/0", "internet_gateway": "i"}]},
        {"subnets": ["subnet-11111111", "subnet-11111111"]},
    ),
)
