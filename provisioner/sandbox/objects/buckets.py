"""Cloud Storage: buckets through the JSON API (``storage.buckets.*``), which alone says who may read one.

Names of fields and methods are those of the discovery document. Access to objects is uniform (IAM alone): access
control lists are not offered, so ``iamConfiguration.uniformBucketLevelAccess`` is always enabled.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from provisioner.sandbox.objects.access import EVERYBODY, ROLES, Caller, Grants, denial
from provisioner.sandbox.objects.shelf import Shelf
from provisioner.sandbox.objects.wire import Refused, Reply, Request, not_offered

_ROOT: Final = "/storage/v1/b"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_PREVENTION: Final = ("inherited", "enforced")
_MEMBER: Final = re.compile(r"(user|serviceAccount|group|domain|projectOwner|projectEditor|projectViewer):.+")
_STANDARD: Final = ("alt", "prettyPrint", "projection", "userProject", "quotaUser")
_REASONS: Final = {
    400: "invalid", 401: "authError", 403: "forbidden", 404: "notFound", 409: "conflict", 412: "conditionNotMet",
    501: "notImplemented",
}  # fmt: skip


@dataclass(slots=True)
class Bucket:
    """One bucket: its objects, who may use them, and the key that encrypts them where it is not Google's own."""

    name: str
    created: float
    location: str = "US"
    kms_key: str = ""
    metageneration: int = 1
    updated: float = 0.0
    grants: Grants = field(default_factory=Grants)
    shelf: Shelf = field(default_factory=Shelf)

    def document(self) -> dict[str, Any]:
        """The bucket as ``storage.buckets.get`` shows it."""
        encryption = {"encryption": {"defaultKmsKeyName": self.kms_key}} if self.kms_key else {}
        return {
            "kind": "storage#bucket",
            "id": self.name,
            "name": self.name,
            "selfLink": f"https://www.googleapis.com/storage/v1/b/{self.name}",
            "projectNumber": "123456789012",
            "location": self.location,
            "locationType": "multi-region" if self.location in ("US", "EU", "ASIA") else "region",
            "storageClass": "STANDARD",
            "timeCreated": _time(self.created),
            "updated": _time(self.updated or self.created),
            "metageneration": str(self.metageneration),
            "etag": f"CA{self.metageneration}=",
            "iamConfiguration": {
                "publicAccessPrevention": _PREVENTION[self.grants.prevented],
                "bucketPolicyOnly": {"enabled": True},
                "uniformBucketLevelAccess": {"enabled": True},
            },
            **encryption,
        }

    def policy(self) -> dict[str, Any]:
        """The bucket's policy as ``storage.buckets.getIamPolicy`` shows it."""
        return {
            "kind": "storage#policy",
            "resourceId": f"projects/_/buckets/{self.name}",
            "version": 1,
            "etag": f"CA{self.metageneration}=",
            "bindings": [{"role": role, "members": list(members)} for role, members in self.grants.bindings.items()],
        }

    def changed(self, now: float) -> None:
        """Count a change of the metadata."""
        self.metageneration += 1
        self.updated = now


