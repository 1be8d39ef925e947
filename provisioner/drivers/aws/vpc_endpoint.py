"""aws.vpc_endpoint: a way from a VPC to a service of AWS that leaves neither, made or adopted (``endpoint_id``,
``adopt: existing``).

An interface endpoint is a network interface in each of its subnets, and with private DNS the service's own name leads
there: nothing that asks the service has to be told. A gateway endpoint is a route in each of its tables, for S3 and
DynamoDB alone, and costs nothing.

AWS goes on listing an endpoint for a while after it was deleted; it does not exist any more.

Weaknesses: an endpoint of somebody else's service waits until they accept it, and the step waits with it. Subnets are
added and removed in one call; AWS may want one of the same zone to be gone first, and then says so.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import attached, bill_net, errors, policy, same
from provisioner.drivers.aws import tags as tagging
from provisioner.drivers.aws.ec2 import Unguarded
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import NotFoundError
from provisioner.model import Key, Observed, Phase

_PHASES: Final = {
    "available": Phase.READY,
    "pending": Phase.PENDING,
    "pendingacceptance": Phase.PENDING,
    "partial": Phase.PENDING,
    "failed": Phase.FAILED,
    "rejected": Phase.FAILED,
    "expired": Phase.FAILED,
    "deleting": Phase.DELETING,
}
_PRECEDENCE: Final = tuple(_PHASES)
"""Which of several of one step is shown."""
_NO_MORE: Final = ("failed", "rejected", "expired", "deleting")
_KINDS: Final = {"Interface": "interface", "Gateway": "gateway"}
_BY_ROUTE: Final = ("s3", "dynamodb")
"""The services that have gateway endpoints."""
_WAITS: Final = "the owner of the service has to accept it"
_SETS: Final = (
    ("subnets", "SubnetIds", "SubnetIds"),
    ("security_groups", "SecurityGroupIds", "Groups"),
    ("route_tables", "RouteTableIds", "RouteTableIds"),
)
"""Field, what calls name it (with Add and Remove before it, too), what the list names it."""


def full_name(service: str, region: str) -> str:
    """A service's whole name.

    >>> full_name("ecr.api", "us-east-1"), full_name("com.amazonaws.vpce.us-east-1.vpce-svc-1", "us-east-1")
    ('com.amazonaws.us-east-1.ecr.api', 'com.amazonaws.vpce.us-east-1.vpce-svc-1')
    """
    return service if service.startswith(("com.", "cn.", "aws.")) else f"com.amazonaws.{region}.{service}"


def _short(service: str) -> str:
    whole = service.startswith(("com.amazonaws.", "aws."))
    return service.split(".", 3)[-1] if whole else service


def _same_service(wanted: str, seen: str) -> bool:
    """The region is the step's own, so a short name means what the list calls by its whole one."""
    return wanted == seen or wanted == _short(seen)


def _made_or_named(vpc: str | None, service: str | None, endpoint: str | None) -> str | None:
    if (vpc and service) or endpoint:
        return None
    return "give vpc_id and service to make an endpoint, or endpoint_id to adopt one"


def _of_one_kind(
    kind: str,
    service: str | None,
    subnets: list[str] | None,
    groups: list[str] | None,
    tables: list[str] | None,
    endpoint: str | None,
) -> str | None:
    """What the other kind has, and what this one is nothing without."""
    if kind == "gateway":
        if service and _short(service) not in _BY_ROUTE:
            return f"{service} has no gateway endpoints, only s3 and dynamodb have: leave `kind` out"
        if subnets or groups:
            return "a gateway endpoint has route_tables, and neither subnets nor security_groups"
        return None if tables or endpoint else "a gateway endpoint needs route_tables: nothing finds it without"
    if tables:
        return "an interface endpoint has subnets and security_groups, and no route_tables"
    return None if subnets or endpoint else "an interface endpoint needs subnets, at most one in a zone"


