"""aws.subnet."""

import msgspec

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("ec2").modify_subnet_attribute(
        SubnetId=world["example"]["subnet_id"], MapPublicIpOnLaunch={"Value": True}
    )
    return {"map_public_ip"}


def _by_id(world: World, key: Key) -> Key:
    return msgspec.structs.replace(key, deployment="other", at={"subnet_id": world["example"]["subnet_id"]})


CASE = Case(
    needs=(Need("net", "aws.vpc", lambda world: {"cidr": "10.30.0.0/16"}),),
    spec=lambda world: {
        "vpc_id": world["net"]["vpc_id"],
        "cidr": "10.30.1.0/24",
        "availability_zone": "us-east-1b",
        "map_public_ip": False,
        "tags": {"tier": "data"},
    },
    changed=lambda world: {"map_public_ip": True, "tags": {"tier": "data", "team": "platform"}},
    replaced=lambda world: {"cidr": "10.30.200.0/24"},
    beside=lambda world, step: {"cidr": f"10.30.{len(step) + 100}.0/24"},
    drift=_drift,
    foreign=_by_id,
    invalid=(
        {"cidr": "10.30.0.0/29"},
        {"cidr": None},
        {"vpc_id": None},
        {"zone_index": 0},
        {"availability_zone": None},
    ),
)
