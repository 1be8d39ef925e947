"""aws.elastic_ip: a public address that stays, made or adopted (``allocation_id``, ``adopt: existing``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import bill_net, holders
from provisioner.drivers.aws import tags as tagging
from provisioner.drivers.aws.ec2 import Unguarded
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.tags import Tags
from provisioner.model import Key, Observed, Phase


@resource.resource("aws.elastic_ip")
class ElasticIp(Unguarded):
    """A public IPv4 address of one's own, paid for by the hour. Once released it is somebody else's: others that let it
    in must be told its successor."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """An elastic address; there is nothing to choose."""

        allocation_id: (
            Annotated[
                str,
                Meta(
                    pattern=r"^eipalloc-[0-9a-f]{8,17}$",
                    description="Id of an existing address; needs `adopt: existing` on the step.",
                ),
            ]
            | None
        ) = None
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"allocation_id": str, "public_ip": str}
    charges = staticmethod(bill_net.elastic_ip)
    identity = ("allocation_id",)
    identifier = "allocation_id"
    immutable = frozenset({"allocation_id"})
    matches: ClassVar = {"tags": tagging.same_named}
    kind, describe, listed = "elastic-ip", "describe_addresses", "Addresses"
    id_field, id_filter, at = "AllocationId", "allocation-id", "allocation_id"

    def observe(self, key: Key, found: Mapping[str, Any]) -> Observed:
        """All from the list; who uses it is told as the state."""
        marks = tagging.from_list(found.get("Tags"))
        used = found.get("InstanceId") or found.get("NetworkInterfaceId")
        return Observed(
            phase=Phase.READY,
            owner=tagging.owner(marks),
            spec={"allocation_id": found["AllocationId"], "tags": tagging.visible(key, marks)},
            outputs={"allocation_id": found["AllocationId"], "public_ip": found["PublicIp"]},
            detail=f"associated with {used}" if used else "",
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Takes an address out of Amazon's pool."""
        self.refuse_named(key)
        if self.existing(key) is None:
            self.make(key, "allocate_address", "", spec.tags, Domain="vpc")
        self.finish(key)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sets the tags."""
        self.retag(key, self.found(key), spec.tags if asked(changed, "tags") else None)

    def delete(self, key: Key) -> None:
        """Gives it back; InUseError while something has it."""
        self.finish(key)
        for found in self.owned(key):
            self.call_gone("release_address", key, AllocationId=found["AllocationId"])

    def holders(self, key: Key) -> list[resource.Holder]:
        """Who has it."""
        return [holder for found in self.owned(key) for holder in holders.of_address(self.session, key, found)]
