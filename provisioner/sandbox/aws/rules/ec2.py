"""EC2: what something else still hangs on cannot be deleted (DependencyViolation; like EC2, it does not say what).

And what is pending for a while.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from provisioner.sandbox.aws import endpoints, interfaces, natgateways
from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.rules.ec2subnets import forget_subnet

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services


def _has_dependencies(kind: str, what: str) -> AwsError:
    return AwsError("DependencyViolation", f"The {kind} '{what}' has dependencies and cannot be deleted.")


def with_interfaces(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """What looks at network interfaces sees those of databases and caches too."""
    interfaces.refresh(services, call.region)
    return proceed()


def delete_interface(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Not one that is attached: an instance's, or one that AWS itself made for a database."""
    interfaces.refresh(services, call.region)
    wish = call.form.get("NetworkInterfaceId", "")
    with services.world.moto.lock("ec2"):
        eni = services.world.moto.backend("ec2", call.region).enis.get(wish)
        if eni is not None and (interfaces.managed(eni) or getattr(eni, "instance", None) is not None):
            raise AwsError("InvalidParameterValue", f"Network interface '{wish}' is currently in use.")
        return proceed()


def pending(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """CreateVpc, CreateSubnet: what a fault holds back is pending for as long as it does."""
    if call.held is None:
        return proceed()
    with services.world.moto.lock("ec2"):
        before = {thing.id for thing in _networks(services, call.region)}
        reply = proceed()
        for thing in _networks(services, call.region):
            if thing.id not in before:
                thing.state = "pending"
                services.held[thing.id] = call.held
    return reply


def available(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """DescribeVpcs, DescribeSubnets: what is held back no longer has become available."""
    if services.held:
        with services.world.moto.lock("ec2"):
            for thing in _networks(services, call.region):
                if thing.id in services.held and not services.held[thing.id]():
                    thing.state = "available"
                    del services.held[thing.id]
    return proceed()


def _networks(services: Services, region: str) -> list[Any]:
    backend = services.world.moto.backend("ec2", region)
    return [*backend.vpcs.values(), *(subnet for zone in backend.subnets.values() for subnet in zone.values())]


Rule = Callable[[Call, "Services", Callable[[], Reply]], Reply]


def tagged_as(kind: str, then: Rule | None = None) -> Rule:
    """A rule for what makes something: its tags are for a thing of this kind; ``then`` comes after."""

    def checked(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
        for name, value in call.form.items():
            if name.startswith("TagSpecification.") and name.endswith(".ResourceType") and value != kind:
                raise AwsError(
                    "InvalidParameterValue", f"'{value}' is not a valid taggable resource type for this operation."
                )
        return then(call, services, proceed) if then else proceed()

    return checked


def delete_security_group(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Not while an interface or another group's rule refers to it, and never a VPC's default group."""
    group_id = call.form.get("GroupId", "")
    interfaces.refresh(services, call.region)
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        groups = [group for by_id in list(backend.groups.values()) for group in list(by_id.values())]
        if any(g.id == group_id and g.name == "default" for g in groups):
            raise AwsError(
                "CannotDelete", f'the specified group: "{group_id}" name: "default" cannot be deleted by a user'
            )
        referred = any(g.id != group_id and _refers(g, group_id) for g in groups)
        if referred or any(group_id in [g.id for g in eni.group_set] for eni in backend.enis.values()):
            raise AwsError("DependencyViolation", f"resource {group_id} has a dependent object")
        return proceed()


def _refers(group: Any, other: str) -> bool:
    return any(rule.source_group.get("GroupId") == other for rule in [*group.ingress_rules, *group.egress_rules])


def delete_subnet(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Not while an interface is in it."""
    subnet = call.form.get("SubnetId", "")
    interfaces.refresh(services, call.region)
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        if any(getattr(eni.subnet, "id", None) == subnet for eni in backend.enis.values()):
            raise _has_dependencies("subnet", subnet)
        reply = proceed()
        if subnet not in {thing.id for thing in _networks(services, call.region)}:
            forget_subnet(backend, subnet)
        return reply


def delete_vpc(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Not while it holds a security group of the user's, a gateway or an endpoint (moto itself looks at subnets)."""
    vpc = call.form.get("VpcId", "")
    natgateways.settle(services, call.region)
    endpoints.settle(services, call.region)
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        held = [
            *(g for g in backend.groups.get(vpc, {}).values() if g.name != "default"),
            *(g for g in backend.internet_gateways.values() if getattr(g.vpc, "id", None) == vpc),
            *(e for e in backend.vpc_end_points.values() if e.vpc_id == vpc and e.state != "deleted"),
            *(a for a in backend.network_acls.values() if a.vpc_id == vpc and not a.default),
        ]
        if held:
            raise _has_dependencies("vpc", vpc)
        return proceed()
