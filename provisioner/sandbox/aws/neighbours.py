"""Questions that RDS and ElastiCache ask about objects of other services: does this subnet, key, role, topic exist?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Literal

from provisioner.sandbox.aws.moto_app import Moto


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet as far as subnet groups care."""

    id: str
    vpc: str
    zone: str
    cidr: str


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group as far as databases care."""

    id: str
    vpc: str


@dataclass(frozen=True, slots=True)
class Key:
    """A KMS key. ``state``: Enabled, Disabled, PendingDeletion, …"""

    arn: str
    state: str


class Neighbours:
    """A view of moto's objects that changes nothing but where a method says so."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto

    def subnet(self, region: str, subnet_id: str) -> Subnet | None:
        """The subnet with this id."""
        with self._moto.lock("ec2"):
            for zone in list(self._moto.backend("ec2", region).subnets.values()):
                if subnet_id in zone:
                    return _subnet(zone[subnet_id])
        return None

    def default_subnets(self, region: str) -> list[Subnet]:
        """The subnets of the default VPC."""
        with self._moto.lock("ec2"):
            backend = self._moto.backend("ec2", region)
            found = [s for zone in backend.subnets.values() for s in zone.values()]
            return [_subnet(s) for s in found if s.vpc_id == getattr(backend.default_vpc, "id", None)]

    def security_group(self, region: str, group_id: str) -> SecurityGroup | None:
        """The security group with this id."""
        with self._moto.lock("ec2"):
            for groups in self._moto.backend("ec2", region).groups.values():
                if group_id in groups:
                    return SecurityGroup(group_id, str(groups[group_id].vpc_id))
        return None

    def default_security_group(self, region: str, vpc: str) -> str:
        """The id of a VPC's default security group."""
        with self._moto.lock("ec2"):
            groups: dict[str, Any] = self._moto.backend("ec2", region).groups.get(vpc, {})
            return next((g.id for g in groups.values() if g.name == "default"), "")

    def allows(
        self,
        region: str,
        groups: list[str],
        direction: Literal["ingress", "egress"],
        port: int,
        peers: list[str],
        network: IPv4Network | IPv6Network,
    ) -> bool:
        """Whether a rule of the groups lets TCP through to ``port``, for who wears one of ``peers`` in ``network``."""
        with self._moto.lock("ec2"):
            homes = list(self._moto.backend("ec2", region).groups.values())
            found = [home[group] for home in homes for group in groups if group in home]
            rules = [rule for group in found for rule in getattr(group, f"{direction}_rules")]
            return any(_covers(rule, port, peers, network) for rule in rules)

    def zones(self, region: str) -> list[str]:
        """The availability zones of a region."""
        with self._moto.lock("ec2"):
            return [z.name for z in self._moto.backend("ec2", region).describe_availability_zones()]

    def key(self, region: str, name: str) -> Key | None:
        """The KMS key with this id, ARN, alias or alias ARN."""
        with self._moto.lock("kms"):
            backend = self._moto.backend("kms", region)
            plain = name.rpartition(":")[2] if name.startswith("arn:") else name
            for key in list(backend.keys.values()):
                if plain.removeprefix("key/") == key.id or plain in [a.alias_name for a in key.aliases.values()]:
                    return Key(key.arn, key.key_state)
        return None

    def role_exists(self, arn: str) -> bool:
        """Whether there is an IAM role with this ARN."""
        with self._moto.lock("iam"):
            return any(role.arn == arn for role in self._moto.backend("iam", "aws").roles.values())

    def topic_exists(self, arn: str) -> bool:
        """Whether there is an SNS topic with this ARN."""
        region = arn.split(":")[3] if arn.count(":") >= 5 else ""
        if not region:
            return False
        with self._moto.lock("sns"):
            return arn in self._moto.backend("sns", region).topics

    def publish(self, arn: str, subject: str, message: str) -> None:
        """Send a message to a topic, where it exists."""
        with self._moto.lock("sns"):
            topic = self._moto.backend("sns", arn.split(":")[3]).topics.get(arn)
        if topic is not None:
            topic.publish(message, subject=subject)

    def ensure_log_group(self, region: str, name: str) -> None:
        """Make the log group, without retention, unless it exists."""
        with self._moto.lock("logs"):
            self._moto.backend("logs", region).ensure_log_group(name)

    def log(self, region: str, group: str, stream: str, message: str) -> None:
        """Write a line to a log group, which is made where it does not exist."""
        event = {"timestamp": int(time.time() * 1000), "message": message}
        with self._moto.lock("logs"):
            backend = self._moto.backend("logs", region)
            backend.ensure_log_group(group)
            if stream not in backend.groups[group].streams:
                backend.create_log_stream(group, stream)
            backend.put_log_events(group, stream, [event])


def _covers(rule: Any, port: int, peers: list[str], network: IPv4Network | IPv6Network) -> bool:
    """Whether one of moto's rules is about this port and this peer."""
    if rule.ip_protocol not in ("-1", "tcp", "6"):
        return False
    if rule.ip_protocol != "-1" and not int(rule.from_port or 0) <= port <= int(rule.to_port or 0):
        return False
    if rule.source_group:
        return rule.source_group.get("GroupId") in peers
    cidr = rule.ip_range.get("CidrIp") or rule.ip_range.get("CidrIpv6")
    if not cidr:
        return False
    allowed = ip_network(cidr)
    return allowed.version == network.version and bool(
        allowed.supernet_of(network)  # type: ignore[arg-type]
    )


def _subnet(subnet: Any) -> Subnet:
    return Subnet(subnet.id, subnet.vpc_id, subnet.availability_zone, subnet.cidr_block)
