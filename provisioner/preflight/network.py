"""Networks: do they fit into each other, do they keep out of each other's way, does anybody come through."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from provisioner.plan.outline import Item, Outline, unknown
from provisioner.preflight.book import AWS, RDS_GUIDE, VPC_GUIDE, rule
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, at, on

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PRIVATE: Final = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
DEFAULT_VPC: Final = ipaddress.IPv4Network("172.31.0.0/16")
"""What AWS gives every default VPC."""
_DOCKER: Final = ipaddress.IPv4Network("172.17.0.0/16")
_KEPT_BY_AWS: Final = 5
_FEW: Final = 8

SUBNET_GROUPS: Final = ("aws.db_subnet_group", "aws.cache_subnet_group")


def network_of(value: Any) -> Network | None:
    """A network that is known and well-formed."""
    if not isinstance(value, str) or unknown(value):
        return None
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        return None


def vpc_networks(outline: Outline) -> dict[str, Network]:
    """Step → network, of every VPC whose network is known."""
    found = {item.step.name: network_of(item.get("cidr")) for item in outline.of("aws.vpc", "aws.default_vpc")}
    found |= {item.step.name: DEFAULT_VPC for item in outline.of("aws.default_vpc") if not found[item.step.name]}
    return {name: network for name, network in found.items() if network is not None}


def inside(one: Network, other: Network) -> bool:
    """Whether ``one`` lies in ``other``; networks of two kinds do not."""
    return one.version == other.version and one.subnet_of(other)  # type: ignore[arg-type]


def overlap(one: Network, other: Network) -> bool:
    """Whether they share an address."""
    return one.version == other.version and one.overlaps(other)


def zone_of(item: Item) -> str | int | None:
    """The zone of a subnet as far as the plan says: a name or an index."""
    zone: str | int | None = item.get("availability_zone")
    return zone if zone is not None else item.get("zone_index")


def _subnets(outline: Outline) -> Iterator[tuple[Item, Network]]:
    for item in outline.of("aws.subnet"):
        network = network_of(item.get("cidr"))
        if network is not None:
            yield item, network


@rule(
    "net.subnet-outside-vpc",
    Level.ERROR,
    source=f"{VPC_GUIDE}/subnet-sizing.html",
    hint="cut it from the VPC's network, or give the VPC a larger one",
)
def subnet_outside_vpc(look: Look) -> Iterator[Hit]:
    """A subnet's network does not lie in its VPC's."""
    networks = vpc_networks(look.outline)
    for item, network in _subnets(look.outline):
        vpc = look.outline.link(item, "vpc_id", "aws.vpc", "aws.default_vpc")
        if vpc is not None and vpc.step.name in networks and not inside(network, networks[vpc.step.name]):
            yield on(
                item, "cidr", f"{network} does not lie in {networks[vpc.step.name]}, the network of {vpc.step.name}"
            )


@rule("net.subnets-overlap", Level.ERROR, source=f"{VPC_GUIDE}/subnet-sizing.html", hint="move one of them")
def subnets_overlap(look: Look) -> Iterator[Hit]:
    """Two subnets of one VPC share addresses."""
    outline = look.outline
    for (one, first), (other, second) in combinations(_subnets(outline), 2):
        same = outline.links(one, "vpc_id") == outline.links(other, "vpc_id")
        if same and one.values.get("vpc_id") == other.values.get("vpc_id") and overlap(first, second):
            yield on(other, "cidr", f"{second} overlaps {first}, the network of {one.step.name}")


@rule(
    "net.vpcs-overlap",
    Level.WARNING,
    source=f"{AWS}/vpc/latest/peering/vpc-peering-basics.html",
    hint="they can never be peered; give one of them another network",
)
def vpcs_overlap(look: Look) -> Iterator[Hit]:
    """Two VPCs of the plan share addresses."""
    for (one, first), (other, second) in combinations(vpc_networks(look.outline).items(), 2):
        if overlap(first, second):
            yield on(look.outline.items[other], "cidr", f"{second} overlaps {first}, the network of {one}")


@rule(
    "net.vpc-public-range",
    Level.WARNING,
    source=f"{VPC_GUIDE}/vpc-cidr-blocks.html",
    hint="take one from 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
)
def vpc_public_range(look: Look) -> Iterator[Hit]:
    """A VPC uses addresses of the internet, whose owners it then cannot reach."""
    for name, network in vpc_networks(look.outline).items():
        if not any(inside(network, private) for private in PRIVATE):
            yield on(look.outline.items[name], "cidr", f"{network} is no private network")


@rule(
    "net.vpc-docker-range",
    Level.WARNING,
    source=f"{VPC_GUIDE}/vpc-cidr-blocks.html",
    hint="services that run Docker use 172.17.0.0/16 themselves; take another network",
)
def vpc_docker_range(look: Look) -> Iterator[Hit]:
    """A VPC takes the network that Docker takes for itself."""
    for name, network in vpc_networks(look.outline).items():
        if overlap(network, _DOCKER):
            yield on(look.outline.items[name], "cidr", f"{network} meets 172.17.0.0/16")


@rule(
    "net.subnet-small",
    Level.WARNING,
    source=f"{RDS_GUIDE}/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    hint="a failover, a proxy and functions need addresses to spare; take a /26 or larger",
)
def subnet_small(look: Look) -> Iterator[Hit]:
    """A subnet for databases or caches has too few addresses to spare."""
    outline = look.outline
    grouped = {item.step.name for group in outline.of(*SUBNET_GROUPS) for item in outline.links(group, "subnets")}
    for item, network in _subnets(outline):
        free = network.num_addresses - _KEPT_BY_AWS
        if item.step.name in grouped and network.version == 4 and free <= 2 * _FEW:
            yield on(item, "cidr", f"{network} leaves {free} addresses")


def _one_zone(outline: Outline, group: Item) -> str | int | None:
    """The zone that all subnets of a group lie in, where all are known and there is but one."""
    subnets = outline.links(group, "subnets")
    if not subnets or len(subnets) != len(group.values.get("subnets") or ()):
        return None
    zones = {zone_of(subnet) for subnet in subnets}
    return next(iter(zones)) if len(zones) == 1 else None


@rule(
    "net.one-zone",
    Level.ERROR,
    source=f"{RDS_GUIDE}/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    hint="RDS refuses such a group (DBSubnetGroupDoesNotCoverEnoughAZs); give one subnet another zone_index",
)
def one_zone(look: Look) -> Iterator[Hit]:
    """A group for databases has all its subnets in one zone."""
    for group in look.outline.of("aws.db_subnet_group"):
        zone = _one_zone(look.outline, group)
        if zone is not None:
            yield on(group, "subnets", f"all of its subnets are in zone {zone}; RDS wants two zones at least")


@rule(
    "net.one-zone-cache",
    Level.ERROR,
    source=f"{AWS}/AmazonElastiCache/latest/dg/AutoFailover.html",
    hint="give one of the subnets another zone_index, or switch multi_az off",
)
def one_zone_cache(look: Look) -> Iterator[Hit]:
    """A cache is to spread over zones, and its subnets are all in one."""
    outline = look.outline
    for cache in outline.of("aws.cache_replication_group"):
        group = outline.link(cache, "subnet_group", "aws.cache_subnet_group")
        zone = _one_zone(outline, group) if group is not None and cache.get("multi_az") else None
        if zone is not None and group is not None:
            yield on(cache, "multi_az", f"the subnets of {group.step.name} are all in zone {zone}")


def _peers(item: Item) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where a security group or an ACL names a network of who may come in, and the network."""
    for index, entry in enumerate(item.values.get("ingress") or ()):
        if isinstance(entry, dict) and entry.get("cidr") and entry.get("action", "allow") == "allow":
            yield ("ingress", index, "cidr"), entry["cidr"]


