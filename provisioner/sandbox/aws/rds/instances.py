"""DB instances: create, describe, modify, reboot, delete."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, Final

from provisioner.sandbox.aws import windows
from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.databases import Address
from provisioner.sandbox.aws.idents import database_ident
from provisioner.sandbox.aws.lifecycle import Lifecycle, Stage
from provisioner.sandbox.aws.rds import backups, checks, parameter_groups, snapshots, versions
from provisioner.sandbox.aws.rds.catalogue import DEFAULT_CERTIFICATE, managed_key_arn
from provisioner.sandbox.aws.rds.checks import combination
from provisioner.sandbox.aws.rds.server_values import translated, values_for
from provisioner.sandbox.aws.rds.state import GONE, Instance, RdsRegion, new_resource_id
from provisioner.sandbox.aws.rds.views import instance_view
from provisioner.sandbox.aws.strict import Params, Result, filtered, page

Settings = dict[str, Any]

_NOT_OFFERED: Final = (
    "DBClusterIdentifier", "Domain", "DomainFqdn", "DomainOu", "DomainAuthSecretArn", "DomainDnsIps",
    "DomainIAMRoleName",
    "TdeCredentialArn", "Timezone", "CharacterSetName", "NcharCharacterSetName", "DBSecurityGroups",
    "ProcessorFeatures",
    "CustomIamInstanceProfile", "DBSystemId", "AdditionalStorageVolumes", "DBCapacityReservationIdentifier",
    "OptionGroupName",
    "MasterUserSecretKmsKeyId", "MasterUserAuthenticationType", "TagSpecifications",
)  # fmt: skip
_NOT_ON: Final = ("ManageMasterUserPassword", "MultiTenant", "EnableCustomerOwnedIp", "DedicatedLogVolume")
_EXTENDED: Final = "open-source-rds-extended-support"
_DEFAULT_BACKUP: Final = ("07:00-07:30", "15:00-15:30", "23:00-23:30")


def refuse_not_offered(p: Params) -> None:
    """Say honestly what the sandbox cannot play, instead of taking it and doing nothing."""
    wished = [n for n in _NOT_OFFERED if p.get(n)] + [n for n in _NOT_ON if p.get(n)]
    if wished:
        raise AwsError("NotImplemented", f"the sandbox does not offer {', '.join(wished)}", 501)


def create(region: RdsRegion, p: Params, call: Call) -> Result:
    """CreateDBInstance."""
    ident = new_ident(region, p["DBInstanceIdentifier"])
    if p["Engine"] != "postgres":
        raise checks.value(f"Invalid DB engine: {p['Engine']}; the sandbox offers postgres")
    if p.get("ManageMasterUserPassword") and p.get("MasterUserPassword"):
        raise combination("You can't specify MasterUserPassword when ManageMasterUserPassword is true.")
    refuse_not_offered(p)
    for name in ("MasterUsername", "MasterUserPassword"):
        if not p.get(name):
            raise combination(f"The parameter {name} must be provided for a DB instance")
    checks.check_user(p["MasterUsername"])
    checks.check_password(p["MasterUserPassword"])
    if p.get("DBName"):
        checks.check_database(p["DBName"])
    settings = _settings(region, p)
    checks.check_settings(region, settings)
    region.tag(region.arn("db", ident), p.get("Tags", []))
    instance = _begin(region, ident, settings, p["MasterUserPassword"], call)
    return {"DBInstance": instance_view(region, instance)}


def new_ident(region: RdsRegion, wish: str) -> str:
    """A valid name that no instance has, not even one that is being deleted."""
    checks.check_ident(wish, "DBInstanceIdentifier")
    ident = wish.lower()
    if ident in region.instances:
        raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
    return ident


def _settings(region: RdsRegion, p: Params) -> Settings:
    """The instance that a create call asks for, defaults filled in."""
    support = p.get("EngineLifecycleSupport", _EXTENDED)
    if support not in (_EXTENDED, f"{_EXTENDED}-disabled"):
        raise checks.value(f"Invalid EngineLifecycleSupport: {support}")
    version = versions.resolve(p.get("EngineVersion"), extended_support=support == _EXTENDED)
    group = region.subnet_group(p.get("DBSubnetGroupName", "default"))
    if p.get("MultiAZ") and p.get("AvailabilityZone"):
        raise combination("Requesting a specific availability zone is not valid for Multi-AZ instances.")
    zones = sorted(group.zones)
    default_group = region.world.neighbours.default_security_group(region.name, group.vpc)
    settings: Settings = {
        "Engine": "postgres",
        "EngineVersion": version,
        "EngineLifecycleSupport": support,
        "DBInstanceClass": p["DBInstanceClass"],
        "MasterUsername": p["MasterUsername"],
        "DBName": p.get("DBName"),
        "Port": p.get("Port", 5432),
        "MultiAZ": p.get("MultiAZ", False),
        "AvailabilityZone": p.get("AvailabilityZone")
        or zones[zlib.crc32(p["DBInstanceIdentifier"].encode()) % len(zones)],
        "DBSubnetGroupName": group.name,
        "VpcSecurityGroupIds": p.get("VpcSecurityGroupIds") or [default_group],
        "PubliclyAccessible": p.get("PubliclyAccessible", False),
        "DBParameterGroupName": p.get("DBParameterGroupName", f"default.{versions.family(version)}").lower(),
        "BackupRetentionPeriod": p.get("BackupRetentionPeriod", 1),
        "DeletionProtection": p.get("DeletionProtection", False),
        "CopyTagsToSnapshot": p.get("CopyTagsToSnapshot", False),
        "AutoMinorVersionUpgrade": p.get("AutoMinorVersionUpgrade", True),
        "IAMDatabaseAuthenticationEnabled": p.get("EnableIAMDatabaseAuthentication", False),
        "CACertificateIdentifier": p.get("CACertificateIdentifier", DEFAULT_CERTIFICATE),
        "EnabledCloudwatchLogsExports": p.get("EnableCloudwatchLogsExports", []),
    }
    return settings | _storage(p) | _windows(p) | encryption(region, p) | observation(region, p)


def _storage(p: Params) -> Settings:
    kind = p.get("StorageType", "io1" if p.get("Iops") else "gp3")
    if "AllocatedStorage" not in p:
        raise checks.value(f"Invalid storage size for engine name postgres and storage type {kind}: null")
    return {
        "StorageType": kind,
        "AllocatedStorage": p["AllocatedStorage"],
        "MaxAllocatedStorage": p.get("MaxAllocatedStorage"),
        "Iops": p.get("Iops"),
        "StorageThroughput": p.get("StorageThroughput"),
    }


def _windows(p: Params) -> Settings:
    """Both windows: a default keeps clear of the one that was given."""
    backup, maintenance = p.get("PreferredBackupWindow"), p.get("PreferredMaintenanceWindow")
    if backup is None:
        backup = _DEFAULT_BACKUP[0]
        if maintenance is not None:
            taken = windows.weekly(maintenance, least=30, what="maintenance window")
            free = (w for w in _DEFAULT_BACKUP if not windows.overlap(windows.daily(w, least=30, what=""), taken))
            backup = next(free, backup)
    if maintenance is None:
        maintenance = windows.away_from(windows.daily(backup, least=30, what="backup window"))
    return {"PreferredBackupWindow": backup, "PreferredMaintenanceWindow": maintenance.lower()}


def encryption(region: RdsRegion, p: Params) -> Settings:
    """Whether storage is encrypted, and with which key."""
    if p.get("KmsKeyId") and not p.get("StorageEncrypted"):
        raise combination("You can't specify a KMS key for an instance whose storage is not encrypted.")
    if not p.get("StorageEncrypted"):
        return {"StorageEncrypted": False}
    key = checks.usable_key(region, p["KmsKeyId"]) if p.get("KmsKeyId") else managed_key_arn(region)
    return {"StorageEncrypted": True, "KmsKeyId": key}


def observation(region: RdsRegion, p: Params) -> Settings:
    """Enhanced Monitoring and Performance Insights."""
    on = p.get("EnablePerformanceInsights", False)
    settings: Settings = {
        "MonitoringInterval": p.get("MonitoringInterval", 0),
        "MonitoringRoleArn": p.get("MonitoringRoleArn") or None,
        "PerformanceInsightsEnabled": on,
        "PerformanceInsightsRetentionPeriod": p.get("PerformanceInsightsRetentionPeriod", 7 if on else None),
        "DatabaseInsightsMode": p.get("DatabaseInsightsMode", "standard"),
    }
    if p.get("PerformanceInsightsKMSKeyId"):
        settings["PerformanceInsightsKMSKeyId"] = checks.usable_key(region, p["PerformanceInsightsKMSKeyId"])
    elif on:
        settings["PerformanceInsightsKMSKeyId"] = managed_key_arn(region)
    return settings


def _begin(region: RdsRegion, ident: str, settings: Settings, password: str, call: Call) -> Instance:
    instance = add(region, ident, settings)
    values = translated(instance.in_force)

    def start() -> Address:
        return region.world.databases.start_postgres(
            instance.database,
            user=settings["MasterUsername"],
            password=password,
            database=settings["DBName"] or "postgres",
            port=settings["Port"],
            parameters=values,
        )

    launch(region, instance, start, call)
    return instance


def add(region: RdsRegion, ident: str, settings: Settings) -> Instance:
    """Put a new instance among the region's, with nothing behind it yet."""
    lifecycle = Lifecycle(region.world.now, "creating")
    instance = Instance(ident, new_resource_id(), region.world.wall(), settings, lifecycle, database_ident("pg"))
    group = parameter_groups.find(region, settings["DBParameterGroupName"])
    instance.in_force = values_for(group, settings["DBInstanceClass"])
    region.instances[ident] = instance
    return instance


