"""Replication groups: create, describe, delete; and the cache clusters that are their members."""

from __future__ import annotations

from typing import Any, Final

from provisioner.sandbox.aws import windows
from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.databases import CacheAddresses
from provisioner.sandbox.aws.elasticache import checks, parameter_groups, snapshots
from provisioner.sandbox.aws.elasticache.catalogue import resolve
from provisioner.sandbox.aws.elasticache.checks import combination
from provisioner.sandbox.aws.elasticache.state import GONE, CacheRegion, ReplicationGroup
from provisioner.sandbox.aws.elasticache.views import cluster_view, group_view
from provisioner.sandbox.aws.idents import database_ident
from provisioner.sandbox.aws.lifecycle import Lifecycle, Stage
from provisioner.sandbox.aws.strict import Params, Result, page

Settings = dict[str, Any]

_NOT_OFFERED: Final = (
    "GlobalReplicationGroupId", "PrimaryClusterId", "NodeGroupConfiguration", "CacheSecurityGroupNames", "SnapshotArns",
    "SnapshotName", "UserGroupIds", "LogDeliveryConfigurations", "DataTieringEnabled", "ServerlessCacheSnapshotName",
)  # fmt: skip
_DEFAULTS_ONLY: Final = {
    "NetworkType": "ipv4", "IpDiscovery": "ipv4", "ClusterMode": "disabled", "TransitEncryptionMode": "required",
    "Durability": "default", "NumNodeGroups": 1,
}  # fmt: skip
_SNAPSHOT_WINDOWS: Final = ("08:00-09:00", "16:00-17:00", "00:00-01:00")


def refuse_not_offered(p: Params) -> None:
    """Say honestly what the sandbox cannot play, instead of taking it and doing nothing."""
    wished = [n for n in _NOT_OFFERED if p.get(n)]
    wished += [f"{n} {p[n]}" for n, only in _DEFAULTS_ONLY.items() if p.get(n, only) != only]
    if wished:
        raise AwsError("NotImplemented", f"the sandbox does not offer {', '.join(wished)}", 501)


def create(region: CacheRegion, p: Params, call: Call) -> Result:
    """CreateReplicationGroup."""
    checks.check_ident(p["ReplicationGroupId"])
    ident = p["ReplicationGroupId"].lower()
    if ident in region.groups:
        raise AwsError("ReplicationGroupAlreadyExists", f"Replication group with id {ident} already exists.")
    if not p["ReplicationGroupDescription"].strip():
        raise checks.value("ReplicationGroupDescription must not be empty")
    refuse_not_offered(p)
    settings = _settings(region, p)
    checks.check_settings(region, settings)
    token = p.get("AuthToken") or None
    if token:
        if not settings["TransitEncryptionEnabled"]:
            raise combination("AuthToken can be given only when TransitEncryptionEnabled is true.")
        checks.check_token(token)
    group = ReplicationGroup(
        ident, region.world.wall(), settings, Lifecycle(region.world.now, "creating"), database_ident("cache"),
        tokens=[token] if token else [],
    )  # fmt: skip
    for arn in (region.arn("replicationgroup", ident), *(region.arn("cluster", m) for m in group.members)):
        region.tag(arn, p.get("Tags", []))
    region.groups[ident] = group
    _launch(region, group, call)
    return {"ReplicationGroup": group_view(region, group)}


def _settings(region: CacheRegion, p: Params) -> Settings:
    engine = p.get("Engine", "redis")
    version, family = resolve(engine, p.get("EngineVersion"))
    if "NumCacheClusters" in p and "ReplicasPerNodeGroup" in p:
        raise combination("NumCacheClusters and ReplicasPerNodeGroup cannot both be given.")
    if not p.get("CacheNodeType"):
        raise checks.value("The parameter CacheNodeType must be provided")
    number = p.get("NumCacheClusters", p.get("ReplicasPerNodeGroup", 0) + 1)
    subnets = region.subnet_group(p.get("CacheSubnetGroupName", "default"))
    zones = p.get("PreferredCacheClusterAZs") or [subnets.zones[n % len(subnets.zones)] for n in range(max(number, 0))]
    if len(zones) != number:
        raise combination(f"PreferredCacheClusterAZs names {len(zones)} zones for {number} clusters")
    default_group = region.world.neighbours.default_security_group(region.name, subnets.vpc)
    maintenance = p.get("PreferredMaintenanceWindow")
    snapshot = p.get("SnapshotWindow") or _snapshot_window(maintenance)
    return {
        "Description": p["ReplicationGroupDescription"],
        "Engine": engine,
        "EngineVersion": version,
        "CacheNodeType": p["CacheNodeType"],
        "NumCacheClusters": number,
        "AutomaticFailover": p.get("AutomaticFailoverEnabled", False),
        "MultiAZ": p.get("MultiAZEnabled", False),
        "CacheParameterGroupName": p.get("CacheParameterGroupName", f"default.{family}").lower(),
        "CacheSubnetGroupName": subnets.name,
        "SecurityGroupIds": p.get("SecurityGroupIds") or [default_group],
        "Zones": zones,
        "Port": p.get("Port", 6379),
        "SnapshotRetentionLimit": p.get("SnapshotRetentionLimit", 0),
        "SnapshotWindow": snapshot,
        "PreferredMaintenanceWindow": maintenance.lower() if maintenance else _maintenance_window(snapshot),
        "NotificationTopicArn": p.get("NotificationTopicArn"),
        "AutoMinorVersionUpgrade": p.get("AutoMinorVersionUpgrade", True),
        "TransitEncryptionEnabled": p.get("TransitEncryptionEnabled", False),
        "AtRestEncryptionEnabled": p.get("AtRestEncryptionEnabled", engine == "valkey"),
        "KmsKeyId": _key(region, p),
    }


