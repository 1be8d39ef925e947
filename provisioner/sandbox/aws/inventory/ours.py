"""The objects of our own services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from provisioner.sandbox.aws.inventory.item import Item, owner_of
from provisioner.sandbox.aws.rds.backups import ident_of
from provisioner.sandbox.aws.strict import Region

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services


def collect(services: Services) -> Iterator[Item]:
    """Everything in RDS, ElastiCache and Lambda but the default groups."""
    for rds in services.rds.regions():
        with rds.lock:
            rds.settle()
            yield from _items(rds, {
                ("db-instance", "db"): rds.instances,
                ("db-snapshot", "snapshot"): rds.snapshots,
                ("automated-backup", "auto-backup"): {ident_of(rds, one): one for one in rds.backups},
                ("db-subnet-group", "subgrp"): rds.subnet_groups,
                ("db-parameter-group", "pg"): rds.parameter_groups,
                ("event-subscription", "es"): rds.subscriptions,
            })  # fmt: skip
            for proxy in rds.proxies.values():
                arn = rds.arn("db-proxy", proxy.ident)
                yield Item(rds.service, "db-proxy", arn, proxy.name, owner_of(rds.tags.get(arn, {})))
    for cache in services.elasticache.regions():
        with cache.lock:
            cache.settle()
            yield from _items(cache, {
                ("replication-group", "replicationgroup"): cache.groups,
                ("cache-snapshot", "snapshot"): cache.snapshots,
                ("cache-subnet-group", "subnetgroup"): cache.subnet_groups,
                ("cache-parameter-group", "parametergroup"): cache.parameter_groups,
            })  # fmt: skip
    for functions in services.functions.regions():
        with functions.lock:
            functions.settle()
            yield from _items(functions, {("function", "function"): functions.functions})


def _items(region: Region, homes: Mapping[tuple[str, str], Mapping[str, Any]]) -> Iterator[Item]:
    for (kind, word), objects in homes.items():
        for name in objects:
            if name != "default":
                arn = region.arn(word, name)
                yield Item(region.service, kind, arn, name, owner_of(region.tags.get(arn, {})))
