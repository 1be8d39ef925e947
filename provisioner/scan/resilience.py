"""What a mishap costs: backups, standbys, protection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, on
from provisioner.scan.book import CONTROLS, S3_GUIDE, rule
from provisioner.scan.encryption import CACHES

_WEEK: Final = 7


@rule(
    "sec.rds-no-backups",
    Level.HIGH,
    family="resilience",
    source=f"{CONTROLS}/rds-controls.html#rds-11",
    hint="backup_retention_days: 7 or more",
)
def rds_no_backups(look: Look) -> Iterator[Hit]:
    """A database is not backed up."""
    for item in look.outline.of("aws.rds_instance"):
        if item.get("backup_retention_days") == 0:
            yield on(item, "backup_retention_days", "it has no backups")


@rule(
    "sec.rds-few-backups",
    Level.MEDIUM,
    family="resilience",
    source=f"{CONTROLS}/rds-controls.html#rds-11",
    hint="7 days or more",
)
def rds_few_backups(look: Look) -> Iterator[Hit]:
    """A database's backups are kept for less than a week."""
    for item in look.outline.of("aws.rds_instance"):
        days = item.get("backup_retention_days", _WEEK)
        if isinstance(days, int) and 0 < days < _WEEK:
            yield on(item, "backup_retention_days", f"its backups are kept for {days} day{'s' if days > 1 else ''}")


@rule(
    "sec.rds-unprotected",
    Level.MEDIUM,
    family="resilience",
    source=f"{CONTROLS}/rds-controls.html#rds-8",
    hint="deletion_protection: true",
)
def rds_unprotected(look: Look) -> Iterator[Hit]:
    """Anybody who may delete a database can do so by one call."""
    for item in look.outline.of("aws.rds_instance"):
        if item.get("deletion_protection") is False:
            yield on(item, "deletion_protection", "nothing keeps it from being deleted")


@rule(
    "sec.rds-one-zone",
    Level.MEDIUM,
    family="resilience",
    source=f"{CONTROLS}/rds-controls.html#rds-5",
    hint="multi_az: true",
)
def rds_one_zone(look: Look) -> Iterator[Hit]:
    """A database is gone as long as its zone is."""
    for item in look.outline.of("aws.rds_instance"):
        if item.get("multi_az") is False:
            yield on(item, "multi_az", "it has no standby in another zone")


@rule(
    "sec.rds-minor-upgrades",
    Level.MEDIUM,
    family="resilience",
    source=f"{CONTROLS}/rds-controls.html#rds-13",
    hint="auto_minor_version_upgrade: true",
)
def rds_minor_upgrades(look: Look) -> Iterator[Hit]:
    """A database does not take security patches by itself."""
    for item in look.outline.of("aws.rds_instance", *CACHES):
        if item.get("auto_minor_version_upgrade") is False:
            yield on(item, "auto_minor_version_upgrade", "patches wait for somebody")


@rule(
    "sec.rds-tags-lost",
    Level.LOW,
    family="resilience",
    source=f"{CONTROLS}/rds-controls.html#rds-17",
    hint="copy_tags_to_snapshot: true",
)
def rds_tags_lost(look: Look) -> Iterator[Hit]:
    """A database's snapshots do not say whose they are."""
    for item in look.outline.of("aws.rds_instance"):
        if item.get("copy_tags_to_snapshot") is False:
            yield on(item, "copy_tags_to_snapshot", "its snapshots carry no tags")


@rule(
    "sec.cache-one-zone",
    Level.MEDIUM,
    family="resilience",
    source=f"{CONTROLS}/elasticache-controls.html#elasticache-3",
    hint="two nodes, automatic_failover and multi_az",
)
def cache_one_zone(look: Look) -> Iterator[Hit]:
    """A cache does not fail over to another zone."""
    for item in look.outline.of(*CACHES):
        if item.get("automatic_failover") is False or item.get("multi_az") is False:
            yield on(item, "automatic_failover", "no replica in another zone takes over")


@rule(
    "sec.cache-no-snapshots",
    Level.MEDIUM,
    family="resilience",
    source=f"{CONTROLS}/elasticache-controls.html#elasticache-1",
    hint="snapshot_retention_days: 1 or more",
)
def cache_no_snapshots(look: Look) -> Iterator[Hit]:
    """What is in a cache is not backed up."""
    for item in look.outline.of(*CACHES):
        if item.get("snapshot_retention_days") == 0:
            yield on(item, "snapshot_retention_days", "it has no snapshots")


@rule(
    "sec.bucket-versions",
    Level.MEDIUM,
    family="resilience",
    source=f"{S3_GUIDE}/Versioning.html",
    hint="versioning: true",
)
def bucket_versions(look: Look) -> Iterator[Hit]:
    """What is overwritten or deleted in a bucket is gone."""
    for item in look.outline.of("aws.s3_bucket"):
        if item.get("versioning") is False:
            yield on(item, "versioning", "nothing brings back what was deleted")
