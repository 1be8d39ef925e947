"""aws.default_subnet: the subnet of one zone that AWS made with the default VPC, adopted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from provisioner import charge, resource
from provisioner.drivers.aws.default_network import DefaultNetwork
from provisioner.model import Key, Observed, Phase


def _one(zone: str | None, index: int | None) -> str | None:
    return None if (zone is None) != (index is None) else "give zone_index (0, 1, …) or availability_zone, one of them"


@resource.resource("aws.default_subnet")
class DefaultSubnet(DefaultNetwork):
    """The default VPC's subnet in one zone, a public one. It is never made nor deleted: the step must say ``adopt:
    existing``."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """Which zone's: by name, or by index for plans that move."""

        availability_zone: Annotated[str, Meta(description="Name of the zone.", examples=["us-east-2a"])] | None = None
        zone_index: (
            Annotated[
                int,
                Meta(ge=0, le=15, description="Which of the region's default subnets, sorted by zone, from 0."),
            ]
            | None
        ) = None

    outputs: ClassVar[Mapping[str, type]] = {
        "subnet_id": str, "vpc_id": str, "cidr": str, "availability_zone": str, "arn": str,
    }  # fmt: skip
    charges = staticmethod(charge.nothing)
    rules = (resource.Rule(("availability_zone", "zone_index"), _one),)
    identity = ("availability_zone", "zone_index")
    identifier = "subnet_id"
    noun, describe, listed, filter = "default subnet", "describe_subnets", "Subnets", "default-for-az"
    remedy = "aws ec2 create-default-subnet --availability-zone ZONE"

    def pick(self, key: Key, listed: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """That of the zone, or the one at the index."""
        ordered = sorted(listed, key=lambda item: str(item["AvailabilityZone"]))
        zone, index = key.at.get("availability_zone"), key.at.get("zone_index")
        if zone is not None:
            return next((item for item in ordered if item["AvailabilityZone"] == zone), None)
        place = int(index or 0)
        return ordered[place] if place < len(ordered) else None

    def observe(self, found: Mapping[str, Any]) -> Observed:
        """All from the list. The index is not reported: a region's new zone is no difference."""
        return Observed(
            phase=Phase.READY if found.get("State") == "available" else Phase.PENDING,
            owner=None,
            spec={"availability_zone": found["AvailabilityZone"]},
            outputs={
                "subnet_id": found["SubnetId"],
                "vpc_id": found["VpcId"],
                "cidr": found["CidrBlock"],
                "availability_zone": found["AvailabilityZone"],
                "arn": str(found.get("SubnetArn", "")),
            },
            detail=str(found.get("State", "")),
        )
