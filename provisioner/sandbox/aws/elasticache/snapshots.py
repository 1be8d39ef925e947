"""Cache snapshots: records of what a group was. They hold no data, and nothing can be made from them."""

from __future__ import annotations

import re
from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.elasticache.state import CacheRegion, CacheSnapshot, ReplicationGroup
from provisioner.sandbox.aws.lifecycle import Lifecycle, Stage
from provisioner.sandbox.aws.strict import Params, Result, page

_NAME: Final = re.compile(r"[a-zA-Z](?:-?[a-zA-Z0-9])*")


def begin(region: CacheRegion, name: str, group: ReplicationGroup) -> CacheSnapshot:
    """A snapshot of a group; AwsError where its name is bad or taken."""
    key = name.lower()
    if not _NAME.fullmatch(key) or len(key) > 255:
        raise AwsError("InvalidParameterValue", f"SnapshotName {name} is not a valid identifier")
    if key in region.snapshots:
        raise AwsError("SnapshotAlreadyExistsFault", f"Snapshot with name {key} already exists.")
    lifecycle = Lifecycle(region.world.now, "creating")
    lifecycle.follow([Stage("creating", region.world.options.seconds("elasticache:modify"))], rest="available")
    snapshot = CacheSnapshot(key, group.ident, region.world.wall(), dict(group.settings), lifecycle)
    region.snapshots[key] = snapshot
    return snapshot


def create(region: CacheRegion, p: Params, call: Call) -> Result:
    """CreateSnapshot of a replication group."""
    group = region.group(p.get("ReplicationGroupId") or p.get("CacheClusterId", "").rpartition("-")[0])
    if group.status != "available":
        raise AwsError("InvalidReplicationGroupState", f"Replication group {group.ident} is {group.status}.")
    snapshot = begin(region, p["SnapshotName"], group)
    region.tag(region.arn("snapshot", snapshot.name), p.get("Tags", []))
    return {"Snapshot": _view(region, snapshot)}


def _view(region: CacheRegion, snapshot: CacheSnapshot) -> dict[str, Any]:
    s = snapshot.settings
    copied = ("CacheNodeType", "Engine", "EngineVersion", "Port", "CacheParameterGroupName", "CacheSubnetGroupName",
              "SnapshotRetentionLimit", "SnapshotWindow", "PreferredMaintenanceWindow", "KmsKeyId",
              "AutoMinorVersionUpgrade")  # fmt: skip
    return {name: s.get(name) for name in copied} | {
        "SnapshotName": snapshot.name,
        "ReplicationGroupId": snapshot.source,
        "ReplicationGroupDescription": s["Description"],
        "SnapshotStatus": snapshot.lifecycle.status,
        "SnapshotSource": "manual",
        "NumNodeGroups": 1,
        "AutomaticFailover": "enabled" if s["AutomaticFailover"] else "disabled",
        "ARN": region.arn("snapshot", snapshot.name),
        "NodeSnapshots": [],
    }


def describe(region: CacheRegion, p: Params, call: Call) -> Result:
    """DescribeSnapshots."""
    wish = p.get("SnapshotName")
    if wish and wish.lower() not in region.snapshots:
        raise AwsError("SnapshotNotFoundFault", f"Snapshot {wish} not found.")
    found = [
        s
        for s in region.snapshots.values()
        if (not wish or s.name == wish.lower()) and p.get("ReplicationGroupId", s.source).lower() == s.source
    ]
    shown, marker = page(found, p | {"MaxRecords": p.get("MaxRecords", 50)}, lambda s: s.name)
    return {"Snapshots": [_view(region, s) for s in shown], "Marker": marker}


def delete(region: CacheRegion, p: Params, call: Call) -> Result:
    """DeleteSnapshot."""
    key = p["SnapshotName"].lower()
    if key not in region.snapshots:
        raise AwsError("SnapshotNotFoundFault", f"Snapshot {key} not found.")
    snapshot = region.snapshots.pop(key)
    region.tags.pop(region.arn("snapshot", key), None)
    return {"Snapshot": _view(region, snapshot) | {"SnapshotStatus": "deleting"}}
