"""RDS for PostgreSQL: the table of its operations."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, Final

from provisioner.sandbox.aws.rds import (
    backups,
    catalogue,
    instances,
    modify,
    parameter_groups,
    proxies,
    proxy_targets,
    replicas,
    restore,
    snapshots,
    subnet_groups,
    subscriptions,
    tagging,
)
from provisioner.sandbox.aws.rds.state import RdsRegion
from provisioner.sandbox.aws.strict import Handler, StrictService
from provisioner.sandbox.aws.world import World

_OPERATIONS: Final[dict[str, Handler[RdsRegion]]] = {
    "CreateDBInstance": instances.create,
    "DescribeDBInstances": instances.describe,
    "ModifyDBInstance": modify.modify,
    "RebootDBInstance": instances.reboot,
    "DeleteDBInstance": instances.delete,
    "CreateDBInstanceReadReplica": replicas.create,
    "StartDBInstanceAutomatedBackupsReplication": backups.start,
    "StopDBInstanceAutomatedBackupsReplication": backups.stop,
    "DescribeDBInstanceAutomatedBackups": backups.describe,
    "DeleteDBInstanceAutomatedBackup": backups.delete,
    "PromoteReadReplica": replicas.promote,
    "CreateDBSubnetGroup": subnet_groups.create,
    "DescribeDBSubnetGroups": subnet_groups.describe,
    "ModifyDBSubnetGroup": subnet_groups.modify,
    "DeleteDBSubnetGroup": subnet_groups.delete,
    "CreateDBParameterGroup": parameter_groups.create,
    "DescribeDBParameterGroups": parameter_groups.describe,
    "ModifyDBParameterGroup": parameter_groups.modify,
    "ResetDBParameterGroup": parameter_groups.reset,
    "DeleteDBParameterGroup": parameter_groups.delete,
    "DescribeDBParameters": parameter_groups.describe_parameters,
    "DescribeEngineDefaultParameters": parameter_groups.describe_engine_defaults,
    "CreateDBSnapshot": snapshots.create,
    "DescribeDBSnapshots": snapshots.describe,
    "DeleteDBSnapshot": snapshots.delete,
    "RestoreDBInstanceFromDBSnapshot": restore.restore,
    "CreateDBProxy": proxies.create,
    "DescribeDBProxies": proxies.describe,
    "ModifyDBProxy": proxies.modify,
    "DeleteDBProxy": proxies.delete,
    "DescribeDBProxyTargetGroups": proxy_targets.describe_groups,
    "ModifyDBProxyTargetGroup": proxy_targets.modify_group,
    "RegisterDBProxyTargets": proxy_targets.register,
    "DeregisterDBProxyTargets": proxy_targets.deregister,
    "DescribeDBProxyTargets": proxy_targets.describe,
    "CreateEventSubscription": subscriptions.create,
    "DescribeEventSubscriptions": subscriptions.describe,
    "ModifyEventSubscription": subscriptions.modify,
    "DeleteEventSubscription": subscriptions.delete,
    "AddSourceIdentifierToSubscription": subscriptions.add_source,
    "RemoveSourceIdentifierFromSubscription": subscriptions.remove_source,
    "DescribeEventCategories": subscriptions.describe_categories,
    "DescribeEvents": subscriptions.describe_events,
    "AddTagsToResource": tagging.add,
    "RemoveTagsFromResource": tagging.remove,
    "ListTagsForResource": tagging.list_tags,
    "DescribeDBEngineVersions": catalogue.describe_engine_versions,
    "DescribeOrderableDBInstanceOptions": catalogue.describe_orderable_options,
    "DescribeCertificates": catalogue.describe_certificates,
    "DescribePendingMaintenanceActions": catalogue.describe_pending_maintenance,
    "DescribeAccountAttributes": catalogue.describe_account_attributes,
}


class Rds(StrictService[RdsRegion]):
    """RDS in every region."""

    name: ClassVar[str] = "rds"
    operations: Mapping[str, Handler[RdsRegion]] = _OPERATIONS
    region_class = RdsRegion

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._lock = threading.RLock()

    def region(self, name: str) -> RdsRegion:
        """The objects of a region, which reach into the others: for replicas, and for copies of backups."""
        found = super().region(name)
        found.join(self._lock, self.region, self.regions)
        return found

    def removals(self, region: RdsRegion) -> list[Callable[[], None]]:
        """What takes away the PostgreSQL servers behind instances, the copies behind snapshots, and proxies' fronts."""
        databases = region.world.databases
        servers = [partial(databases.remove, instance.database) for instance in region.instances.values()]
        return [
            *(partial(databases.remove, proxy.front) for proxy in region.proxies.values()),
            *servers,
            *(partial(databases.delete_snapshot, snapshot.copy) for snapshot in region.snapshots.values()),
        ]
