"""aws.cache_subnet_group: the subnets that the nodes of a cache may live in."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws.subnet_group import SubnetGroup
from provisioner.drivers.aws.tags import Tags


@resource.resource("aws.cache_subnet_group")
class CacheSubnetGroup(SubnetGroup):
    """Subnets for an ElastiCache replication group; Multi-AZ needs two or more availability zones."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A cache subnet group."""

        name: Annotated[
            Annotated[str, Meta(max_length=255)] | None,
            Meta(description="Name of the group. Left out: deployment-step."),
        ] = None
        subnets: Annotated[list[str], Meta(min_length=1, max_length=20, description="Ids of subnets of one VPC.")]
        description: Annotated[str, Meta(min_length=1, max_length=255, description="What the group is for.")] = (
            "made by provisioner"
        )
        tags: Tags = None

    service = "elasticache"
    name_pattern = r"(?!default$)[a-z][a-z0-9-]{0,254}"
    word = "Cache"
    arn_field = "ARN"
