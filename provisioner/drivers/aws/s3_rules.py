"""Lifecycle and CORS rules of a bucket: their shape in a plan, and their shape on the wire, both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

StorageClass = Literal["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]
Days = Annotated[int, Meta(ge=1, le=36500)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Transition(_Part, frozen=True, kw_only=True):
    """After so many days objects move to another storage class."""

    days: Annotated[int, Meta(ge=0, le=36500, description="Days after an object was made.")]
    storage_class: Annotated[StorageClass, Meta(description="The class it moves to.")]


class LifecycleRule(_Part, frozen=True, kw_only=True):
    """What becomes of objects as they age. S3 keeps all rules of a bucket as one document."""

    id: Annotated[str, Meta(min_length=1, max_length=255, description="Name of the rule, unique in the bucket.")]
    enabled: Annotated[bool, Meta(description="Whether the rule is carried out.")] = True
    prefix: Annotated[str, Meta(max_length=1024, description="Only objects whose key begins so; empty: all.")] = ""
    transitions: Annotated[list[Transition], Meta(description="Moves to other storage classes.")] = []
    expiration_days: Annotated[Days | None, Meta(description="Days until an object is deleted.")] = None
    noncurrent_expiration_days: Annotated[
        Days | None, Meta(description="Days until a version that was replaced or deleted goes for good.")
    ] = None
    abort_multipart_days: Annotated[
        Days | None, Meta(description="Days until an upload that was never finished is dropped.")
    ] = None


class CorsRule(_Part, frozen=True, kw_only=True):
    """Which web pages a browser lets use the bucket."""

    allowed_origins: Annotated[
        list[str], Meta(min_length=1, description="Origins.", examples=[["https://app.example.com"]])
    ]
    allowed_methods: Annotated[
        list[Literal["GET", "PUT", "HEAD", "POST", "DELETE"]], Meta(min_length=1, description="HTTP methods.")
    ]
    allowed_headers: Annotated[list[str], Meta(description="Request headers that a page may send.")] = []
    expose_headers: Annotated[list[str], Meta(description="Response headers that a page may read.")] = []
    max_age_seconds: Annotated[
        Annotated[int, Meta(ge=0, le=86400)] | None,
        Meta(description="Seconds that a browser may remember this."),
    ] = None


def lifecycle_request(rules: Sequence[LifecycleRule]) -> list[dict[str, Any]]:
    """As PutBucketLifecycleConfiguration wants them."""
    return [_lifecycle_out(rule) for rule in rules]


def _lifecycle_out(rule: LifecycleRule) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ID": rule.id,
        "Status": "Enabled" if rule.enabled else "Disabled",
        "Filter": {"Prefix": rule.prefix},
    }
    if rule.transitions:
        found["Transitions"] = [{"Days": t.days, "StorageClass": t.storage_class} for t in rule.transitions]
    if rule.expiration_days is not None:
        found["Expiration"] = {"Days": rule.expiration_days}
    if rule.noncurrent_expiration_days is not None:
        found["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule.noncurrent_expiration_days}
    if rule.abort_multipart_days is not None:
        found["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": rule.abort_multipart_days}
    return found


def lifecycle_plain(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As a plan would say them, sorted by id. What a plan cannot say (filters by tag or size) shows as it is."""
    return sorted((_lifecycle_in(rule) for rule in rules), key=_id)


def _lifecycle_in(rule: Mapping[str, Any]) -> dict[str, Any]:
    filter_ = dict(rule.get("Filter") or {})
    found: dict[str, Any] = {
        "id": str(rule.get("ID", "")),
        "enabled": rule["Status"] == "Enabled",
        "prefix": filter_.pop("Prefix", None) or rule.get("Prefix") or "",
        "transitions": [
            {"days": t.get("Days", 0), "storage_class": t["StorageClass"]} for t in rule.get("Transitions", ())
        ],
        "expiration_days": rule.get("Expiration", {}).get("Days"),
        "noncurrent_expiration_days": rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
        "abort_multipart_days": rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
        "filter": filter_ or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def same_lifecycle(wanted: Sequence[Mapping[str, Any]], seen: Sequence[Mapping[str, Any]]) -> bool:
    """S3 does not promise to keep the order of rules, nor does it mean anything."""
    return sorted(wanted, key=_id) == sorted(seen, key=_id)


def _id(rule: Mapping[str, Any]) -> str:
    return str(rule.get("id", ""))


def cors_request(rules: Sequence[CorsRule]) -> list[dict[str, Any]]:
    """As PutBucketCors wants them."""
    return [
        {field: value for name, field in _CORS.items() if (value := getattr(rule, name)) not in (None, [])}
        for rule in rules
    ]


def cors_plain(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As a plan would say them."""
    return [
        {
            name: rule.get(field, None if name == "max_age_seconds" else [])
            for name, field in _CORS.items()
            if field in rule or name != "max_age_seconds"
        }
        for rule in rules
    ]


_CORS = {
    "allowed_origins": "AllowedOrigins",
    "allowed_methods": "AllowedMethods",
    "allowed_headers": "AllowedHeaders",
    "expose_headers": "ExposeHeaders",
    "max_age_seconds": "MaxAgeSeconds",
}
"""Spec field → request field."""


def lifecycle_complaint(rules: Sequence[Mapping[str, Any]]) -> str | None:
    """What S3 would have against the rules."""
    ids = [rule["id"] for rule in rules]
    for rule in rules:
        name, expires = rule["id"], rule.get("expiration_days")
        moves = rule["transitions"]
        if ids.count(name) > 1:
            return f"two rules are called {name!r}"
        if not moves and all(rule.get(field) is None for field in _ENDS):
            return f"rule {name!r} does nothing"
        if expires is not None and any(move["days"] >= expires for move in moves):
            return f"rule {name!r} moves objects on or after the day they expire ({expires})"
        if any(move["storage_class"] in _IA and move["days"] < _IA_DAYS for move in moves):
            return f"rule {name!r}: S3 moves objects to STANDARD_IA and ONEZONE_IA after {_IA_DAYS} days at the least"
    return None


_ENDS = ("expiration_days", "noncurrent_expiration_days", "abort_multipart_days")
_IA = ("STANDARD_IA", "ONEZONE_IA")
_IA_DAYS = 30


_TLS_SID: Final = "OnlyWithTls"
_IN_CLEAR: Final = {"Bool": {"aws:SecureTransport": "false"}}


def tls_only(policy: str | None) -> bool:
    """Whether a bucket's policy refuses everybody whose request comes without TLS.

    >>> tls_only(None), tls_only(with_tls(None, "arn:aws:s3:::proofs", wanted=True))
    (False, True)
    """
    return any(
        statement.get("Effect") == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and statement.get("Action") in ("s3:*", ["s3:*"], "*", ["*"])
        and statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") in ("false", ["false"])
        for statement in _statements(policy)
    )


def with_tls(policy: str | None, arn: str, *, wanted: bool) -> str | None:
    """The policy with our statement, or without it; what else is in it stays. None where nothing is left."""
    rest = [statement for statement in _statements(policy) if statement.get("Sid") != _TLS_SID]
    ours = {
        "Sid": _TLS_SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": _IN_CLEAR,
    }
    found = [*rest, ours] if wanted else rest
    return json.dumps({"Version": "2012-10-17", "Statement": found}) if found else None


def _statements(policy: str | None) -> list[dict[str, Any]]:
    found = json.loads(policy).get("Statement", []) if policy else []
    return [found] if isinstance(found, dict) else list(found)
