"""Databases: versions, classes, and what must fit together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from provisioner.plan.outline import Item, Outline, unknown
from provisioner.preflight.book import AWS, RDS_GUIDE, rule
from provisioner.rules.facts import size_of, table
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, on

INSTANCES: Final = ("aws.rds_instance", "aws.rds_read_replica")
_VERSIONS: Final = f"{AWS}/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html"
_SOON: Final = timedelta(days=180)
_OLD: Final = ("t2", "m3", "m4", "r3", "r4")


def major_of(version: Any) -> str:
    """``15`` of ``15.13``."""
    return str(version or "").partition(".")[0]


def number(version: str) -> tuple[int, ...]:
    """For comparing: ``15.13`` is later than ``15.4``."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def known_version(version: str) -> dict[str, str]:
    """What the table says of a version's major; empty where it does not know it."""
    found: dict[str, str] = table("versions")["postgres"].get(major_of(version), {})
    return found


def _at_birth(look: Look, item: Item) -> Level | None:
    """A database that is there runs on, and must be let change, whatever AWS sells today: then it is a warning."""
    return None if look.made(item.step.name) and not item.step.adopt else Level.WARNING


@rule("rds.version-dead", Level.ERROR, source=_VERSIONS)
def version_dead(look: Look) -> Iterator[Hit]:
    """A minor version is asked for that AWS no longer lets anybody create."""
    for item in look.outline.of(*INSTANCES):
        version = item.get("engine_version", "")
        facts = known_version(version)
        if "." in version and facts and (not facts["first"] or number(version) < number(facts["first"])):
            hint = f"take {facts['take']}, or write {major_of(facts['take'])!r}, which takes the newest"
            message = f"PostgreSQL {version} can no longer be created"
            yield on(item, "engine_version", message, hint=hint, level=_at_birth(look, item))


@rule(
    "rds.version-ended",
    Level.ERROR,
    source=_VERSIONS,
    hint="take a later major, or say extended_support: true and pay by the vCPU hour",
)
def version_ended(look: Look) -> Iterator[Hit]:
    """A major version is out of standard support, so that AWS refuses to create it without Extended Support."""
    for item in look.outline.of(*INSTANCES):
        ends = known_version(item.get("engine_version", "")).get("ends")
        if ends and look.today > date.fromisoformat(ends) and not item.get("extended_support", False):
            major = major_of(item.get("engine_version"))
            message = f"standard support of PostgreSQL {major} ended on {ends}"
            yield on(item, "engine_version", message, level=_at_birth(look, item))


@rule("rds.version-ends-soon", Level.WARNING, source=_VERSIONS, hint="plan the upgrade, or begin with a later major")
def version_ends_soon(look: Look) -> Iterator[Hit]:
    """The standard support of a major version ends within half a year."""
    for item in look.outline.of(*INSTANCES):
        ends = known_version(item.get("engine_version", "")).get("ends")
        if ends and look.today <= date.fromisoformat(ends) < look.today + _SOON:
            major = major_of(item.get("engine_version"))
            yield on(item, "engine_version", f"standard support of PostgreSQL {major} ends on {ends}")


@rule(
    "rds.class-unknown",
    Level.WARNING,
    source=f"{RDS_GUIDE}/Concepts.DBInstanceClass.Summary.html",
    hint="check its spelling; preflight without --offline asks AWS whether it can be had",
)
def class_unknown(look: Look) -> Iterator[Hit]:
    """An instance class is not in the table, so that its memory and connections cannot be judged."""
    for item in look.outline.of(*INSTANCES):
        name = item.get("instance_class", "")
        if name and size_of(name) is None and name.split(".")[1] not in _OLD:
            yield on(item, "instance_class", f"{name} is not among the classes that are known here")


@rule(
    "rds.class-previous",
    Level.WARNING,
    source=f"{RDS_GUIDE}/Concepts.DBInstanceClass.Support.html",
    hint="take db.t4g, db.m7g or db.r7g: they cost less and do more",
)
def class_previous(look: Look) -> Iterator[Hit]:
    """An instance class of a previous generation, which current PostgreSQL versions do not run on."""
    for item in look.outline.of(*INSTANCES):
        name = item.get("instance_class", "")
        if name and name.split(".")[1] in _OLD:
            yield on(item, "instance_class", f"{name} is of a previous generation")


def group_of(outline: Outline, item: Item) -> Item | None:
    """The parameter group of a database, where it is a step."""
    return outline.link(item, "parameter_group", "aws.db_parameter_group")


@rule(
    "rds.family",
    Level.ERROR,
    source=f"{RDS_GUIDE}/parameter-groups-overview.html",
    hint="the family is postgres and the major version, as postgres15",
)
def family(look: Look) -> Iterator[Hit]:
    """A database and its parameter group are of different major versions."""
    for item in look.outline.of(*INSTANCES):
        group = group_of(look.outline, item)
        major = major_of(item.get("engine_version"))
        if group is not None and major and group.get("family") not in (None, f"postgres{major}"):
            message = f"{group.step.name} is of {group.get('family')}, the database of PostgreSQL {major}"
            yield on(item, "parameter_group", message)


@rule(
    "rds.monitoring-role",
    Level.ERROR,
    source=f"{RDS_GUIDE}/USER_Monitoring.OS.Enabling.html",
    hint="services: [monitoring.rds.amazonaws.com]",
)
def monitoring_role(look: Look) -> Iterator[Hit]:
    """The role for Enhanced Monitoring is one that RDS may not assume."""
    for item in look.outline.of(*INSTANCES):
        role = look.outline.link(item, "monitoring_role_arn", "aws.iam_role")
        services = role.get("services", []) if role is not None else []
        if role is None or not item.get("monitoring_interval", 0) or unknown(services):
            continue
        if "monitoring.rds.amazonaws.com" not in services:
            yield on(item, "monitoring_role_arn", f"{role.step.name} lets {', '.join(services)} assume it")


