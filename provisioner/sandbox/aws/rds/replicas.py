"""Read replicas: real PostgreSQL servers that stream from the one behind their source, in its region or in another.

What is not passed comes from the source where it is in the same region, and is the region's default elsewhere. As in
AWS a replica of PostgreSQL is made without a parameter group of its own (another one is a modification later),
``DeletionProtection`` is taken and ignored, and a subnet group needs a source that is named by its ARN.

When a source goes, its replicas in the same region become servers of their own; those elsewhere stop replicating.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.databases import Address
from provisioner.sandbox.aws.rds import checks, versions
from provisioner.sandbox.aws.rds.checks import combination
from provisioner.sandbox.aws.rds.instances import (
    add,
    encryption,
    launch,
    need_available,
    new_ident,
    observation,
    refuse_not_offered,
    set_free,
)
from provisioner.sandbox.aws.rds.server_values import translated
from provisioner.sandbox.aws.rds.state import Instance, RdsRegion, Source
from provisioner.sandbox.aws.rds.views import instance_view
from provisioner.sandbox.aws.strict import Params, Result

Settings = dict[str, Any]
MOST: Final = 15
_TAKEN: Final = frozenset({
    "DBInstanceIdentifier", "SourceDBInstanceIdentifier", "DBInstanceClass", "AvailabilityZone", "Port", "MultiAZ",
    "AutoMinorVersionUpgrade", "Iops", "StorageThroughput", "PubliclyAccessible", "Tags", "DBSubnetGroupName",
    "VpcSecurityGroupIds", "StorageType", "CopyTagsToSnapshot", "MonitoringInterval", "MonitoringRoleArn", "KmsKeyId",
    "PreSignedUrl", "EnableIAMDatabaseAuthentication", "EnablePerformanceInsights", "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod", "DatabaseInsightsMode", "EnableCloudwatchLogsExports", "DeletionProtection",
    "MaxAllocatedStorage", "AllocatedStorage", "CACertificateIdentifier",
})  # fmt: skip


def create(region: RdsRegion, p: Params, call: Call) -> Result:
    """CreateDBInstanceReadReplica."""
    ident = new_ident(region, p["DBInstanceIdentifier"])
    wish = p.get("SourceDBInstanceIdentifier")
    if not wish:
        raise combination("Either SourceDBInstanceIdentifier or SourceDBClusterIdentifier must be specified.")
    if p.get("DBParameterGroupName"):
        raise combination(
            "A parameter group can't be specified during Read Replica creation for the following DB engine: postgres"
        )
    refuse_not_offered(p)
    unknown = [name for name in p if name not in _TAKEN]
    if unknown:
        raise AwsError("NotImplemented", f"the sandbox does not offer {unknown[0]} with this operation", 501)
    home, source = region.named(wish)
    _check_source(region, home, source, p)
    settings = _settings(region, home, source, p)
    checks.check_settings(region, settings)
    if settings["AllocatedStorage"] < source.settings["AllocatedStorage"]:
        raise combination("The storage of a read replica cannot be less than its source's.")
    region.tag(region.arn("db", ident), p.get("Tags", []))
    instance = add(region, ident, settings)
    instance.source = Source(home.name, source.ident)
    values, port, databases = translated(instance.in_force), settings["Port"], region.world.databases

    def start() -> Address:
        return databases.replicate_postgres(source.database, instance.database, port=port, parameters=values)

    launch(region, instance, start, call)
    return {"DBInstance": instance_view(region, instance)}


def _check_source(region: RdsRegion, home: RdsRegion, source: Instance, p: Params) -> None:
    if not source.settings["BackupRetentionPeriod"]:
        raise AwsError(
            "InvalidDBInstanceState",
            "Automated backups are not enabled for this database instance. To enable automated backups, use "
            "ModifyDBInstance to set the backup retention period to a non-zero value.",
        )
    need_available(source)
    if len(home.replicas(source.ident)) >= MOST:
        raise combination(f"{source.ident} has {MOST} read replicas already, which is the most that it can have.")
    if p.get("DBSubnetGroupName") and not p["SourceDBInstanceIdentifier"].startswith("arn:"):
        raise AwsError(
            "DBSubnetGroupNotAllowedFault",
            "DbSubnetGroupName should not be specified for read replicas that are created in the same region as the "
            "master",
        )
    encrypted, key = source.settings["StorageEncrypted"], p.get("KmsKeyId")
    if key and not encrypted:
        raise combination("You can't create an encrypted read replica from an unencrypted DB instance.")
    if encrypted and not key and home is not region:
        raise combination("An encrypted read replica in another region needs KmsKeyId, a key of that region.")


def _settings(region: RdsRegion, home: RdsRegion, source: Instance, p: Params) -> Settings:
    near, s = home is region, source.settings
    group = region.subnet_group(p.get("DBSubnetGroupName", s["DBSubnetGroupName"] if near else "default"))
    zones = sorted(group.zones)
    if p.get("MultiAZ") and p.get("AvailabilityZone"):
        raise combination("Requesting a specific availability zone is not valid for Multi-AZ instances.")
    default_group = region.world.neighbours.default_security_group(region.name, group.vpc)
    kind = p.get("StorageType", "io1" if p.get("Iops") else "gp3")
    key = {"KmsKeyId": p["KmsKeyId"]} if p.get("KmsKeyId") else {}
    return {
        **s,
        "DBInstanceClass": p.get("DBInstanceClass", s["DBInstanceClass"]),
        "Port": p.get("Port", s["Port"]),
        "MultiAZ": p.get("MultiAZ", False),
        "AvailabilityZone": p.get("AvailabilityZone")
        or zones[zlib.crc32(p["DBInstanceIdentifier"].encode()) % len(zones)],
        "DBSubnetGroupName": group.name,
        "VpcSecurityGroupIds": p.get("VpcSecurityGroupIds") or [default_group],
        "PubliclyAccessible": p.get("PubliclyAccessible", False),
        "DBParameterGroupName": s["DBParameterGroupName"] if near else f"default.{versions.family(s['EngineVersion'])}",
        "BackupRetentionPeriod": 0,
        "DeletionProtection": False,
        "CopyTagsToSnapshot": p.get("CopyTagsToSnapshot", False),
        "AutoMinorVersionUpgrade": p.get("AutoMinorVersionUpgrade", s["AutoMinorVersionUpgrade"]),
        "IAMDatabaseAuthenticationEnabled": p.get("EnableIAMDatabaseAuthentication", False),
        "CACertificateIdentifier": p.get("CACertificateIdentifier", s["CACertificateIdentifier"]),
        "EnabledCloudwatchLogsExports": p.get("EnableCloudwatchLogsExports", []),
        "StorageType": kind,
        "AllocatedStorage": p.get("AllocatedStorage", s["AllocatedStorage"]),
        "MaxAllocatedStorage": p.get("MaxAllocatedStorage", s["MaxAllocatedStorage"]),
        "Iops": p.get("Iops"),
        "StorageThroughput": p.get("StorageThroughput"),
        **(encryption(region, {"StorageEncrypted": True, **key}) if key else {}),
        **observation(region, p),
    }


def promote(region: RdsRegion, p: Params, call: Call) -> Result:
    """PromoteReadReplica."""
    instance = region.instance(p["DBInstanceIdentifier"])
    if instance.source is None:
        raise AwsError("InvalidDBInstanceState", f"DB Instance is not a read replica: {instance.ident}")
    need_available(instance)
    days = p.get("BackupRetentionPeriod", 1)
    if not 0 <= days <= 35:
        raise checks.value(f"Invalid backup retention period: {days}. Must be between 0 and 35.")
    set_free(region, instance, days)
    return {"DBInstance": instance_view(region, instance)}
