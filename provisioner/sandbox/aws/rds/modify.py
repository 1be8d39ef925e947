"""ModifyDBInstance: what takes effect at once, what goes through a stage, and what waits for the maintenance window.

Changes come in three kinds. Instant ones are there when the call returns. Prompt ones (password, monitoring, log
exports) and, with ApplyImmediately, deferred ones (class, storage, version, …) take effect at the end of ``modifying``;
until then they show in PendingModifiedValues, and for a moment the status still says ``available``, as AWS's does. A
deferred change without ApplyImmediately stays pending: a maintenance window never comes in a sandbox.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.lifecycle import Stage
from provisioner.sandbox.aws.rds import checks, parameter_groups, versions
from provisioner.sandbox.aws.rds.catalogue import managed_key_arn
from provisioner.sandbox.aws.rds.instances import export_log, need_available, refuse_not_offered
from provisioner.sandbox.aws.rds.server_values import translated, values_for
from provisioner.sandbox.aws.rds.state import Instance, RdsRegion
from provisioner.sandbox.aws.rds.views import instance_view
from provisioner.sandbox.aws.strict import Params, Result

Settings = dict[str, Any]

_NAMES: Final = {
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
}
_INSTANT: Final = frozenset({
    "DeletionProtection", "CopyTagsToSnapshot", "AutoMinorVersionUpgrade", "MaxAllocatedStorage", "PubliclyAccessible",
    "PreferredBackupWindow", "PreferredMaintenanceWindow", "VpcSecurityGroupIds", "DBParameterGroupName",
})  # fmt: skip
_PROMPT: Final = frozenset({
    "MonitoringInterval", "MonitoringRoleArn", "PerformanceInsightsEnabled", "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod", "DatabaseInsightsMode", "EnabledCloudwatchLogsExports",
})  # fmt: skip
_DEFERRED: Final = frozenset({
    "DBInstanceClass", "AllocatedStorage", "StorageType", "Iops", "StorageThroughput", "EngineVersion", "MultiAZ",
    "BackupRetentionPeriod", "CACertificateIdentifier", "IAMDatabaseAuthenticationEnabled", "DBSubnetGroupName",
})  # fmt: skip
_STORAGE: Final = frozenset({"AllocatedStorage", "StorageType", "Iops", "StorageThroughput"})
_RESTARTS: Final = frozenset({"DBInstanceClass", "EngineVersion"})
_NOT_SETTINGS: Final = frozenset({
    "DBInstanceIdentifier", "ApplyImmediately", "AllowMajorVersionUpgrade", "MasterUserPassword", "EngineVersion",
    "CloudwatchLogsExportConfiguration", "CertificateRotationRestart", "ManageMasterUserPassword", "OptionGroupName",
})  # fmt: skip


def modify(region: RdsRegion, p: Params, call: Call) -> Result:
    """ModifyDBInstance."""
    instance = region.instance(p["DBInstanceIdentifier"])
    refuse_not_offered(p)
    need_available(instance)
    changes = _changes(region, instance, p)
    password = p.get("MasterUserPassword")
    _check_replication(region, instance, p)
    if password is not None:
        checks.check_password(password)
    now = p.get("ApplyImmediately", False)
    target = instance.settings | instance.pending | changes
    target.pop("MasterUserPassword", None)
    checks.check_settings(region, target)
    checks.check_change(instance, target, major_allowed=p.get("AllowMajorVersionUpgrade", False))
    _apply_instant(instance, changes)
    deferred = {n: v for n, v in changes.items() if n in _DEFERRED and v != instance.settings.get(n)}
    instance.pending |= deferred
    prompt = {n: v for n, v in changes.items() if n in _PROMPT and v != instance.settings.get(n)}
    taking = prompt | (instance.pending if now else {})
    if taking or password is not None:
        _go(region, instance, taking, password, call)
    return {"DBInstance": instance_view(region, instance)}


def _changes(region: RdsRegion, instance: Instance, p: Params) -> Settings:
    """What a call asks for, under the names of the settings."""
    changes: Settings = {}
    for name, wish in p.items():
        setting = _NAMES.get(name, name)
        if setting in _INSTANT | _PROMPT | _DEFERRED and name not in _NOT_SETTINGS:
            changes[setting] = (
                wish.lower() if setting in ("DBParameterGroupName", "PreferredMaintenanceWindow") else wish
            )
        elif name == "DBPortNumber" and wish == instance.settings["Port"]:
            continue
        elif name not in _NOT_SETTINGS:
            raise AwsError("NotImplemented", f"the sandbox does not offer ModifyDBInstance with {name}", 501)
    if p.get("EngineVersion"):
        wish, have = p["EngineVersion"], instance.settings["EngineVersion"]
        changes["EngineVersion"] = (
            have if wish in (have, have.partition(".")[0]) else versions.resolve(wish, extended_support=True)
        )
    if "CloudwatchLogsExportConfiguration" in p:
        wish = p["CloudwatchLogsExportConfiguration"]
        exports = set(instance.settings["EnabledCloudwatchLogsExports"]) | set(wish.get("EnableLogTypes", []))
        changes["EnabledCloudwatchLogsExports"] = sorted(exports - set(wish.get("DisableLogTypes", [])))
    if changes.get("MonitoringInterval") == 0:
        changes["MonitoringRoleArn"] = None
    _insights(region, instance, changes)
    if "DBSubnetGroupName" in changes and changes["DBSubnetGroupName"] == instance.settings["DBSubnetGroupName"]:
        del changes["DBSubnetGroupName"]
    return changes


def _check_replication(region: RdsRegion, instance: Instance, p: Params) -> None:
    """What a replica does not decide itself, and what a source owes its replicas."""
    if instance.source is not None and p.get("MasterUserPassword") is not None:
        raise checks.combination("MasterUserPassword cannot be changed on a read replica; change it on its source.")
    if p.get("BackupRetentionPeriod") == 0 and region.replicas(instance.ident):
        raise checks.combination("BackupRetentionPeriod can't be 0 while the DB instance is a source to read replicas.")


def _insights(region: RdsRegion, instance: Instance, changes: Settings) -> None:
    """Turning Performance Insights on or off brings its key and retention along."""
    on = changes.get("PerformanceInsightsEnabled")
    if changes.get("PerformanceInsightsKMSKeyId"):
        changes["PerformanceInsightsKMSKeyId"] = checks.usable_key(region, changes["PerformanceInsightsKMSKeyId"])
    if on is False:
        changes["PerformanceInsightsKMSKeyId"] = None
        changes.setdefault("PerformanceInsightsRetentionPeriod", None)
    elif on and not instance.settings["PerformanceInsightsEnabled"]:
        changes.setdefault("PerformanceInsightsRetentionPeriod", 7)
        changes.setdefault("PerformanceInsightsKMSKeyId", managed_key_arn(region))


def _apply_instant(instance: Instance, changes: Settings) -> None:
    group = changes.get("DBParameterGroupName", instance.settings["DBParameterGroupName"])
    if group != instance.settings["DBParameterGroupName"]:
        instance.parameter_status = "pending-reboot"
    instance.settings |= {name: value for name, value in changes.items() if name in _INSTANT}


def _go(region: RdsRegion, instance: Instance, taking: Settings, password: str | None, call: Call) -> None:
    """Take changes through their stages."""
    seconds = region.world.options.seconds("rds:modify")
    if password is not None:
        instance.pending["MasterUserPassword"] = "****"
    after = instance.settings | taking
    group = parameter_groups.find(region, after["DBParameterGroupName"])
    values = values_for(group, after["DBInstanceClass"])
    restarts = not _RESTARTS.isdisjoint(taking)
    status = "resetting-master-credentials" if password is not None and not taking else "modifying"

    def done() -> None:
        instance.settings = instance.settings | taking
        for name in ("MasterUserPassword", *taking):
            instance.pending.pop(name, None)
        export_log(region, instance, "postgresql")
        if "EngineVersion" in taking:
            export_log(region, instance, "upgrade")
        if restarts:
            instance.in_force, instance.parameter_status = values, "in-sync"
        region.happened(instance.ident, "db-instance", "configuration change", "Finished applying modification")

    job = region.world.jobs.do(instance.database, _job(region, instance, values if restarts else None, password))
    stages = [Stage("available", min(seconds / 3, 1.0)), Stage(status, seconds, job, done, call.held)]
    if not _STORAGE.isdisjoint(taking):
        stages.append(Stage("storage-optimization", seconds))
    if call.outcome == "ready-then-failed":
        stages.append(Stage("available", call.outcome_delay))
    failed = call.outcome in ("failed", "ready-then-failed")
    instance.lifecycle.follow(stages, rest="failed" if failed else "available")


def _job(
    region: RdsRegion, instance: Instance, restart_with: dict[str, str] | None, password: str | None
) -> Callable[[], None]:
    def work() -> None:
        if password is not None:
            region.world.databases.set_postgres_password(instance.database, password)
        if restart_with is not None:
            region.world.databases.configure_postgres(instance.database, translated(restart_with), restart=True)

    return work