def _key(region: CacheRegion, p: Params) -> str | None:
    if not p.get("KmsKeyId"):
        return None
    if not p.get("AtRestEncryptionEnabled"):
        raise combination("KmsKeyId can be given only when AtRestEncryptionEnabled is true.")
    return checks.usable_key(region, p["KmsKeyId"])


def _snapshot_window(maintenance: str | None) -> str:
    """A daily window that keeps clear of the weekly one."""
    if maintenance is None:
        return _SNAPSHOT_WINDOWS[0]
    taken = windows.weekly(maintenance, least=60, what="maintenance window")
    free = (w for w in _SNAPSHOT_WINDOWS if not windows.overlap(windows.daily(w, least=60, what=""), taken))
    return next(free, _SNAPSHOT_WINDOWS[0])


def _maintenance_window(snapshot: str) -> str:
    """A weekly window of an hour that keeps clear of the daily one."""
    taken = windows.daily(snapshot, least=60, what="snapshot window")
    wishes = [f"sun:{hour:02d}:00-sun:{hour + 1:02d}:00" for hour in (5, 10, 15, 20)]
    free = (w for w in wishes if not windows.overlap(taken, windows.weekly(w, least=60, what="")))
    return next(free, wishes[0])


def _launch(region: CacheRegion, group: ReplicationGroup, call: Call) -> None:
    """Send a new group on its way."""
    s, databases = group.settings, region.world.databases
    values = parameter_groups.server_values(parameter_groups.find(region, s["CacheParameterGroupName"]))
    token = group.tokens[0] if group.tokens else None
    seconds = region.world.options.seconds("elasticache")
    if call.outcome == "failed":
        group.lifecycle.follow([Stage("creating", seconds)], rest="create-failed")
        return

    def start() -> CacheAddresses:
        return databases.start_valkey(
            group.database,
            port=s["Port"],
            auth_token=token,
            tls=s["TransitEncryptionEnabled"],
            parameters=values,
            replicas=s["NumCacheClusters"] - 1,
        )

    job = region.world.jobs.do(group.database, start)

    def up() -> None:
        group.addresses = job.result()

    stages = [Stage("creating", seconds, job, up, call.held)]
    if call.outcome == "ready-then-failed":
        stages.append(Stage("available", call.outcome_delay))
    failed = call.outcome == "ready-then-failed"
    group.lifecycle.follow(stages, rest="create-failed" if failed else "available", failure="create-failed")


def describe(region: CacheRegion, p: Params, call: Call) -> Result:
    """DescribeReplicationGroups."""
    if p.get("ReplicationGroupId"):
        return {"ReplicationGroups": [group_view(region, region.group(p["ReplicationGroupId"]))]}
    shown, marker = page(list(region.groups.values()), p, lambda g: g.ident)
    return {"ReplicationGroups": [group_view(region, g) for g in shown], "Marker": marker}


def describe_clusters(region: CacheRegion, p: Params, call: Call) -> Result:
    """DescribeCacheClusters: the members of replication groups; there are no others."""
    nodes = p.get("ShowCacheNodeInfo", False)
    found = [(g, number) for g in list(region.groups.values()) for number in range(len(g.members))]
    if p.get("ShowCacheClustersNotInReplicationGroups"):
        found = []
    wish = p.get("CacheClusterId")
    if wish:
        found = [(g, number) for g, number in found if g.members[number] == wish.lower()]
        if not found:
            raise AwsError("CacheClusterNotFound", f"CacheCluster {wish} not found.")
    shown, marker = page(found, p, lambda pair: pair[0].members[pair[1]])
    return {"CacheClusters": [cluster_view(region, g, number, nodes=nodes) for g, number in shown], "Marker": marker}


def delete(region: CacheRegion, p: Params, call: Call) -> Result:
    """DeleteReplicationGroup."""
    group = region.group(p["ReplicationGroupId"])
    status = group.status
    if p.get("RetainPrimaryCluster"):
        raise AwsError("NotImplemented", "the sandbox does not offer RetainPrimaryCluster", 501)
    if status not in ("available", "create-failed"):
        raise AwsError(
            "InvalidReplicationGroupState",
            f"Replication group {group.ident} has status {status} which is not valid for deletion. "
            "The status should be one of: available, create-failed.",
        )
    if p.get("FinalSnapshotIdentifier"):
        if status != "available":
            raise AwsError("SnapshotFeatureNotSupportedFault", f"{group.ident} is {status}: it cannot be snapshotted")
        snapshots.begin(region, p["FinalSnapshotIdentifier"], group)
    job = region.world.jobs.do(group.database, lambda: region.world.databases.remove(group.database))
    group.lifecycle = Lifecycle(region.world.now, "deleting")
    seconds = region.world.options.seconds("elasticache:delete")
    stages = [Stage("deleting", seconds, job, held=call.held)]
    group.lifecycle.follow(stages, rest=GONE)
    return {"ReplicationGroup": group_view(region, group)}