def export_log(region: RdsRegion, instance: Instance, log: str) -> None:
    """Something was written to ``log``: where it is exported, its group in CloudWatch Logs exists from now on."""
    if log in instance.settings["EnabledCloudwatchLogsExports"]:
        region.world.neighbours.ensure_log_group(region.name, f"/aws/rds/instance/{instance.ident}/{log}")


def launch(region: RdsRegion, instance: Instance, start: Callable[[], Address], call: Call) -> None:
    """Send a new instance on its way: creating, backing up where backups are on, available."""
    seconds = region.world.options.seconds("rds")
    if call.outcome == "failed":
        instance.lifecycle.follow([Stage("creating", seconds)], rest="failed")
        return
    job = region.world.jobs.do(instance.database, start)

    def up() -> None:
        instance.address, instance.port = job.result().host, job.result().port
        instance.created = region.world.wall()
        export_log(region, instance, "postgresql")
        region.happened(instance.ident, "db-instance", "creation", "DB instance created")

    # The first backup is part of the provisioning time: the instance is available when that is over.
    backup = min(seconds / 10, 30.0) if instance.settings["BackupRetentionPeriod"] else 0.0
    stages = [Stage("creating", seconds - backup, job, up, call.held)]
    if backup:
        stages.append(Stage("backing-up", backup))
    rest = "available"
    if call.outcome == "ready-then-failed":
        stages.append(Stage("available", call.outcome_delay))
        rest = "failed"
    instance.lifecycle.follow(stages, rest=rest)