class BucketApi:
    """``storage.buckets`` insert, get, patch, delete, getIamPolicy and setIamPolicy."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.RLock()
        self._buckets: dict[str, Bucket] = {}
        self._methods: Mapping[tuple[str, str], Callable[[Request, Caller, Bucket], Reply]] = {
            ("GET", ""): self._get,
            ("PATCH", ""): self._patch,
            ("DELETE", ""): self._delete,
            ("GET", "iam"): self._get_policy,
            ("PUT", "iam"): self._set_policy,
        }

    def find(self, name: str) -> Bucket:
        """The bucket of a name. Refused where there is none."""
        with self._lock:
            bucket = self._buckets.get(name)
        if bucket is None:
            raise Refused(404, "NoSuchBucket", "The specified bucket does not exist.")
        return bucket

    def create(self, body: Mapping[str, Any]) -> Bucket:
        """A bucket as a request describes it. Refused where the name is bad or taken, or a field not offered."""
        name = str(body.get("name", ""))
        if not _NAME.fullmatch(name) or name.startswith("goog") or "google" in name:
            raise Refused(400, "InvalidBucketName", f"Invalid bucket name: '{name}'")
        bucket = Bucket(name, self._now(), str(body.get("location", "US")).upper())
        _configure(bucket, {k: v for k, v in body.items() if k not in ("name", "location")})
        with self._lock:
            if name in self._buckets:
                raise Refused(
                    409,
                    "BucketAlreadyOwnedByYou",
                    "Your previous request to create the named bucket succeeded and you already own it.",
                )
            self._buckets[name] = bucket
        return bucket

    def answer(self, request: Request, caller: Caller) -> Reply:
        """One request of the JSON API."""
        if request.path == _ROOT and request.method == "POST":
            request.only([*_STANDARD, "project"])
            _need(caller, None, "storage.buckets.create")
            if not request.parameter("project"):
                raise Refused(400, "required", "Required parameter: project")
            return _json(200, self.create(_body(request)).document())
        name, _, part = request.path.removeprefix(f"{_ROOT}/").partition("/")
        method = self._methods.get((request.method, part))
        if not request.path.startswith(f"{_ROOT}/") or method is None:
            raise not_offered(f"{request.method} {request.path}")
        return method(request, caller, self.find(name))

    def refusal(self, refused: Refused) -> Reply:
        """The JSON API's error document."""
        status, message = refused.status, refused.details or refused.message
        if refused.code == "AuthenticationRequired":
            message = "Invalid Credentials"
        reason = refused.code if refused.code == "required" else _REASONS.get(status, "backendError")
        first = {"domain": "global", "reason": reason, "message": message}
        if status == 401:
            first |= {"locationType": "header", "location": "Authorization"}
        return _json(status, {"error": {"code": status, "message": message, "errors": [first]}}, refused.headers)

    def _get(self, request: Request, caller: Caller, bucket: Bucket) -> Reply:
        request.only(_STANDARD)
        _need(caller, bucket, "storage.buckets.get")
        return _json(200, bucket.document())

    def _patch(self, request: Request, caller: Caller, bucket: Bucket) -> Reply:
        request.only([*_STANDARD, "ifMetagenerationMatch"])
        _need(caller, bucket, "storage.buckets.update")
        with self._lock:
            wanted = request.parameter("ifMetagenerationMatch")
            if wanted and wanted != str(bucket.metageneration):
                raise _unmet()
            _configure(bucket, _body(request))
            bucket.changed(self._now())
            return _json(200, bucket.document())

    def _delete(self, request: Request, caller: Caller, bucket: Bucket) -> Reply:
        request.only(_STANDARD)
        _need(caller, bucket, "storage.buckets.delete")
        with self._lock, bucket.shelf.lock:
            if bucket.shelf.items:
                raise Refused(409, "BucketNotEmpty", "The bucket you tried to delete is not empty.")
            self._buckets.pop(bucket.name, None)
        return Reply(204, [], b"")

    def _get_policy(self, request: Request, caller: Caller, bucket: Bucket) -> Reply:
        request.only([*_STANDARD, "optionsRequestedPolicyVersion"])
        _need(caller, bucket, "storage.buckets.getIamPolicy")
        with self._lock:
            return _json(200, bucket.policy())

    def _set_policy(self, request: Request, caller: Caller, bucket: Bucket) -> Reply:
        request.only(_STANDARD)
        _need(caller, bucket, "storage.buckets.setIamPolicy")
        body = _body(request)
        bindings = _bindings(body)
        members = {member for bound in bindings.values() for member in bound}
        with self._lock:
            if body.get("etag") not in (None, bucket.policy()["etag"]):
                raise _unmet()
            if bucket.grants.prevented and members & set(EVERYBODY):
                raise Refused(
                    412,
                    "PreconditionFailed",
                    "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access "
                    "prevention is enforced.",
                )
            bucket.grants.bindings = bindings
            bucket.changed(self._now())
            return _json(200, bucket.policy())


def _need(caller: Caller, bucket: Bucket | None, permission: str) -> None:
    if not caller.has(permission, bucket.grants if bucket else None):
        code = "forbidden" if caller.token else "required"
        raise Refused(403 if caller.token else 401, code, denial(caller, permission))


def _unmet() -> Refused:
    return Refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")


def _configure(bucket: Bucket, body: Mapping[str, Any]) -> None:
    """Take over the fields of a request. Refused, with nothing changed, where one is not offered."""
    access = dict(body.get("iamConfiguration") or {})
    encryption = dict(body.get("encryption") or {})
    prevention = access.pop("publicAccessPrevention", _PREVENTION[bucket.grants.prevented])
    uniform = access.pop("uniformBucketLevelAccess", {"enabled": True})
    key = encryption.pop("defaultKmsKeyName", bucket.kms_key) or ""
    strange = [*(set(body) - {"iamConfiguration", "encryption", "storageClass"}), *access, *encryption]
    if strange or uniform.get("enabled") is not True or body.get("storageClass", "STANDARD") != "STANDARD":
        raise not_offered(f"buckets with {', '.join(sorted(strange)) or 'access control lists or another class'}")
    if prevention not in _PREVENTION:
        raise Refused(400, "InvalidArgument", f"Invalid value for publicAccessPrevention: {prevention!r}")
    bucket.grants.prevented = prevention == "enforced"
    bucket.kms_key = "" if "encryption" in body and body["encryption"] is None else key


def _bindings(body: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for binding in body.get("bindings", []):
        role, members = binding.get("role", ""), binding.get("members", [])
        if role not in ROLES:
            raise Refused(400, "InvalidArgument", f"Role {role} is not supported for this resource.")
        if binding.get("condition"):
            raise not_offered("conditions in a policy")
        for member in members:
            if member not in EVERYBODY and not _MEMBER.fullmatch(member):
                raise Refused(400, "InvalidArgument", f"Invalid argument: member {member!r}")
        found[role] = [*found.get(role, []), *members]
    return found


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError as err:
        raise Refused(400, "parseError", "Parse Error") from err
    if not isinstance(body, dict):
        raise Refused(400, "parseError", "Parse Error")
    return body


def _json(status: int, document: Mapping[str, Any], headers: list[tuple[str, str]] | None = None) -> Reply:
    kind = ("Content-Type", "application/json; charset=UTF-8")
    return Reply(status, [kind, *(headers or [])], json.dumps(document).encode())


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
