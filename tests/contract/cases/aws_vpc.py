"""aws.vpc."""

import msgspec

from provisioner.model import Key
from tests.contract.case import Case
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    vpc = world["example"]["vpc_id"]
    world.session().client("ec2").modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})
    return {"dns_hostnames"}


def _by_id(world: World, key: Key) -> Key:
    return msgspec.structs.replace(key, deployment="other", at={"vpc_id": world["example"]["vpc_id"]})


CASE = Case(
    spec=lambda world: {
        "cidr": "10.20.0.0/16",
        "dns_support": True,
        "dns_hostnames": True,
        "tags": {"team": "platform", "tier": "data"},
    },
    changed=lambda world: {"dns_hostnames": False, "tags": {"team": "data", "cost": "42"}},
    replaced=lambda world: {"cidr": "10.21.0.0/16"},
    drift=_drift,
    foreign=_by_id,
    invalid=(
        {"cidr": "10.20.0.0/8"},
        {"cidr": "10.20.0.1/16"},
        {"cidr": "ten"},
        {"cidr": None},
        {"dns_support": False},
        {"vpc_id": "subnet-0a1b2c3d"},
        {"tags": {"aws:mine": "x"}},
        {"tags": {"provisioner:owner": "x"}},
    ),
)
