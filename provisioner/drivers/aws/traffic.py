"""The rules of a security group: as a plan writes them, as EC2 does, and what lies between two sets.

A *flow* is what AWS counts as one rule: protocol, ports, where from or to. The description is no part of it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from provisioner.spec import plain

_Port = Annotated[int, Meta(ge=-1, le=65535)]
_ALL = "all"
_ANY = -1
_ICMP = ("icmp", "icmpv6")
SELF = "self"


class TrafficRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One permission. Exactly one of ``cidr``, ``security_group`` and ``prefix_list`` says who is at the
    other end."""

    protocol: Annotated[
        Literal["tcp", "udp", "icmp", "icmpv6", "all"], Meta(description="`all` is every protocol and port.")
    ] = "tcp"
    port: (
        Annotated[_Port, Meta(description="Port, or the first of a range; for icmp the type, left out: all.")] | None
    ) = None
    to_port: (
        Annotated[
            _Port,
            Meta(description="Last port of a range, left out: the same as port; for icmp the code, left out: all."),
        ]
        | None
    ) = None
    cidr: Annotated[str, Meta(description="IPv4 or IPv6 network.", examples=["10.0.1.0/24", "::/0"])] | None = None
    security_group: (
        Annotated[str, Meta(description="Id of another group, or `self`.", examples=["${app.group_id}", "self"])] | None
    ) = None
    prefix_list: Annotated[str, Meta(description="Id of a managed prefix list.")] | None = None
    description: (
        Annotated[
            str,
            Meta(max_length=255, pattern=r"^[a-zA-Z0-9. _:/()#,@\[\]+=&;{}!$*-]*$", description="Why."),
        ]
        | None
    ) = None


class Flow(NamedTuple):
    """One rule in canonical form; ``kind`` is cidr, security_group or prefix_list."""

    protocol: str
    low: int
    high: int
    kind: str
    peer: str


Flows = dict[Flow, str]
"""Flow → its description."""

_PEERS = ("cidr", "security_group", "prefix_list")
EVERYTHING = Flow(_ALL, _ANY, _ANY, "cidr", "0.0.0.0/0")
"""What AWS lets out of a new group."""


def problem(rules: Iterable[Any] | None) -> str | None:
    """What is wrong with a list of rules (structs or mappings), or None."""
    seen: set[Flow] = set()
    for number, rule in enumerate(map(plain, rules or ())):
        what = _problem(rule)
        if what is None and (flow := _flow(rule)) in seen:
            what = "it is there twice"
        if what:
            return f"rule {number}: {what}"
        seen.add(flow)
    return None


def _problem(rule: Mapping[str, Any]) -> str | None:
    peers = [name for name in _PEERS if rule.get(name)]
    if len(peers) != 1:
        return f"give exactly one of {', '.join(_PEERS)}"
    return ports_problem(rule) or (network_problem(rule["cidr"]) if "cidr" in peers else None)


def ports_problem(rule: Mapping[str, Any]) -> str | None:
    """What is wrong with ``protocol``, ``port`` and ``to_port`` of a rule, or None."""
    protocol, low, high = rule.get("protocol", "tcp"), rule.get("port"), rule.get("to_port")
    if protocol in ("tcp", "udp") and (low is None or low < 0):
        return f"{protocol} needs a port (0 with to_port 65535 for all of them)"
    if protocol == _ALL and (low is not None or high is not None):
        return "protocol all has no ports"
    if protocol in ("tcp", "udp") and high is not None and high < low:
        return f"to_port {high} is below port {low}"
    if protocol in _ICMP and low in (None, _ANY) and high not in (None, _ANY):
        return f"{protocol} code {high} needs a type: all types means all codes"
    return None


def network_problem(cidr: str) -> str | None:
    """Why it is not a network, or None."""
    try:
        ipaddress.ip_network(cidr)
    except ValueError as err:
        return f"{cidr!r} is not a network: {err}"
    return None


def from_plan(rules: Iterable[Any]) -> Flows:
    """The plan's rules, canonical."""
    return {_flow(rule): str(rule.get("description") or "") for rule in map(plain, rules)}


def _flow(rule: Mapping[str, Any]) -> Flow:
    kind = next(name for name in _PEERS if rule.get(name))
    peer = str(ipaddress.ip_network(rule[kind], strict=False)) if kind == "cidr" else str(rule[kind])
    low = rule.get("port")
    high = rule.get("to_port")
    protocol = rule.get("protocol", "tcp")
    low = _ANY if low is None else low
    if high is None:
        high = _high(protocol, low)
    return Flow(protocol, low, high, kind, peer)


def _high(protocol: str, low: int) -> int:
    """The upper bound that goes without saying: the port itself; of an ICMP type every code."""
    return _ANY if protocol in _ICMP else low


def from_cloud(permissions: Iterable[Mapping[str, Any]], own_id: str) -> Flows:
    """``IpPermissions`` of DescribeSecurityGroups; the group's own id becomes ``self``."""
    flows: Flows = {}
    for permission in permissions:
        protocol = str(permission["IpProtocol"])
        base = (
            _ALL if protocol == "-1" else protocol,
            permission.get("FromPort", _ANY),
            permission.get("ToPort", _ANY),
        )
        if base[0] == _ALL:
            base = (_ALL, _ANY, _ANY)
        for kind, listed, field in _FIELDS:
            for peer in permission.get(listed) or ():
                name = SELF if peer[field] == own_id else str(peer[field])
                flows[Flow(*base, kind, name)] = str(peer.get("Description") or "")
    return flows


_FIELDS = (
    ("cidr", "IpRanges", "CidrIp"),
    ("cidr", "Ipv6Ranges", "CidrIpv6"),
    ("security_group", "UserIdGroupPairs", "GroupId"),
    ("prefix_list", "PrefixListIds", "PrefixListId"),
)


def to_cloud(flows: Iterable[Flow], descriptions: Mapping[Flow, str], own_id: str) -> list[dict[str, Any]]:
    """The same as ``IpPermissions``, one permission a flow."""
    return [_permission(flow, descriptions.get(flow, ""), own_id) for flow in sorted(flows)]


def _permission(flow: Flow, description: str, own_id: str) -> dict[str, Any]:
    wide = flow.kind == "cidr" and ":" in flow.peer
    _, listed, field = next(row for row in _FIELDS if row[0] == flow.kind and (not wide or row[2] == "CidrIpv6"))
    peer = {field: own_id if flow.peer == SELF else flow.peer}
    if description:
        peer["Description"] = description
    if flow.protocol == _ALL:
        return {"IpProtocol": "-1", listed: [peer]}
    return {"IpProtocol": flow.protocol, "FromPort": flow.low, "ToPort": flow.high, listed: [peer]}


def to_plan(flows: Flows) -> list[dict[str, Any]]:
    """As a plan would write them, sorted: what ``Observed.spec`` reports."""
    rules = []
    for flow, description in sorted(flows.items()):
        rule: dict[str, Any] = {"protocol": flow.protocol}
        if flow.low != _ANY:
            rule["port"] = flow.low
        if flow.high != _high(flow.protocol, flow.low):
            rule["to_port"] = flow.high
        rule[flow.kind] = flow.peer
        if description:
            rule["description"] = description
        rules.append(rule)
    return rules


def same(wanted: Iterable[Any], seen: Iterable[Any]) -> bool:
    """``matches`` for a list of rules: order means nothing, and one network has several spellings."""
    return from_plan(wanted) == from_plan(seen)
