"""The routes of a route table: as a plan writes them, as EC2 does. Pure.

A table's own routes into its VPC, those that a VPN spreads and those of endpoints come and go with what they belong
to: they are none of the plan's business and not shown.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

from provisioner.drivers.aws.traffic import network_problem
from provisioner.spec import plain

_TARGETS: Final = {"internet_gateway": "GatewayId", "nat_gateway": "NatGatewayId"}
"""Where a plan may lead a route, and EC2's word for it."""
_OTHERS: Final = (
    "GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "EgressOnlyInternetGatewayId",
    "NetworkInterfaceId", "InstanceId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn", "OdbNetworkArn",
)  # fmt: skip
_OTHER: Final = "other"


class RouteRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One route. Exactly one of ``internet_gateway`` and ``nat_gateway`` says where it leads."""

    cidr: Annotated[str, Meta(description="IPv4 or IPv6 network that it leads to.", examples=["0.0.0.0/0", "::/0"])]
    internet_gateway: (
        Annotated[str, Meta(description="Id of an internet gateway.", examples=["${gateway.internet_gateway_id}"])]
        | None
    ) = None
    nat_gateway: Annotated[str, Meta(description="Id of a NAT gateway.", examples=["${nat.nat_gateway_id}"])] | None = (
        None
    )


class Target(NamedTuple):
    """Where a route leads; ``kind`` is internet_gateway, nat_gateway, or other for what a plan cannot write."""

    kind: str
    id: str


Routes = dict[str, Target]
"""Network → target."""


def problem(rules: Iterable[Any] | None) -> str | None:
    """What is wrong with a list of routes, or None."""
    seen: set[str] = set()
    for number, rule in enumerate(map(plain, rules or ())):
        given = [name for name in _TARGETS if rule.get(name)]
        what = network_problem(rule["cidr"])
        if what is None and len(given) != 1:
            what = f"give exactly one of {', '.join(_TARGETS)}"
        if what is None and given == ["nat_gateway"] and ":" in rule["cidr"]:
            what = f"a NAT gateway takes {rule['cidr']} to nobody: it speaks IPv4"
        if what is None and _network(rule["cidr"]) in seen:
            what = f"{rule['cidr']} is there twice"
        if what:
            return f"route {number}: {what}"
        seen.add(_network(rule["cidr"]))
    return None


def from_plan(rules: Iterable[Any]) -> Routes:
    """The plan's routes, canonical."""
    return {_network(rule["cidr"]): _target(rule) for rule in map(plain, rules)}


def _target(rule: Mapping[str, Any]) -> Target:
    return next(Target(name, str(rule[name])) for name in (*_TARGETS, _OTHER) if rule.get(name))


def _network(cidr: str) -> str:
    return str(ipaddress.ip_network(cidr, strict=False))


def from_cloud(listed: Iterable[Mapping[str, Any]]) -> Routes:
    """``Routes`` of DescribeRouteTables: those that somebody made."""
    return dict(_made(listed))


def _made(listed: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Target]]:
    for item in listed:
        cidr = item.get("DestinationCidrBlock") or item.get("DestinationIpv6CidrBlock")
        if not cidr or item.get("Origin") != "CreateRoute" or item.get("GatewayId") == "local":
            continue
        field, ident = next(((field, str(item[field])) for field in _OTHERS if item.get(field)), ("", "nowhere"))
        known = {"NatGatewayId": "nat_gateway", "GatewayId": "internet_gateway" if ident.startswith("igw-") else _OTHER}
        yield str(cidr), Target(known.get(field, _OTHER), ident)


def lost(listed: Iterable[Mapping[str, Any]]) -> list[str]:
    """Networks whose route leads to what is gone."""
    return [
        str(item.get("DestinationCidrBlock") or item.get("DestinationIpv6CidrBlock"))
        for item in listed
        if item.get("State") == "blackhole"
    ]


def to_plan(routes: Routes) -> list[dict[str, str]]:
    """As a plan would write them, sorted: what ``Observed.spec`` reports."""
    return [{"cidr": cidr, target.kind: target.id} for cidr, target in sorted(routes.items())]


def destination(cidr: str) -> dict[str, str]:
    """The parameter that names a route."""
    return {"DestinationIpv6CidrBlock" if ":" in cidr else "DestinationCidrBlock": cidr}


def to_cloud(cidr: str, target: Target) -> dict[str, str]:
    """The parameters of CreateRoute and ReplaceRoute."""
    return {**destination(cidr), _TARGETS[target.kind]: target.id}


def same(wanted: Iterable[Any], seen: Iterable[Any]) -> bool:
    """``matches`` for a list of routes: order means nothing, and one network has several spellings."""
    return from_plan(wanted) == from_plan(seen)
