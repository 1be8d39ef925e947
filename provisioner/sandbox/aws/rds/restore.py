"""RestoreDBInstanceFromDBSnapshot: a new instance with the data of a snapshot.

As in AWS, what is not passed does not come from the source: the new instance is in the default subnet group with the
default security group and parameter group, and in one zone, whatever the instance had from which the snapshot was made.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.databases import Address
from provisioner.sandbox.aws.rds import checks, versions
from provisioner.sandbox.aws.rds.instances import add, launch, new_ident, refuse_not_offered
from provisioner.sandbox.aws.rds.server_values import translated
from provisioner.sandbox.aws.rds.state import RdsRegion, Snapshot
from provisioner.sandbox.aws.rds.views import instance_view
from provisioner.sandbox.aws.strict import Params, Result

Settings = dict[str, Any]

_TAKEN: Final[Mapping[str, str]] = {
    "DBInstanceClass": "DBInstanceClass",
    "Port": "Port",
    "PubliclyAccessible": "PubliclyAccessible",
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "StorageType": "StorageType",
    "Iops": "Iops",
    "StorageThroughput": "StorageThroughput",
    "AllocatedStorage": "AllocatedStorage",
    "BackupRetentionPeriod": "BackupRetentionPeriod",
    "PreferredBackupWindow": "PreferredBackupWindow",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "CACertificateIdentifier": "CACertificateIdentifier",
}
"""Parameters that replace what the source had, and the settings that they are for."""
_OTHERWISE: Final = frozenset({
    "DBInstanceIdentifier", "DBSnapshotIdentifier", "DBSubnetGroupName", "VpcSecurityGroupIds", "DBParameterGroupName",
    "MultiAZ", "AvailabilityZone", "DeletionProtection", "EnableCloudwatchLogsExports", "Tags", "Engine",
    "LicenseModel", "EngineLifecycleSupport",
})  # fmt: skip


def restore(region: RdsRegion, p: Params, call: Call) -> Result:
    """RestoreDBInstanceFromDBSnapshot."""
    ident = new_ident(region, p["DBInstanceIdentifier"])
    if not p.get("DBSnapshotIdentifier"):
        raise checks.value("The parameter DBSnapshotIdentifier must be provided")
    snapshot = region.snapshot(p["DBSnapshotIdentifier"].rpartition(":")[2])
    if snapshot.lifecycle.status != "available":
        raise AwsError("InvalidDBSnapshotState", f"The snapshot {snapshot.ident} is {snapshot.lifecycle.status}.")
    refuse_not_offered(p)
    unknown = [name for name in p if name not in _TAKEN and name not in _OTHERWISE]
    if unknown:
        raise AwsError("NotImplemented", f"the sandbox does not offer {unknown[0]} with this operation", 501)
    settings = _settings(region, snapshot, p)
    checks.check_settings(region, settings)
    if settings["AllocatedStorage"] < snapshot.settings["AllocatedStorage"]:
        raise checks.combination("The storage of a restored instance cannot be less than its snapshot's.")
    if settings.get("KmsKeyId"):
        _need_key(region, settings["KmsKeyId"])
    region.tag(region.arn("db", ident), p.get("Tags", []))
    instance = add(region, ident, settings)
    values, port = translated(instance.in_force), settings["Port"]

    def start() -> Address:
        return region.world.databases.restore_postgres(snapshot.copy, instance.database, port=port, parameters=values)

    launch(region, instance, start, call)
    return {"DBInstance": instance_view(region, instance)}


def _settings(region: RdsRegion, snapshot: Snapshot, p: Params) -> Settings:
    group = region.subnet_group(p.get("DBSubnetGroupName", "default"))
    if p.get("MultiAZ") and p.get("AvailabilityZone"):
        raise checks.combination("Requesting a specific availability zone is not valid for Multi-AZ instances.")
    zones = sorted(group.zones)
    zone = p.get("AvailabilityZone") or zones[zlib.crc32(p["DBInstanceIdentifier"].encode()) % len(zones)]
    default_group = region.world.neighbours.default_security_group(region.name, group.vpc)
    family = versions.family(snapshot.settings["EngineVersion"])
    return (
        snapshot.settings
        | {setting: p[name] for name, setting in _TAKEN.items() if name in p}
        | {
            "DBSubnetGroupName": group.name,
            "AvailabilityZone": zone,
            "MultiAZ": p.get("MultiAZ", False),
            "VpcSecurityGroupIds": p.get("VpcSecurityGroupIds") or [default_group],
            "DBParameterGroupName": p.get("DBParameterGroupName", f"default.{family}").lower(),
            "DeletionProtection": p.get("DeletionProtection", False),
            "EnabledCloudwatchLogsExports": p.get("EnableCloudwatchLogsExports", []),
        }
    )


def _need_key(region: RdsRegion, arn: str) -> None:
    """A snapshot that a customer's key encrypted needs that key; AWS's own key is always there."""
    key = region.world.neighbours.key(region.name, arn)
    if key is not None and key.state != "Enabled":
        raise AwsError("KMSKeyNotAccessibleFault", f"The key {arn} of the snapshot is not enabled; it is {key.state}.")
