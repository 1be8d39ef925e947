"""VPC endpoints and their states: pending → available, deleting → deleted; AWS lists the dead for a while.

They are moto's own objects with a lifecycle, brought up to date before every EC2 call that looks at them or at what
they hold. One of type Interface is an interface in each subnet, which AWS manages and which wears its groups; one of
type Gateway is a route in each table. Both go when the deletion is over.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.lifecycle import Lifecycle, Stage

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

LISTED_FOR: Final = 900.0
"""Seconds for which one that was deleted can still be seen."""
INTERFACE: Final = "vpc_endpoint"
"""The type of their interfaces."""
Held = Callable[[], bool] | None
"""Whether a fault holds an object where it is."""


def settle(services: Services, region: str) -> None:
    """Takes every endpoint of a region to where it should be by now."""
    moto = services.world.moto
    with moto.lock("ec2"):
        backend = moto.backend("ec2", region)
        for endpoint in list(backend.vpc_end_points.values()):
            life: Lifecycle | None = getattr(endpoint, "life", None)
            if life is None:
                continue
            endpoint.state = life.status
            if endpoint.state == "deleted" and services.world.now() - life.since > LISTED_FOR:
                del backend.vpc_end_points[endpoint.id]


def begin(services: Services, backend: Any, endpoint: Any, held: Held) -> None:
    """What moto has just made is pending, and has its interfaces already."""
    endpoint.vpc_endpoint_type = endpoint.vpc_endpoint_type or "Gateway"
    if endpoint.vpc_endpoint_type == "Gateway":
        endpoint.private_dns_enabled = False
    else:
        _name(endpoint)
    arrange(backend, endpoint)
    endpoint.life = Lifecycle(services.world.now, "pending")
    wait(services, endpoint, held)


def wait(services: Services, endpoint: Any, held: Held) -> None:
    """It is pending, new or changed, and ends as available."""
    stage = Stage("pending", services.world.options.seconds("ec2:endpoint"), held=held)
    endpoint.life.follow([stage], rest="available")
    endpoint.state = endpoint.life.status


def end(services: Services, backend: Any, endpoint: Any, held: Held) -> None:
    """It is on its way out, wherever it was."""
    endpoint.life = Lifecycle(services.world.now, "deleting")
    seconds = services.world.options.seconds("ec2:endpoint-delete")
    stage = Stage("deleting", seconds, held=held, then=lambda: _release(backend, endpoint))
    endpoint.life.follow([stage], rest="deleted")
    endpoint.state = endpoint.life.status


def arrange(backend: Any, endpoint: Any) -> None:
    """Interfaces where its subnets are and routes where its tables are, and nowhere else."""
    there = {eni.subnet.id: eni for number in endpoint.network_interface_ids if (eni := backend.enis.get(number))}
    wanted = endpoint.subnet_ids if endpoint.vpc_endpoint_type == "Interface" else ()
    for subnet in there.keys() - set(wanted):
        del backend.enis[there.pop(subnet).id]
    for subnet in wanted:
        if subnet not in there:
            there[subnet] = backend.create_network_interface(backend.get_subnet(subnet), None)
        _dress(backend, endpoint, there[subnet])
    endpoint.network_interface_ids = [there[subnet].id for subnet in wanted]
    _lead(backend, endpoint, endpoint.route_table_ids)


def _dress(backend: Any, endpoint: Any, eni: Any) -> None:
    """What moto leaves out: an address in the subnet, the groups, and that the interface is AWS's."""
    eni._group_set = [backend.get_security_group_from_id(group) for group in endpoint.security_group_ids]
    if getattr(eni, "managed_as", None):
        return
    taken = {one.private_ip_address for one in backend.enis.values() if one is not eni}
    address = next(str(ip) for ip in islice(eni.subnet.cidr.hosts(), 4, None) if str(ip) not in taken)
    eni.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address}]
    eni.private_ip_address = address
    eni.description = f"VPC Endpoint Interface {endpoint.id}"
    eni.interface_type, eni.status = INTERFACE, "in-use"
    eni.requester_managed, eni.requester_id = True, "727180483921"
    eni.managed_as = (INTERFACE, f"{endpoint.id} {eni.subnet.id}")


def _name(endpoint: Any) -> None:
    """moto makes the service's name backwards a domain; AWS gives one for all zones and one a zone."""
    parts = endpoint.service_name.split(".")
    domain = f"{'.'.join(reversed(parts[3:]))}.{parts[2]}.vpce.amazonaws.com"
    mark = endpoint.dns_entries[0]["dns_name"].split(".")[0]
    zones = sorted({endpoint.ec2_backend.get_subnet(one).availability_zone for one in endpoint.subnet_ids})
    place = endpoint.dns_entries[0]["hosted_zone_id"]
    endpoint.dns_entries = [
        {"dns_name": f"{name}.{domain}", "hosted_zone_id": place} for name in (mark, *(f"{mark}-{z}" for z in zones))
    ]


def _lead(backend: Any, endpoint: Any, tables: list[str]) -> None:
    """The routes to a gateway's service."""
    target = endpoint.destination_prefix_list_id
    if not target:
        return
    for table in backend.route_tables.values():
        leads = [number for number, route in table._routes.items() if _to(route, endpoint)]
        if table.id in tables and not leads:
            backend.create_route(table.id, None, gateway_id=endpoint.id, destination_prefix_list_id=target)
        elif table.id not in tables:
            for number in leads:
                del table._routes[number]


def _to(route: Any, endpoint: Any) -> bool:
    gateway = getattr(route, "gateway", None)
    return bool(getattr(gateway, "id", None) == endpoint.id)


def _release(backend: Any, endpoint: Any) -> None:
    for number in endpoint.network_interface_ids:
        backend.enis.pop(number, None)
    _lead(backend, endpoint, [])
    endpoint.network_interface_ids, endpoint.route_table_ids = [], []
