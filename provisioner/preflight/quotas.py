"""How much the account may have. The cloud is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provisioner.preflight.book import AWS, rule
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level

_QUOTAS: Final = {
    "DBInstances": ("aws.rds_instance", "aws.rds_read_replica"),
    "DBParameterGroups": ("aws.db_parameter_group",),
    "DBSubnetGroups": ("aws.db_subnet_group",),
    "EventSubscriptions": ("aws.rds_event_subscription",),
    "VPCs": ("aws.vpc",),
    "Security groups": ("aws.security_group",),
    "Elastic IPs": ("aws.elastic_ip",),
    "NAT gateways": ("aws.nat_gateway",),
}
"""The quota's name → what counts against it."""


def _short(look: Look, service: str) -> Iterator[Hit]:
    wanted = {
        name: [item for item in look.outline.of(*types) if look.made(item.step.name) and not item.step.adopt]
        for name, types in _QUOTAS.items()
    }
    for quota in look.survey.quotas(service):
        made = wanted.get(quota.what, [])
        if made and quota.used + len(made) > quota.most:
            code = f" ({quota.code})" if quota.code else ""
            message = f"{quota.what}: {quota.used} of {quota.most} are used, and this makes {len(made)}"
            yield Hit(made[0], (), message, f"ask for more in Service Quotas{code}, or delete what is not used")


@rule(
    "quota.rds",
    Level.ERROR,
    online=True,
    hint="ask for more in Service Quotas",
    source=f"{AWS}/AmazonRDS/latest/APIReference/API_DescribeAccountAttributes.html",
)
def rds(look: Look) -> Iterator[Hit]:
    """The account may not have so many databases, parameter groups or subnet groups."""
    if any(look.outline.of(*_QUOTAS["DBInstances"])):
        yield from _short(look, "rds")


@rule(
    "quota.storage",
    Level.ERROR,
    online=True,
    hint="ask for more in Service Quotas",
    source=f"{AWS}/AmazonRDS/latest/APIReference/API_DescribeAccountAttributes.html",
)
def storage(look: Look) -> Iterator[Hit]:
    """The account may not have so much database storage."""
    new = [item for item in look.outline.of("aws.rds_instance") if look.made(item.step.name)]
    wanted = sum(item.get("allocated_storage", 0) for item in new)
    for quota in look.survey.quotas("rds") if new else ():
        if quota.what == "AllocatedStorage" and quota.used + wanted > quota.most:
            yield Hit(new[0], ("allocated_storage",), f"{quota.used} of {quota.most} GiB are used, this takes {wanted}")


@rule(
    "quota.network",
    Level.ERROR,
    online=True,
    hint="ask for more in Service Quotas",
    source=f"{AWS}/vpc/latest/userguide/amazon-vpc-limits.html",
)
def network(look: Look) -> Iterator[Hit]:
    """The account may not have so many VPCs, security groups, addresses or gateways."""
    types = [name for quota in ("VPCs", "Security groups", "Elastic IPs", "NAT gateways") for name in _QUOTAS[quota]]
    if any(look.made(item.step.name) for item in look.outline.of(*types)):
        yield from _short(look, "network")
