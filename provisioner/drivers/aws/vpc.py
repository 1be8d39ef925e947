"""aws.vpc: a virtual private cloud, made or adopted.

Made: ``with: {cidr: 10.0.0.0/16}``. Adopted: ``with: {vpc_id: vpc-…}`` and ``adopt: existing`` on the step.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from provisioner import charge, resource
from provisioner.drivers.aws import holders
from provisioner.drivers.aws import tags as tagging
from provisioner.drivers.aws.ec2 import Unguarded
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.tags import Tags
from provisioner.model import Key, Observed, Phase

_LARGEST, _SMALLEST = 16, 28
"""AWS takes networks of /16 to /28, for VPCs and for subnets."""


def network_problem(cidr: str | None) -> str | None:
    """What AWS would have against an IPv4 network of a VPC or subnet."""
    if cidr is None:
        return None
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as err:
        return f"{cidr!r} is not an IPv4 network: {err}"
    if not _LARGEST <= network.prefixlen <= _SMALLEST:
        return f"{cidr} is a /{network.prefixlen}; AWS takes /{_LARGEST} to /{_SMALLEST}"
    return None


def _made_or_named(cidr: str | None, vpc_id: str | None) -> str | None:
    return None if cidr or vpc_id else "give cidr to make a VPC, or vpc_id to adopt one"


@resource.resource("aws.vpc")
class Vpc(Unguarded):
    """A private network of its own, without a way in or out until something gives it one."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A VPC. A field that is left out of an adopted VPC stays as it is."""

        cidr: (
            Annotated[
                str,
                Meta(description="IPv4 network, /16 to /28; fixed for good.", examples=["10.0.0.0/16"]),
            ]
            | None
        ) = None
        vpc_id: (
            Annotated[
                str,
                Meta(
                    pattern=r"^vpc-[0-9a-f]{8,17}$",
                    description="Id of an existing VPC; needs `adopt: existing` on the step.",
                    examples=["vpc-0a1b2c3d4e5f67890"],
                ),
            ]
            | None
        ) = None
        dns_support: (
            Annotated[
                bool,
                Meta(description="Resolve names through Amazon's DNS. Left out: on in a VPC that is made."),
            ]
            | None
        ) = None
        dns_hostnames: (
            Annotated[bool, Meta(description="Give instances DNS names. Left out: on in a VPC that is made.")] | None
        ) = None
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"vpc_id": str, "cidr": str}
    charges = staticmethod(charge.nothing)
    rules = (
        resource.Rule(("cidr",), network_problem),
        resource.Rule(("cidr", "vpc_id"), _made_or_named),
        resource.Rule(
            ("dns_support", "dns_hostnames"),
            lambda support, names: "dns_hostnames needs dns_support" if names and support is False else None,
        ),
    )
    identity = ("vpc_id",)
    identifier = "vpc_id"
    immutable = frozenset({"cidr", "vpc_id"})
    matches: ClassVar = {"tags": tagging.same_named}
    kind, describe, listed = "vpc", "describe_vpcs", "Vpcs"
    id_field, id_filter, at = "VpcId", "vpc-id", "vpc_id"

    def observe(self, key: Key, found: Mapping[str, Any]) -> Observed:
        """A call more for each DNS switch that the plan manages: they are not in the list."""
        marks = tagging.from_list(found.get("Tags"))
        switches = {"dns_support": "enableDnsSupport", "dns_hostnames": "enableDnsHostnames"}
        managed = {field: name for field, name in switches.items() if self.session.manages(key.owner, field)}
        return Observed(
            phase=Phase.READY if found.get("State") == "available" else Phase.PENDING,
            owner=tagging.owner(marks),
            spec={
                "cidr": found["CidrBlock"],
                "vpc_id": found["VpcId"],
                **{field: self._attribute(key, found, name) for field, name in managed.items()},
                "tags": tagging.visible(key, marks),
            },
            outputs={"vpc_id": found["VpcId"], "cidr": found["CidrBlock"]},
            detail=str(found.get("State", "")),
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the VPC, then sets the switches; a read shows a switch that is still missing."""
        self.refuse_named(key)
        self.refuse(key, _made_or_named(spec.cidr, spec.vpc_id))
        existing = self.existing(key)
        if existing is None:
            existing = self.make(key, "create_vpc", "Vpc", spec.tags, CidrBlock=spec.cidr)
        # A new VPC resolves names already.
        self._switch(key, existing["VpcId"], spec.dns_support, spec.dns_hostnames is not False)
        self.finish(key)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sets the switches that the plan names, and the tags."""
        found = self.found(key)
        support = spec.dns_support if asked(changed, "dns_support") else None
        names = spec.dns_hostnames if asked(changed, "dns_hostnames") else None
        self._switch(key, found["VpcId"], support, names)
        self.retag(key, found, spec.tags if asked(changed, "tags") else None)

    def delete(self, key: Key) -> None:
        """Deletes it with its default group, table and list; InUseError while anything else is in it."""
        self.finish(key)
        for found in self.owned(key):
            self.call_gone("delete_vpc", key, VpcId=found["VpcId"])

    def holders(self, key: Key) -> list[resource.Holder]:
        """What is still in it."""
        return [h for found in self.owned(key) for h in holders.of_vpc(self.session, key, found["VpcId"])]

    def _switch(self, key: Key, vpc: str, support: bool | None, names: bool | None) -> None:
        # One switch a call, and in this order on the way up: host names need the server.
        switches = [("EnableDnsSupport", support), ("EnableDnsHostnames", names)]
        for switch, value in switches if support is not False else reversed(switches):
            if value is not None:
                self.call("modify_vpc_attribute", key, VpcId=vpc, **{switch: {"Value": value}})

    def _attribute(self, key: Key, found: Mapping[str, Any], name: str) -> bool:
        answer = self.call("describe_vpc_attribute", key, VpcId=found["VpcId"], Attribute=name)
        return bool(answer[name[0].upper() + name[1:]]["Value"])
