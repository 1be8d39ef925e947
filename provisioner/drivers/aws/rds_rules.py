"""What RDS for PostgreSQL accepts, as pure functions: rules across fields, and when two values mean the same.

These run when a plan is validated, so that AWS never has to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from provisioner.drivers.aws import windows
from provisioner.drivers.aws.given import rule
from provisioner.resource import Rule, Spec
from provisioner.secret import Secret

GP3_TUNABLE_FROM: Final = 400
"""GiB from which a gp3 volume of PostgreSQL takes IOPS and throughput."""
GP3_IOPS: Final = 12000
"""The least IOPS of such a volume; it has them anyway."""

RESERVED_USERS: Final = frozenset(
    {
        "admin", "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "both", "case",
        "cast", "check", "collate", "column", "constraint", "create", "current_user", "default", "deferrable",
        "desc", "distinct", "do", "else", "end", "except", "false", "fetch", "for", "foreign", "from", "grant",
        "group", "having", "in", "initially", "intersect", "into", "leading", "limit", "not", "null", "offset",
        "on", "only", "or", "order", "placing", "primary", "public", "rds_superuser", "rdsadmin",
        "rdsrepladmin", "references", "returning", "select", "session_user", "some", "symmetric", "table",
        "then", "to", "trailing", "true", "union", "unique", "user", "using", "variadic", "when", "where",
        "window", "with",
    }
)  # fmt: skip
"""Names that RDS or PostgreSQL keep for themselves."""


def same_version(wanted: str, seen: str) -> bool:
    """A major version stands for any of its minors, a minor for itself and, since nothing goes back, the
    later ones.

    >>> same_version("15", "15.13"), same_version("15.8", "15.13"), same_version("15.13", "15.8")
    (True, True, False)
    """
    major, _, minor = wanted.partition(".")
    seen_major, _, seen_minor = seen.partition(".")
    return major == seen_major and (not minor or int(minor) <= int(seen_minor or 0))


def growth(wanted: int, seen: int) -> str | None:
    """What RDS has against growing storage from ``seen`` to ``wanted`` GiB; growing by nothing is fine."""
    least = -(-seen * 11 // 10)
    if seen < wanted < least:
        return f"allocated_storage grows by 10% at least: from {seen} GiB to {least} or more, not {wanted}"
    return None


def in_force(wanted: bool, seen: bool) -> bool:
    """Whether the restart that static parameters wait for is made, or not asked for."""
    return seen or not wanted


def _storage(allocated: int, most: int) -> str | None:
    if most * 10 < allocated * 11:
        return f"{most} GiB must be at least 10% above allocated_storage ({allocated} GiB), or be left out"
    return None


def _gp3_iops(kind: str, allocated: int, iops: int) -> str | None:
    if kind != "gp3":
        return None if kind.startswith("io") else f"storage_type {kind} takes no iops"
    if allocated < GP3_TUNABLE_FROM:
        return f"gp3 below {GP3_TUNABLE_FROM} GiB takes no iops; leave them out (3000 are included)"
    return (
        None if iops >= GP3_IOPS else f"gp3 of {GP3_TUNABLE_FROM} GiB or more has {GP3_IOPS} IOPS at least, not {iops}"
    )


def _gp3_throughput(kind: str, allocated: int, throughput: int) -> str | None:
    if kind != "gp3":
        return f"storage_type {kind} takes no throughput"
    if allocated < GP3_TUNABLE_FROM:
        return f"gp3 below {GP3_TUNABLE_FROM} GiB takes no throughput; leave it out (125 MiB/s are included)"
    return None


def _monitoring(interval: int, role: str) -> str | None:
    if interval and not role:
        return f"an interval of {interval} s needs monitoring_role_arn, a role for monitoring.rds.amazonaws.com"
    return None


def _insights(enabled: bool, days: int) -> str | None:
    if not enabled:
        return "retention without performance_insights; switch it on, or leave the retention out"
    months, rest = divmod(days, 31)
    if days in (7, 731) or (rest == 0 and 1 <= months <= 23):
        return None
    return f"{days} days is not possible: 7, a month's multiple of 31 up to 713, or 731"


def _username(name: str) -> str | None:
    return f"{name!r} is reserved; choose another, such as app_admin" if name.lower() in RESERVED_USERS else None


def password(secret: Secret) -> str | None:
    """What RDS will not take as a password, without showing it."""
    value = secret.reveal()
    if not 8 <= len(value) <= 128:
        return f"RDS takes 8 to 128 characters, this has {len(value)}"
    if re.fullmatch(r"[!-~]+", value) is None or re.search(r'[/"@]', value):
        return 'RDS takes printable ASCII without / " @ and spaces'
    return None


def _exports(names: Sequence[str]) -> str | None:
    doubled = sorted({name for name in names if list(names).count(name) > 1})
    return f"named twice: {', '.join(doubled)}" if doubled else None


RULES: Final = (
    rule(_storage, "allocated_storage", "max_allocated_storage"),
    rule(_gp3_iops, "storage_type", "allocated_storage", "iops"),
    rule(_gp3_throughput, "storage_type", "allocated_storage", "throughput"),
    rule(windows.at_least(30, windows.daily_span), "backup_window"),
    rule(windows.at_least(30, windows.weekly_span), "maintenance_window"),
    rule(windows.apart, "backup_window", "maintenance_window"),
    rule(_monitoring, "monitoring_interval", "monitoring_role_arn"),
    rule(_insights, "performance_insights", "performance_insights_retention_days"),
    rule(_username, "username"),
    rule(password, "password"),
    rule(_exports, "log_exports"),
)
"""Every cross-field rule of ``aws.rds_instance``."""


def of(spec: type[Spec]) -> tuple[Rule, ...]:
    """Those that concern no other fields than a Spec has."""
    return tuple(one for one in RULES if set(one.fields) <= set(spec.__struct_fields__))
