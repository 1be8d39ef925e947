"""aws.security_group: a set of firewall rules as one object, made or adopted (``group_id``, ``adopt:
existing``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from provisioner import charge, resource
from provisioner.drivers.aws import holders, traffic
from provisioner.drivers.aws import tags as tagging
from provisioner.drivers.aws.ec2 import INTERFACES_GO, Ec2Object
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.tags import Tags
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright

_TEXT = r"^[a-zA-Z0-9. _:/()#,@\[\]+=&;{}!$*-]*$"


@resource.resource("aws.security_group")
class SecurityGroup(Ec2Object):
    """A stateful firewall for whatever wears it. What no rule allows is refused."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A security group with all its rules. Rules that are left out (not empty) are not managed."""

        name: (
            Annotated[
                str,
                Meta(
                    max_length=255,
                    pattern=_TEXT,
                    description="Name in its VPC; left out: deployment-step. Fixed.",
                ),
            ]
            | None
        ) = None
        description: (
            Annotated[
                str,
                Meta(min_length=1, max_length=255, pattern=_TEXT, description="What it is for; fixed."),
            ]
            | None
        ) = None
        vpc_id: Annotated[str, Meta(description="Id of its VPC; left out: the region's default VPC. Fixed.")] | None = (
            None
        )
        group_id: (
            Annotated[
                str,
                Meta(
                    pattern=r"^sg-[0-9a-f]{8,17}$",
                    description="Id of an existing group; needs `adopt: existing` on the step.",
                ),
            ]
            | None
        ) = None
        ingress: (
            Annotated[
                list[traffic.TrafficRule],
                Meta(
                    max_length=60,
                    description="What may come in. Left out of a group that is made: nothing may.",
                ),
            ]
            | None
        ) = None
        egress: (
            Annotated[
                list[traffic.TrafficRule],
                Meta(
                    max_length=60,
                    description="What may go out; [] is nothing. Left out: AWS's default, everything.",
                ),
            ]
            | None
        ) = None
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"group_id": str, "name": str, "vpc_id": str, "arn": str}
    charges = staticmethod(charge.nothing)
    rules = (
        resource.Rule(("ingress",), traffic.problem),
        resource.Rule(("egress",), traffic.problem),
    )
    name_pattern = r"(?!sg-|default$)[a-zA-Z0-9. _:/()#,@\[\]+=&;{}!$*-]{1,255}"
    identity = ("group_id",)
    identifier = "group_id"
    immutable = frozenset({"name", "description", "vpc_id", "group_id"})
    matches: ClassVar = {"tags": tagging.same_named, "ingress": traffic.same, "egress": traffic.same}
    going = INTERFACES_GO
    kind, describe, listed = "security-group", "describe_security_groups", "SecurityGroups"
    id_field, id_filter, at = "GroupId", "group-id", "group_id"

    def observe(self, key: Key, found: Mapping[str, Any]) -> Observed:
        """All from the list."""
        marks = tagging.from_list(found.get("Tags"))
        seen = _flows(found)
        return Observed(
            phase=Phase.READY,
            owner=tagging.owner(marks),
            spec={
                "name": found["GroupName"],
                "description": found["Description"],
                "vpc_id": found["VpcId"],
                "group_id": found["GroupId"],
                "ingress": traffic.to_plan(seen["ingress"]),
                "egress": traffic.to_plan(seen["egress"]),
                "tags": tagging.visible(key, marks),
            },
            outputs={
                "group_id": found["GroupId"],
                "name": found["GroupName"],
                "vpc_id": found["VpcId"],
                "arn": str(found.get("SecurityGroupArn", "")),
            },
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the group, then its rules; a read shows rules that are still missing."""
        self.refuse_named(key)
        begun = self.begun(key)
        if begun is None:
            with outright():
                answer = self.call(
                    "create_security_group",
                    key,
                    GroupName=key.name,
                    Description=spec.description or f"made by provisioner for {key.owner}",
                    TagSpecifications=self.tag_specification(key, spec.tags),
                    **({"VpcId": spec.vpc_id} if spec.vpc_id else {}),
                )
            begun = self.begin(key, answer["GroupId"])
        self._bring(key, begun, "ingress", {}, spec.ingress)
        self._bring(key, begun, "egress", {traffic.EVERYTHING: ""}, spec.egress)
        self.finish(key)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Brings rules and tags to the plan."""
        found = self.found(key)
        seen = _flows(found)
        if asked(changed, "ingress"):
            self._bring(key, found["GroupId"], "ingress", seen["ingress"], spec.ingress)
        if asked(changed, "egress"):
            self._bring(key, found["GroupId"], "egress", seen["egress"], spec.egress)
        self.retag(key, found, spec.tags if asked(changed, "tags") else None)

    def delete(self, key: Key) -> None:
        """Deletes it; InUseError while something wears it or refers to it."""
        self.finish(key)
        for found in self.owned(key):
            self.call_gone("delete_security_group", key, GroupId=found["GroupId"])

    def holders(self, key: Key) -> list[resource.Holder]:
        """Who wears it, and whose rules refer to it."""
        return [
            holder
            for found in self.owned(key)
            for holder in holders.of_security_group(self.session, key, found["GroupId"])
        ]

    def _bring(
        self,
        key: Key,
        group: str,
        direction: str,
        seen: traffic.Flows,
        rules: list[traffic.TrafficRule] | None,
    ) -> None:
        """Allows what is missing first, then revokes what is too much: no moment without a rule that
        stays."""
        if rules is None:
            return
        wanted = traffic.from_plan(rules)
        missing, surplus = wanted.keys() - seen.keys(), seen.keys() - wanted.keys()
        renamed = [flow for flow in wanted.keys() & seen.keys() if wanted[flow] != seen[flow]]
        calls = (
            (f"authorize_security_group_{direction}", missing),
            (f"update_security_group_rule_descriptions_{direction}", renamed),
            (f"revoke_security_group_{direction}", surplus),
        )
        for operation, flows in calls:
            if flows:
                permissions = traffic.to_cloud(flows, wanted, group)
                self.call(operation, key, GroupId=group, IpPermissions=permissions)


def _flows(found: Mapping[str, Any]) -> dict[str, traffic.Flows]:
    group = str(found["GroupId"])
    return {
        "ingress": traffic.from_cloud(found.get("IpPermissions") or (), group),
        "egress": traffic.from_cloud(found.get("IpPermissionsEgress") or (), group),
    }
