"""The objects of EC2."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from provisioner.sandbox.aws.interfaces import managed
from provisioner.sandbox.aws.inventory.item import Item, as_dict, owner_of

_LIVE: Final = frozenset({"deleted", "deleting", "terminated", "shutting-down"})


def collect(backend: Any, everything: bool) -> Iterator[Item]:
    """Everything that does not belong to the default VPC from the start or go with its VPC."""
    default = getattr(backend.default_vpc, "id", None)
    for kind, objects, keep in _kinds(backend, default):
        for thing in objects:
            if keep(thing) and _state(thing) not in _LIVE:
                tags = as_dict(thing.get_tags()) if hasattr(thing, "get_tags") else {}
                name = tags.get("Name") or str(getattr(thing, "name", "") or thing.id)
                yield Item("ec2", kind, str(thing.id), name, owner_of(tags))


def _state(thing: Any) -> str:
    state = getattr(thing, "state", None) or getattr(thing, "status", None) or getattr(thing, "_state", None)
    return str(getattr(state, "name", state))


Kind = tuple[str, Iterable[Any], Callable[[Any], bool]]


def _kinds(backend: Any, default: str | None) -> list[Kind]:
    """AWS's word, moto's objects, and which of them count."""

    def always(thing: Any) -> bool:
        return True

    def theirs(thing: Any) -> bool:
        return not (thing.vpc_id == default and str(thing.default_for_az).lower() == "true")

    subnets = [s for zone in backend.subnets.values() for s in zone.values()]
    groups = [g for by_id in backend.groups.values() for g in by_id.values()]
    instances = [i for reservation in backend.reservations.values() for i in reservation.instances]
    attached = [e for e in backend.enis.values() if managed(e) or getattr(e, "instance", None) is not None]
    own_interfaces = [e for e in backend.enis.values() if e not in attached]
    return [
        ("vpc", backend.vpcs.values(), lambda v: v.id != default),
        ("subnet", subnets, theirs),
        ("security-group", groups, lambda g: g.name != "default"),
        ("route-table", backend.route_tables.values(), lambda t: not t.main_association_id),
        ("network-acl", backend.network_acls.values(), lambda a: not _is_default(a)),
        (
            "internet-gateway",
            backend.internet_gateways.values(),
            lambda g: g.id != getattr(backend, "default_door", ""),
        ),
        ("egress-only-internet-gateway", backend.egress_only_internet_gateways.values(), always),
        ("nat-gateway", backend.nat_gateways.values(), always),  # one that failed is there until somebody deletes it
        ("vpc-endpoint", backend.vpc_end_points.values(), always),
        ("vpc-peering-connection", backend.vpc_pcxs.values(), always),
        ("vpn-gateway", backend.vpn_gateways.values(), always),
        ("customer-gateway", backend.customer_gateways.values(), always),
        ("transit-gateway", backend.transit_gateways.values(), always),
        ("network-interface", own_interfaces, always),
        ("elastic-ip", [_Address(a) for a in backend.addresses], always),
        ("dhcp-options", backend.dhcp_options_sets.values(), always),
        ("flow-log", backend.flow_logs.values(), always),
        ("instance", instances, always),
        ("volume", backend.volumes.values(), always),
        ("snapshot", backend.snapshots.values(), lambda s: not getattr(s, "from_ami", None)),
        ("key-pair", backend.key_pairs.values(), always),
        ("launch-template", backend.launch_templates.values(), always),
    ]


def _is_default(acl: Any) -> bool:
    return str(acl.default).lower() == "true"


class _Address:
    """An elastic address, which moto gives no id of its own."""

    def __init__(self, address: Any) -> None:
        self.id = address.allocation_id or address.public_ip
        self.name = address.public_ip
        self.get_tags = address.get_tags
