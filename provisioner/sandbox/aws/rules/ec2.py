"""EC2: what something else still hangs on cannot be deleted (DependencyViolation)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from provisioner.sandbox.aws.call import AwsError, Call, Reply

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services


def _hangs_on(what: str, users: list[str]) -> AwsError:
    return AwsError("DependencyViolation", f"resource {what} has a dependent object ({', '.join(users[:3])})")


def delete_security_group(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Not while a database, an interface or another group's rule refers to it, and never a VPC's default group."""
    group_id = call.form.get("GroupId", "")
    users = services.users_of_security_group(call.region, group_id)
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        groups = [group for by_id in list(backend.groups.values()) for group in list(by_id.values())]
        if any(g.id == group_id and g.name == "default" for g in groups):
            raise AwsError(
                "CannotDelete", f'the specified group: "{group_id}" name: "default" cannot be deleted by a user'
            )
        users += [f"a rule of {g.id}" for g in groups if g.id != group_id and _refers(g, group_id)]
        users += [f"interface {eni.id}" for eni in backend.enis.values() if group_id in [g.id for g in eni.group_set]]
        if users:
            raise _hangs_on(group_id, users)
        return proceed()


def _refers(group: Any, other: str) -> bool:
    return any(rule.source_group.get("GroupId") == other for rule in [*group.ingress_rules, *group.egress_rules])


def delete_subnet(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Not while a database lives in it or an interface is in it."""
    subnet = call.form.get("SubnetId", "")
    users = services.users_of_subnet(call.region, subnet)
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        users += [f"interface {eni.id}" for eni in backend.enis.values() if getattr(eni.subnet, "id", None) == subnet]
    if users:
        raise _hangs_on(f"subnet '{subnet}'", users)
    return proceed()


def delete_vpc(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Not while it holds a security group of the user's, a gateway or an endpoint (moto itself looks at subnets)."""
    vpc = call.form.get("VpcId", "")
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        users = [g.id for g in backend.groups.get(vpc, {}).values() if g.name != "default"]
        users += [g.id for g in backend.internet_gateways.values() if getattr(g.vpc, "id", None) == vpc]
        users += [e.id for e in backend.vpc_end_points.values() if e.vpc_id == vpc and e.state != "deleted"]
        users += [a.id for a in backend.network_acls.values() if a.vpc_id == vpc and not a.default]
        if users:
            raise AwsError(
                "DependencyViolation", f"The vpc '{vpc}' has dependencies and cannot be deleted: {', '.join(users[:3])}"
            )
        return proceed()
