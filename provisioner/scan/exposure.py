"""Who can reach it: public addresses, open ports, public buckets."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final

from provisioner.plan.outline import Item, Outline, unknown
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, at, on
from provisioner.scan.book import AWS, CONTROLS, RDS_GUIDE, S3_GUIDE, rule

_GROUPS: Final = ("aws.db_subnet_group", "aws.cache_subnet_group")
_WIDE: Final = 1000
_WEB: Final = (80, 443)
_LARGE: Final = 8
_FOR_ANSWERS: Final = 1024
_LINUX_TO: Final = 60999
"""Answers go to the port that was asked from: Linux asks from 32768 to 60999, others from 1024 or 49152 to 65535."""


def network_of(value: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """A network that is known and well-formed."""
    if not isinstance(value, str) or unknown(value):
        return None
    try:
        return ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None


def _entries(item: Item, side: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for index, entry in enumerate(item.values.get(side) or ()):
        if isinstance(entry, dict):
            yield index, entry


def _world(entry: dict[str, Any]) -> bool:
    network = network_of(entry.get("cidr"))
    return network is not None and network.prefixlen < _LARGE and not network.is_private


def _ports(entry: dict[str, Any]) -> str:
    if entry.get("protocol", "tcp") in ("all", "-1"):
        return "every port"
    low, high = entry.get("port"), entry.get("to_port", entry.get("port"))
    return f"port {low}" if low == high else f"ports {low} to {high}"


@rule(
    "sec.rds-public",
    Level.HIGH,
    family="exposure",
    source=f"{CONTROLS}/rds-controls.html#rds-2",
    hint="publicly_accessible: false; reach it through a VPN, a bastion or a proxy",
)
def rds_public(look: Look) -> Iterator[Hit]:
    """A database has an address that the internet resolves."""
    for item in look.outline.of("aws.rds_instance", "aws.rds_read_replica"):
        if item.get("publicly_accessible"):
            yield on(item, "publicly_accessible", "it has a public address")


@rule(
    "sec.group-world",
    Level.HIGH,
    family="exposure",
    source=f"{CONTROLS}/ec2-controls.html#ec2-19",
    hint="let in the security group or the subnets of the application",
)
def group_world(look: Look) -> Iterator[Hit]:
    """A security group lets the whole internet in."""
    for item in look.outline.of("aws.security_group"):
        for index, entry in _entries(item, "ingress"):
            if _world(entry):
                web = entry.get("port") in _WEB and entry.get("to_port", entry.get("port")) == entry.get("port")
                message = f"{entry['cidr']} comes in on {_ports(entry)}"
                yield at(item, ("ingress", index), message, level=Level.MEDIUM if web else None)


@rule(
    "sec.group-wide",
    Level.MEDIUM,
    family="exposure",
    source=f"{AWS}/vpc/latest/userguide/security-group-rules.html",
    hint="name the port that is meant",
)
def group_wide(look: Look) -> Iterator[Hit]:
    """A security group lets in every port, or a thousand of them."""
    for item in look.outline.of("aws.security_group"):
        for index, entry in _entries(item, "ingress"):
            if entry.get("security_group") == "self":
                continue
            low, high = entry.get("port"), entry.get("to_port", entry.get("port"))
            many = isinstance(low, int) and isinstance(high, int) and high - low >= _WIDE
            if entry.get("protocol") == "all" or many:
                yield at(item, ("ingress", index), f"{_ports(entry)} let in")


@rule(
    "sec.group-egress",
    Level.LOW,
    family="exposure",
    source=f"{AWS}/vpc/latest/userguide/security-group-rules.html",
    hint="egress: [] where nothing has to go out: a database answers, it does not call",
)
def group_egress(look: Look) -> Iterator[Hit]:
    """A security group lets everything out, anywhere."""
    for item in look.outline.of("aws.security_group"):
        if item.values.get("egress") is None and not item.step.adopt:
            yield on(item, "", "it lets everything out, which is AWS's default")
        for index, entry in _entries(item, "egress"):
            network = network_of(entry.get("cidr"))
            if network is not None and network.prefixlen == 0 and entry.get("protocol") == "all":
                yield at(item, ("egress", index), "it lets everything out, anywhere")


@rule(
    "sec.acl-world",
    Level.HIGH,
    family="exposure",
    source=f"{CONTROLS}/ec2-controls.html#ec2-21",
    hint="let in the networks of the application",
)
def acl_world(look: Look) -> Iterator[Hit]:
    """A network ACL lets the whole internet in on a port that is not the web's."""
    for item in look.outline.of("aws.network_acl"):
        for index, entry in _entries(item, "ingress"):
            low = entry.get("port")
            high = entry.get("to_port", low)
            answers = isinstance(low, int) and isinstance(high, int) and low >= _FOR_ANSWERS and high >= _LINUX_TO
            if entry.get("protocol") in ("icmp", "icmpv6"):
                continue  # without it nobody learns how large a packet may be
            if entry.get("action", "allow") == "allow" and _world(entry) and low not in _WEB and not answers:
                yield at(item, ("ingress", index), f"{entry['cidr']} comes in on {_ports(entry)}")


