"""NAT gateways and their states: pending → available or failed, deleting → deleted; AWS lists the dead for an hour.

They are moto's own objects with a lifecycle, brought up to date before every EC2 call that looks at them or at what
they hold: an interface in their subnet, which AWS manages, and an elastic address, which is free when they are deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.lifecycle import Lifecycle, Stage

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

LISTED_FOR: Final = 3600.0
"""Seconds for which one that failed or was deleted can still be seen."""
_DEAD: Final = ("failed", "deleted")
INTERFACE: Final = "nat_gateway"
"""The type of their interfaces."""


def settle(services: Services, region: str) -> None:
    """Takes every gateway of a region to where it should be by now."""
    moto = services.world.moto
    with moto.lock("ec2"):
        backend = moto.backend("ec2", region)
        for gateway in list(backend.nat_gateways.values()):
            life: Lifecycle | None = getattr(gateway, "life", None)
            if life is None:
                continue
            gateway.state = life.status
            if gateway.state in _DEAD and services.world.now() - life.since > LISTED_FOR:
                del backend.nat_gateways[gateway.id]


def begin(services: Services, backend: Any, gateway: Any, failure: tuple[str, str] | None, held: Held) -> None:
    """What moto has just made is pending, and ends as available, or failed with a code and a message."""
    _dress(gateway)
    gateway.life = Lifecycle(services.world.now, "pending")
    stage = Stage("pending", services.world.options.seconds("ec2:nat"), held=held)
    if failure is not None:
        stage.then = lambda: _fail(backend, gateway, failure)
    gateway.life.follow([stage], rest="available" if failure is None else "failed")
    gateway.state = gateway.life.status


def end(services: Services, backend: Any, gateway: Any, held: Held) -> None:
    """It is on its way out, wherever it was."""
    gateway.life = Lifecycle(services.world.now, "deleting")
    seconds = services.world.options.seconds("ec2:nat-delete")
    stage = Stage("deleting", seconds, held=held, then=lambda: _release(backend, gateway))
    gateway.life.follow([stage], rest="deleted")
    gateway.state = gateway.life.status


Held = Callable[[], bool] | None
"""Whether a fault holds an object where it is."""


def of_gateway(eni: Any) -> bool:
    """Whether an interface is a gateway's."""
    return getattr(eni, "interface_type", "") == INTERFACE


def _dress(gateway: Any) -> None:
    """What moto leaves out: an address in the subnet, and that the interface is AWS's."""
    eni = gateway._eni
    taken = {one.private_ip_address for one in gateway.ec2_backend.enis.values() if one is not eni}
    address = next(str(ip) for ip in islice(eni.subnet.cidr.hosts(), 4, None) if str(ip) not in taken)
    eni.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address}]
    eni.private_ip_address = gateway.private_ip = gateway.address_set[0]["privateIp"] = address
    gateway.address_set[0]["isPrimary"] = True
    gateway.connectivity_type = gateway.connectivity_type or "public"
    eni._group_set = []
    eni.description = f"Interface for NAT Gateway {gateway.id}"
    eni.interface_type, eni.status = INTERFACE, "in-use"
    eni.requester_managed, eni.requester_id = True, "amazon-nat"
    eni.managed_as = ("amazon-nat", gateway.id)


def _fail(backend: Any, gateway: Any, failure: tuple[str, str]) -> None:
    gateway.failure_code, gateway.failure_message = failure
    _release(backend, gateway)


def _release(backend: Any, gateway: Any) -> None:
    for address in backend.addresses:
        if getattr(address.eni, "id", None) == gateway._eni.id:
            address.eni, address.association_id = None, None
    backend.enis.pop(gateway._eni.id, None)
