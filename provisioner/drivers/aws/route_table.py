"""aws.route_table: where the packets of subnets go, as one object with its routes and subnets, made or adopted
(``route_table_id``, ``adopt: existing``).

A subnet without a table of its own follows its VPC's main one, and does so again when the table goes. A subnet that
follows a table of somebody else is not taken out of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from provisioner import charge, resource
from provisioner.drivers.aws import attached, routes, same
from provisioner.drivers.aws import tags as tagging
from provisioner.drivers.aws.ec2 import Unguarded
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import AlreadyExistsError, InvalidRequestError
from provisioner.model import Key, Observed, Phase

_TAKEN = "Resource.AlreadyAssociated"


def _made_or_named(vpc_id: str | None, table: str | None) -> str | None:
    return None if vpc_id or table else "give vpc_id to make a route table, or route_table_id to adopt one"


@resource.resource("aws.route_table")
class RouteTable(Unguarded):
    """Routes out of a VPC for some of its subnets. With a route to an internet gateway a subnet is public."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A route table with all its routes and subnets. What is left out (not empty) is not managed."""

        vpc_id: Annotated[str, Meta(description="Id of its VPC; fixed.")] | None = None
        route_table_id: (
            Annotated[
                str,
                Meta(
                    pattern=r"^rtb-[0-9a-f]{8,17}$",
                    description="Id of an existing route table; needs `adopt: existing` on the step.",
                ),
            ]
            | None
        ) = None
        routes: (
            Annotated[
                list[routes.RouteRule],
                Meta(
                    max_length=1000, description="The routes that lead out of the VPC. AWS takes 50, more on request."
                ),
            ]
            | None
        ) = None
        subnets: (
            Annotated[
                list[str],
                Meta(max_length=200, description="Ids of the subnets that follow it; the others follow the main one."),
            ]
            | None
        ) = None
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"route_table_id": str, "vpc_id": str}
    charges = staticmethod(charge.nothing)
    rules = (
        resource.Rule(("vpc_id", "route_table_id"), _made_or_named),
        resource.Rule(("routes",), routes.problem),
        resource.Rule(("subnets",), attached.twice),
    )
    identity = ("route_table_id",)
    identifier = "route_table_id"
    immutable = frozenset({"vpc_id", "route_table_id"})
    matches: ClassVar = {"tags": tagging.same_named, "routes": routes.same, "subnets": same.as_set}
    kind, describe, listed = "route-table", "describe_route_tables", "RouteTables"
    id_field, id_filter, at = "RouteTableId", "route-table-id", "route_table_id"

    def observe(self, key: Key, found: Mapping[str, Any]) -> Observed:
        """All from the list. A route to what is gone is there all the same, and the state says so."""
        marks = tagging.from_list(found.get("Tags"))
        listed = found.get("Routes") or ()
        lost = routes.lost(listed)
        return Observed(
            phase=Phase.READY,
            owner=tagging.owner(marks),
            spec={
                "vpc_id": found["VpcId"],
                "route_table_id": found["RouteTableId"],
                "routes": routes.to_plan(routes.from_cloud(listed)),
                "subnets": sorted(_subnets(found)),
                "tags": tagging.visible(key, marks),
            },
            outputs={"route_table_id": found["RouteTableId"], "vpc_id": found["VpcId"]},
            detail=f"leads nowhere for {', '.join(lost)}" if lost else "",
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes it, then its routes, then has the subnets follow it; a read shows what is still missing."""
        self.refuse_named(key)
        self.refuse(key, _made_or_named(spec.vpc_id, spec.route_table_id))
        found = self.existing(key)
        if found is None:
            found = self.make(key, "create_route_table", "RouteTable", spec.tags, VpcId=spec.vpc_id)
        self._bring(key, found, spec, ())
        self.finish(key)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Brings routes, subnets and tags to the plan."""
        found = self.found(key)
        self._bring(key, found, spec, changed)
        self.retag(key, found, spec.tags if asked(changed, "tags") else None)

    def delete(self, key: Key) -> None:
        """Has its subnets follow the main table and deletes it; InUseError where it is the main one itself."""
        self.finish(key)
        for found in self.owned(key):
            for link in _subnets(found).values():
                self.call_gone("disassociate_route_table", key, AssociationId=link)
            self.call_gone("delete_route_table", key, RouteTableId=found["RouteTableId"])

    def holders(self, key: Key) -> list[resource.Holder]:
        """What follows it."""
        return [holder for found in self.owned(key) for holder in attached.holders(key, found, "route-table")]

    def _bring(self, key: Key, found: Mapping[str, Any], spec: Spec, changed: Collection[str]) -> None:
        table = found["RouteTableId"]
        if spec.routes is not None and asked(changed, "routes"):
            self._bring_routes(key, table, routes.from_cloud(found.get("Routes") or ()), routes.from_plan(spec.routes))
        if spec.subnets is not None and asked(changed, "subnets"):
            there = _subnets(found)
            for subnet in spec.subnets:
                if subnet not in there:
                    self._take(key, table, subnet)
            for subnet, link in there.items():
                if subnet not in spec.subnets:
                    self.call_gone("disassociate_route_table", key, AssociationId=link)

    def _bring_routes(self, key: Key, table: str, seen: routes.Routes, wanted: routes.Routes) -> None:
        """Changes in place, so that no moment is without a way out that stays."""
        for cidr, target in wanted.items():
            if seen.get(cidr) != target:
                self._lead(key, table, cidr, target, known=cidr in seen)
        for cidr in seen.keys() - wanted.keys():
            self.call_gone("delete_route", key, RouteTableId=table, **routes.destination(cidr))

    def _lead(self, key: Key, table: str, cidr: str, target: routes.Target, *, known: bool) -> None:
        parameters = {"RouteTableId": table, **routes.to_cloud(cidr, target)}
        if not known:
            try:
                self.call("create_route", key, **parameters)
                return
            except AlreadyExistsError:  # made a moment ago, by a call whose answer was lost
                pass
        self.call("replace_route", key, **parameters)

    def _take(self, key: Key, table: str, subnet: str) -> None:
        """Has a subnet follow this table, out of the main one or out of one of the same deployment."""
        try:
            self.call("associate_route_table", key, RouteTableId=table, SubnetId=subnet)
        except InvalidRequestError as taken:
            if taken.cloud_code != _TAKEN:
                raise
            self._move(key, table, subnet)

    def _move(self, key: Key, table: str, subnet: str) -> None:
        what = [{"Name": "association.subnet-id", "Values": [subnet]}]
        for other in self.session.pages("ec2", self.describe, self.listed, region=key.region, Filters=what):
            if other["RouteTableId"] != table:
                attached.refuse_foreign(key, other, [subnet], "route table", self.type)
                link = _subnets(other)[subnet]
                self.call("replace_route_table_association", key, AssociationId=link, RouteTableId=table)


def _subnets(found: Mapping[str, Any]) -> dict[str, str]:
    """Subnet → id of its association; those that are on their way out are no more."""
    return {
        link["SubnetId"]: link["RouteTableAssociationId"]
        for link in found.get("Associations") or ()
        if link.get("SubnetId")
        and link.get("AssociationState", {}).get("State") not in ("disassociating", "disassociated")
    }
