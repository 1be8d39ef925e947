"""aws.network_acl: the packet filter of subnets as one object, made or adopted (``network_acl_id``, ``adopt:
existing``).

A subnet has exactly one list at any time. So it is not given to one but moved there, out of its VPC's default list, and
moved back when the list goes. A subnet that is under a list of somebody else is not taken out of it: nobody could say
afterwards what protected it before.

Weakness: a list cannot tell which of its subnets its step put there. What others put under it goes back to the default
list, too, when it is deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from provisioner import charge, resource
from provisioner.drivers.aws import acl_rules, attached, same
from provisioner.drivers.aws import tags as tagging
from provisioner.drivers.aws.ec2 import Unguarded
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.page import chunks
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import AlreadyExistsError, BusyError, InvalidRequestError
from provisioner.model import Key, Observed, Phase

_QUOTA: Final = 20
"""Rules a direction, AWS's own last one among them, unless AWS allowed more."""
_MOST: Final = 39
_SIDES: Final = (("ingress", False), ("egress", True))
_TOLD: Final = (
    "Tried in the order of their numbers; what none fits is denied. Left out of one that is made: none. AWS takes 19, "
    "and up to 39 on request."
)


def _made_or_named(vpc_id: str | None, network_acl_id: str | None) -> str | None:
    return None if vpc_id or network_acl_id else "give vpc_id to make a network ACL, or network_acl_id to adopt one"


