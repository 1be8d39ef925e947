"""aws.db_subnet_group: the subnets that a database instance may live in."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws.subnet_group import SubnetGroup
from provisioner.drivers.aws.tags import Tags


@resource.resource("aws.db_subnet_group")
class DbSubnetGroup(SubnetGroup):
    """Subnets in two or more availability zones, so that a standby can take over in another one."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A DB subnet group. AWS refuses subnets that lie in one availability zone only."""

        name: Annotated[
            Annotated[str, Meta(max_length=255)] | None,
            Meta(description="Name of the group. Left out: deployment-step."),
        ] = None
        subnets: Annotated[
            list[str],
            Meta(min_length=2, max_length=20, description="Ids of subnets of one VPC, in two or more zones."),
        ]
        description: Annotated[str, Meta(min_length=1, max_length=255, description="What the group is for.")] = (
            "made by provisioner"
        )
        tags: Tags = None

    service = "rds"
    name_pattern = r"(?!default$)[a-z][a-z0-9._ -]{0,254}"
    word = "DB"
    arn_field = "DBSubnetGroupArn"
