"""aws.security_group."""

import msgspec

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    opened = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    world.session().client("ec2").authorize_security_group_ingress(
        GroupId=world["example"]["group_id"], IpPermissions=[opened]
    )
    return {"ingress"}


def _by_id(world: World, key: Key) -> Key:
    return msgspec.structs.replace(key, deployment="other", at={"group_id": world["example"]["group_id"]})


CASE = Case(
    needs=(
        Need("net", "aws.vpc", lambda world: {"cidr": "10.40.0.0/16"}),
        Need("app", "aws.security_group", lambda world: {"vpc_id": world["net"]["vpc_id"], "egress": []}),
    ),
    spec=lambda world: {
        "name": f"{world.deployment}-group",
        "description": "database",
        "vpc_id": world["net"]["vpc_id"],
        "ingress": [
            {"port": 6379, "security_group": "self"},
            {"port": 5432, "cidr": "10.40.1.0/24", "description": "private a"},
            {"port": 5432, "cidr": "10.40.2.0/24"},
            {"port": 5432, "security_group": world["app"]["group_id"]},
            {"protocol": "icmp", "cidr": "10.40.0.0/16"},
            {"port": 443, "cidr": "fd00::/8"},
        ],
        "egress": [
            {"port": 1024, "to_port": 65535, "cidr": "10.40.0.0/16"},
            {"protocol": "udp", "port": 53, "cidr": "0.0.0.0/0"},
        ],
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "ingress": [
            {"port": 5432, "cidr": "10.40.1.0/24", "description": "private one"},
            {"port": 5433, "security_group": world["app"]["group_id"]},
        ],
        "egress": [{"protocol": "all", "cidr": "0.0.0.0/0"}],
        "tags": {},
    },
    replaced=lambda world: {"description": "something else"},
    drift=_drift,
    foreign=_by_id,
    invalid=(
        {"ingress": [{"port": 5432}]},
        {"ingress": [{"port": 5432, "cidr": "10.0.0.0/24", "security_group": "sg-12345678"}]},
        {"ingress": [{"cidr": "10.0.0.0/24"}]},
        {"ingress": [{"port": 10, "to_port": 9, "cidr": "10.0.0.0/24"}]},
        {"ingress": [{"port": 70000, "cidr": "10.0.0.0/24"}]},
        {"ingress": [{"port": 5432, "cidr": "10.0.0.5/24"}]},
        {
            "ingress": [
                {"port": 5432, "cidr": "10.0.0.0/24"},
                {"port": 5432, "to_port": 5432, "cidr": "10.0.0.0/24"},
            ]
        },
        {"egress": [{"protocol": "all", "port": 1, "cidr": "0.0.0.0/0"}]},
    ),
)
