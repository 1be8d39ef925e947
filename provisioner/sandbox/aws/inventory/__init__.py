"""Every object that somebody made in the control plane: what is left when a deployment should have left nothing.

``inventory`` asks one collector a service: ``ours`` for RDS and ElastiCache, ``network`` for EC2, ``platform`` for the
rest that a database layer uses, and ``unknown`` for any other service of moto that was called, where it lists whatever
its backend keeps. Objects that every account has from the start, or that come and go with another one, are left out:
the default VPC and what belongs to it, main route tables, default groups of every kind, AWS's own keys and policies.

Weakness: an object's ``owner`` is known only where the object, or for subscriptions and aliases the object that they
belong to, carries the ownership tag; in a service that only ``unknown`` knows it is always null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.inventory import network, ours, platform, unknown
from provisioner.sandbox.aws.inventory.item import Item

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_COLLECTORS: Final[dict[str, Callable[[Any, bool], Iterable[Item]]]] = {
    "ec2": network.collect,
    "kms": platform.kms,
    "iam": platform.iam,
    "secretsmanager": platform.secretsmanager,
    "s3": platform.s3,
    "sns": platform.sns,
    "logs": platform.logs,
    "cloudwatch": platform.cloudwatch,
    "budgets": platform.budgets,
    "sqs": platform.sqs,
    "events": platform.events,
    "sts": lambda backend, everything: [],
}


def inventory(services: Services, *, everything: bool) -> list[dict[str, Any]]:
    """``{"cloud", "service", "type", "id", "name", "owner"}`` of every object, sorted by service, type and id.

    ``everything``: also what is scheduled for deletion and cannot be used any more.
    """
    items = [*ours.collect(services)]
    moto = services.world.moto
    for service in moto.used():
        collector = _COLLECTORS.get(service, lambda backend, everything, name=service: unknown.collect(name, backend))
        with moto.lock(service):
            for region in moto.regions(service):
                items.extend(collector(moto.backend(service, region), everything))
    return [item.to_json() for item in sorted(set(items))]
