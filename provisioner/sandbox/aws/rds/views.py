"""A DB instance as the API writes it."""

from __future__ import annotations

from typing import Any, Final

from provisioner.sandbox.aws.rds import subnet_groups
from provisioner.sandbox.aws.rds.state import Instance, RdsRegion
from provisioner.sandbox.aws.rds.versions import GP3_FREE_FROM

_HIDDEN: Final = frozenset({
    "DBSubnetGroupName", "DBParameterGroupName", "VpcSecurityGroupIds", "Port", "EnabledCloudwatchLogsExports",
})  # fmt: skip


_CONSTANT: Final[dict[str, Any]] = {
    "DbInstancePort": 0,
    "DBSecurityGroups": [],
    "LicenseModel": "postgresql-license",
    "DomainMemberships": [],
    "AssociatedRoles": [],
    "CustomerOwnedIpEnabled": False,
    "BackupTarget": "region",
    "NetworkType": "IPV4",
    "StorageVolumeStatus": "AVAILABLE",
    "ActivityStreamStatus": "stopped",
    "IsStorageConfigUpgradeAvailable": False,
    "DedicatedLogVolume": False,
}


def instance_view(region: RdsRegion, instance: Instance) -> dict[str, Any]:
    """Everything that DescribeDBInstances tells."""
    s = instance.settings
    settings = {name: value for name, value in s.items() if name not in _HIDDEN and value is not None}
    group = region.subnet_group(s["DBSubnetGroupName"])
    parameter_group = {
        "DBParameterGroupName": s["DBParameterGroupName"],
        "ParameterApplyStatus": instance.parameter_status,
    }
    option_group = f"default:postgres-{s['EngineVersion'].partition('.')[0]}"
    arn = region.arn("db", instance.ident)
    second = sorted(group.zones - {s["AvailabilityZone"]}) if s["MultiAZ"] else []
    return {
        **_CONSTANT,
        **settings,
        **_volume(s),
        **_once_up(region, instance),
        **_replication(region, instance),
        "DBInstanceIdentifier": instance.ident,
        "DBInstanceArn": arn,
        "DbiResourceId": instance.resource_id,
        "DBInstanceStatus": instance.status,
        "VpcSecurityGroups": [{"VpcSecurityGroupId": g, "Status": "active"} for g in s["VpcSecurityGroupIds"]],
        "DBSubnetGroup": subnet_groups.view(region, group),
        "DBParameterGroups": [parameter_group],
        "OptionGroupMemberships": [{"OptionGroupName": option_group, "Status": "in-sync"}],
        "PendingModifiedValues": _pending(instance.pending),
        "CertificateDetails": {"CAIdentifier": s["CACertificateIdentifier"]},
        "EnabledCloudwatchLogsExports": s["EnabledCloudwatchLogsExports"] or None,
        "SecondaryAvailabilityZone": second[0] if second else None,
        "TagList": region.tag_list(arn),
    }


def _volume(s: dict[str, Any]) -> dict[str, int]:
    """gp3 tells its baseline where nothing else was asked for."""
    if s["StorageType"] != "gp3":
        return {}
    iops, throughput = (12000, 500) if s["AllocatedStorage"] >= GP3_FREE_FROM else (3000, 125)
    return {"Iops": s["Iops"] or iops, "StorageThroughput": s["StorageThroughput"] or throughput}


def _once_up(region: RdsRegion, instance: Instance) -> dict[str, Any]:
    """What an instance has only when it was up once."""
    if not instance.address:
        return {}
    where = {"Address": instance.address, "Port": instance.port, "HostedZoneId": "Z2R2ITUGPM61AM"}
    backups = instance.settings["BackupRetentionPeriod"] > 0
    restorable = {"LatestRestorableTime": region.world.wall().replace(microsecond=0)} if backups else {}
    return {"Endpoint": where, "InstanceCreateTime": instance.created, **restorable}


def _replication(region: RdsRegion, instance: Instance) -> dict[str, Any]:
    """Who follows it, and whom it follows: names in the same region, ARNs elsewhere."""
    followers = [
        replica.ident if home is region else home.arn("db", replica.ident)
        for home, replica in region.replicas(instance.ident)
    ]
    found: dict[str, Any] = {"ReadReplicaDBInstanceIdentifiers": followers}
    if instance.source is not None:
        home = region.elsewhere(instance.source.region)
        near = home is region
        found["ReadReplicaSourceDBInstanceIdentifier"] = (
            instance.source.ident if near else home.arn("db", instance.source.ident)
        )
        found["StatusInfos"] = [
            {
                "StatusType": "read replication",
                "Normal": instance.replication == "replicating",
                "Status": instance.replication,
            }
        ]
    return found


def _pending(pending: dict[str, Any]) -> dict[str, Any]:
    """Pending changes under the names that this structure has for them; a password is never shown."""
    shown = dict(pending)
    if "MasterUserPassword" in shown:
        shown["MasterUserPassword"] = "****"
    return shown
