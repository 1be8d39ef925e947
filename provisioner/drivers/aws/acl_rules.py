"""The rules of a network ACL: as a plan writes them, as EC2 does, and what can be said against a list of them.

A network ACL is stateless. It knows no connections, only packets: the answers to what comes in must be let out by a
rule of their own, to the port from which the client asked, and that is any from 1024 on.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from provisioner.drivers.aws.traffic import network_problem, ports_problem
from provisioner.spec import plain

_ANY: Final = -1
LAST: Final = 32766
"""The highest number that is free; above it stand AWS's own rules, which deny the rest."""
_NUMBERS: Final = {"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58", "all": "-1"}
_NAMES: Final = {number: name for name, number in _NUMBERS.items()}
_PORTS: Final = ("tcp", "udp")
_ICMP: Final = ("icmp", "icmpv6")
_EPHEMERAL: Final = 1024
_LINUX: Final = (32768, 60999)
"""The ports from which Linux asks: a rule that lets all of them pass is there for answers."""
_Port = Annotated[int, Meta(ge=-1, le=65535)]


class AclRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule. Of those that fit a packet the one with the lowest number decides."""

    number: Annotated[
        int, Meta(ge=1, le=LAST, description="Place in the order; leave gaps (100, 110, …) for what comes later.")
    ]
    action: Annotated[Literal["allow", "deny"], Meta(description="What becomes of the packet.")] = "allow"
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
    cidr: Annotated[
        str, Meta(description="IPv4 or IPv6 network at the other end.", examples=["10.0.0.0/16", "0.0.0.0/0"])
    ]


class Entry(NamedTuple):
    """A rule in canonical form, without its number; -1 is any port, type or code."""

    action: str
    protocol: str
    low: int
    high: int
    cidr: str


Entries = dict[int, Entry]
"""Number → what stands there."""
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def from_plan(rules: Iterable[Any]) -> Entries:
    """The plan's rules, canonical."""
    return {int(rule["number"]): _entry(rule) for rule in map(plain, rules)}


def _entry(rule: Mapping[str, Any]) -> Entry:
    protocol = rule.get("protocol", "tcp")
    low = _ANY if rule.get("port") is None else int(rule["port"])
    high = rule.get("to_port")
    cidr = str(ipaddress.ip_network(rule["cidr"], strict=False))
    return Entry(rule.get("action", "allow"), protocol, low, _high(protocol, low) if high is None else high, cidr)


def _high(protocol: str, low: int) -> int:
    """The upper bound that goes without saying: the port itself; of an ICMP type every code."""
    return _ANY if protocol in _ICMP else low


def from_cloud(listed: Iterable[Mapping[str, Any]], *, egress: bool) -> Entries:
    """``Entries`` of DescribeNetworkAcls in one direction, without AWS's own. An unknown protocol is its number."""
    return {
        int(item["RuleNumber"]): _seen(item)
        for item in listed
        if bool(item["Egress"]) is egress and int(item["RuleNumber"]) <= LAST
    }


def _seen(item: Mapping[str, Any]) -> Entry:
    protocol = _NAMES.get(str(item["Protocol"]), str(item["Protocol"]))
    ports, icmp = item.get("PortRange") or {}, item.get("IcmpTypeCode") or {}
    low, high = _ANY, _ANY
    if protocol in _PORTS:
        low, high = ports.get("From", _ANY), ports.get("To", _ANY)
    elif protocol in _ICMP:
        low, high = icmp.get("Type", _ANY), icmp.get("Code", _ANY)
    return Entry(str(item["RuleAction"]), protocol, low, high, str(item.get("CidrBlock") or item.get("Ipv6CidrBlock")))


def to_cloud(number: int, entry: Entry, *, egress: bool) -> dict[str, Any]:
    """The parameters of CreateNetworkAclEntry and ReplaceNetworkAclEntry."""
    block = "Ipv6CidrBlock" if ":" in entry.cidr else "CidrBlock"
    parameters: dict[str, Any] = {
        "RuleNumber": number,
        "Protocol": _NUMBERS.get(entry.protocol, entry.protocol),
        "RuleAction": entry.action,
        "Egress": egress,
        block: entry.cidr,
    }
    if entry.protocol in _PORTS:
        parameters["PortRange"] = {"From": entry.low, "To": entry.high}
    elif entry.protocol in _ICMP:
        parameters["IcmpTypeCode"] = {"Type": entry.low, "Code": entry.high}
    return parameters


