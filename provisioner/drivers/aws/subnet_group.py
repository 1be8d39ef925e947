"""What DB and cache subnet groups share: one API in two vocabularies (``DBSubnetGroupName``,
``CacheSubnetGroupName``)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from provisioner.drivers.aws import arn_tags, same, tagged, tags
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.named_group import NamedGroup
from provisioner.errors import NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright


class SubnetGroup(NamedGroup):
    """A named set of subnets of one VPC. Subclasses give the service's words and the Spec."""

    kind = "Subnet"

    outputs: ClassVar[Mapping[str, type]] = {"name": str, "arn": str, "vpc_id": str}
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {"subnets": same.as_set, "tags": tags.same}
    immutable = frozenset({"name"})

    def create(self, key: Key, spec: Any) -> None:
        """Makes the group with its tags."""
        marks = tags.wanted(key, spec.tags)
        with outright():
            made = self._call("create_{}_subnet_group", key, **self._body(spec), Tags=tags.to_list(marks))
        tagged.born(self.session, made[f"{self.word}SubnetGroup"][self.arn_field], marks)

    def update(self, key: Key, spec: Any, changed: Collection[str] = ()) -> None:
        """Sets subnets and description in one call, then the tags."""
        if asked(changed, "subnets", "description"):
            body = self._body(spec)
            if not asked(changed, "description"):
                del body[f"{self.word}SubnetGroupDescription"]
            self._call("modify_{}_subnet_group", key, **body)
        if spec.tags is not None and asked(changed, "tags"):
            group = self._call("describe_{}_subnet_groups", key)[f"{self.word}SubnetGroups"][0]
            arn_tags.write(self.session, self.service, group[self.arn_field], key, spec.tags)

    def delete(self, key: Key) -> None:
        """Deletes the group; InUseError while something lives in it."""
        with suppress(NotFoundError):
            self._call("delete_{}_subnet_group", key)

    def _body(self, spec: Any) -> dict[str, Any]:
        return {
            f"{self.word}SubnetGroupDescription": spec.description,
            "SubnetIds": sorted(set(spec.subnets)),
        }

    def _seen(self, key: Key, group: Mapping[str, Any]) -> Observed:
        arn = group[self.arn_field]
        seen = arn_tags.known(self.session, self.service, arn, key)
        return Observed(
            phase=Phase.READY,
            owner=tags.owner(seen),
            spec={
                "subnets": sorted(subnet["SubnetIdentifier"] for subnet in group["Subnets"]),
                "description": group[f"{self.word}SubnetGroupDescription"],
                "tags": tags.visible(key, seen),
            },
            outputs={"name": group[f"{self.word}SubnetGroupName"], "arn": arn, "vpc_id": group["VpcId"]},
            detail=str(group.get("SubnetGroupStatus", "")),
        )
