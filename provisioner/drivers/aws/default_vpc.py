"""aws.default_vpc: the VPC that AWS made with the account, adopted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from provisioner import charge, resource
from provisioner.drivers.aws.default_network import DefaultNetwork
from provisioner.model import Key, Observed, Phase


@resource.resource("aws.default_vpc")
class DefaultVpc(DefaultNetwork):
    """The region's default VPC, whose subnets are public. It is never made nor deleted: the step must say ``adopt:
    existing``."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """Nothing to choose: a region has one, or none."""

    outputs: ClassVar[Mapping[str, type]] = {"vpc_id": str, "cidr": str}
    charges = staticmethod(charge.nothing)
    identifier = "vpc_id"
    noun, describe, listed, filter = "default VPC", "describe_vpcs", "Vpcs", "is-default"
    remedy = "aws ec2 create-default-vpc"

    def pick(self, key: Key, listed: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """The only one."""
        return listed[0] if listed else None

    def observe(self, found: Mapping[str, Any]) -> Observed:
        """All from the list."""
        return Observed(
            phase=Phase.READY if found.get("State") == "available" else Phase.PENDING,
            owner=None,
            outputs={"vpc_id": found["VpcId"], "cidr": found["CidrBlock"]},
            detail=str(found.get("State", "")),
        )
