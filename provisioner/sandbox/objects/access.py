"""Who may do what with a Cloud Storage bucket: the predefined roles, bindings of a bucket, tokens of callers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from provisioner.sandbox.objects.wire import Refused, Request

_READ_OBJECTS: Final = frozenset({"storage.objects.get", "storage.objects.list"})
_ALL_OBJECTS: Final = _READ_OBJECTS | {"storage.objects.create", "storage.objects.delete"}
_BUCKETS: Final = frozenset(
    f"storage.buckets.{verb}" for verb in ("create", "delete", "get", "getIamPolicy", "list", "setIamPolicy", "update")
)
ROLES: Final[Mapping[str, frozenset[str]]] = {
    "roles/storage.admin": _ALL_OBJECTS | _BUCKETS,
    "roles/storage.objectAdmin": _ALL_OBJECTS,
    "roles/storage.objectUser": _ALL_OBJECTS,
    "roles/storage.objectViewer": _READ_OBJECTS,
    "roles/storage.objectCreator": frozenset({"storage.objects.create"}),
    "roles/storage.legacyBucketReader": frozenset({"storage.buckets.get", "storage.objects.list"}),
    "roles/storage.legacyObjectReader": frozenset({"storage.objects.get"}),
}
EVERYBODY: Final = ("allUsers", "allAuthenticatedUsers")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: ``role`` is what the project grants, ``token`` is empty for somebody anonymous."""

    token: str = ""
    role: str = ""

    @property
    def name(self) -> str:
        """The caller as error messages name them."""
        return "sandbox@provisioner.iam.gserviceaccount.com" if self.token else "Anonymous caller"

    def has(self, permission: str, grants: Grants | None) -> bool:
        """Whether the project, or a bucket's bindings, allow it."""
        if permission in ROLES.get(self.role, ()):
            return True
        open_to = EVERYBODY if self.token else EVERYBODY[:1]
        return grants is not None and grants.allow(permission, open_to)


@dataclass(slots=True)
class Grants:
    """A bucket's IAM policy: members by role, and whether the public may be let in at all."""

    prevented: bool = False
    bindings: dict[str, list[str]] = field(default_factory=dict)

    def allow(self, permission: str, members: tuple[str, ...]) -> bool:
        """Whether a binding gives one of ``members`` a permission; what is prevented, no binding gives."""
        return not self.prevented and any(
            permission in ROLES[role] and any(member in bound for member in members)
            for role, bound in self.bindings.items()
        )


def identify(request: Request, tokens: Mapping[str, str]) -> Caller:
    """The caller of a request. Refused (401) where a token is given that nobody issued."""
    given = request.header("authorization")
    if not given:
        return Caller()
    scheme, _, token = given.partition(" ")
    if scheme != "Bearer" or token not in tokens:
        raise Refused(401, "AuthenticationRequired", "Authentication required.")
    return Caller(token, tokens[token])


def denial(caller: Caller, permission: str) -> str:
    """What a caller without a permission is told."""
    kind = permission.split(".")[1].removesuffix("s")
    return (
        f"{caller.name} does not have {permission} access to the Google Cloud Storage {kind}. "
        f"Permission '{permission}' denied on resource (or it may not exist)."
    )