def _strangers(look: Look, *types: str) -> Iterator[tuple[Item, tuple[str | int, ...], Network, str]]:
    networks = vpc_networks(look.outline)
    for item in look.outline.of(*types):
        vpc = look.outline.link(item, "vpc_id", "aws.vpc", "aws.default_vpc")
        own = networks.get(vpc.step.name) if vpc is not None else None
        for path, text in _peers(item) if own is not None else ():
            peer = network_of(text)
            if peer is None or not any(inside(peer, private) for private in PRIVATE):
                continue
            if not any(overlap(peer, network) for network in networks.values()):
                yield item, path, peer, str(own)


def _others_come_in(look: Look, item: Item, index: int) -> bool:
    """Whether another entry lets somebody in where this one does: of the plan's networks, or who is not known."""
    networks = vpc_networks(look.outline).values()
    entries: list[Any] = item.values["ingress"]
    for path, text in _peers(item):
        peer, entry = network_of(text), entries[int(path[1])]
        known = peer is None or any(overlap(peer, network) for network in networks)
        if path[1] != index and known and _as_wide(entry, entries[index]):
            return True
    return False


def _as_wide(entry: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether it lets in what the other does, whoever it is."""
    protocol = entry.get("protocol", "tcp")
    if protocol == "all" or protocol != other.get("protocol", "tcp"):
        return bool(protocol == "all")
    ports = other.get("port"), other.get("to_port") or other.get("port")
    return all(not isinstance(port, int) or opens({**entry, "protocol": "tcp"}, port) for port in ports)


@rule(
    "net.acl-source-outside",
    Level.ERROR,
    source=f"{VPC_GUIDE}/vpc-network-acls.html",
    hint="write the network of the subnets that are to come in",
)
def acl_source_outside(look: Look) -> Iterator[Hit]:
    """A network ACL lets in a private network that is nowhere in the plan; worse, nobody who is in it."""
    for item, path, peer, own in _strangers(look, "aws.network_acl"):
        if _others_come_in(look, item, int(path[1])):
            hint = "write the network of the subnets that are to come in; waive it where a peering or VPN leads there"
            message = f"{peer} lies outside {own} and every other network of the plan"
            yield at(item, path, message, hint=hint, level=Level.WARNING)
        else:
            yield at(item, path, f"{peer} lies outside {own}: nobody in this VPC would come through")


@rule(
    "net.group-source-outside",
    Level.WARNING,
    source=f"{VPC_GUIDE}/vpc-security-groups.html",
    hint="write the network of the subnets that are to come in; waive it where a peering or VPN leads there",
)
def group_source_outside(look: Look) -> Iterator[Hit]:
    """A security group lets in a private network that is nowhere in the plan."""
    for item, path, peer, own in _strangers(look, "aws.security_group"):
        yield at(item, path, f"{peer} lies outside {own} and every other network of the plan")


def _served(outline: Outline) -> Iterator[tuple[Item, int, list[Item]]]:
    """What listens on a port behind security groups that are all in the plan."""
    for item in outline.of("aws.rds_instance", "aws.cache_replication_group"):
        groups = [group for group in outline.links(item, "security_groups") if group.type == "aws.security_group"]
        if groups and len(groups) == len(item.values.get("security_groups") or ()):
            yield item, int(item.get("port", 0)), groups


def opens(entry: Any, port: int) -> bool:
    if not isinstance(entry, dict):
        return True
    if entry.get("protocol", "tcp") == "all":
        return True
    low = entry.get("port")
    high = entry.get("to_port", low)
    if not isinstance(low, int) or not isinstance(high, int):
        return True
    return entry.get("protocol", "tcp") == "tcp" and low <= port <= high


@rule(
    "net.port-shut",
    Level.WARNING,
    source=f"{VPC_GUIDE}/vpc-security-groups.html",
    hint="let its port in from where the application runs",
)
def port_shut(look: Look) -> Iterator[Hit]:
    """No security group lets anybody in on the port that a database or cache listens on."""
    for item, port, groups in _served(look.outline):
        # Of a group that is adopted the plan may leave the rules as they are.
        if any(group.values.get("ingress") is None and group.step.adopt for group in groups):
            continue
        if not any(opens(entry, port) for group in groups for entry in group.values.get("ingress") or ()):
            names = ", ".join(group.step.name for group in groups)
            yield on(item, "security_groups", f"{names} let nobody in on port {port}")


@rule(
    "net.group-other-vpc",
    Level.ERROR,
    source=f"{RDS_GUIDE}/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    hint="security groups and subnets must be of one VPC",
)
def group_other_vpc(look: Look) -> Iterator[Hit]:
    """A database or cache wears a security group of another VPC than its subnets are in."""
    outline = look.outline
    for item, _, groups in _served(outline):
        group = outline.link(item, "subnet_group", *SUBNET_GROUPS)
        subnets = outline.links(group, "subnets") if group is not None else []
        homes = {vpc.step.name for subnet in subnets for vpc in outline.links(subnet, "vpc_id")}
        for wall in groups:
            vpc = outline.link(wall, "vpc_id", "aws.vpc", "aws.default_vpc")
            if vpc is not None and homes and vpc.step.name not in homes:
                home = ", ".join(sorted(homes))
                yield on(item, "security_groups", f"{wall.step.name} is in {vpc.step.name}, the subnets are in {home}")


@rule(
    "net.nat-unused",
    Level.WARNING,
    source=f"{VPC_GUIDE}/vpc-nat-gateway.html",
    hint="route 0.0.0.0/0 of the private subnets to it, or take it out: it is paid for by the hour",
)
def nat_unused(look: Look) -> Iterator[Hit]:
    """A NAT gateway is paid for that no route leads to."""
    outline = look.outline
    for gateway in outline.of("aws.nat_gateway"):
        tables = outline.users(gateway, "aws.route_table")
        if not gateway.step.adopt and not any(table.sets("subnets") for table in tables):
            yield on(gateway, "", "no route of a subnet leads to it")


@rule(
    "net.nat-private",
    Level.ERROR,
    source=f"{VPC_GUIDE}/nat-gateway-basics.html",
    hint="put it into a subnet whose route table leads to an internet gateway",
)
def nat_private(look: Look) -> Iterator[Hit]:
    """A NAT gateway is in a subnet that has itself no way out."""
    outline = look.outline
    for gateway in outline.of("aws.nat_gateway"):
        subnet = outline.link(gateway, "subnet_id", "aws.subnet")
        if subnet is None or subnet.step.adopt or gateway.get("connectivity", "public") != "public":
            continue
        tables = outline.users(subnet, "aws.route_table")
        vpc = outline.link(subnet, "vpc_id", "aws.vpc", "aws.default_vpc")
        if not tables and (vpc is None or vpc.step.adopt):
            continue  # it follows the main table of a network that others made
        if any(table.assumed("routes") for table in tables):
            continue
        routes = [route for table in tables for route in table.values.get("routes") or () if isinstance(route, dict)]
        if not any(route.get("internet_gateway") for route in routes):
            yield on(gateway, "subnet_id", f"{subnet.step.name} has no route to an internet gateway")
