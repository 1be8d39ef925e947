"""Since when the databases and caches are what they are: what a measurement of who noticed how soon is held against.

Nothing ticks in the control plane, so nobody need look at the right moment: a lifecycle knows the end of its last stage
to the millisecond. Weakness: where the work on the real database outlasts the provisioning time, that end is the first
look which found the work done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from provisioner.sandbox.aws.strict import Region

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services


def arrivals(services: Services) -> list[dict[str, Any]]:
    """``{"service", "type", "name", "status", "since"}`` of each that is at rest; ``since``: Unix time in seconds."""
    found: list[dict[str, Any]] = []
    for rds in services.rds.regions():
        with rds.lock:
            rds.settle()
            found += _at_rest(rds, "db-instance", rds.instances)
    for cache in services.elasticache.regions():
        with cache.lock:
            cache.settle()
            found += _at_rest(cache, "replication-group", cache.groups)
    return found


def _at_rest(region: Region, kind: str, objects: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    world = region.world
    for name, thing in objects.items():
        life = thing.lifecycle
        if not life.busy:
            since = (world.wall() - timedelta(seconds=world.now() - life.since)).timestamp()
            facts = {"service": region.service, "type": kind, "name": name, "status": life.status}
            yield facts | {"since": round(since, 3)}
