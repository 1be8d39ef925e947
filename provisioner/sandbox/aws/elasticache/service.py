"""ElastiCache: the table of its operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, Final

from provisioner.sandbox.aws.elasticache import (
    catalogue,
    groups,
    modify,
    parameter_groups,
    snapshots,
    subnet_groups,
    tagging,
)
from provisioner.sandbox.aws.elasticache.state import CacheRegion
from provisioner.sandbox.aws.strict import Handler, StrictService

_OPERATIONS: Final[dict[str, Handler[CacheRegion]]] = {
    "CreateReplicationGroup": groups.create,
    "DescribeReplicationGroups": groups.describe,
    "DescribeCacheClusters": groups.describe_clusters,
    "ModifyReplicationGroup": modify.modify,
    "DeleteReplicationGroup": groups.delete,
    "CreateCacheSubnetGroup": subnet_groups.create,
    "DescribeCacheSubnetGroups": subnet_groups.describe,
    "ModifyCacheSubnetGroup": subnet_groups.modify,
    "DeleteCacheSubnetGroup": subnet_groups.delete,
    "CreateCacheParameterGroup": parameter_groups.create,
    "DescribeCacheParameterGroups": parameter_groups.describe,
    "ModifyCacheParameterGroup": parameter_groups.modify,
    "ResetCacheParameterGroup": parameter_groups.reset,
    "DeleteCacheParameterGroup": parameter_groups.delete,
    "DescribeCacheParameters": parameter_groups.describe_parameters,
    "DescribeEngineDefaultParameters": parameter_groups.describe_engine_defaults,
    "DescribeCacheEngineVersions": catalogue.describe_versions,
    "CreateSnapshot": snapshots.create,
    "DescribeSnapshots": snapshots.describe,
    "DeleteSnapshot": snapshots.delete,
    "AddTagsToResource": tagging.add,
    "RemoveTagsFromResource": tagging.remove,
    "ListTagsForResource": tagging.list_tags,
}


class ElastiCache(StrictService[CacheRegion]):
    """ElastiCache in every region."""

    name: ClassVar[str] = "elasticache"
    operations: Mapping[str, Handler[CacheRegion]] = _OPERATIONS
    region_class = CacheRegion

    def removals(self, region: CacheRegion) -> list[Callable[[], None]]:
        """What takes away the Valkey servers behind groups."""
        return [partial(region.world.databases.remove, group.database) for group in region.groups.values()]
