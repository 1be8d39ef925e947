"""How an RDS instance's description reads in the engine's words: its phase, and its settings under the Spec's
names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from provisioner.drivers.aws import tags
from provisioner.model import Observed, Phase

_READY: Final = frozenset({"available", "storage-optimization", "storage-initialization"})
"""Usable. Storage is optimised for hours after a change, with the database at work all the while."""
_FAILED: Final = frozenset(
    {
        "failed", "storage-full", "stopped", "restore-error", "insufficient-capacity",
        "inaccessible-encryption-credentials", "inaccessible-encryption-credentials-recoverable",
    }
)  # fmt: skip
"""No waiting mends these; neither does it any ``incompatible-…``."""
_HELP: Final[Mapping[str, str]] = {
    "stopped": "start it in the console or with `aws rds start-db-instance`",
    "storage-full": "raise allocated_storage",
    "insufficient-capacity": "AWS has no such instance class free there; choose another",
    "incompatible-parameters": "a parameter's value does not fit the instance class",
}
_DELETING: Final = frozenset({"deleting", "delete-precheck"})

_PLAIN: Final[tuple[tuple[str, str], ...]] = (
    ("engine", "Engine"),
    ("engine_version", "EngineVersion"),
    ("instance_class", "DBInstanceClass"),
    ("allocated_storage", "AllocatedStorage"),
    ("max_allocated_storage", "MaxAllocatedStorage"),
    ("storage_type", "StorageType"),
    ("iops", "Iops"),
    ("throughput", "StorageThroughput"),
    ("multi_az", "MultiAZ"),
    ("db_name", "DBName"),
    ("username", "MasterUsername"),
    ("storage_encrypted", "StorageEncrypted"),
    ("kms_key", "KmsKeyId"),
    ("backup_retention_days", "BackupRetentionPeriod"),
    ("backup_window", "PreferredBackupWindow"),
    ("maintenance_window", "PreferredMaintenanceWindow"),
    ("deletion_protection", "DeletionProtection"),
    ("publicly_accessible", "PubliclyAccessible"),
    ("auto_minor_version_upgrade", "AutoMinorVersionUpgrade"),
    ("copy_tags_to_snapshot", "CopyTagsToSnapshot"),
    ("ca_certificate", "CACertificateIdentifier"),
    ("iam_authentication", "IAMDatabaseAuthenticationEnabled"),
)
"""Spec field and the description's field, where they are the same value; absent ones are reported as None."""


def unmendable(status: str) -> bool:
    """Whether RDS deletes an instance in this state only without a final snapshot."""
    return status == "failed" or status.startswith(("incompatible-", "inaccessible-")) or status == "restore-error"


def phase(instance: Mapping[str, Any]) -> Phase:
    """Values that are on their way count as pending even while the status still says ``available``."""
    status = instance["DBInstanceStatus"]
    if status in _DELETING:
        return Phase.DELETING
    if status in _FAILED or status.startswith("incompatible-"):
        return Phase.FAILED
    return Phase.READY if status in _READY and not _pending(instance) else Phase.PENDING


def observed(instance: Mapping[str, Any]) -> Observed:
    """Everything that one description tells."""
    seen = tags.from_list(instance.get("TagList"))
    return Observed(
        phase=phase(instance),
        owner=tags.owner(seen),
        spec={**settings(instance), "tags": tags.visible(seen)},
        outputs=_outputs(instance),
        detail=_detail(instance),
        protected=bool(instance.get("DeletionProtection")),
    )


def settings(instance: Mapping[str, Any]) -> dict[str, Any]:
    """The description under the Spec's field names."""
    found = {name: instance.get(field) for name, field in _PLAIN}
    found |= {
        "port": _port(instance),
        "subnet_group": instance.get("DBSubnetGroup", {}).get("DBSubnetGroupName"),
        "parameter_group": _group(instance).get("DBParameterGroupName"),
        "security_groups": sorted(g["VpcSecurityGroupId"] for g in instance.get("VpcSecurityGroups", ())),
        "performance_insights": bool(instance.get("PerformanceInsightsEnabled")),
        "monitoring_interval": instance.get("MonitoringInterval") or 0,
        "log_exports": sorted(instance.get("EnabledCloudwatchLogsExports", ())),
        "parameters_applied": not reboot_due(instance),
    }
    if found["monitoring_interval"]:
        found["monitoring_role_arn"] = instance.get("MonitoringRoleArn") or ""
    if found["performance_insights"]:
        found["performance_insights_retention_days"] = instance.get("PerformanceInsightsRetentionPeriod")
    lifecycle = instance.get("EngineLifecycleSupport")
    if lifecycle:
        found["extended_support"] = not lifecycle.endswith("-disabled")
    return found


def reboot_due(instance: Mapping[str, Any]) -> bool:
    """A static parameter waits for a restart, which the maintenance window does not bring."""
    return bool(_group(instance).get("ParameterApplyStatus") == "pending-reboot")


def _group(instance: Mapping[str, Any]) -> Mapping[str, Any]:
    groups = instance.get("DBParameterGroups") or [{}]
    found: Mapping[str, Any] = groups[0]
    return found


def _port(instance: Mapping[str, Any]) -> int | None:
    # DbInstancePort is 0 for instances outside a cluster; the endpoint appears only once there is one.
    endpoint = instance.get("Endpoint", {})
    return endpoint.get("Port") or instance.get("DbInstancePort") or None


def _pending(instance: Mapping[str, Any]) -> list[str]:
    names = [name for name, value in instance.get("PendingModifiedValues", {}).items() if value not in (None, {}, [])]
    if _group(instance).get("ParameterApplyStatus") == "applying":
        names.append("parameters")
    if any(g.get("Status", "active") != "active" for g in instance.get("VpcSecurityGroups", ())):
        names.append("security groups")
    return names


def _detail(instance: Mapping[str, Any]) -> str:
    status = str(instance["DBInstanceStatus"])
    pending = ", ".join(_pending(instance))
    help_ = _HELP.get(status, "")
    return status + (f" (pending: {pending})" if pending else "") + (f": {help_}" if help_ else "")


def _outputs(instance: Mapping[str, Any]) -> dict[str, Any]:
    endpoint = instance.get("Endpoint", {})
    found: dict[str, Callable[[], Any] | Any] = {
        "name": instance["DBInstanceIdentifier"],
        "arn": instance.get("DBInstanceArn"),
        "endpoint": endpoint.get("Address"),
        "port": endpoint.get("Port"),
        "resource_id": instance.get("DbiResourceId"),
        "engine_version": instance.get("EngineVersion"),
        "username": instance.get("MasterUsername"),
        "db_name": instance.get("DBName"),
        "status": instance["DBInstanceStatus"],
        "availability_zone": instance.get("AvailabilityZone"),
        "storage": instance.get("AllocatedStorage"),
    }
    return {name: value for name, value in found.items() if value is not None}
