"""What can be looked up afterwards: logs, audits, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, at, on
from provisioner.scan.book import AWS, CONTROLS, RDS_GUIDE, rule
from provisioner.scan.transport import group_values

_LOGGING: Final = "https://www.postgresql.org/docs/current/runtime-config-logging.html"
_AUDIT: Final = ("ddl", "mod", "all")


@rule("sec.log-passwords", Level.HIGH, family="traces", source=_LOGGING, hint='log_statement: "ddl"')
def log_passwords(look: Look) -> Iterator[Hit]:
    """PostgreSQL writes the passwords of CREATE ROLE and ALTER ROLE into its log in clear text."""
    for group in look.outline.of("aws.db_parameter_group"):
        values = group.values.get("parameters")
        if isinstance(values, dict) and values.get("log_statement") == "all":
            yield at(group, ("parameters", "log_statement"), "log_statement=all logs passwords in clear text")


@rule(
    "sec.rds-no-logs",
    Level.MEDIUM,
    family="traces",
    source=f"{CONTROLS}/rds-controls.html#rds-9",
    hint="log_exports: [postgresql, upgrade]",
)
def rds_no_logs(look: Look) -> Iterator[Hit]:
    """A database's log stays on it, and goes with it."""
    for item in look.outline.of("aws.rds_instance"):
        exports = item.get("log_exports")
        if isinstance(exports, list) and "postgresql" not in exports:
            yield on(item, "log_exports", "its log is not sent to CloudWatch")


@rule(
    "sec.rds-no-audit",
    Level.MEDIUM,
    family="traces",
    source=f"{RDS_GUIDE}/Appendix.PostgreSQL.CommonDBATasks.pgaudit.html",
    hint='log_statement: "ddl", or pgaudit',
)
def rds_no_audit(look: Look) -> Iterator[Hit]:
    """Nobody can say afterwards who changed the schema or the roles of a database."""
    for item in look.outline.of("aws.rds_instance"):
        values = group_values(look.outline, item)
        if values is None:
            continue
        audited = values.get("log_statement") in _AUDIT or "pgaudit" in str(values.get("shared_preload_libraries", ""))
        if not audited:
            yield on(item, "parameter_group", "neither log_statement nor pgaudit is on")


@rule(
    "sec.logs-for-ever",
    Level.LOW,
    family="traces",
    source=f"{AWS}/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
    hint="retention_days: 30 or more",
)
def logs_for_ever(look: Look) -> Iterator[Hit]:
    """Logs are kept for ever, with whatever personal data is in them."""
    for item in look.outline.of("aws.log_group"):
        if item.get("retention_days") == 0:
            yield on(item, "retention_days", "they are never deleted")


@rule(
    "sec.logs-too-short",
    Level.MEDIUM,
    family="traces",
    source=f"{CONTROLS}/cloudwatch-controls.html#cloudwatch-16",
    hint="30 days: most intrusions are found later than that",
)
def logs_too_short(look: Look) -> Iterator[Hit]:
    """Logs are gone before anybody looks for something in them."""
    for item in look.outline.of("aws.log_group"):
        days = item.get("retention_days", 30)
        if isinstance(days, int) and 0 < days < 14:
            yield on(item, "retention_days", f"they are kept for {days} days")


@rule(
    "sec.rds-events",
    Level.LOW,
    family="traces",
    source=f"{CONTROLS}/rds-controls.html#rds-19",
    hint="an aws.rds_event_subscription",
)
def rds_events(look: Look) -> Iterator[Hit]:
    """Nobody is told what happens to a database."""
    told = any(item.get("enabled", True) for item in look.outline.of("aws.rds_event_subscription"))
    for item in look.outline.of("aws.rds_instance"):
        if not told:
            yield on(item, "", "its events go nowhere")


@rule(
    "sec.alarms-off",
    Level.MEDIUM,
    family="traces",
    source=f"{CONTROLS}/cloudwatch-controls.html#cloudwatch-17",
    hint="actions_enabled: true",
)
def alarms_off(look: Look) -> Iterator[Hit]:
    """An alarm rings and nobody is told, because its actions are switched off."""
    for item in look.outline.of("aws.cloudwatch_alarm", "aws.composite_alarm"):
        if item.get("actions_enabled") is False:
            yield on(item, "actions_enabled", "its actions are switched off")


@rule(
    "sec.proxy-debug",
    Level.MEDIUM,
    family="traces",
    source=f"{RDS_GUIDE}/rds-proxy.howitworks.html",
    hint="debug_logging: false; AWS switches it off by itself after a day",
)
def proxy_debug(look: Look) -> Iterator[Hit]:
    """A proxy writes every statement into its log."""
    for item in look.outline.of("aws.rds_proxy"):
        if item.get("debug_logging"):
            yield on(item, "debug_logging", "statements and what is in them go to the log")