def to_plan(entries: Entries) -> list[dict[str, Any]]:
    """As a plan would write them, in their order: what ``Observed.spec`` reports."""
    rules = []
    for number, entry in sorted(entries.items()):
        rule: dict[str, Any] = {"number": number, "action": entry.action, "protocol": entry.protocol}
        if entry.low != _ANY:
            rule["port"] = entry.low
        if entry.high != _high(entry.protocol, entry.low):
            rule["to_port"] = entry.high
        rules.append({**rule, "cidr": entry.cidr})
    return rules


def same(wanted: Iterable[Any], seen: Iterable[Any]) -> bool:
    """``matches`` for a list of rules: their numbers are their order, and one network has several spellings."""
    return from_plan(wanted) == from_plan(seen)


# -- what can be said against them -----------------------------------------------------------------------------


def problem(rules: Iterable[Any] | None) -> str | None:
    """What is wrong with the rules of one direction, or None."""
    listed = [plain(rule) for rule in rules or ()]
    numbers: set[int] = set()
    for rule in listed:
        what = _problem(rule) or ("the number is there twice" if rule["number"] in numbers else None)
        if what:
            return f"rule {rule['number']}: {what}"
        numbers.add(rule["number"])
    return _overruled(sorted(from_plan(listed).items()))


def _problem(rule: Mapping[str, Any]) -> str | None:
    what = ports_problem(rule) or network_problem(rule["cidr"])
    wide = ":" in rule["cidr"]
    if what is None and rule.get("protocol") == ("icmp" if wide else "icmpv6"):
        what = f"{rule['protocol']} does not go with an IPv{6 if wide else 4} network"
    return what


def _overruled(entries: list[tuple[int, Entry]]) -> str | None:
    for place, (number, entry) in enumerate(entries):
        for before, earlier in entries[:place]:
            if earlier.action != entry.action and _covers(earlier, entry):
                verb = "denies" if earlier.action == "deny" else "allows"
                return f"rule {number} never decides anything: rule {before} comes before it and {verb} all of that"
    return None


def _covers(wide: Entry, narrow: Entry) -> bool:
    if not _within(_network(narrow.cidr), _network(wide.cidr)):
        return False
    if wide.protocol == "all":
        return True
    if wide.protocol != narrow.protocol:
        return False
    if wide.protocol in _ICMP:
        return wide.low in (_ANY, narrow.low) and wide.high in (_ANY, narrow.high)
    return wide.low <= narrow.low and narrow.high <= wide.high


def answered(ingress: Iterable[Any] | None, egress: Iterable[Any] | None, network_acl_id: str | None) -> str | None:
    """The first TCP service that could never answer, as nothing lets its answers back, or None.

    Of a list that others made, rules that the plan leaves out are not known.
    """
    if network_acl_id is not None and (ingress is None or egress is None):
        return None
    try:
        into, out = from_plan(ingress or ()), from_plan(egress or ())
    except ValueError:
        return None  # the other rule says what is no network
    return _unanswered("ingress", into, "egress", out) or _unanswered("egress", out, "ingress", into)


def _unanswered(name: str, rules: Entries, back: str, others: Entries) -> str | None:
    for number, entry in sorted(rules.items()):
        asks = entry.action == "allow" and entry.protocol == "tcp" and not _for_answers(entry)
        if asks and not any(_may_answer(other, entry) for other in others.values()):
            ports = f"{entry.low}" if entry.low == entry.high else f"{entry.low} to {entry.high}"
            return (
                f"{name} rule {number} allows tcp {ports}, but no {back} rule lets the answers back: a network ACL "
                f"knows no connections, so allow tcp {_EPHEMERAL} to 65535 for {entry.cidr} there"
            )
    return None


def _for_answers(entry: Entry) -> bool:
    return entry.low <= _LINUX[0] and entry.high >= _LINUX[1]


def _may_answer(entry: Entry, asked: Entry) -> bool:
    one, other = _network(entry.cidr), _network(asked.cidr)
    if entry.action != "allow" or one.version != other.version or not one.overlaps(other):
        return False
    # A single port is no range to be asked from.
    return entry.protocol == "all" or (entry.protocol == "tcp" and entry.high >= _EPHEMERAL and entry.high > entry.low)


def _network(cidr: str) -> _Network:
    return ipaddress.ip_network(cidr, strict=False)


def _within(narrow: _Network, wide: _Network) -> bool:
    return wide.version == narrow.version and wide.prefixlen <= narrow.prefixlen and wide.overlaps(narrow)


def in_order(numbers: Iterable[int], entries: Entries, *, first: str) -> Iterator[int]:
    """The numbers with those of the action ``first`` in front, so that no moment allows what neither list does."""
    return iter(sorted(numbers, key=lambda number: (entries[number].action != first, number)))
