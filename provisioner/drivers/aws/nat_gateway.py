"""aws.nat_gateway: the way out for what has no public address, made or adopted (``nat_gateway_id``, ``adopt:
existing``).

AWS lists a gateway for about an hour after it was deleted, and one that could not be made for as long. The former does
not exist any more; the latter shows as failed, with AWS's reason, and is deleted before another is made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import bill_net, thrift
from provisioner.drivers.aws import tags as tagging
from provisioner.drivers.aws.ec2 import Unguarded
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.tags import Tags
from provisioner.model import Key, Observed, Phase

_PHASES: Final = {
    "pending": Phase.PENDING,
    "available": Phase.READY,
    "failed": Phase.FAILED,
    "deleting": Phase.DELETING,
}
_PRECEDENCE: Final = ("available", "pending", "failed", "deleting")
"""Which of several of one step is shown."""
_REMEDIES: Final = {
    "Gateway.NotAttached": "; put the step of the VPC's internet gateway before it, with `after:` on this one",
    "Resource.AlreadyAssociated": "; give it an address that nothing has",
}


def _made_or_named(subnet: str | None, gateway: str | None) -> str | None:
    return None if subnet or gateway else "give subnet_id to make a NAT gateway, or nat_gateway_id to adopt one"


def _addressed(kind: str, allocation: str | None, gateway: str | None) -> str | None:
    if kind == "private":
        return "a private NAT gateway has no public address: leave allocation_id out" if allocation else None
    if allocation is None and gateway is None:
        return "a public NAT gateway needs the allocation_id of an aws.elastic_ip"
    return None


@resource.resource("aws.nat_gateway")
class NatGateway(Unguarded):
    """Lets private subnets ask the internet, and nobody there ask them. Paid for by the hour and by the byte."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A NAT gateway in one zone. All of it but its tags is fixed."""

        subnet_id: (
            Annotated[
                str,
                Meta(
                    description="Id of the subnet that it stands in: a public one, whose VPC has an internet gateway "
                    "already (name its step in `after:`)."
                ),
            ]
            | None
        ) = None
        allocation_id: Annotated[str, Meta(description="Id of the elastic address that it asks from.")] | None = None
        connectivity: Annotated[
            Literal["public", "private"],
            Meta(description="`private` reaches other networks of one's own alone, and has no public address."),
        ] = "public"
        nat_gateway_id: (
            Annotated[
                str,
                Meta(
                    pattern=r"^nat-[0-9a-f]{8,17}$",
                    description="Id of an existing NAT gateway; needs `adopt: existing` on the step.",
                ),
            ]
            | None
        ) = None
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {
        "nat_gateway_id": str, "public_ip": str, "private_ip": str, "subnet_id": str, "vpc_id": str,
    }  # fmt: skip
    charges, savings = staticmethod(bill_net.nat_gateway), staticmethod(thrift.nat_gateway)
    rules = (
        resource.Rule(("subnet_id", "nat_gateway_id"), _made_or_named),
        resource.Rule(("connectivity", "allocation_id", "nat_gateway_id"), _addressed),
    )
    timeout = 900.0
    identity = ("nat_gateway_id",)
    identifier = "nat_gateway_id"
    immutable = frozenset({"subnet_id", "allocation_id", "connectivity", "nat_gateway_id"})
    matches: ClassVar = {"tags": tagging.same_named}
    kind, describe, listed = "natgateway", "describe_nat_gateways", "NatGateways"
    id_field, id_filter, at = "NatGatewayId", "nat-gateway-id", "nat_gateway_id"
    gone = frozenset({"deleted"})

    def rank(self, item: Mapping[str, Any]) -> tuple[int, str]:
        """The living before the dying."""
        return _PRECEDENCE.index(item["State"]), str(item["NatGatewayId"])

    def observe(self, key: Key, found: Mapping[str, Any]) -> Observed:
        """All from the list."""
        marks = tagging.from_list(found.get("Tags"))
        addresses: list[Mapping[str, Any]] = found.get("NatGatewayAddresses") or [{}]
        primary = next((one for one in addresses if one.get("IsPrimary")), addresses[0])
        return Observed(
            phase=_PHASES[found["State"]],
            owner=tagging.owner(marks),
            spec={
                "subnet_id": found.get("SubnetId"),
                "allocation_id": primary.get("AllocationId"),
                "connectivity": found.get("ConnectivityType", "public"),
                "nat_gateway_id": found["NatGatewayId"],
                "tags": tagging.visible(key, marks),
            },
            outputs={
                "nat_gateway_id": found["NatGatewayId"],
                "public_ip": str(primary.get("PublicIp") or ""),
                "private_ip": str(primary.get("PrivateIp") or ""),
                "subnet_id": str(found.get("SubnetId") or ""),  # a regional one, adopted, stands in none
                "vpc_id": found["VpcId"],
            },
            detail=_reason(found),
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Asks for it; whether AWS can make it shows in its state later."""
        self.refuse_named(key)
        self.refuse(key, _made_or_named(spec.subnet_id, spec.nat_gateway_id))
        there = self.existing(key)
        if there is None or there.get("State") in ("failed", "deleting"):
            self.make(
                key,
                "create_nat_gateway",
                "NatGateway",
                spec.tags,
                SubnetId=spec.subnet_id,
                ConnectivityType=spec.connectivity,
                **({"AllocationId": spec.allocation_id} if spec.allocation_id else {}),
            )
        self.finish(key)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sets the tags."""
        self.retag(key, self.found(key), spec.tags if asked(changed, "tags") else None)

    def delete(self, key: Key) -> None:
        """Starts the deletion; the address is free when it is over."""
        self.finish(key)
        for found in self.owned(key):
            if found["State"] != "deleting":
                self.call_gone("delete_nat_gateway", key, NatGatewayId=found["NatGatewayId"])


def _reason(found: Mapping[str, Any]) -> str:
    code = found.get("FailureCode")
    if not code or found["State"] != "failed":
        return str(found["State"])
    return f"{found.get('FailureMessage') or 'no reason given'} [{code}]{_REMEDIES.get(code, '')}"
