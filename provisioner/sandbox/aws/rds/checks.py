"""What RDS refuses in the settings of a DB instance: each function looks at one thing and knows one rule.

``check_settings`` runs on the whole of what an instance would have, after a create or a change, so a combination that
grew from two changes is refused as well. ``check_change`` knows the rules about getting from one to the other.
"""

from __future__ import annotations

import re
from typing import Any, Final

from provisioner.sandbox.aws import windows
from provisioner.sandbox.aws.call import AwsError
from provisioner.sandbox.aws.rds import parameter_groups, versions
from provisioner.sandbox.aws.rds.catalogue import CERTIFICATES, LOG_EXPORTS
from provisioner.sandbox.aws.rds.state import Instance, RdsRegion

Settings = dict[str, Any]

_IDENT: Final = re.compile(r"[a-zA-Z](?:-?[a-zA-Z0-9])*")
_DB_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_USER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_RESERVED_USERS: Final = frozenset({
    "admin", "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization",
    "azure_superuser",
    "both", "case", "cast", "check", "collate", "column", "constraint", "create", "current_catalog", "current_date",
    "current_role", "current_time", "current_timestamp", "current_user", "default", "deferrable", "desc",
    "distinct", "do",
    "else", "end", "except", "false", "fetch", "for", "foreign", "from", "grant", "group", "having", "in", "initially",
    "intersect", "into", "lateral", "leading", "limit", "localtime", "localtimestamp", "not", "null", "offset",
    "on", "only",
    "or", "order", "placing", "primary", "public", "rdsadmin", "rds_superuser", "rdsrepladmin", "references",
    "replication",
    "returning", "select", "session_user", "some", "symmetric", "table", "then", "to", "trailing", "true",
    "union", "unique",
    "user", "using", "variadic", "when", "where", "window", "with",
})  # fmt: skip
_RESERVED_NAMES: Final = frozenset({"rdsadmin", "template0", "template1", "db"})
_MONITORING: Final = (0, 1, 5, 10, 15, 30, 60)
_INSIGHTS: Final = frozenset({7, 731, *(31 * n for n in range(1, 24))})
_MAX_STORAGE: Final = 65536


def value(message: str) -> AwsError:
    """A value that is wrong by itself."""
    return AwsError("InvalidParameterValue", message)


def combination(message: str) -> AwsError:
    """Values that do not go together."""
    return AwsError("InvalidParameterCombination", message)


def check_ident(ident: str, what: str) -> None:
    """DB instance and snapshot names."""
    longest = 63 if what == "DBInstanceIdentifier" else 255
    if not _IDENT.fullmatch(ident) or len(ident) > longest:
        raise value(
            f"The parameter {what} is not a valid identifier. Identifiers must begin with a letter; must contain only "
            f"ASCII letters, digits, and hyphens; must not end with a hyphen or contain two consecutive hyphens; "
            f"and have at most {longest} characters: {ident}"
        )


def check_user(user: str) -> None:
    """MasterUsername."""
    if not _USER.fullmatch(user) or len(user) > 16:
        raise value(
            f"MasterUsername {user} is not a valid name: 1 to 16 letters, digits and underscores, a letter first"
        )
    if user.lower() in _RESERVED_USERS or user.lower().startswith("pg_"):
        raise value(f"MasterUsername {user} cannot be used as it is a reserved word used by the engine")


def check_password(password: str) -> None:
    """MasterUserPassword; the error never shows it."""
    if not 8 <= len(password) <= 128:
        raise value(
            "The parameter MasterUserPassword is not a valid password because it must have 8 to 128 characters."
        )
    if any(not "!" <= letter <= "~" or letter in '/@"' for letter in password):
        raise value(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides "
            "'/', '@', '\"', ' ' may be used."
        )


def check_database(name: str) -> None:
    """DBName."""
    if not _DB_NAME.fullmatch(name) or len(name) > 63 or name.lower() in _RESERVED_NAMES:
        raise value(
            f"DBName {name} is not valid: 1 to 63 letters, digits and underscores, a letter first, no reserved word"
        )


