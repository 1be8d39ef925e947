"""S3: what callers without a signature may read, policies that would let them, and conditions of a write.

moto lets anybody list and write, heeds no public access block, and takes every principal of a policy for everybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.identify import signed

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services


def read(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """An object, or a listing, for a caller without a signature only where the public may have it."""
    name, _, key = call.path.strip("/").partition("/")
    with services.world.moto.lock("s3"):
        bucket = services.world.moto.backend("s3", call.region).buckets.get(name)
        if not signed(call.environ) and bucket is not None:
            lists = _public(bucket, "s3:ListBucket", "")
            there = not key or key in bucket.keys
            allowed = lists if not key else _public(bucket, "s3:GetObject", key)
            if not allowed or not (there or lists):  # who may not list may not learn what is not there
                raise denied()
        return proceed()


def denied(why: str = "Access Denied") -> AwsError:
    """S3's way to say no."""
    return AwsError("AccessDenied", why, 403)


def put_object(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A write may ask that there is no object, or that it is a certain one: not that it is any but one."""
    if call.environ.get("HTTP_IF_NONE_MATCH", "*") != "*":
        raise AwsError("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
    return proceed()


def put_policy(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """No policy for everybody on a bucket that blocks such."""
    name = call.path.strip("/").partition("/")[0]
    with services.world.moto.lock("s3"):
        bucket = services.world.moto.backend("s3", call.region).buckets.get(name)
        if bucket is not None and _blocks(bucket, "block_public_policy") and any(_for_all(call.body)):
            raise denied(
                f"User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform: s3:PutBucketPolicy on "
                f'resource: "arn:aws:s3:::{name}" because public policies are prevented by the BlockPublicPolicy '
                "setting in S3 Block Public Access."
            )
        return proceed()


def _blocks(bucket: Any, switch: str) -> bool:
    block = bucket.public_access_block
    return block is not None and str(getattr(block, switch)).lower() == "true"


def _public(bucket: Any, action: str, key: str) -> bool:
    """Whether a policy or, where the bucket has such, an access control list lets everybody do this."""
    if bucket.policy and not _blocks(bucket, "restrict_public_buckets"):
        resource = f"arn:aws:s3:::{bucket.name}" + (f"/{key}" if key else "")
        effects = {
            statement["Effect"]
            for statement in _statements(bucket.policy)
            if _is_for_all(statement)
            and _names(statement, "Action", action)
            and _names(statement, "Resource", resource)
        }
        if effects:
            return "Deny" not in effects
    if bucket.ownership_rule == "BucketOwnerEnforced" or _blocks(bucket, "ignore_public_acls"):
        return False
    owner = bucket.keys.get(key) if key else bucket
    return bool(owner is not None and owner.acl and owner.acl.public_read)


def _statements(policy: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(policy).get("Statement") or []
    except (ValueError, AttributeError):
        return []  # moto refuses it
    return [found] if isinstance(found, dict) else list(found)


def _for_all(policy: bytes) -> Iterator[dict[str, Any]]:
    return (s for s in _statements(policy) if s.get("Effect") == "Allow" and _is_for_all(s))


def _is_for_all(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    aws = principal.get("AWS") if isinstance(principal, dict) else principal
    return "Condition" not in statement and ("*" in aws if isinstance(aws, list) else aws == "*")


def _names(statement: dict[str, Any], element: str, value: str) -> bool:
    patterns = statement.get(element, [])
    return any(fnmatchcase(value, p) for p in ([patterns] if isinstance(patterns, str) else patterns))
