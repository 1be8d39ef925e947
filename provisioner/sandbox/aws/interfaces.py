"""Network interfaces of databases, proxies, caches and functions. AWS makes them in the owner's subnets, has them wear
the owner's security groups, and takes them away with the owner ("requester-managed": nobody else can delete them).

They are kept among moto's own, and brought up to date before every EC2 call that looks at interfaces or deletes what
one of them may hold. One a node: an instance with a standby has two, a replication group as many as it has members.
A proxy has one a subnet. Functions with the same subnet and groups share one, which stays for a while after the last of
them is gone. Those of NAT gateways and VPC endpoints are such ones, too; ``natgateways`` and ``endpoints`` make them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provisioner.sandbox.aws import endpoints, natgateways

if TYPE_CHECKING:
    from provisioner.sandbox.aws.elasticache.state import CacheRegion
    from provisioner.sandbox.aws.functions.state import LambdaRegion
    from provisioner.sandbox.aws.rds.state import RdsRegion
    from provisioner.sandbox.aws.services import Services

_RDS: Final = "amazon-rds"
_ELASTICACHE: Final = "amazon-elasticache"
_LAMBDA: Final = "awslambda"


class _Wanted(NamedTuple):
    """One interface that there ought to be. ``name`` is unique among those of its requester."""

    requester: str
    name: str
    subnet: str
    groups: tuple[str, ...]
    description: str


def refresh(services: Services, region: str) -> None:
    """Brings the managed interfaces of a region up to date."""
    natgateways.settle(services, region)
    endpoints.settle(services, region)
    subnet = services.world.neighbours.subnet
    wanted = {(item.requester, item.name): item for item in _wanted(services, region) if subnet(region, item.subnet)}
    moto = services.world.moto
    with moto.lock("ec2"):
        backend = moto.backend("ec2", region)
        there = {eni.managed_as: eni for eni in list(backend.enis.values()) if _ours(eni)}
        for key, eni in there.items():
            if key not in wanted or eni.subnet.id != wanted[key].subnet:
                del backend.enis[eni.id]
        for key, item in wanted.items():
            eni = there.get(key)
            if eni is None or eni.id not in backend.enis:
                eni = _make(backend, item)
            eni._group_set = [group for name in item.groups if (group := backend.get_security_group_from_id(name))]


def managed(eni: Any) -> bool:
    """Whether one of moto's interfaces is such a one."""
    return hasattr(eni, "managed_as")


def _ours(eni: Any) -> bool:
    """Whether it is made and taken away here; those of NAT gateways and VPC endpoints are not."""
    return managed(eni) and eni.interface_type not in (natgateways.INTERFACE, endpoints.INTERFACE)


def _make(backend: Any, item: _Wanted) -> Any:
    eni = backend.create_network_interface(backend.get_subnet(item.subnet), None, description=item.description)
    eni.requester_managed, eni.requester_id, eni.status = True, item.requester, "in-use"
    eni.managed_as = (item.requester, item.name)
    return eni


def _wanted(services: Services, region: str) -> Iterator[_Wanted]:
    rds, cache = services.rds.region(region), services.elasticache.region(region)
    with rds.lock:
        rds.settle()
        databases = [*_of_databases(rds), *_of_proxies(rds)]
    with cache.lock:
        cache.settle()
        caches = list(_of_caches(cache))
    functions = services.functions.region(region)
    with functions.lock:
        functions.settle()
        yield from [*databases, *caches, *_of_functions(functions)]


def _of_databases(region: RdsRegion) -> Iterator[_Wanted]:
    for instance in region.instances.values():
        s = instance.settings
        subnets = region.subnet_group(s["DBSubnetGroupName"]).subnets
        home = next((subnet for subnet in subnets if subnet.zone == s["AvailabilityZone"]), subnets[0])
        standby = [subnet for subnet in subnets if subnet.zone != home.zone][:1] if s["MultiAZ"] else []
        for number, subnet in enumerate([home, *standby]):
            groups = tuple(s["VpcSecurityGroupIds"])
            yield _Wanted(_RDS, f"{instance.resource_id}-{number}", subnet.id, groups, "RDSNetworkInterface")


def _of_proxies(region: RdsRegion) -> Iterator[_Wanted]:
    for proxy in region.proxies.values():
        groups = tuple(proxy.settings["VpcSecurityGroupIds"])
        for number, subnet in enumerate(proxy.subnets):
            about = f"Network interface for DBProxy {proxy.ident}"
            yield _Wanted(_RDS, f"{proxy.ident}-{number}", subnet.id, groups, about)


def _of_caches(region: CacheRegion) -> Iterator[_Wanted]:
    for group in region.groups.values():
        s = group.settings
        subnets = region.subnet_group(s["CacheSubnetGroupName"]).subnets
        for member, zone in zip(group.members, s["Zones"], strict=False):
            home = next((subnet for subnet in subnets if subnet.zone == zone), subnets[0])
            groups = tuple(s["SecurityGroupIds"])
            yield _Wanted(_ELASTICACHE, f"{member} {group.created}", home.id, groups, f"ElastiCache {member}")


def _of_functions(region: LambdaRegion) -> Iterator[_Wanted]:
    leaving = {place: name for place, (name, _) in region.leaving.items()}
    for place, function in {**leaving, **region.needed()}.items():
        name = f"{place.subnet} {' '.join(place.groups)}"
        mark = uuid.uuid5(uuid.NAMESPACE_OID, name)
        yield _Wanted(_LAMBDA, name, place.subnet, place.groups, f"AWS Lambda VPC ENI-{function}-{mark}")