def check_settings(region: RdsRegion, s: Settings) -> None:
    """Everything that has to hold whenever an instance comes to rest."""
    _check_class_and_port(s)
    _check_storage(s)
    _check_windows(s)
    _check_monitoring(region, s)
    _check_insights(s)
    _check_exports(s["EnabledCloudwatchLogsExports"])
    _check_network(region, s)
    if parameter_groups.find(region, s["DBParameterGroupName"]).family != versions.family(s["EngineVersion"]):
        raise combination(
            f"The parameter group {s['DBParameterGroupName']} is not for {versions.family(s['EngineVersion'])}, "
            f"which EngineVersion {s['EngineVersion']} needs"
        )
    if s["CACertificateIdentifier"] not in CERTIFICATES:
        raise AwsError("CertificateNotFound", f"Certificate not found: {s['CACertificateIdentifier']}")


def _check_class_and_port(s: Settings) -> None:
    if s["DBInstanceClass"] not in versions.CLASSES:
        raise value(f"Invalid DB Instance class: {s['DBInstanceClass']}")
    if not 1150 <= s["Port"] <= 65535:
        raise value(f"Invalid database port: {s['Port']}. Valid ports are 1150-65535.")
    if not 0 <= s["BackupRetentionPeriod"] <= 35:
        raise value(f"Invalid backup retention period: {s['BackupRetentionPeriod']}. Must be between 0 and 35.")


def _check_storage(s: Settings) -> None:
    kind, size, iops, throughput = s["StorageType"], s["AllocatedStorage"], s.get("Iops"), s.get("StorageThroughput")
    if kind not in versions.STORAGE_TYPES:
        raise value(f"Invalid storage type: {kind}")
    least = 100 if kind.startswith("io") else 20
    if not least <= size <= _MAX_STORAGE:
        raise value(f"Invalid storage size for engine name postgres and storage type {kind}: {size}")
    if kind == "gp2" and iops is not None:
        raise combination("Iops cannot be given for storage type gp2")
    if kind.startswith("io") and iops is None:
        raise combination(f"Storage type {kind} needs Iops")
    if throughput is not None and kind != "gp3":
        raise combination(f"StorageThroughput can be given for gp3 alone, not for {kind}")
    if kind == "gp3" and (iops is not None or throughput is not None):
        _check_gp3(size, iops, throughput)
    most = s.get("MaxAllocatedStorage")
    if most is not None and most != size and most * 10 < size * 11:
        raise combination(
            f"MaxAllocatedStorage must be at least 10% above AllocatedStorage: {most} is too little for {size}"
        )
    if most is not None and most > _MAX_STORAGE:
        raise value(f"MaxAllocatedStorage is at most {_MAX_STORAGE}")


def _check_gp3(size: int, iops: int | None, throughput: int | None) -> None:
    if size < versions.GP3_FREE_FROM:
        raise combination(
            "You can't specify IOPS or storage throughput for engine postgres and a storage size less than "
            f"{versions.GP3_FREE_FROM}."
        )
    if iops is not None and not 12000 <= iops <= 64000:
        raise combination(f"Iops for gp3 with {size} GiB are from 12000 to 64000, not {iops}")
    if throughput is not None and not 500 <= throughput <= 4000:
        raise combination(f"StorageThroughput for gp3 with {size} GiB is from 500 to 4000, not {throughput}")


def _check_windows(s: Settings) -> None:
    backup = windows.daily(s["PreferredBackupWindow"], least=30, what="backup window")
    maintenance = windows.weekly(s["PreferredMaintenanceWindow"], least=30, what="maintenance window")
    if windows.overlap(backup, maintenance):
        raise combination(
            f"The backup window and maintenance window must not overlap: {s['PreferredBackupWindow']} and "
            f"{s['PreferredMaintenanceWindow']}"
        )


