"""Encryption at rest, and with whose key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, on
from provisioner.scan.book import CACHE_GUIDE, CONTROLS, RDS_GUIDE, S3_GUIDE, rule

DATABASES: Final = ("aws.rds_instance", "aws.rds_read_replica")
CACHES: Final = ("aws.cache_replication_group",)
_OWN: Final = "make an aws.kms_key and name its ARN: then you decide who decrypts, and can take it away"


def _without(look: Look, field: str, *types: str) -> Iterator[Hit]:
    for item in look.outline.of(*types):
        if not item.sets(field):
            yield on(item, field, "it is encrypted with the key that AWS manages for the whole account")


@rule(
    "sec.rds-unencrypted",
    Level.HIGH,
    family="encryption",
    source=f"{CONTROLS}/rds-controls.html#rds-3",
    hint="storage_encrypted: true; it cannot be switched on later",
)
def rds_unencrypted(look: Look) -> Iterator[Hit]:
    """A database's storage, backups and snapshots are not encrypted."""
    for item in look.outline.of("aws.rds_instance"):
        if item.get("storage_encrypted") is False:
            yield on(item, "storage_encrypted", "its storage is not encrypted")


@rule("sec.rds-own-key", Level.MEDIUM, family="encryption", source=f"{RDS_GUIDE}/Overview.Encryption.html", hint=_OWN)
def rds_own_key(look: Look) -> Iterator[Hit]:
    """A database is not encrypted with a key of your own."""
    for hit in _without(look, "kms_key", "aws.rds_instance"):
        if hit.item is not None and hit.item.get("storage_encrypted", True):
            yield hit


@rule(
    "sec.cache-unencrypted",
    Level.HIGH,
    family="encryption",
    source=f"{CONTROLS}/elasticache-controls.html#elasticache-4",
    hint="at_rest_encryption: true; it cannot be switched on later",
)
def cache_unencrypted(look: Look) -> Iterator[Hit]:
    """What a cache writes to disk is not encrypted."""
    for item in look.outline.of(*CACHES):
        if item.get("at_rest_encryption") is False:
            yield on(item, "at_rest_encryption", "what it writes to disk is not encrypted")


@rule(
    "sec.cache-own-key", Level.MEDIUM, family="encryption", source=f"{CACHE_GUIDE}/at-rest-encryption.html", hint=_OWN
)
def cache_own_key(look: Look) -> Iterator[Hit]:
    """A cache is not encrypted with a key of your own."""
    for hit in _without(look, "kms_key", *CACHES):
        if hit.item is not None and hit.item.get("at_rest_encryption", True):
            yield hit


@rule(
    "sec.s3-own-key",
    Level.LOW,
    family="encryption",
    source=f"{S3_GUIDE}/UsingKMSEncryption.html",
    hint="encryption: aws:kms and kms_key, where who may read is not decided by the bucket's permissions alone",
)
def s3_own_key(look: Look) -> Iterator[Hit]:
    """A bucket's objects are encrypted with S3's own key, which whoever may read the object may use."""
    for item in look.outline.of("aws.s3_bucket"):
        if item.get("encryption") == "AES256":
            yield on(item, "encryption", "its objects are encrypted with S3's own key")


@rule(
    "sec.secret-own-key",
    Level.MEDIUM,
    family="encryption",
    source=f"{CONTROLS.replace('securityhub', 'secretsmanager')}/best-practices.html",
    hint=_OWN,
)
def secret_own_key(look: Look) -> Iterator[Hit]:
    """A secret is not encrypted with a key of your own."""
    yield from _without(look, "kms_key_id", "aws.secret")


@rule(
    "sec.topic-unencrypted",
    Level.LOW,
    family="encryption",
    source=f"{CONTROLS}/sns-controls.html#sns-1",
    hint="kms_key: a key of yours whose policy lets RDS, ElastiCache and CloudWatch use it",
)
def topic_unencrypted(look: Look) -> Iterator[Hit]:
    """Messages of a topic are not encrypted where SNS keeps them."""
    for item in look.outline.of("aws.sns_topic"):
        if not item.sets("kms_key"):
            yield on(item, "", "its messages are kept in clear")


@rule("sec.logs-own-key", Level.LOW, family="encryption", source=f"{CONTROLS}/cloudwatch-controls.html", hint=_OWN)
def logs_own_key(look: Look) -> Iterator[Hit]:
    """Logs are not encrypted with a key of your own."""
    for item in look.outline.of("aws.log_group"):
        if not item.sets("kms_key"):
            yield on(item, "", "its logs are encrypted with the key that AWS manages")


@rule(
    "sec.key-rotation",
    Level.MEDIUM,
    family="encryption",
    source=f"{CONTROLS}/kms-controls.html#kms-4",
    hint="rotation: true; what was encrypted before stays readable",
)
def key_rotation(look: Look) -> Iterator[Hit]:
    """A key is never rotated."""
    for item in look.outline.of("aws.kms_key"):
        if item.get("rotation") is False:
            yield on(item, "rotation", "its material is never changed")


@rule(
    "sec.lambda-own-key",
    Level.LOW,
    family="encryption",
    source=f"{CONTROLS}/lambda-controls.html",
    hint=_OWN,
)
def lambda_own_key(look: Look) -> Iterator[Hit]:
    """The environment of a function is not encrypted with a key of your own."""
    for item in look.outline.of("aws.lambda_function"):
        if item.sets("environment") and not item.sets("kms_key"):
            yield on(item, "environment", "it is encrypted with the key that AWS manages")