@resource.resource("aws.vpc_endpoint")
class VpcEndpoint(Unguarded):
    """Lets a VPC ask a service of AWS without the internet. Interface endpoints are paid for by the hour and zone."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A VPC endpoint. What is left out (not empty) is not managed."""

        vpc_id: Annotated[str, Meta(description="Id of its VPC; fixed.")] | None = None
        service: (
            Annotated[
                str,
                Meta(
                    pattern=r"^[a-z0-9][A-Za-z0-9._-]{0,254}$",
                    description="The service in the step's region, by its short name or by the whole one; fixed.",
                    examples=["secretsmanager", "com.amazonaws.us-east-1.kms", "s3"],
                ),
            ]
            | None
        ) = None
        kind: Annotated[
            Literal["interface", "gateway"],
            Meta(description="`interface` has an address in each subnet; `gateway` is a route, for s3 and dynamodb."),
        ] = "interface"
        subnets: (
            Annotated[
                list[str],
                Meta(min_length=1, description="Interface: ids of its subnets, at most one in a zone."),
            ]
            | None
        ) = None
        security_groups: (
            Annotated[
                list[str],
                Meta(
                    min_length=1,
                    description="Interface: ids of its security groups, which let TCP 443 in. Left out: the VPC's "
                    "default one.",
                ),
            ]
            | None
        ) = None
        route_tables: (
            Annotated[list[str], Meta(min_length=1, description="Gateway: ids of the tables that lead to it.")] | None
        ) = None
        private_dns: Annotated[
            bool,
            Meta(
                description="Interface: the service's own name leads here, for which the VPC needs DNS support and "
                "DNS host names. A gateway has no use for it."
            ),
        ] = True
        policy: (
            Annotated[
                dict[str, Any],
                Meta(description="Policy document: who may ask for what through it. Left out: anybody for anything."),
            ]
            | None
        ) = None
        endpoint_id: (
            Annotated[
                str,
                Meta(
                    pattern=r"^vpce-[0-9a-f]{8,17}$",
                    description="Id of an existing endpoint; needs `adopt: existing` on the step.",
                ),
            ]
            | None
        ) = None
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"endpoint_id": str, "dns_name": str, "service_name": str, "vpc_id": str}
    """``dns_name``: that of all zones, empty for a gateway."""
    charges = staticmethod(bill_net.endpoint)
    rules = (
        resource.Rule(("vpc_id", "service", "endpoint_id"), _made_or_named),
        resource.Rule(("kind", "service", "subnets", "security_groups", "route_tables", "endpoint_id"), _of_one_kind),
        *(resource.Rule((name,), attached.twice) for name in ("subnets", "security_groups", "route_tables")),
    )
    timeout = 900.0
    identity = ("endpoint_id",)
    identifier = "endpoint_id"
    immutable = frozenset({"vpc_id", "service", "kind", "endpoint_id"})
    matches: ClassVar = {
        "tags": tagging.same_named, "service": _same_service, "policy": policy.same,
        "subnets": same.as_set, "security_groups": same.as_set, "route_tables": same.as_set,
    }  # fmt: skip
    kind, describe, listed = "vpc-endpoint", "describe_vpc_endpoints", "VpcEndpoints"
    id_field, id_filter, at = "VpcEndpointId", "vpc-endpoint-id", "endpoint_id"
    gone = frozenset({"deleted", "Deleted"})

    def rank(self, item: Mapping[str, Any]) -> tuple[int, str]:
        """The living before the dying."""
        return _PRECEDENCE.index(_state(item)), str(item["VpcEndpointId"])

    def observe(self, key: Key, found: Mapping[str, Any]) -> Observed:
        """All from the list."""
        marks, state = tagging.from_list(found.get("Tags")), _state(found)
        kind = str(found.get("VpcEndpointType", "Gateway"))
        first: Mapping[str, Any] = next(iter(found.get("DnsEntries") or ()), {})
        private = {"private_dns": bool(found.get("PrivateDnsEnabled"))} if kind != "Gateway" else {}
        return Observed(
            phase=_PHASES[state],
            owner=tagging.owner(marks),
            spec={
                "vpc_id": found["VpcId"],
                "service": found["ServiceName"],
                "kind": _KINDS.get(kind, kind),
                **{name: sorted(_members(found, listed)) for name, _, listed in _SETS},
                **private,
                "policy": _policy(found),
                "endpoint_id": found["VpcEndpointId"],
                "tags": tagging.visible(key, marks),
            },
            outputs={
                "endpoint_id": found["VpcEndpointId"],
                "dns_name": str(first.get("DnsName", "")),
                "service_name": found["ServiceName"],
                "vpc_id": found["VpcId"],
            },
            detail=_reason(found, state),
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Asks for it in one call; its interfaces are made after that."""
        self.refuse_named(key)
        self.refuse(key, _made_or_named(spec.vpc_id, spec.service, spec.endpoint_id))
        self.refuse(
            key, _of_one_kind(spec.kind, spec.service, spec.subnets, spec.security_groups, spec.route_tables, None)
        )
        there = self.existing(key)
        if there is None or _state(there) in _NO_MORE:
            self.make(key, "create_vpc_endpoint", "VpcEndpoint", spec.tags, **self._wish(key, spec))
        self.finish(key)

    def _wish(self, key: Key, spec: Spec) -> dict[str, Any]:
        service = full_name(str(spec.service), key.region or self.session.region)
        wish: dict[str, Any] = {
            "VpcId": spec.vpc_id,
            "ServiceName": service,
            "VpcEndpointType": spec.kind.capitalize(),
            **{call: getattr(spec, name) for name, call, _ in _SETS if getattr(spec, name)},
        }
        if spec.policy is not None:
            wish["PolicyDocument"] = policy.to_text(spec.policy)
        if spec.kind == "interface":
            wish |= _private(service, spec.private_dns)
        return wish

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Brings what differs to the plan, in one call, and the tags."""
        found = self.found(key)
        change = {**_moved(found, spec, changed), **_switched(found, spec, changed)}
        if change:
            self.call("modify_vpc_endpoint", key, VpcEndpointId=found["VpcEndpointId"], **change)
        self.retag(key, found, spec.tags if asked(changed, "tags") else None)

    def delete(self, key: Key) -> None:
        """Starts the deletion; its interfaces hold their subnets and groups until it is over."""
        self.finish(key)
        for found in self.owned(key):
            if _state(found) != "deleting":
                self._delete(key, found["VpcEndpointId"])

    def _delete(self, key: Key, number: str) -> None:
        """What is refused for an item stands in an answer that is a success otherwise."""
        answer = self.call("delete_vpc_endpoints", key, VpcEndpointIds=[number])
        for item in answer.get("Unsuccessful") or ():
            refused = errors.of_item(
                item.get("Error") or {}, service="ec2", operation="DeleteVpcEndpoints", what=f"{key.name} {number}"
            )
            if not isinstance(refused, NotFoundError):
                raise refused


def _state(found: Mapping[str, Any]) -> str:
    """In small letters: the model of the API has capitals, and its answers have not."""
    state = str(found.get("State", "pending")).lower()
    return state if state in _PHASES else "pending"


def _members(found: Mapping[str, Any], listed: str) -> list[str]:
    return [one["GroupId"] if isinstance(one, Mapping) else str(one) for one in found.get(listed) or ()]


def _moved(found: Mapping[str, Any], spec: VpcEndpoint.Spec, changed: Collection[str]) -> dict[str, list[str]]:
    """What ModifyVpcEndpoint is to add and to remove."""
    moved = {}
    for name, call, listed in _SETS:
        wanted, seen = getattr(spec, name), _members(found, listed)
        if wanted is not None and asked(changed, name):
            moved[f"Add{call}"] = [one for one in wanted if one not in seen]
            moved[f"Remove{call}"] = [one for one in seen if one not in wanted]
    return {name: members for name, members in moved.items() if members}


def _switched(found: Mapping[str, Any], spec: VpcEndpoint.Spec, changed: Collection[str]) -> dict[str, Any]:
    """What else of it differs."""
    switched: dict[str, Any] = {}
    if spec.policy is not None and asked(changed, "policy") and not policy.same(spec.policy, _policy(found)):
        switched["PolicyDocument"] = policy.to_text(spec.policy)
    private = bool(found.get("PrivateDnsEnabled"))
    if spec.kind == "interface" and asked(changed, "private_dns") and private is not spec.private_dns:
        switched |= _private(found["ServiceName"], spec.private_dns)
    return switched


def _policy(found: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(found.get("PolicyDocument") or "{}")
    return document


def _private(service: str, wanted: bool) -> dict[str, Any]:
    """For S3 AWS would take private DNS to be for callers outside, and want a gateway endpoint for those inside."""
    if wanted and service.endswith(".s3"):
        return {"PrivateDnsEnabled": True, "DnsOptions": {"PrivateDnsOnlyForInboundResolverEndpoint": False}}
    return {"PrivateDnsEnabled": wanted}


def _reason(found: Mapping[str, Any], state: str) -> str:
    if state == "pendingacceptance":
        return f"{state}: {_WAITS}"
    error = found.get("LastError") or {}
    told = found.get("FailureReason") or error.get("Message")
    if state not in ("failed", "rejected", "expired", "partial") or not told:
        return state
    return f"{told} [{error['Code']}]" if error.get("Code") else str(told)