def _check_monitoring(region: RdsRegion, s: Settings) -> None:
    interval, role = s["MonitoringInterval"], s.get("MonitoringRoleArn")
    if interval not in _MONITORING:
        raise value(f"MonitoringInterval is one of {', '.join(map(str, _MONITORING))}, not {interval}")
    if interval and not role:
        raise combination(
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
        )
    if role and not interval:
        raise combination(
            "You must specify a MonitoringInterval value other than 0 when you specify a MonitoringRoleARN."
        )
    if role and not region.world.neighbours.role_exists(role):
        raise value(f"IAM role ARN value is invalid or does not include the required permissions: {role}")


def _check_insights(s: Settings) -> None:
    on, days = s["PerformanceInsightsEnabled"], s.get("PerformanceInsightsRetentionPeriod")
    if days is not None and not on:
        raise combination(
            "You can't set the PerformanceInsightsRetentionPeriod while Performance Insights is disabled."
        )
    if days is not None and days not in _INSIGHTS:
        raise value(
            f"Invalid Performance Insights retention period: {days}. Valid values are 7, 31 times 1 to 23, and 731."
        )
    if s.get("DatabaseInsightsMode") == "advanced" and (not on or (days or 0) < 465):
        raise combination(
            "Database Insights Advanced needs Performance Insights with a retention of at least 465 days."
        )


def _check_exports(names: list[str]) -> None:
    for name in names:
        if name not in LOG_EXPORTS:
            raise combination(f"You cannot use the log types '{name}' with engine postgres: {', '.join(LOG_EXPORTS)}")


def _check_network(region: RdsRegion, s: Settings) -> None:
    group = region.subnet_group(s["DBSubnetGroupName"])
    for group_id in s["VpcSecurityGroupIds"]:
        found = region.world.neighbours.security_group(region.name, group_id)
        if found is None:
            raise value(f"Invalid security group , groupId= {group_id}, groupName=.")
        if found.vpc != group.vpc:
            raise AwsError(
                "InvalidVPCNetworkStateFault",
                f"The DB instance and EC2 security group are in different VPCs. The DB instance is in {group.vpc} "
                f"and the EC2 security group is in {found.vpc}",
            )
    zone = s["AvailabilityZone"]
    if zone not in group.zones:
        raise AwsError(
            "InvalidVPCNetworkStateFault", f"DB subnet group {group.name} does not cover availability zone {zone}"
        )
    if s["MultiAZ"] and len(group.zones) < 2:
        raise AwsError(
            "DBSubnetGroupDoesNotCoverEnoughAZs", f"Multi-AZ needs two zones; {group.name} covers {zone} alone"
        )


def usable_key(region: RdsRegion, name: str) -> str:
    """The ARN of a customer's KMS key; AwsError when it cannot encrypt."""
    key = region.world.neighbours.key(region.name, name)
    if key is None:
        raise AwsError(
            "KMSKeyNotAccessibleFault", f"The specified KMS key [{name}] does not exist or is not accessible."
        )
    if key.state != "Enabled":
        raise AwsError(
            "KMSKeyNotAccessibleFault", f"The specified KMS key [{key.arn}] is not enabled; it is {key.state}."
        )
    return key.arn


def check_change(instance: Instance, new: Settings, *, major_allowed: bool) -> None:
    """The rules about getting from what an instance has to ``new``."""
    old = instance.settings
    _check_growth(instance, old["AllocatedStorage"], new["AllocatedStorage"])
    before, after = old["EngineVersion"], new["EngineVersion"]
    if versions.is_downgrade(before, after):
        raise combination(f"Cannot upgrade postgres from {before} to {after}")
    if versions.is_major_upgrade(before, after) and not major_allowed:
        raise combination("The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")


def _check_growth(instance: Instance, before: int, after: int) -> None:
    if after == before:
        return
    if after < before:
        raise combination("Invalid storage modification: allocated storage can only grow, "
                          f"and {after} GiB is less than {before} GiB")  # fmt: skip
    if after * 10 < before * 11:
        raise combination(f"Invalid storage modification: {after} GiB is less than 10% above {before} GiB")
    if instance.status == "storage-optimization":
        raise combination(
            "You can't currently modify the storage of this DB instance because the previous storage change is being "
            "optimized."
        )
