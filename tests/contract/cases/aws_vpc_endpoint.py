"""aws.vpc_endpoint."""

import msgspec

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.network import NETWORK, WALL, subnets
from tests.contract.world import World


def _policy(action: str) -> dict[str, object]:
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _drift(world: World, key: Key) -> set[str]:
    number = world["example"]["endpoint_id"]
    ec2 = world.session().client("ec2")
    ec2.modify_vpc_endpoint(VpcEndpointId=number, PrivateDnsEnabled=False, RemoveSubnetIds=subnets(world, "b"))
    return {"private_dns", "subnets"}


def _by_id(world: World, key: Key) -> Key:
    at = {"endpoint_id": world["example"]["endpoint_id"]}
    return msgspec.structs.replace(key, deployment="other", at=at)


CASE = Case(
    needs=(
        Need("net", "aws.vpc", lambda world: {"cidr": "10.50.0.0/16", "dns_support": True, "dns_hostnames": True}),
        *NETWORK[1:],
        WALL,
        Need("door", "aws.security_group", lambda w: {"vpc_id": w["net"]["vpc_id"]}),
    ),
    spec=lambda world: {
        "vpc_id": world["net"]["vpc_id"],
        "service": "secretsmanager",
        "kind": "interface",
        "subnets": subnets(world, "a", "b"),
        "security_groups": [world["wall"]["group_id"]],
        "private_dns": True,
        "policy": _policy("secretsmanager:GetSecretValue"),
        "tags": {"tier": "edge"},
    },
    changed=lambda world: {
        "subnets": subnets(world, "b", "c"),
        "security_groups": [world["door"]["group_id"]],
        "private_dns": False,
        "policy": _policy("secretsmanager:*"),
        "tags": {"tier": "edge", "team": "platform"},
    },
    replaced=lambda world: {"service": "kms"},
    beside=lambda world, step: {"service": "kms"},
    drift=_drift,
    foreign=_by_id,
    invalid=(
        {"vpc_id": None},
        {"service": None},
        {"subnets": None},
        {"subnets": ["subnet-1", "subnet-1"]},
        {"kind": "gateway"},
        {"kind": "gateway", "subnets": None, "security_groups": None, "route_tables": ["rtb-1"]},
        {"kind": "gateway", "service": "s3", "subnets": None, "security_groups": None},
        {"route_tables": ["rtb-1"]},
        {"endpoint_id": "eni-11111111"},
    ),
)
