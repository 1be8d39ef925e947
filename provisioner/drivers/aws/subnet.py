"""aws.subnet: a slice of a VPC in one zone, made, or adopted with ``subnet_id`` and ``adopt: existing``."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from provisioner import charge, resource
from provisioner.drivers.aws import holders
from provisioner.drivers.aws import tags as tagging
from provisioner.drivers.aws.ec2 import INTERFACES_GO, Ec2Object
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.tags import Tags
from provisioner.drivers.aws.vpc import network_problem
from provisioner.errors import InvalidRequestError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright


def _made_or_named(vpc_id: str | None, cidr: str | None, subnet_id: str | None) -> str | None:
    if subnet_id is None and (vpc_id is None or cidr is None):
        return "give vpc_id and cidr to make a subnet, or subnet_id to adopt one"
    return None


def _one_zone(name: str | None, index: int | None) -> str | None:
    given = name is not None and index is not None
    return "give availability_zone or zone_index, not both" if given else None


def _some_zone(name: str | None, index: int | None, subnet_id: str | None) -> str | None:
    if name is None and index is None and subnet_id is None:
        return "give zone_index (0, 1, …) or availability_zone, so that no two subnets share a zone by chance"
    return None


@resource.resource("aws.subnet")
class Subnet(Ec2Object):
    """A range of addresses in one zone. Private unless a route table says otherwise."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A subnet. Its zone is said by name, or by index into the region's zones for plans that move."""

        vpc_id: Annotated[str, Meta(description="Id of the VPC that it is cut from.")] | None = None
        cidr: (
            Annotated[
                str,
                Meta(description="IPv4 network, /16 to /28, inside the VPC's.", examples=["10.0.1.0/24"]),
            ]
            | None
        ) = None
        availability_zone: Annotated[str, Meta(description="Name of the zone.", examples=["us-east-1a"])] | None = None
        zone_index: (
            Annotated[
                int,
                Meta(
                    ge=0,
                    le=15,
                    description="Which of the region's zones, sorted by name, from 0; chosen once.",
                ),
            ]
            | None
        ) = None
        subnet_id: (
            Annotated[
                str,
                Meta(
                    pattern=r"^subnet-[0-9a-f]{8,17}$",
                    description="Id of an existing subnet; needs `adopt: existing` on the step.",
                ),
            ]
            | None
        ) = None
        map_public_ip: (
            Annotated[
                bool,
                Meta(description="Give every instance a public address. A subnet that is made does not."),
            ]
            | None
        ) = None
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {
        "subnet_id": str, "vpc_id": str, "cidr": str, "availability_zone": str, "arn": str,
    }  # fmt: skip
    charges = staticmethod(charge.nothing)
    rules = (
        resource.Rule(("vpc_id", "cidr", "subnet_id"), _made_or_named),
        resource.Rule(("cidr",), network_problem),
        resource.Rule(("availability_zone", "zone_index"), _one_zone),
        resource.Rule(("availability_zone", "zone_index", "subnet_id"), _some_zone),
    )
    identity = ("subnet_id",)
    identifier = "subnet_id"
    immutable = frozenset({"vpc_id", "cidr", "availability_zone", "zone_index", "subnet_id"})
    matches: ClassVar = {"tags": tagging.same_named}
    going = INTERFACES_GO
    kind, describe, listed = "subnet", "describe_subnets", "Subnets"
    id_field, id_filter, at = "SubnetId", "subnet-id", "subnet_id"

    def observe(self, key: Key, found: Mapping[str, Any]) -> Observed:
        """All from the list. ``zone_index`` is not reported: a region's new zone must not move old
        subnets."""
        marks = tagging.from_list(found.get("Tags"))
        return Observed(
            phase=Phase.READY if found.get("State") == "available" else Phase.PENDING,
            owner=tagging.owner(marks),
            spec={
                "vpc_id": found["VpcId"],
                "cidr": found["CidrBlock"],
                "availability_zone": found["AvailabilityZone"],
                "subnet_id": found["SubnetId"],
                "map_public_ip": bool(found.get("MapPublicIpOnLaunch")),
                "tags": tagging.visible(key, marks),
            },
            outputs={
                "subnet_id": found["SubnetId"],
                "vpc_id": found["VpcId"],
                "cidr": found["CidrBlock"],
                "availability_zone": found["AvailabilityZone"],
                "arn": str(found.get("SubnetArn", "")),
            },
            detail=str(found.get("State", "")),
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the subnet; a second one cannot be made, its addresses are taken."""
        self.refuse_named(key)
        self.refuse(key, _made_or_named(spec.vpc_id, spec.cidr, spec.subnet_id))
        self.refuse(key, _some_zone(spec.availability_zone, spec.zone_index, spec.subnet_id))
        number = self.begun(key)
        if number is None:
            with outright():
                answer = self.call(
                    "create_subnet",
                    key,
                    VpcId=spec.vpc_id,
                    CidrBlock=spec.cidr,
                    AvailabilityZone=spec.availability_zone or self._zone(key, spec.zone_index or 0),
                    TagSpecifications=self.tag_specification(key, spec.tags),
                )
            number = self.begin(key, answer["Subnet"]["SubnetId"])
        if spec.map_public_ip:
            self._map_public_ip(key, number, True)
        self.finish(key)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sets the public-address switch and the tags."""
        found = self.found(key)
        public = asked(changed, "map_public_ip")
        if public and spec.map_public_ip is not None and spec.map_public_ip != found.get("MapPublicIpOnLaunch"):
            self._map_public_ip(key, found["SubnetId"], spec.map_public_ip)
        self.retag(key, found, spec.tags if asked(changed, "tags") else None)

    def delete(self, key: Key) -> None:
        """Deletes it; InUseError while a network interface is in it."""
        self.finish(key)
        for found in self.owned(key):
            self.call_gone("delete_subnet", key, SubnetId=found["SubnetId"])

    def holders(self, key: Key) -> list[resource.Holder]:
        """Who is in it."""
        return [h for found in self.owned(key) for h in holders.of_subnet(self.session, key, found["SubnetId"])]

    def _map_public_ip(self, key: Key, subnet: str, value: bool) -> None:
        self.call("modify_subnet_attribute", key, SubnetId=subnet, MapPublicIpOnLaunch={"Value": value})

    def _zone(self, key: Key, index: int) -> str:
        known = self.session.memory("ec2 zones").setdefault(key.region, {"lock": threading.Lock()})
        with known["lock"]:  # subnets are made side by side, and all want to know the same
            if "zones" not in known:
                known["zones"] = self.call("describe_availability_zones", key)["AvailabilityZones"]
        zones = sorted(
            zone["ZoneName"]
            for zone in known["zones"]
            if zone.get("State") == "available" and zone.get("ZoneType", "availability-zone") == "availability-zone"
        )
        if index >= len(zones):
            raise InvalidRequestError(
                f"zone_index {index}: the region has the zones {', '.join(zones)}",
                where=f"aws.subnet {key.step}",
                hint="indexes count from 0; choose a lower one or another region",
            )
        return str(zones[index])
