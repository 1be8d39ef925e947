"""Automated backups: an instance's own, and the copies that another region is asked to keep of them.

A copy passes from ``pending`` to ``replicating``, and is ``retained`` once it was stopped or its instance is gone; then
it can be deleted. The copies hold no data: nothing is restored from them here.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.lifecycle import Lifecycle, Stage
from provisioner.sandbox.aws.rds import checks
from provisioner.sandbox.aws.rds.checks import combination
from provisioner.sandbox.aws.rds.state import BackupCopy, Instance, RdsRegion, Source
from provisioner.sandbox.aws.strict import Params, Result, filtered, page

RETAINED: Final = "retained"
_SHOWN: Final = ("AllocatedStorage", "Port", "AvailabilityZone", "MasterUsername", "Engine", "EngineVersion",
                 "StorageType", "Iops", "StorageThroughput", "IAMDatabaseAuthenticationEnabled")  # fmt: skip


def start(region: RdsRegion, p: Params, call: Call) -> Result:
    """StartDBInstanceAutomatedBackupsReplication."""
    arn = p["SourceDBInstanceArn"]
    if not arn.startswith("arn:"):
        raise checks.value(f"Invalid source DB instance ARN: {arn}")
    home, source = region.named(arn)
    if home is region:
        raise combination("The source DB instance must be in another region than the replicated automated backups.")
    days = p.get("BackupRetentionPeriod", 7)
    if not 1 <= days <= 35:
        raise checks.value(f"Invalid backup retention period: {days}. Must be between 1 and 35.")
    if not source.settings["BackupRetentionPeriod"]:
        raise AwsError("InvalidDBInstanceState", "Automated backups are not enabled for this database instance.")
    if source.status not in ("available", "storage-optimization", "backing-up"):
        raise AwsError("InvalidDBInstanceState", f"{source.ident} is {source.status}.")
    encrypted, key = source.settings["StorageEncrypted"], p.get("KmsKeyId")
    if encrypted and not key:
        raise combination("Backups of an encrypted DB instance need KmsKeyId, a key of the destination region.")
    if key and not encrypted:
        raise combination("You can't encrypt the backups of an unencrypted DB instance.")
    copy = region.backups.get(source.resource_id)
    if copy is not None and copy.lifecycle.status != RETAINED:
        raise AwsError(
            "InvalidDBInstanceAutomatedBackupState", f"The backups of {source.ident} are replicated to {region.name}."
        )
    copy = BackupCopy(
        source=Source(home.name, source.ident),
        resource_id=source.resource_id,
        days=days,
        settings={**source.settings, "KmsKeyId": checks.usable_key(region, key) if key else None},
        lifecycle=Lifecycle(region.world.now, "pending"),
    )
    region.tags.pop(_arn(region, copy.resource_id), None)
    region.tag(_arn(region, copy.resource_id), p.get("Tags", []))
    copy.lifecycle.follow([Stage("pending", region.world.options.seconds("rds:snapshot"))], rest="replicating")
    region.backups[copy.resource_id] = copy
    return {"DBInstanceAutomatedBackup": _view(region, copy)}


def stop(region: RdsRegion, p: Params, call: Call) -> Result:
    """StopDBInstanceAutomatedBackupsReplication."""
    parts = p["SourceDBInstanceArn"].split(":")
    found = next(
        (
            copy
            for copy in region.backups.values()
            if [copy.source.region, copy.source.ident] == [*parts[3:4], *parts[6:7]] and copy.status != RETAINED
        ),
        None,
    )
    if found is None:
        raise AwsError("DBInstanceNotFound", f"No backups of {p['SourceDBInstanceArn']} are replicated here.")
    found.lifecycle = Lifecycle(region.world.now, RETAINED)
    return {"DBInstanceAutomatedBackup": _view(region, found)}


def keep(home: RdsRegion, instance: Instance) -> None:
    """An instance goes: the copies of its backups stay."""
    for region in home.everywhere():
        copy = region.backups.get(instance.resource_id)
        if copy is not None:
            copy.lifecycle = Lifecycle(region.world.now, RETAINED)


def delete(region: RdsRegion, p: Params, call: Call) -> Result:
    """DeleteDBInstanceAutomatedBackup, of copies alone."""
    arn, ident = p.get("DBInstanceAutomatedBackupsArn"), p.get("DbiResourceId")
    copy = next(
        (c for c in region.backups.values() if arn == _arn(region, c.resource_id) or ident == c.resource_id), None
    )
    if copy is None:
        raise AwsError("DBInstanceAutomatedBackupNotFound", f"There are no automated backups {arn or ident}.")
    if copy.status != RETAINED:
        raise AwsError("InvalidDBInstanceAutomatedBackupState", "The automated backups are of an active instance.")
    del region.backups[copy.resource_id]
    answer = _view(region, copy)
    region.tags.pop(_arn(region, copy.resource_id), None)
    return {"DBInstanceAutomatedBackup": answer}


def describe(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeDBInstanceAutomatedBackups."""
    views = [_view(region, copy) for copy in region.backups.values()]
    views += [_own(region, one) for one in region.instances.values() if one.settings["BackupRetentionPeriod"]]
    for name in ("DbiResourceId", "DBInstanceIdentifier", "DBInstanceAutomatedBackupsArn"):
        if p.get(name):
            views = [view for view in views if view.get(name, "").lower() == p[name].lower()]
            if not views:
                raise AwsError("DBInstanceAutomatedBackupNotFound", f"There are no automated backups of {p[name]}.")
    known = {
        "status": lambda view: view["Status"],
        "dbi-resource-id": lambda view: view["DbiResourceId"],
    }
    wanted = [f for f in p.get("Filters", []) if f["Name"] == "db-instance-id"]
    for one in wanted:
        names = {value.lower() for value in one["Values"]}
        views = [v for v in views if {v["DBInstanceArn"].lower(), v["DBInstanceIdentifier"].lower()} & names]
    rest = {**p, "Filters": [f for f in p.get("Filters", []) if f["Name"] != "db-instance-id"]}
    shown, marker = page(filtered(views, rest, known), p, lambda view: view["DBInstanceAutomatedBackupsArn"])
    return {"DBInstanceAutomatedBackups": shown, "Marker": marker}


