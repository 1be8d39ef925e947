"""aws.nat_gateway."""

import msgspec

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    world.session().client("ec2").delete_tags(Resources=[world["example"]["nat_gateway_id"]], Tags=[{"Key": "tier"}])
    return {"tags"}


def _by_id(world: World, key: Key) -> Key:
    at = {"nat_gateway_id": world["example"]["nat_gateway_id"]}
    return msgspec.structs.replace(key, deployment="other", at=at)


NEEDS = (
    Need("net", "aws.vpc", lambda world: {"cidr": "10.45.0.0/16"}),
    Need("door", "aws.internet_gateway", lambda world: {"vpc_id": world["net"]["vpc_id"]}),
    Need("a", "aws.subnet", lambda w: {"vpc_id": w["net"]["vpc_id"], "cidr": "10.45.0.0/24", "zone_index": 0}),
    Need("address", "aws.elastic_ip", lambda world: {}),
    Need("spare", "aws.elastic_ip", lambda world: {}),
)

CASE = Case(
    needs=NEEDS,
    spec=lambda world: {
        "subnet_id": world["a"]["subnet_id"],
        "allocation_id": world["address"]["allocation_id"],
        "connectivity": "public",
        "tags": {"tier": "edge"},
    },
    changed=lambda world: {"tags": {"tier": "edge", "team": "platform"}},
    replaced=lambda world: {"allocation_id": world["spare"]["allocation_id"]},
    beside=lambda world, step: {"allocation_id": world["spare"]["allocation_id"]},
    drift=_drift,
    foreign=_by_id,
    invalid=(
        {"subnet_id": None},
        {"allocation_id": None},
        {"connectivity": "private"},
        {"nat_gateway_id": "igw-11111111"},
    ),
)