def describe(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeDBInstances."""
    if p.get("DBInstanceIdentifier"):
        wish = p["DBInstanceIdentifier"]
        ident = wish.rpartition(":")[2] if wish.startswith("arn:") else wish
        return {"DBInstances": [instance_view(region, region.instance(ident))]}
    known = {
        "db-instance-id": lambda i: i.ident,
        "dbi-resource-id": lambda i: i.resource_id,
        "engine": lambda i: "postgres",
        "db-cluster-id": lambda i: "",
        "domain": lambda i: "",
    }
    found = filtered(list(region.instances.values()), p, known)
    shown, marker = page(found, p, lambda i: i.ident)
    return {"DBInstances": [instance_view(region, i) for i in shown], "Marker": marker}


def reboot(region: RdsRegion, p: Params, call: Call) -> Result:
    """RebootDBInstance: the server restarts with its group's values of now."""
    instance = region.instance(p["DBInstanceIdentifier"])
    need_available(instance)
    if p.get("ForceFailover") and not instance.settings["MultiAZ"]:
        raise combination("ForceFailover cannot be specified since the instance is not configured for MultiAZ.")
    group = parameter_groups.find(region, instance.settings["DBParameterGroupName"])
    values = values_for(group, instance.settings["DBInstanceClass"])
    databases, settings = region.world.databases, translated(values)
    job = region.world.jobs.do(
        instance.database, lambda: databases.configure_postgres(instance.database, settings, restart=True)
    )

    def done() -> None:
        instance.in_force, instance.parameter_status = values, "in-sync"
        region.happened(instance.ident, "db-instance", "availability", "DB instance restarted")

    seconds = region.world.options.seconds("rds:reboot")
    instance.lifecycle.follow(
        [Stage("rebooting", seconds, job, done)], rest="available", failure="incompatible-parameters"
    )
    return {"DBInstance": instance_view(region, instance)}


def need_available(instance: Instance) -> None:
    """AwsError unless the instance is at rest and works."""
    status = instance.status
    if status not in ("available", "storage-optimization") or (instance.lifecycle.busy and status == "available"):
        raise AwsError(
            "InvalidDBInstanceState", f"Database instance is not in available state: {instance.ident} is {status}."
        )


def leave_replicas(region: RdsRegion, instance: Instance) -> None:
    """When a source goes, its replicas in the region become servers of their own; others stop replicating."""
    for home, replica in region.replicas(instance.ident):
        if home is region:
            set_free(home, replica, 0)
        else:
            replica.replication = "terminated"


def set_free(region: RdsRegion, replica: Instance, days: int) -> None:
    """Make a replica a server of its own, with backups for so many days."""
    databases = region.world.databases
    job = region.world.jobs.do(replica.database, lambda: databases.promote_postgres(replica.database))

    def done() -> None:
        replica.source = None
        replica.settings = replica.settings | {"BackupRetentionPeriod": days}
        region.happened(replica.ident, "db-instance", "notification", "Promoted the read replica")

    seconds = region.world.options.seconds("rds:modify")
    replica.lifecycle.follow([Stage("modifying", seconds, job, done)], rest="available")


def delete(region: RdsRegion, p: Params, call: Call) -> Result:
    """DeleteDBInstance."""
    instance = region.instance(p["DBInstanceIdentifier"])
    status = instance.status
    if status == "deleting":
        raise AwsError("InvalidDBInstanceState", f"Instance {instance.ident} is already being deleted.")
    skip, final = p.get("SkipFinalSnapshot", False), p.get("FinalDBSnapshotIdentifier")
    if skip and final:
        raise combination("FinalDBSnapshotIdentifier cannot be specified when deleting with SkipFinalSnapshot")
    if not skip and not final:
        raise combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    if final and instance.source is not None:
        raise combination("FinalDBSnapshotIdentifier cannot be specified when deleting a read replica")
    if instance.settings["DeletionProtection"]:
        raise combination("Cannot delete protected DB Instance, please disable deletion protection and try again.")
    if final and status not in ("available", "storage-optimization"):
        raise AwsError(
            "InvalidDBInstanceState",
            f"Cannot create a final snapshot because the instance {instance.ident} is {status}.",
        )
    snapshot = snapshots.begin(region, instance, final, "manual") if final else None
    leave_replicas(region, instance)
    backups.keep(region, instance)

    def remove() -> None:
        if snapshot is not None:
            region.world.databases.snapshot_postgres(instance.database, snapshot.copy)
        region.world.databases.remove(instance.database)

    job = region.world.jobs.do(instance.database, remove)
    if snapshot is not None:
        snapshots.settle_with(region, snapshot, job)
    region.happened(instance.ident, "db-instance", "deletion", "DB instance deleted")
    instance.lifecycle = Lifecycle(region.world.now, "deleting")
    rest = [Stage("deleting", region.world.options.seconds("rds:delete"), job, held=call.held)]
    instance.lifecycle.follow(rest, rest="failed" if call.outcome == "failed" else GONE)
    return {"DBInstance": instance_view(region, instance)}
