"""Whether a DB proxy gets through to its database, worked out as the proxy itself would find out.

In this order: the database is there and up, the security groups let the proxy's packets out and in, the role can be
assumed and may read a secret and decrypt it, the secret has a user name and a password, and the PostgreSQL behind takes
them: that one is really asked, in the background. What AWS keeps to itself stays in the proxy's log here too, and is
written where DebugLogging is on.

Weakness: network ACLs and routes are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

from provisioner.errors import SandboxError
from provisioner.sandbox.aws.access import Access, Credentials, Refused
from provisioner.sandbox.aws.neighbours import Subnet
from provisioner.sandbox.aws.rds.proxy import Health, Proxy, Target
from provisioner.sandbox.databases.pgproxy import ProxyRules
from provisioner.sandbox.settings import ACCOUNT

if TYPE_CHECKING:
    from provisioner.sandbox.aws.rds.state import Instance, RdsRegion
    from provisioner.sandbox.aws.world import World

EVERY: Final = 0.2
"""Seconds for which a look at a target's health is good."""
_SERVICE: Final = "rds.amazonaws.com"
_UP: Final = ("available", "backing-up", "modifying", "storage-optimization", "rebooting")
_AUTH: Final = "Proxy does not have any registered credentials"
_UNREACHABLE: Final = "DBProxy Target unavailable due to an internal error"
_FAILED: Final = "DBProxy Target is not accepting connections"


@dataclass(frozen=True, slots=True)
class _Question:
    """What a look needs, taken while nothing changes."""

    proxy: str
    arn: str
    region: str
    front: str
    settings: dict[str, Any]
    subnets: list[Subnet]
    database: str
    instance: dict[str, Any] | None
    homes: list[Subnet]


def look(region: RdsRegion, proxy: Proxy) -> None:
    """Begin a look at the target's health, unless one is under way or not long ago. The result shows in the target."""
    target, now = proxy.target, region.world.now()
    if target is None or (target.look is not None and not target.look.done()):
        return
    if target.look is not None and target.looked and now - target.looked < EVERY:
        return
    question = _question(region, proxy, target)
    target.looked = now
    target.look = region.world.jobs.do(proxy.front, lambda: _look(region.world, target, question))


def shut(region: RdsRegion, proxy: Proxy) -> None:
    """Nobody gets through any more."""
    databases = region.world.databases
    region.world.jobs.do(proxy.front, lambda: databases.direct_proxy(proxy.front, "", ProxyRules()))


def _question(region: RdsRegion, proxy: Proxy, target: Target) -> _Question:
    instance = region.instances.get(target.instance)
    alive = instance is not None and instance.database == target.database and instance.status in _UP
    return _Question(
        proxy=proxy.name,
        arn=region.arn("db-proxy", proxy.ident),
        region=region.name,
        front=proxy.front,
        settings=proxy.settings,
        subnets=proxy.subnets,
        database=target.database,
        instance={**instance.settings, "Port": instance.port} if alive and instance else None,
        homes=_homes(region, instance) if alive and instance else [],
    )


def _homes(region: RdsRegion, instance: Instance) -> list[Subnet]:
    """The subnets in which the instance, or its standby after a failover, may be."""
    group = region.subnet_group(instance.settings["DBSubnetGroupName"])
    zone = instance.settings["AvailabilityZone"]
    return [subnet for subnet in group.subnets if instance.settings["MultiAZ"] or subnet.zone == zone]


def _look(world: World, target: Target, question: _Question) -> None:
    found, reasons = _credentials(world, question)
    health = _reached(world, question)
    users = {one.username: token for one, token in found}
    if health is None:
        health, users = _logged_in(world, question, found, reasons)
    rules = ProxyRules(users, question.settings["RequireTLS"], health.state == "AVAILABLE")
    world.databases.direct_proxy(question.front, question.database, rules)
    if health.because and health != target.health and question.settings["DebugLogging"]:
        world.neighbours.log(question.region, f"/aws/rds/proxy/{question.proxy}", question.proxy, health.because)
    target.health = health


def _reached(world: World, question: _Question) -> Health | None:
    """What is wrong with the way to the database, or None."""
    if question.instance is None:
        return Health("UNAVAILABLE", "UNREACHABLE", _UNREACHABLE, "The DB instance is not available.")
    own, theirs = question.settings["VpcSecurityGroupIds"], question.instance["VpcSecurityGroupIds"]
    port, see = question.instance["Port"], world.neighbours
    out = all(
        see.allows(question.region, own, "egress", port, theirs, ip_network(home.cidr)) for home in question.homes
    )
    let_in = all(
        see.allows(question.region, theirs, "ingress", port, own, ip_network(subnet.cidr))
        for subnet in question.subnets
    )
    if out and let_in:
        return None
    side = "the database's do not let the proxy's in" if out else "the proxy's do not let it out"
    return Health("UNAVAILABLE", "UNREACHABLE", _UNREACHABLE, f"Security groups: {side} on TCP port {port}.")


def _credentials(world: World, question: _Question) -> tuple[list[tuple[Credentials, bool]], list[str]]:
    """What the proxy's secrets hold, each with whether its user needs an IAM token; and why others cannot be had."""
    access, role = Access(world.moto), question.settings["RoleArn"]
    context = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": question.arn}
    if not access.assumable(role, _SERVICE, context):
        return [], [f'{_SERVICE} may not assume the IAM role "{role}"']
    found, reasons = [], []
    for one in question.settings["Auth"]:
        try:
            found.append((access.credentials(role, one["SecretArn"]), one["IAMAuth"] == "REQUIRED"))
        except Refused as refused:
            reasons.append(str(refused))
    return found, reasons


def _logged_in(
    world: World, question: _Question, found: list[tuple[Credentials, bool]], reasons: list[str]
) -> tuple[Health, dict[str, bool]]:
    """Whether one of the credentials opens the database, and the users of those that do."""
    users: dict[str, bool] = {}
    wrong = list(reasons)
    for one, token in found:
        try:
            if world.databases.postgres_admits(question.database, *one):
                users[one.username] = token
            else:
                wrong.append(f'password authentication failed for the role "{one.username}"')
        except SandboxError as err:
            return Health("UNAVAILABLE", "CONNECTION_FAILED", _FAILED, err.message), users
    if users:
        return Health("AVAILABLE"), users
    because = f"Credentials couldn't be retrieved or used. {'; '.join(wrong)}"
    return Health("UNAVAILABLE", "AUTH_FAILURE", _AUTH, because), users
