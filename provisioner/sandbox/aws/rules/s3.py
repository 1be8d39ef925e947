"""S3: bucket names, what a new bucket has from the start, and names that are not free at once after a delete."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree

from provisioner.sandbox.aws.call import AwsError, Call, Reply

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]")
_ADDRESS: Final = re.compile(r"\d+\.\d+\.\d+\.\d+")
_BAD_START: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_BAD_END: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3")
_SHORTEST_INFREQUENT: Final = 30


def _default_encryption() -> dict[str, Any]:
    """AES256 is on for every bucket since 2023, as moto keeps it."""
    return {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}}


def _bucket_name(call: Call) -> str:
    return call.path.strip("/").split("/")[0]


def _buckets(call: Call, services: Services) -> Any:
    return services.world.moto.backend("s3", call.region).buckets


def create_bucket(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A good name that is free; then the tags of the request and the defaults of today."""
    name = _bucket_name(call)
    labels_fine = ".." not in name and ".-" not in name and "-." not in name
    if not _NAME.fullmatch(name) or _ADDRESS.fullmatch(name) or not labels_fine:
        raise AwsError("InvalidBucketName", f"The specified bucket is not valid: {name}")
    if name.startswith(_BAD_START) or name.endswith(_BAD_END):
        raise AwsError(
            "InvalidBucketName", f"The specified bucket is not valid, its prefix or suffix is reserved: {name}"
        )
    if services.reserved_until.get(("s3", "", name), 0.0) > services.world.now():
        raise AwsError(
            "OperationAborted",
            "A conflicting conditional operation is currently in progress against this resource. Please try again.",
            409,
        )
    tags = _tags(call.body)
    with services.world.moto.lock("s3"):
        fresh = name not in _buckets(call, services)
        reply = proceed()
        if fresh and reply.status < 300:
            _furnish(call, services, name, tags)
    return reply


def _tags(body: bytes) -> dict[str, str]:
    """CreateBucketConfiguration.Tags."""
    if not body.strip():
        return {}
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as err:
        raise AwsError("MalformedXML", f"The XML you provided was not well-formed: {err}") from err
    found = [
        {part.tag.rpartition("}")[2]: part.text or "" for part in tag}
        for tag in root.iter()
        if tag.tag.endswith("}Tag") or tag.tag == "Tag"
    ]
    return {tag["Key"]: tag.get("Value", "") for tag in found if "Key" in tag}


def _furnish(call: Call, services: Services, name: str, tags: dict[str, str]) -> None:
    backend = services.world.moto.backend("s3", call.region)
    bucket = backend.buckets[name]
    if tags:
        backend.put_bucket_tagging(name, tags)
    bucket.encryption = _default_encryption()
    bucket.ownership_rule = bucket.ownership_rule or "BucketOwnerEnforced"
    switches = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    backend.put_public_access_block(name, dict.fromkeys(switches, "true"))


def delete_bucket(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """The name of a deleted bucket is not free at once."""
    reply = proceed()
    if reply.status < 300:
        services.reserved_until["s3", "", _bucket_name(call)] = (
            services.world.now() + services.world.options.name_release
        )
    return reply


def delete_encryption(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Encryption cannot be switched off: deleting its configuration brings the default back."""
    with services.world.moto.lock("s3"):
        reply = proceed()
        if reply.status < 300:
            _buckets(call, services)[_bucket_name(call)].encryption = _default_encryption()
    return reply


def put_lifecycle(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """An object cannot expire before it moves, and moves to infrequent access after 30 days at the earliest."""
    try:
        root = ElementTree.fromstring(call.body)
    except ElementTree.ParseError as err:
        raise AwsError("MalformedXML", f"The XML you provided was not well-formed: {err}") from err
    space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
    for rule in root.iter(f"{space}Rule"):
        _check_rule(rule, space)
    return proceed()


def _check_rule(rule: ElementTree.Element, space: str) -> None:
    expires = rule.findtext(f"{space}Expiration/{space}Days")
    for move in rule.iter(f"{space}Transition"):
        days, kind = int(move.findtext(f"{space}Days") or 0), move.findtext(f"{space}StorageClass")
        if expires is not None and int(expires) <= days:
            raise AwsError(
                "InvalidArgument",
                "'Days' in the Expiration action must be greater than 'Days' in the Transition action",
            )
        if kind in ("STANDARD_IA", "ONEZONE_IA") and days < _SHORTEST_INFREQUENT:
            raise AwsError(
                "InvalidArgument",
                f"'Days' in Transition action must be greater than or equal to 30 for storageClass '{kind}'",
            )
