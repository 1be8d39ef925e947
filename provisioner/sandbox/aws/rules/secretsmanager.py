"""Secrets Manager: names, and what a secret that is scheduled for deletion or just deleted no longer allows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.call import AwsError, Call, Reply

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_NAME: Final = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")
SERVICE: Final = "secretsmanager"


def _find(services: Services, call: Call, secret_id: str) -> Any:
    """moto's secret of this name or ARN, or None."""
    with services.world.moto.lock(SERVICE):
        return services.world.moto.backend(SERVICE, call.region).secrets.get(secret_id)


def create(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A good name that nobody has, neither a live secret, nor a scheduled one, nor one that was just deleted."""
    wish = json.loads(call.body or b"{}")
    name = str(wish.get("Name", ""))
    if not _NAME.fullmatch(name):
        raise AwsError(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        )
    held = services.reserved_until.get((SERVICE, call.region, name), 0.0) > services.world.now()
    with services.world.moto.lock(SERVICE):
        existing = _find(services, call, name)
        if held or (existing is not None and existing.deleted_date is not None):
            raise AwsError(
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            )
        same = _same_request(existing, wish)
        if same is not None:
            return same
        _check_key(call, services, wish.get("KmsKeyId"))
        return proceed()


def _same_request(existing: Any, wish: dict[str, Any]) -> Reply | None:
    """The answer to a request that was sent before: the token names the version that it made."""
    token = wish.get("ClientRequestToken")
    version = existing.versions.get(token) if existing is not None and token else None
    if version is None or version.get("secret_string") != wish.get("SecretString"):
        return None
    body = {"ARN": existing.arn, "Name": existing.name, "VersionId": token}
    return Reply(200, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(body).encode())


def _check_key(call: Call, services: Services, key_id: str | None) -> None:
    if key_id and not _usable(services, call.region, key_id):
        raise AwsError(
            "EncryptionFailure",
            f"Secrets Manager can't encrypt the secret with the KMS key {key_id}: it is missing or not enabled.",
        )


def _usable(services: Services, region: str, key_id: str) -> bool:
    if key_id == "alias/aws/secretsmanager":
        return True
    key = services.world.neighbours.key(region, key_id)
    return key is not None and key.state == "Enabled"


def delete(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Once with a recovery window; after a deletion by force, which is always possible, the name stays taken for a
    moment: the cloud deletes in the background."""
    wish = json.loads(call.body or b"{}")
    secret = _find(services, call, str(wish.get("SecretId", "")))
    if secret is not None and secret.deleted_date is not None and not wish.get("ForceDeleteWithoutRecovery"):
        raise AwsError(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was already scheduled for deletion.",
        )
    reply = proceed()
    if secret is not None and reply.status < 300 and wish.get("ForceDeleteWithoutRecovery"):
        until = services.world.now() + services.world.options.name_release
        services.reserved_until[SERVICE, call.region, secret.name] = until
    return reply


def get_value(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """The value of a secret is as readable as the key that it is encrypted with."""
    secret = _find(services, call, str(json.loads(call.body or b"{}").get("SecretId", "")))
    key_id = getattr(secret, "kms_key_id", None)
    usable = not key_id or _usable(services, call.region, key_id)
    if secret is not None and secret.deleted_date is None and not usable:
        raise AwsError(
            "DecryptionFailure",
            "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
        )
    return need_live(call, services, proceed)


def need_live(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A scheduled secret is neither read nor changed."""
    wish = json.loads(call.body or b"{}")
    secret = _find(services, call, str(wish.get("SecretId", "")))
    if secret is not None and getattr(secret, "deleted_date", None) is not None:
        raise AwsError(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    _check_key(call, services, wish.get("KmsKeyId"))
    return proceed()
