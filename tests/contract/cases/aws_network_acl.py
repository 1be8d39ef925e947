"""aws.network_acl."""

from typing import Any

import msgspec

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.network import subnets
from tests.contract.world import World

OUT = [{"number": 100, "protocol": "all", "cidr": "0.0.0.0/0"}]


def _subnet(step: str, third: int) -> Need:
    return Need(
        step,
        "aws.subnet",
        lambda world: {"vpc_id": world["net"]["vpc_id"], "cidr": f"10.41.{third}.0/24", "zone_index": third % 2},
    )


def _rule(number: int, port: int | None, **more: Any) -> dict[str, Any]:
    return {"number": number, "cidr": "0.0.0.0/0", **({} if port is None else {"port": port}), **more}


def _drift(world: World, key: Key) -> set[str]:
    ec2, acl = world.session().client("ec2"), world["example"]["network_acl_id"]
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=110, Egress=False)
    opened = {"Protocol": "6", "PortRange": {"From": 22, "To": 22}, "CidrBlock": "0.0.0.0/0", "RuleAction": "allow"}
    ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=50, Egress=False, **opened)
    return {"ingress"}


def _by_id(world: World, key: Key) -> Key:
    at = {"network_acl_id": world["example"]["network_acl_id"]}
    return msgspec.structs.replace(key, deployment="other", at=at)


CASE = Case(
    needs=(
        Need("net", "aws.vpc", lambda world: {"cidr": "10.41.0.0/16"}),
        _subnet("a", 0),
        _subnet("b", 1),
        _subnet("c", 2),
    ),
    spec=lambda world: {
        "vpc_id": world["net"]["vpc_id"],
        "ingress": [
            _rule(120, 443),
            _rule(100, 5432),
            _rule(110, 6379),
            _rule(130, 1024, to_port=65535, cidr="10.41.0.0/16"),
            _rule(140, 53, protocol="udp", action="deny"),
            _rule(150, 8, protocol="icmp"),
            _rule(160, None, protocol="icmpv6", cidr="::/0"),
        ],
        "egress": OUT,
        "subnets": subnets(world, "b", "a"),
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "ingress": [_rule(100, 5432, cidr="10.41.0.0/16"), _rule(105, 6379), _rule(130, 1024, to_port=65535)],
        "egress": [*OUT, _rule(90, 25, action="deny")],
        "subnets": subnets(world, "b", "c"),
        "tags": {},
    },
    replaced=lambda world: {"vpc_id": "vpc-0123456789abcdef0"},
    beside=lambda world, step: {"ingress": [_rule(100, 5432)], "subnets": subnets(world, "c")},
    drift=_drift,
    foreign=_by_id,
    invalid=(
        {"vpc_id": None},
        {"ingress": [_rule(0, 5432)]},
        {"ingress": [_rule(32767, 5432)]},
        {"ingress": [_rule(100, None)]},
        {"ingress": [_rule(100, 5432), _rule(100, 6379)]},
        {"ingress": [_rule(100, 5432, protocol="all")]},
        {"ingress": [_rule(100, 5432, cidr="10.0.0.1/16")]},
        {"ingress": [_rule(100, None, protocol="icmpv6")]},
        {"ingress": [_rule(100, 5432, action="deny"), _rule(110, 5432)]},
        {"ingress": [_rule(100 + n, 5000 + n) for n in range(40)]},
        {"egress": []},
        {"egress": [_rule(100, 5432)]},
        {"subnets": ["subnet-11111111", "subnet-11111111"]},
    ),
)
