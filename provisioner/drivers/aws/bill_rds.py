"""What RDS bills: instances, replicas, proxies and copies of backups, in the ids of the price list ``aws.rds``."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from provisioner.charge import HOURS, Charge, Uses, hours, months
from provisioner.drivers.aws.class_sizes import size_of
from provisioner.drivers.aws.rds_rules import GP3_IOPS, GP3_TUNABLE_FROM

_ENDED: Final = 13
"""The newest major version whose standard support has ended (13: on 28 February 2026)."""
_LARGE_THROUGHPUT: Final = 500
"""MiB/s that a gp3 volume of 400 GiB or more has for nothing."""
_MONITORED_GB: Final = Decimal("0.27")
"""What Enhanced Monitoring writes a month at one sample a minute: some 44,000 samples of 6 kB."""
_FREE_INSIGHTS: Final = 7
"""Days of Performance Insights that cost nothing."""
_LEAST_PROXY: Final = 2
"""vCPUs that a proxy is billed for at the least."""


def instance(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """One database instance with its storage and all that is switched on."""
    return [*node(item, use), *_backups(item, use), *_support(item), *_logs(item, outline, use)]


def replica(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """A read replica: an instance that has, unless it says otherwise, the size of its source; it has no backups."""
    source = outline.link(item, "source", "aws.rds_instance", "aws.rds_read_replica")
    made = list(node(item, use, source))
    if item.region and source is not None and item.region != source.region:
        gb = use("copied_gb", "GB of changes that are copied from the source's region")
        made.append(months("aws.rds/copy", "changes copied between regions", gb, region=source.region))
    return made


def node(item: Any, use: Uses, source: Any = None) -> Iterator[Charge]:
    """Compute, storage, IOPS, insights, monitoring and a public address."""

    def value(field: str, default: Any = None) -> Any:
        found = item.get(field)
        if found is None and source is not None:
            found = source.get(field)
        return default if found is None else found

    where = "multi" if item.get("multi_az") else "single"
    said = "Multi-AZ" if where == "multi" else "Single-AZ"
    class_ = value("instance_class", "")
    yield hours(f"aws.rds/{where}/{class_}", f"{class_ or 'instance of an unknown class'}, {said}")
    yield from _storage(value, where)
    yield from _watching(item, value, class_, use)
    if item.get("publicly_accessible"):
        yield hours("aws.net/ipv4", "public IPv4 address")


def _storage(value: Any, where: str) -> Iterator[Charge]:
    kind, size = value("storage_type", "gp3"), value("allocated_storage")
    if size is None:
        yield Charge(price="", what=f"{kind} storage of unknown size", quantity=Decimal(1))
        return
    most = value("max_allocated_storage")
    note = f"may grow by itself to {most} GB" if most else ""
    yield months(f"aws.rds/storage/{where}/{kind}", f"{kind} storage", size, note=note)
    large = size >= GP3_TUNABLE_FROM
    free = {"gp3": GP3_IOPS if large else 3000}.get(kind, 0)
    iops = max((value("iops") or 0) - free, 0)
    if iops:
        yield months(f"aws.rds/iops/{where}/{kind}", "IOPS" + (f" above the {free:,} included" if free else ""), iops)
    extra = max((value("throughput") or 0) - (_LARGE_THROUGHPUT if large else 125), 0)
    if kind == "gp3" and extra:
        yield months(f"aws.rds/throughput/{where}/gp3", "throughput above what is included", extra)


def _watching(item: Any, value: Any, class_: str, use: Uses) -> Iterator[Charge]:
    days = item.get("performance_insights_retention_days") or _FREE_INSIGHTS
    if item.get("performance_insights") and class_:
        family = class_.removeprefix("db.").partition(".")[0]
        count = _vcpus(class_) if days > _FREE_INSIGHTS else 0
        note = f"{days} days" if count else f"the first {_FREE_INSIGHTS} days are free"
        yield months(f"aws.rds/insights/{family}", "Performance Insights", count, note=note)
    interval = item.get("monitoring_interval")
    if interval:
        usual = _MONITORED_GB * 60 / interval
        gb = use("monitoring_gb", "GB that Enhanced Monitoring writes to CloudWatch Logs", usual)
        yield months("aws.watch/logs-ingest", f"Enhanced Monitoring every {interval} s", gb)


def _backups(item: Any, use: Uses) -> Iterator[Charge]:
    days, size = item.get("backup_retention_days"), item.get("allocated_storage")
    if not days or size is None:
        return
    full = use("used_gb", "GB of the storage that hold data (half of it)", Decimal(size) / 2)
    change = use("daily_change_percent", "percent of the data that change in a day", 2)
    kept = full * (1 + change / 100 * (days - 1))
    extra = max(kept - size, Decimal(0))
    note = f"{days} days of backups, some {kept:.0f} GB; {size} GB are free"
    yield months("aws.rds/backup", "backups above the size of the storage", extra, note=note)


def _vcpus(class_: str) -> int:
    """Of a class; two, as the small ones have, of one that nobody knows: its own price is told to be unknown."""
    size = size_of(class_)
    return size.vcpus if size is not None else 2


def _support(item: Any) -> Iterator[Charge]:
    major = str(item.get("engine_version", "")).partition(".")[0]
    class_ = item.get("instance_class")
    if item.get("extended_support") and class_ and major.isdigit() and int(major) <= _ENDED:
        count = _vcpus(class_) * (2 if item.get("multi_az") else 1)
        yield Charge(
            price=f"aws.rds/extended/{major}",
            what=f"extended support of PostgreSQL {major}, {count} vCPUs",
            quantity=HOURS * count,
        )


def _logs(item: Any, outline: Any, use: Uses) -> Iterator[Charge]:
    """Exported logs, unless a step of the plan makes their group: then they are billed there."""
    groups = {group.name for group in outline.of("aws.log_group")}
    loose = [log for log in item.get("log_exports") or () if f"/aws/rds/instance/{item.name}/{log}" not in groups]
    if loose:
        gb = use("log_gb", f"GB of logs sent to CloudWatch ({', '.join(loose)})")
        yield months("aws.watch/logs-ingest", "exported logs", gb)


def proxy(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """By the vCPUs of the database behind it, two at the least."""
    behind = [other for field in item.values for other in outline.links(item, field) if other.sets("instance_class")]
    class_ = next((other.get("instance_class") for other in behind if other.get("instance_class")), None)
    count = max(_vcpus(class_ or ""), _LEAST_PROXY)
    note = "2 vCPUs are the least" + ("" if class_ else "; the database's class is not known here")
    return [Charge(price="aws.rds/proxy", what=f"proxy, {count} vCPUs", quantity=HOURS * count, note=note)]


def backup_copies(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """Automated backups kept in another region: all of them are billed there, and each change crosses once."""
    source = outline.link(item, "source", "aws.rds_instance")
    if source is None or source.get("allocated_storage") is None:
        return [Charge(price="", what="copies of backups of a database that is not known here", quantity=Decimal(1))]
    size = Decimal(source.get("allocated_storage"))
    change = use("daily_change_percent", "percent of the data that change in a day", 2)
    full = use("used_gb", "GB of the source's storage that hold data (half of it)", size / 2)
    days = item.get("retention_days") or 7
    kept = full * (1 + change / 100 * (days - 1))
    moved = full * change / 100 * 30
    return [
        months("aws.rds/backup", "copies of backups", kept, note=f"{days} days of backups"),
        months("aws.rds/copy", "changes copied between regions", moved, region=source.region),
    ]
