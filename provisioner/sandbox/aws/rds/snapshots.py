"""DB snapshots: real copies of the PostgreSQL behind an instance, and new instances made from them."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.idents import database_ident
from provisioner.sandbox.aws.lifecycle import Lifecycle, Stage
from provisioner.sandbox.aws.rds import checks
from provisioner.sandbox.aws.rds.state import Instance, RdsRegion, Snapshot
from provisioner.sandbox.aws.strict import Params, Result, filtered, page


def begin(region: RdsRegion, instance: Instance, ident: str, kind: str) -> Snapshot:
    """A snapshot that is being made; AwsError where its name is bad or taken."""
    checks.check_ident(ident, "DBSnapshotIdentifier")
    key = ident.lower()
    if key in region.snapshots:
        raise AwsError("DBSnapshotAlreadyExists", f"A snapshot with the identifier {ident} already exists.")
    snapshot = Snapshot(
        ident=key,
        source=instance.ident,
        kind=kind,
        created=region.world.wall(),
        settings=dict(instance.settings),
        instance_created=instance.created,
        resource_id=instance.resource_id,
        lifecycle=Lifecycle(region.world.now, "creating"),
        copy=database_ident("snapshot"),
    )
    if instance.settings["CopyTagsToSnapshot"]:
        region.tag(region.arn("snapshot", key), region.tag_list(region.arn("db", instance.ident)))
    region.snapshots[key] = snapshot
    return snapshot


def settle_with(region: RdsRegion, snapshot: Snapshot, job: Future[Any]) -> None:
    """Let a snapshot be available once its copy is made."""
    seconds = region.world.options.seconds("rds:snapshot")
    snapshot.lifecycle.follow([Stage("creating", seconds, job)], rest="available")


def create(region: RdsRegion, p: Params, call: Call) -> Result:
    """CreateDBSnapshot."""
    instance = region.instance(p["DBInstanceIdentifier"])
    if instance.status not in ("available", "storage-optimization", "backing-up") or not instance.address:
        raise AwsError("InvalidDBInstanceState", f"Cannot create a snapshot: {instance.ident} is {instance.status}.")
    snapshot = begin(region, instance, p["DBSnapshotIdentifier"], "manual")
    region.tag(region.arn("snapshot", snapshot.ident), p.get("Tags", []))
    databases = region.world.databases
    job = region.world.jobs.do(instance.database, lambda: databases.snapshot_postgres(instance.database, snapshot.copy))
    settle_with(region, snapshot, job)
    if not instance.lifecycle.busy:
        seconds = region.world.options.seconds("rds:snapshot")
        rest = instance.status
        instance.lifecycle.follow([Stage("backing-up", seconds, job)], rest=rest, failure=rest)
    return {"DBSnapshot": view(region, snapshot)}


def view(region: RdsRegion, snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as the API writes it."""
    s = snapshot.settings
    status = snapshot.lifecycle.status
    copied = ("Engine", "EngineVersion", "AllocatedStorage", "AvailabilityZone", "MasterUsername", "Port",
              "StorageType", "Iops", "StorageThroughput", "KmsKeyId", "IAMDatabaseAuthenticationEnabled")  # fmt: skip
    return {name: s.get(name) for name in copied} | {
        "DBSnapshotIdentifier": snapshot.ident,
        "DBInstanceIdentifier": snapshot.source,
        "DBSnapshotArn": region.arn("snapshot", snapshot.ident),
        "SnapshotCreateTime": snapshot.created,
        "OriginalSnapshotCreateTime": snapshot.created,
        "InstanceCreateTime": snapshot.instance_created,
        "DbiResourceId": snapshot.resource_id,
        "SnapshotType": snapshot.kind,
        "Status": status,
        "PercentProgress": 100 if status == "available" else 0,
        "Encrypted": s["StorageEncrypted"],
        "LicenseModel": "postgresql-license",
        "OptionGroupName": f"default:postgres-{s['EngineVersion'].partition('.')[0]}",
        "SnapshotTarget": "region",
        "TagList": region.tag_list(region.arn("snapshot", snapshot.ident)),
    }


def describe(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeDBSnapshots."""
    if p.get("DBSnapshotIdentifier"):
        wish = p["DBSnapshotIdentifier"]
        ident = wish.rpartition(":")[2] if wish.startswith("arn:") else wish
        return {"DBSnapshots": [view(region, region.snapshot(ident))]}
    found = [s for s in region.snapshots.values() if p.get("DBInstanceIdentifier", s.source).lower() == s.source]
    found = [s for s in found if p.get("SnapshotType", s.kind) == s.kind]
    known = {
        "db-instance-id": lambda s: s.source,
        "db-snapshot-id": lambda s: s.ident,
        "dbi-resource-id": lambda s: s.resource_id,
        "snapshot-type": lambda s: s.kind,
        "engine": lambda s: "postgres",
    }
    shown, marker = page(filtered(found, p, known), p, lambda s: s.ident)
    return {"DBSnapshots": [view(region, s) for s in shown], "Marker": marker}


def delete(region: RdsRegion, p: Params, call: Call) -> Result:
    """DeleteDBSnapshot."""
    snapshot = region.snapshot(p["DBSnapshotIdentifier"])
    if snapshot.lifecycle.status not in ("available", "failed"):
        raise AwsError("InvalidDBSnapshotState", f"The snapshot {snapshot.ident} is {snapshot.lifecycle.status}.")
    region.world.jobs.do(snapshot.copy, lambda: region.world.databases.delete_snapshot(snapshot.copy))
    del region.snapshots[snapshot.ident]
    answer = view(region, snapshot) | {"Status": "deleted"}
    region.tags.pop(region.arn("snapshot", snapshot.ident), None)
    return {"DBSnapshot": answer}