@resource.resource("aws.network_acl")
class NetworkAcl(Unguarded):
    """A stateless filter for all that enters or leaves its subnets, answers included."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A network ACL with all its rules and subnets. What is left out (not empty) is not managed."""

        vpc_id: Annotated[str, Meta(description="Id of its VPC; fixed.")] | None = None
        network_acl_id: (
            Annotated[
                str,
                Meta(
                    pattern=r"^acl-[0-9a-f]{8,17}$",
                    description="Id of an existing network ACL; needs `adopt: existing` on the step.",
                ),
            ]
            | None
        ) = None
        ingress: (
            Annotated[
                list[acl_rules.AclRule],
                Meta(max_length=_MOST, description=f"What may enter the subnets. {_TOLD}"),
            ]
            | None
        ) = None
        egress: (
            Annotated[
                list[acl_rules.AclRule],
                Meta(max_length=_MOST, description=f"What may leave them, answers included. {_TOLD}"),
            ]
            | None
        ) = None
        subnets: (
            Annotated[
                list[str],
                Meta(max_length=200, description="Ids of the subnets under it; the others go to the default list."),
            ]
            | None
        ) = None
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"network_acl_id": str, "vpc_id": str}
    charges = staticmethod(charge.nothing)
    rules = (
        resource.Rule(("vpc_id", "network_acl_id"), _made_or_named),
        resource.Rule(("ingress",), acl_rules.problem),
        resource.Rule(("egress",), acl_rules.problem),
        resource.Rule(("ingress", "egress", "network_acl_id"), acl_rules.answered),
        resource.Rule(("subnets",), attached.twice),
    )
    identity = ("network_acl_id",)
    identifier = "network_acl_id"
    immutable = frozenset({"vpc_id", "network_acl_id"})
    matches: ClassVar = {
        "tags": tagging.same_named, "ingress": acl_rules.same, "egress": acl_rules.same, "subnets": same.as_set,
    }  # fmt: skip
    kind, describe, listed = "network-acl", "describe_network_acls", "NetworkAcls"
    id_field, id_filter, at = "NetworkAclId", "network-acl-id", "network_acl_id"

    def observe(self, key: Key, found: Mapping[str, Any]) -> Observed:
        """All from the list."""
        marks = tagging.from_list(found.get("Tags"))
        seen = _entries(found)
        return Observed(
            phase=Phase.READY,
            owner=tagging.owner(marks),
            spec={
                "vpc_id": found["VpcId"],
                "network_acl_id": found["NetworkAclId"],
                "ingress": acl_rules.to_plan(seen["ingress"]),
                "egress": acl_rules.to_plan(seen["egress"]),
                "subnets": sorted(_subnets(found)),
                "tags": tagging.visible(key, marks),
            },
            outputs={"network_acl_id": found["NetworkAclId"], "vpc_id": found["VpcId"]},
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes it, then its rules, then moves the subnets under it; a read shows what is still missing."""
        self.refuse_named(key)
        self.refuse(key, _made_or_named(spec.vpc_id, spec.network_acl_id))
        found = self.existing(key)
        if found is None:
            found = self.make(key, "create_network_acl", "NetworkAcl", spec.tags, VpcId=spec.vpc_id)
        self._bring(key, {"VpcId": spec.vpc_id, **found}, spec, ())
        self.finish(key)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Brings rules, subnets and tags to the plan."""
        found = self.found(key)
        self._bring(key, found, spec, changed)
        self.retag(key, found, spec.tags if asked(changed, "tags") else None)

    def delete(self, key: Key) -> None:
        """Gives its subnets back to the VPC's default list and deletes it."""
        self.finish(key)
        for found in self.owned(key):
            self._give_back(key, found, _subnets(found))
            self.call_gone("delete_network_acl", key, NetworkAclId=found["NetworkAclId"])

    def holders(self, key: Key) -> list[resource.Holder]:
        """The subnets under it."""
        return [h for found in self.owned(key) for h in attached.holders(key, found, "network-acl")]

    # -- rules ------------------------------------------------------------------------------------------------

    def _bring(self, key: Key, found: Mapping[str, Any], spec: Spec, changed: Collection[str]) -> None:
        seen = _entries(found)
        for name, egress in _SIDES:
            rules = getattr(spec, name)
            if rules is not None and asked(changed, name):
                self._bring_rules(key, found["NetworkAclId"], seen[name], acl_rules.from_plan(rules), egress)
        if spec.subnets is not None and asked(changed, "subnets"):
            there = _subnets(found)
            self._take(key, found["NetworkAclId"], [subnet for subnet in spec.subnets if subnet not in there])
            left = {subnet: link for subnet, link in there.items() if subnet not in spec.subnets}
            if left and found.get("IsDefault"):
                self.refuse(key, f"{', '.join(left)} cannot leave the default list but for another; give it one")
            self._give_back(key, found, left)

    def _bring_rules(
        self, key: Key, acl: str, seen: acl_rules.Entries, wanted: acl_rules.Entries, egress: bool
    ) -> None:
        """Changes in place, adds, then removes: no moment without a rule that stays, nor one that lets more pass."""
        for number in acl_rules.in_order(
            (n for n in wanted if n in seen and wanted[n] != seen[n]), wanted, first="deny"
        ):
            self._entry(key, "replace_network_acl_entry", acl, number, wanted[number], egress)
        missing = list(acl_rules.in_order(wanted.keys() - seen.keys(), wanted, first="deny"))
        surplus = list(acl_rules.in_order(seen.keys() - wanted.keys(), seen, first="allow"))
        crowded = len(seen) + len(missing) >= _QUOTA
        if crowded:
            self._drop(key, acl, surplus, egress)
        for number in missing:
            try:
                self._entry(key, "create_network_acl_entry", acl, number, wanted[number], egress)
            except AlreadyExistsError:  # made a moment ago, by a call whose answer was lost
                self._entry(key, "replace_network_acl_entry", acl, number, wanted[number], egress)
        if not crowded:
            self._drop(key, acl, surplus, egress)

    def _entry(self, key: Key, operation: str, acl: str, number: int, entry: acl_rules.Entry, egress: bool) -> None:
        self.call(operation, key, NetworkAclId=acl, **acl_rules.to_cloud(number, entry, egress=egress))

    def _drop(self, key: Key, acl: str, numbers: Iterable[int], egress: bool) -> None:
        for number in numbers:
            self.call_gone("delete_network_acl_entry", key, NetworkAclId=acl, RuleNumber=number, Egress=egress)

    # -- subnets ----------------------------------------------------------------------------------------------

    def _take(self, key: Key, acl: str, wanted: Collection[str]) -> None:
        """Moves subnets here, out of the default list or out of one of the same deployment."""
        links: dict[str, str] = {}
        here: set[str] = set()
        for values in chunks(list(wanted), 200):
            for other in self._all(key, {"association.subnet-id": values}):
                theirs = {subnet: link for subnet, link in _subnets(other).items() if subnet in values}
                if other["NetworkAclId"] == acl:
                    here |= theirs.keys()
                elif not other.get("IsDefault"):
                    attached.refuse_foreign(key, other, theirs, "network ACL", self.type)
                links |= theirs
        unknown = [subnet for subnet in wanted if subnet not in links]
        if unknown:
            raise BusyError(
                f"{', '.join(unknown)}: there is no such subnet, or not yet", where=f"{self.type} {key.step}"
            )
        for subnet in wanted:
            if subnet not in here:
                self.call("replace_network_acl_association", key, AssociationId=links[subnet], NetworkAclId=acl)

    def _give_back(self, key: Key, found: Mapping[str, Any], links: Mapping[str, str]) -> None:
        if not links:
            return
        for default in self._all(key, {"vpc-id": [found["VpcId"]], "default": ["true"]}):
            for link in links.values():
                parameters = {"AssociationId": link, "NetworkAclId": default["NetworkAclId"]}
                self.call_gone("replace_network_acl_association", key, **parameters)
            return
        raise InvalidRequestError(f"{found['VpcId']} shows no default network ACL", where=f"{self.type} {key.step}")

    def _all(self, key: Key, filters: Mapping[str, list[str]]) -> list[dict[str, Any]]:
        what = [{"Name": name, "Values": values} for name, values in filters.items()]
        return list(self.session.pages("ec2", self.describe, self.listed, region=key.region, Filters=what))


def _entries(found: Mapping[str, Any]) -> dict[str, acl_rules.Entries]:
    listed = found.get("Entries") or ()
    return {name: acl_rules.from_cloud(listed, egress=egress) for name, egress in _SIDES}


def _subnets(found: Mapping[str, Any]) -> dict[str, str]:
    """Subnet → id of its association."""
    return {link["SubnetId"]: link["NetworkAclAssociationId"] for link in found.get("Associations") or ()}
