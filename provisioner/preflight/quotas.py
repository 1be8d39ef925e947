"""How much the account may have. The cloud is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from provisioner.preflight.book import AWS, rule
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level

_RDS: Final = {
    "DBInstances": ("aws.rds_instance", "aws.rds_read_replica"),
    "DBParameterGroups": ("aws.db_parameter_group",),
    "DBSubnetGroups": ("aws.db_subnet_group",),
    "EventSubscriptions": ("aws.rds_event_subscription",),
}
_NETWORK: Final = {
    "VPCs": ("aws.vpc",),
    "Security groups": ("aws.security_group",),
    "Elastic IPs": ("aws.elastic_ip",),
    "Internet gateways": ("aws.internet_gateway",),
    "Network ACLs": ("aws.network_acl",),
}
"""The quota's name → what counts against it."""


def _short(look: Look, service: str, counted: Mapping[str, Sequence[str]]) -> Iterator[Hit]:
    wanted = {
        name: [item for item in look.outline.of(*types) if look.made(item.step.name) and not item.step.adopt]
        for name, types in counted.items()
    }
    asked = [name for name, made in wanted.items() if made]
    for quota in look.survey.quotas(service, asked) if asked else ():
        made = wanted[quota.what]
        if quota.used + len(made) > quota.most:
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
    yield from _short(look, "rds", _RDS)


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
    for quota in look.survey.quotas("rds", ["AllocatedStorage"]) if new else ():
        if quota.used + wanted > quota.most:
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
    yield from _short(look, "network", _NETWORK)
