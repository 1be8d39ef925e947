"""aws.internet_gateway."""

import msgspec

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World


def _vpc(step: str, second: int) -> Need:
    return Need(step, "aws.vpc", lambda world: {"cidr": f"10.{second}.0.0/24"})


def _drift(world: World, key: Key) -> set[str]:
    gateway, vpc = world["example"]["internet_gateway_id"], world["net"]["vpc_id"]
    world.session().client("ec2").detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return {"vpc_id"}


def _by_id(world: World, key: Key) -> Key:
    at = {"internet_gateway_id": world["example"]["internet_gateway_id"]}
    return msgspec.structs.replace(key, deployment="other", at=at)


CASE = Case(
    needs=(_vpc("net", 42), _vpc("other", 43), _vpc("beside", 44)),
    spec=lambda world: {"vpc_id": world["net"]["vpc_id"], "tags": {"tier": "edge"}},
    changed=lambda world: {"vpc_id": world["other"]["vpc_id"], "tags": {"team": "platform"}},
    replaced=lambda world: {"internet_gateway_id": "igw-0123456789abcdef0"},
    beside=lambda world, step: {"vpc_id": world["beside"]["vpc_id"]},
    drift=_drift,
    foreign=_by_id,
    invalid=({"vpc_id": None}, {"internet_gateway_id": "vpc-11111111"}),
)
