"""What S3, Secrets Manager and KMS bill: the price list ``aws.store``."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from provisioner.charge import Charge, Uses, months


def bucket(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """By what is stored and asked for: a bucket itself costs nothing."""
    cold, tiered = "GB in the infrequent-access tiers", "objects watched by Intelligent-Tiering"
    return [
        months("aws.store/s3/standard", "standard storage", use("storage_gb", "GB stored, old versions included")),
        months("aws.store/s3/infrequent", "infrequently accessed storage", use("infrequent_gb", cold)),
        months("aws.store/s3/glacier", "Glacier storage", use("glacier_gb", "GB in Glacier Flexible Retrieval")),
        months("aws.store/s3/tiering-watch", "Intelligent-Tiering", use("tiered_objects", tiered) / 1000),
        months("aws.store/s3/put", "PUT, COPY, POST and LIST", use("put_requests", "PUT, COPY, POST, LIST") / 1000),
        months("aws.store/s3/get", "GET and all others", use("get_requests", "GET and all other requests") / 1000),
        months("aws.store/s3/out", "transfer to the internet", use("out_gb", "GB read from the internet")),
    ]


def secret(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """A secret, and the calls that read it."""
    calls = use("calls", "API calls") / 10_000
    return [months("aws.store/secret", "secret"), months("aws.store/secret-calls", "API calls", calls)]


def key(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """A customer-managed key; each of its first two rotations adds the price of another."""
    turned = min(use("rotations", "rotations that the key has behind it, of which two are billed"), Decimal(2))
    calls = use("calls", "API calls") / 10_000
    made = [months("aws.store/key", "key"), months("aws.store/key-calls", "API calls", calls)]
    return [*made, months("aws.store/key", "older key material", turned)] if turned else made
