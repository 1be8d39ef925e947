"""What a DB instance is sent to be as its Spec says: all of it when it is made, what differs when it is changed.

Works on the Spec of whatever is a DB instance: a field that a Spec does not have is not sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from provisioner.drivers.aws import given, rds_rules
from provisioner.drivers.aws.given import asked
from provisioner.resource import Spec

_FIELDS: Final = {
    "engine_version": "EngineVersion",
    "instance_class": "DBInstanceClass",
    "allocated_storage": "AllocatedStorage",
    "max_allocated_storage": "MaxAllocatedStorage",
    "storage_type": "StorageType",
    "iops": "Iops",
    "throughput": "StorageThroughput",
    "multi_az": "MultiAZ",
    "security_groups": "VpcSecurityGroupIds",
    "parameter_group": "DBParameterGroupName",
    "backup_retention_days": "BackupRetentionPeriod",
    "backup_window": "PreferredBackupWindow",
    "maintenance_window": "PreferredMaintenanceWindow",
    "performance_insights": "EnablePerformanceInsights",
    "performance_insights_retention_days": "PerformanceInsightsRetentionPeriod",
    "monitoring_interval": "MonitoringInterval",
    "monitoring_role_arn": "MonitoringRoleArn",
    "deletion_protection": "DeletionProtection",
    "publicly_accessible": "PubliclyAccessible",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "copy_tags_to_snapshot": "CopyTagsToSnapshot",
    "iam_authentication": "EnableIAMDatabaseAuthentication",
    "ca_certificate": "CACertificateIdentifier",
}
"""Spec field → request field, of those that create and modify spell alike."""

_TOGETHER: Final = (
    ("allocated_storage", "storage_type", "iops", "throughput"),
    ("monitoring_interval", "monitoring_role_arn"),
    ("backup_window", "maintenance_window"),
    ("performance_insights", "performance_insights_retention_days"),
    ("parameter_group", "engine_version"),
)
"""RDS judges these as one, so when one of them changes all are sent."""


def requested(spec: Spec, names: Collection[str] | None = None) -> dict[str, Any]:
    """Request fields for those spec fields that are set, of ``names`` alone where given; a role goes only with
    monitoring."""
    has = [name for name in spec.__struct_fields__ if names is None or name in names]
    found = {_FIELDS[name]: getattr(spec, name) for name in has if name in _FIELDS}
    if "extended_support" in has:
        support = "open-source-rds-extended-support"
        stays: Any = spec
        found["EngineLifecycleSupport"] = support if stays.extended_support else f"{support}-disabled"
    if not (getattr(spec, "monitoring_interval", 0) and getattr(spec, "monitoring_role_arn", "")):
        found.pop("MonitoringRoleArn", None)
    return {field: value for field, value in found.items() if value is not None}


def changes(
    spec: Spec, seen: Mapping[str, Any], changed: Collection[str], matches: Mapping[str, Callable[[Any, Any], bool]]
) -> dict[str, Any]:
    """What ``modify_db_instance`` must be sent to bring ``seen`` to the spec, as far as ``changed`` allows."""
    has = set(spec.__struct_fields__)
    together = [[name for name in group if name in has] for group in _TOGETHER]
    spec = given.as_seen(spec, seen, changed, together)
    names = [name for name in (*_FIELDS, "extended_support") if name in has and asked(changed, name)]
    differing = {name for name in names if name in seen and _differs(spec, seen, name, matches)}
    for group in together:
        if differing & set(group):
            differing |= set(group)
    if seen["allocated_storage"] >= (getattr(spec, "allocated_storage", None) or 0):
        differing.discard("allocated_storage")  # grown by itself; it cannot shrink
    version, have = getattr(spec, "engine_version", ""), str(seen["engine_version"])
    if version and rds_rules.same_version(version, have):
        differing.discard("engine_version")
    found = requested(spec, differing)
    if "EngineVersion" in found and version.split(".")[0] != have.split(".", maxsplit=1)[0]:
        found["AllowMajorVersionUpgrade"] = True
    port = getattr(spec, "port", None)
    if asked(changed, "port") and port is not None and port != seen["port"]:
        found["DBPortNumber"] = port
    if asked(changed, "log_exports") and (exports := getattr(spec, "log_exports", None)) is not None:
        found |= _export_changes(exports, seen["log_exports"])
    return found


def _differs(spec: Spec, seen: Mapping[str, Any], name: str, matches: Mapping[str, Callable[[Any, Any], bool]]) -> bool:
    wanted, found = getattr(spec, name), seen[name]
    if wanted is None:
        return False
    equal = matches.get(name)
    return not (equal(wanted, found) if equal and found is not None else wanted == found)


def _export_changes(wanted: Sequence[str], seen: Sequence[str]) -> dict[str, Any]:
    enable, disable = sorted(set(wanted) - set(seen)), sorted(set(seen) - set(wanted))
    lists = {"EnableLogTypes": enable, "DisableLogTypes": disable}
    named = {name: types for name, types in lists.items() if types}
    return {"CloudwatchLogsExportConfiguration": named} if named else {}
