"""How an RDS instance's description reads in the engine's words: its phase, and its settings under the Spec's
names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from provisioner.drivers.aws import tags
from provisioner.model import Key, Observed, Phase

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
    """Whether RDS deletes an instance in this state only without a final snapshot.

    These three are DeleteDBInstance's own words. For any other state a snapshot is asked for: where there can be none,
    RDS refuses and the data stays.
    """
    return status in ("failed", "incompatible-restore", "incompatible-network")


def source(instance: Mapping[str, Any]) -> str:
    """Of which instance it is a replica: a name in the same region, an ARN elsewhere, empty where it is none."""
    return str(instance.get("ReadReplicaSourceDBInstanceIdentifier") or "")


def phase(instance: Mapping[str, Any], *, sent: bool = True) -> Phase:
    """``sent``: a modification of ours may be under way; then values on their way count as pending even while the
    status still says ``available``.

    RDS says of pending values that they come with the next maintenance window, and that a modification with
    ApplyImmediately, as all of ours are, brings everything that is pending at once. So before one of ours was sent
    they wait for a window, perhaps for days, and the instance is as ready as its status says; after it they are on
    their way.
    """
    status = instance["DBInstanceStatus"]
    if status in _DELETING:
        return Phase.DELETING
    if status in _FAILED or status.startswith("incompatible-"):
        return Phase.FAILED
    return Phase.READY if status in _READY and not _under_way(instance, sent) else Phase.PENDING


def observed(instance: Mapping[str, Any], key: Key, *, sent: bool = True) -> Observed:
    """Everything that one description tells; ``sent`` as in :func:`phase`."""
    seen = tags.from_list(instance.get("TagList"))
    return Observed(
        phase=phase(instance, sent=sent),
        owner=tags.owner(seen),
        spec={**settings(instance), "tags": tags.visible(key, seen)},
        outputs=_outputs(instance),
        detail=_detail(instance, sent),
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


_MANAGED: Final = frozenset(
    {
        "DBInstanceClass", "AllocatedStorage", "MasterUserPassword", "Port", "BackupRetentionPeriod", "MultiAZ",
        "EngineVersion", "Iops", "StorageThroughput", "StorageType", "CACertificateIdentifier",
        "PendingCloudwatchLogsExports", "IAMDatabaseAuthenticationEnabled",
    }
)  # fmt: skip
"""Of what can be pending, what a Spec says; the rest is nobody's wish here, so it is not waited for."""


def _scheduled(instance: Mapping[str, Any]) -> list[str]:
    waiting = instance.get("PendingModifiedValues", {})
    return [name for name, value in waiting.items() if name in _MANAGED and value not in (None, {}, [])]


def _under_way(instance: Mapping[str, Any], sent: bool) -> list[str]:
    names = _scheduled(instance) if sent else []
    if _group(instance).get("ParameterApplyStatus") == "applying":
        names.append("parameters")
    if any(g.get("Status", "active") != "active" for g in instance.get("VpcSecurityGroups", ())):
        names.append("security groups")
    return names


def _detail(instance: Mapping[str, Any], sent: bool) -> str:
    status = str(instance["DBInstanceStatus"])
    pending, later = ", ".join(_under_way(instance, sent)), "" if sent else ", ".join(_scheduled(instance))
    help_ = _HELP.get(status, "")
    notes = (f" (pending: {pending})" if pending else "", f" (scheduled: {later})" if later else "")
    return status + "".join(notes) + (f": {help_}" if help_ else "")


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
