"""Encryption on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from provisioner.plan.outline import Item, Outline, unknown
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, at, on
from provisioner.scan.book import AWS, CACHE_GUIDE, CONTROLS, RDS_GUIDE, rule
from provisioner.scan.encryption import CACHES

_FORCED_FROM: Final = 15
_OFF: Final = ("0", "off", "false", "no")
_SWITCH: Final = re.compile(r"(?i)(?:^|_)(?:tls|ssl)$")
_CLEAR: Final = re.compile(
    r"(?:redis|http|amqp|mongodb)://[^ ]*\$\{|sslmode=(?:disable|allow|prefer)\b|[?&]ssl=false\b"
)


def group_values(outline: Outline, database: Item) -> dict[str, Any] | None:
    """The parameters that a database's group sets; {} where it has none, None where nobody knows."""
    group = outline.link(database, "parameter_group", "aws.db_parameter_group")
    if group is None:
        return None if database.sets("parameter_group") or database.assumed("parameter_group") else {}
    if group.assumed("parameters"):
        return None
    values = group.values.get("parameters")
    return values if isinstance(values, dict) else None


def _major(item: Item) -> int:
    text = str(item.get("engine_version", "")).partition(".")[0]
    return int(text) if text.isdigit() else _FORCED_FROM


@rule(
    "sec.rds-tls",
    Level.HIGH,
    family="transport",
    source=f"{RDS_GUIDE}/PostgreSQL.Concepts.General.SSL.html",
    hint='rds.force_ssl: "1" in its parameter group',
)
def rds_tls(look: Look) -> Iterator[Hit]:
    """A database takes connections without TLS."""
    for item in look.outline.of("aws.rds_instance"):
        values = group_values(look.outline, item)
        if values is None:
            continue
        default = "1" if _major(item) >= _FORCED_FROM else "0"
        if str(values.get("rds.force_ssl", default)).lower() in _OFF:
            yield on(item, "parameter_group", "rds.force_ssl is off: passwords and data may cross the network in clear")


@rule(
    "sec.cache-tls",
    Level.HIGH,
    family="transport",
    source=f"{CONTROLS}/elasticache-controls.html#elasticache-5",
    hint="transit_encryption: true",
)
def cache_tls(look: Look) -> Iterator[Hit]:
    """A cache speaks without TLS."""
    for item in look.outline.of(*CACHES):
        if item.get("transit_encryption") is False:
            yield on(item, "transit_encryption", "what it is told crosses the network in clear")


@rule(
    "sec.cache-tls-preferred",
    Level.MEDIUM,
    family="transport",
    source=f"{CACHE_GUIDE}/in-transit-encryption.html",
    hint="required, once every client speaks TLS",
)
def cache_tls_preferred(look: Look) -> Iterator[Hit]:
    """A cache lets clients in that speak without TLS."""
    for item in look.outline.of(*CACHES):
        if item.get("transit_encryption", True) and item.get("transit_encryption_mode") == "preferred":
            yield on(item, "transit_encryption_mode", "clients without TLS are let in")


@rule(
    "sec.proxy-tls",
    Level.HIGH,
    family="transport",
    source=f"{RDS_GUIDE}/rds-proxy.howitworks.html",
    hint="require_tls: true",
)
def proxy_tls(look: Look) -> Iterator[Hit]:
    """A proxy takes connections without TLS."""
    for item in look.outline.of("aws.rds_proxy"):
        if item.get("require_tls") is False:
            yield on(item, "require_tls", "clients may connect in clear")


@rule(
    "sec.bucket-tls",
    Level.MEDIUM,
    family="transport",
    source=f"{CONTROLS}/s3-controls.html#s3-5",
    hint="tls_only: true refuses requests in clear",
)
def bucket_tls(look: Look) -> Iterator[Hit]:
    """A bucket answers requests that come in clear."""
    for item in look.outline.of("aws.s3_bucket"):
        if item.values.get("tls_only") in (None, False):
            yield on(item, "", "no policy refuses requests without TLS")


@rule(
    "sec.topic-in-clear",
    Level.MEDIUM,
    family="transport",
    source=f"{AWS}/sns/latest/dg/sns-security-best-practices.html",
    hint="protocol: https",
)
def topic_in_clear(look: Look) -> Iterator[Hit]:
    """Messages are sent to an address in clear."""
    for item in look.outline.of("aws.sns_subscription"):
        if item.get("protocol") == "http":
            yield on(item, "protocol", "messages cross the network in clear")


@rule(
    "sec.check-tls",
    Level.MEDIUM,
    family="transport",
    source="https://www.postgresql.org/docs/current/libpq-ssl.html",
    hint="tls: require, or verify",
)
def check_tls(look: Look) -> Iterator[Hit]:
    """A check connects without TLS, its password in clear."""
    for item in look.outline.of("check.postgres", "check.redis"):
        if item.get("tls") == "off":
            yield on(item, "tls", "it connects without TLS")


@rule(
    "sec.told-plaintext",
    Level.MEDIUM,
    family="transport",
    source="https://www.postgresql.org/docs/current/libpq-ssl.html",
    hint='rediss://, sslmode=require or verify-full, "true"',
)
def told_plaintext(look: Look) -> Iterator[Hit]:
    """An application is told to connect without TLS."""
    plan = look.outline.plan
    for name, value in look.outline.outputs.items():
        where = plan.source.at(("outputs", name)) if plan.source is not None else None
        for key, text in _told(name, value):
            yield Hit(None, (), f"{key}: {text}", subject=f"outputs.{name}", where=where)
    for item in look.outline.of("aws.lambda_function"):
        for key, text in _told("environment", item.values.get("environment")):
            yield at(item, ("environment",), f"{key}: {text}")


def _told(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _told(str(key), inner)
    elif isinstance(value, str):
        if _SWITCH.search(name) and value.lower() in _OFF:
            yield name, value
        elif (found := _CLEAR.search(value)) is not None and "localhost" not in value:
            said = found.group()
            yield name, said.partition("${")[0] if unknown(said) else said
    elif value is False and _SWITCH.search(name):
        yield name, "false"