def _public(outline: Outline, subnet: Item) -> str:
    """Why a subnet is public; empty where it is not."""
    if subnet.get("map_public_ip"):
        return "gives out public addresses"
    for table in outline.users(subnet, "aws.route_table"):
        for route in table.values.get("routes") or ():
            if isinstance(route, dict) and any("gateway" in key and "nat" not in key for key, v in route.items() if v):
                return f"has a route to the internet ({table.step.name})"
    return "is one of the default VPC, which are public" if subnet.type == "aws.default_subnet" else ""


@rule(
    "sec.data-in-public-subnet",
    Level.HIGH,
    family="exposure",
    source=f"{RDS_GUIDE}/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    hint="put it into subnets without a route to an internet gateway",
)
def data_in_public_subnet(look: Look) -> Iterator[Hit]:
    """Databases or caches are in subnets that the internet reaches."""
    outline = look.outline
    for group in outline.of(*_GROUPS):
        for subnet in outline.links(group, "subnets"):
            why = _public(outline, subnet)
            if why:
                # In the default VPC a database without a public address is still not reached.
                level = Level.MEDIUM if subnet.type == "aws.default_subnet" else None
                yield on(group, "subnets", f"{subnet.step.name} {why}", level=level)


@rule(
    "sec.default-network",
    Level.MEDIUM,
    family="exposure",
    source=f"{CONTROLS}/ec2-controls.html#ec2-2",
    hint="name a subnet_group and security_groups of your own",
)
def default_network(look: Look) -> Iterator[Hit]:
    """A database or cache is put into the default VPC, or wears its default security group."""
    for item in look.outline.of("aws.rds_instance", "aws.cache_replication_group"):
        for field, what in (("subnet_group", "subnets"), ("security_groups", "security group")):
            if not item.sets(field):
                yield on(item, "", f"it gets the default {what}")


@rule(
    "sec.bucket-public",
    Level.HIGH,
    family="exposure",
    source=f"{CONTROLS}/s3-controls.html#s3-8",
    hint="block_public_access: true; hand out presigned URLs",
)
def bucket_public(look: Look) -> Iterator[Hit]:
    """A bucket can be made public."""
    for item in look.outline.of("aws.s3_bucket"):
        if item.get("block_public_access") is False:
            yield on(item, "block_public_access", "nothing keeps it from being made public")


@rule(
    "sec.bucket-cors",
    Level.MEDIUM,
    family="exposure",
    source=f"{S3_GUIDE}/ManageCorsUsing.html",
    hint="name the origins",
)
def bucket_cors(look: Look) -> Iterator[Hit]:
    """Browsers let every web page use a bucket."""
    for item in look.outline.of("aws.s3_bucket"):
        for index, entry in _entries(item, "cors"):
            if "*" in (entry.get("allowed_origins") or ()):
                yield at(item, ("cors", index), "every origin is allowed")


@rule(
    "sec.lambda-outside",
    Level.LOW,
    family="exposure",
    source=f"{CONTROLS}/lambda-controls.html#lambda-3",
    hint="subnets and security_groups, where it talks to a database",
)
def lambda_outside(look: Look) -> Iterator[Hit]:
    """A function is in no VPC, so that no network rule holds for it."""
    for item in look.outline.of("aws.lambda_function"):
        if not item.sets("subnets"):
            yield on(item, "", "it is in no VPC")
