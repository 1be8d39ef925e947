"""aws.internet_gateway: a VPC's door to the internet, made and attached, or adopted (``internet_gateway_id``, ``adopt:
existing``)."""

from __future__ import annotations

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


def _made_or_named(vpc_id: str | None, gateway: str | None) -> str | None:
    return None if vpc_id or gateway else "give vpc_id to make a gateway, or internet_gateway_id to adopt one"


@resource.resource("aws.internet_gateway")
class InternetGateway(Unguarded):
    """The way between a VPC and the internet for what has a public address and a route there; a VPC has one at most."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """An internet gateway."""

        vpc_id: Annotated[str, Meta(description="Id of the VPC that it is attached to.")] | None = None
        internet_gateway_id: (
            Annotated[
                str,
                Meta(
                    pattern=r"^igw-[0-9a-f]{8,17}$",
                    description="Id of an existing gateway; needs `adopt: existing` on the step.",
                ),
            ]
            | None
        ) = None
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"internet_gateway_id": str, "vpc_id": str}
    charges = staticmethod(charge.nothing)
    rules = (resource.Rule(("vpc_id", "internet_gateway_id"), _made_or_named),)
    identity = ("internet_gateway_id",)
    identifier = "internet_gateway_id"
    immutable = frozenset({"internet_gateway_id"})
    matches: ClassVar = {"tags": tagging.same_named}
    kind, describe, listed = "internet-gateway", "describe_internet_gateways", "InternetGateways"
    id_field, id_filter, at = "InternetGatewayId", "internet-gateway-id", "internet_gateway_id"

    def observe(self, key: Key, found: Mapping[str, Any]) -> Observed:
        """All from the list. One that is attached to nothing shows no VPC, so that an update attaches it."""
        marks = tagging.from_list(found.get("Tags"))
        link = _attachment(found)
        moving = link.get("State") in ("attaching", "detaching")
        return Observed(
            phase=Phase.PENDING if moving else Phase.READY,
            owner=tagging.owner(marks),
            spec={
                "vpc_id": link.get("VpcId"),
                "internet_gateway_id": found["InternetGatewayId"],
                "tags": tagging.visible(key, marks),
            },
            outputs={"internet_gateway_id": found["InternetGatewayId"], "vpc_id": str(link.get("VpcId") or "")},
            detail=str(link.get("State") or "detached"),
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes it, then attaches it."""
        self.refuse_named(key)
        self.refuse(key, _made_or_named(spec.vpc_id, spec.internet_gateway_id))
        found = self.existing(key)
        if found is None:
            found = self.make(key, "create_internet_gateway", "InternetGateway", spec.tags)
        self._attach(key, found, spec.vpc_id)
        self.finish(key)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Moves it to the VPC of the plan, and sets the tags."""
        found = self.found(key)
        if asked(changed, "vpc_id"):
            self._attach(key, found, spec.vpc_id)
        self.retag(key, found, spec.tags if asked(changed, "tags") else None)

    def delete(self, key: Key) -> None:
        """Detaches and deletes it; InUseError while something in the VPC has a public address."""
        self.finish(key)
        for found in self.owned(key):
            self._detach(key, found)
            self.call_gone("delete_internet_gateway", key, InternetGatewayId=found["InternetGatewayId"])

    def holders(self, key: Key) -> list[resource.Holder]:
        """What in its VPC has a public address."""
        vpcs = [link["VpcId"] for found in self.owned(key) if (link := _attachment(found))]
        return [holder for vpc in vpcs for holder in holders.of_internet_gateway(self.session, key, vpc)]

    def _attach(self, key: Key, found: Mapping[str, Any], vpc: str | None) -> None:
        if vpc is None or _attachment(found).get("VpcId") == vpc:
            return
        self._detach(key, found)
        self.call("attach_internet_gateway", key, InternetGatewayId=found["InternetGatewayId"], VpcId=vpc)

    def _detach(self, key: Key, found: Mapping[str, Any]) -> None:
        vpc = _attachment(found).get("VpcId")
        if vpc:
            number = found["InternetGatewayId"]
            self.call_gone("detach_internet_gateway", key, InternetGatewayId=number, VpcId=vpc)


def _attachment(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one place that it is attached to, or nothing."""
    links = [link for link in found.get("Attachments") or () if link.get("State") != "detached"]
    return links[0] if links else {}