@rule(
    "rds.log-group",
    Level.WARNING,
    source=f"{RDS_GUIDE}/USER_LogAccess.Procedural.UploadtoCloudWatch.html",
    hint="make an aws.log_group of that name above the database, so that the logs have an end",
)
def log_group(look: Look) -> Iterator[Hit]:
    """RDS would make a log group by itself and keep what is in it for ever."""
    groups = {item.name for item in look.outline.of("aws.log_group")}
    for item in look.outline.of(*INSTANCES):
        for log in item.get("log_exports", []):
            name = f"/aws/rds/instance/{item.name}/{log}"
            if not unknown(name) and name not in groups:
                yield on(item, "log_exports", f"no step makes {name}")


@rule(
    "rds.log-group-late",
    Level.WARNING,
    source=f"{RDS_GUIDE}/USER_LogAccess.Procedural.UploadtoCloudWatch.html",
    hint="name the log group in the database's after",
)
def log_group_late(look: Look) -> Iterator[Hit]:
    """A database may be made before its log group, which RDS then makes itself."""
    groups = {item.name: item.step.name for item in look.outline.of("aws.log_group")}
    for item in look.outline.of(*INSTANCES):
        for log in item.get("log_exports", []):
            step = groups.get(f"/aws/rds/instance/{item.name}/{log}")
            if step is not None and step not in item.step.needs:
                yield on(item, "log_exports", f"{item.step.name} does not wait for {step}")


@rule(
    "rds.username",
    Level.WARNING,
    source=f"{RDS_GUIDE}/CHAP_Limits.html#RDS_Limits.Constraints",
    hint="take the one of the secret that the application reads",
)
def username(look: Look) -> Iterator[Hit]:
    """The credentials that an application is given name another user than the database's."""
    outline = look.outline
    for version in outline.of("aws.secret_version"):
        value = version.values.get("value")
        database = next((link for link in outline.links(version, "value") if link.type == "aws.rds_instance"), None)
        said = value.get("username") if isinstance(value, dict) else None
        if database is not None and isinstance(said, str) and not unknown(said):
            own = database.get("username", said)
            if own != said:
                yield on(version, "value", f"it says {said}, and the master user of {database.step.name} is {own}")


@rule(
    "rds.replica-backups",
    Level.ERROR,
    source=f"{RDS_GUIDE}/USER_ReadRepl.html",
    hint="backup_retention_days: 1 or more on its source",
)
def replica_backups(look: Look) -> Iterator[Hit]:
    """A read replica follows a database without backups, which RDS refuses."""
    for replica in look.outline.of("aws.rds_read_replica"):
        source = look.outline.link(replica, "source", "aws.rds_instance")
        if source is not None and source.get("backup_retention_days") == 0:
            yield on(replica, "source", f"{source.step.name} keeps no backups")


@rule(
    "rds.replica-key",
    Level.ERROR,
    source=f"{RDS_GUIDE}/USER_ReadRepl.XRgn.html",
    hint="make an aws.kms_key in its region and name that",
)
def replica_key(look: Look) -> Iterator[Hit]:
    """A replica in another region of an encrypted database has no key there."""
    for replica in look.outline.of("aws.rds_read_replica"):
        source = look.outline.link(replica, "source", "aws.rds_instance")
        away = source is not None and replica.region != source.region
        if away and replica.get("storage_encrypted", True) and not replica.sets("kms_key"):
            yield on(replica, "kms_key", f"a key of {source.region if source else ''} is of no use in {replica.region}")


@rule(
    "rds.replica-encryption",
    Level.ERROR,
    source=f"{RDS_GUIDE}/Overview.Encryption.html",
    hint="storage_encrypted is the same for a database and its replicas",
)
def replica_encryption(look: Look) -> Iterator[Hit]:
    """A replica is encrypted and its source is not, or the reverse."""
    for replica in look.outline.of("aws.rds_read_replica"):
        source = look.outline.link(replica, "source", "aws.rds_instance")
        wanted, there = (
            replica.get("storage_encrypted", True),
            source.get("storage_encrypted", True) if source else None,
        )
        if there is not None and wanted != there:
            yield on(replica, "storage_encrypted", f"{source.step.name if source else ''} says {str(there).lower()}")


@rule(
    "rds.copy-key",
    Level.ERROR,
    source=f"{RDS_GUIDE}/USER_ReplicateBackups.html",
    hint="make an aws.kms_key in the region that the copies go to, and name that",
)
def copy_key(look: Look) -> Iterator[Hit]:
    """Backups of an encrypted database are to be copied to another region, and there is no key there."""
    for copy in look.outline.of("aws.rds_backup_replication"):
        source = look.outline.link(copy, "source", "aws.rds_instance")
        if source is not None and source.get("storage_encrypted", True) and not copy.sets("kms_key"):
            yield on(copy, "kms_key", f"{source.step.name} is encrypted, and its key is of no use in {copy.region}")


@rule(
    "rds.copy-at-home",
    Level.ERROR,
    source=f"{RDS_GUIDE}/USER_ReplicateBackups.html",
    hint="region: another than the database's",
)
def copy_at_home(look: Look) -> Iterator[Hit]:
    """Backups are to be copied to the region that they are in."""
    for copy in look.outline.of("aws.rds_backup_replication"):
        source = look.outline.link(copy, "source", "aws.rds_instance")
        if source is not None and source.region == copy.region:
            yield on(copy, "region", f"{source.step.name} is in {copy.region} itself")
