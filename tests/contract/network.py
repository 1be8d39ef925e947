"""A small network, for the cases of what lives in one."""

from tests.contract.case import Need
from tests.contract.world import World

NETWORK = (
    Need("net", "aws.vpc", lambda world: {"cidr": "10.50.0.0/16"}),
    Need("a", "aws.subnet", lambda w: {"vpc_id": w["net"]["vpc_id"], "cidr": "10.50.1.0/24", "zone_index": 0}),
    Need("b", "aws.subnet", lambda w: {"vpc_id": w["net"]["vpc_id"], "cidr": "10.50.2.0/24", "zone_index": 1}),
    Need("c", "aws.subnet", lambda w: {"vpc_id": w["net"]["vpc_id"], "cidr": "10.50.3.0/24", "zone_index": 2}),
)
"""A VPC and three subnets, each in a zone of its own."""

WALL = Need("wall", "aws.security_group", lambda w: {"vpc_id": w["net"]["vpc_id"]})


def subnets(world: World, *names: str) -> list[str]:
    """Ids of subnets of the network."""
    return [world[name]["subnet_id"] for name in names]