def _arn(region: RdsRegion, resource_id: str) -> str:
    return region.arn("auto-backup", ident_of(region, resource_id))


def ident_of(region: RdsRegion, resource_id: str) -> str:
    """The name of the backups of an instance in a region."""
    return f"ab-{resource_id[3:]}{zlib.crc32(region.name.encode()):08x}"


def _view(region: RdsRegion, copy: BackupCopy) -> dict[str, Any]:
    arn = _arn(region, copy.resource_id)
    return _told(copy.settings) | {
        "DBInstanceArn": region.elsewhere(copy.source.region).arn("db", copy.source.ident),
        "DbiResourceId": copy.resource_id,
        "Region": copy.source.region,
        "DBInstanceIdentifier": copy.source.ident,
        "RestoreWindow": {},
        "Status": copy.status,
        "BackupRetentionPeriod": copy.days,
        "DBInstanceAutomatedBackupsArn": arn,
        "TagList": region.tag_list(arn),
    }


def _own(region: RdsRegion, instance: Instance) -> dict[str, Any]:
    copies = [
        {"DBInstanceAutomatedBackupsArn": _arn(other, instance.resource_id)}
        for other in region.everywhere()
        if instance.resource_id in other.backups
    ]
    return _told(instance.settings) | {
        "DBInstanceArn": region.arn("db", instance.ident),
        "DbiResourceId": instance.resource_id,
        "Region": region.name,
        "DBInstanceIdentifier": instance.ident,
        "RestoreWindow": {},
        "Status": "active",
        "BackupRetentionPeriod": instance.settings["BackupRetentionPeriod"],
        "DBInstanceAutomatedBackupsArn": _arn(region, instance.resource_id),
        "DBInstanceAutomatedBackupsReplications": copies,
        "TagList": [],
    }


def _told(settings: dict[str, Any]) -> dict[str, Any]:
    found = {name: settings.get(name) for name in _SHOWN}
    return found | {
        "Encrypted": settings["StorageEncrypted"],
        "KmsKeyId": settings.get("KmsKeyId"),
        "LicenseModel": "postgresql-license",
        "PreferredBackupWindow": settings["PreferredBackupWindow"],
        "BackupTarget": "region",
    }
