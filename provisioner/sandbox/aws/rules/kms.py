"""KMS: a key that is pending deletion or disabled is of no use to anybody."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.call import AwsError, Call, Reply

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_DEFAULT_PERIOD: Final = 365
_ENCRYPTS: Final = "ENCRYPT_DECRYPT"


def _wish(call: Call) -> dict[str, Any]:
    wish: dict[str, Any] = json.loads(call.body or b"{}")
    return wish


def _refuse_pending(call: Call, services: Services, key_id: str) -> str:
    """The key's state ("" where there is no such key: moto says so itself); AwsError when it is pending deletion."""
    key = services.world.neighbours.key(call.region, key_id) if key_id else None
    if key is not None and key.state == "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    return key.state if key is not None else ""


def need_alive(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Administration needs a key that is not pending deletion."""
    wish = _wish(call)
    _refuse_pending(call, services, str(wish.get("KeyId") or wish.get("TargetKeyId") or ""))
    return proceed()


def need_enabled(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Cryptography needs a key that is enabled."""
    key_id = str(_wish(call).get("KeyId") or "")
    if _refuse_pending(call, services, key_id) == "Disabled":
        raise AwsError("DisabledException", f"{key_id} is disabled.")
    return proceed()


def schedule_deletion(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """In 7 to 30 days, and once."""
    days = _wish(call).get("PendingWindowInDays", 30)
    if not isinstance(days, int) or not 7 <= days <= 30:
        raise AwsError("ValidationException", f"PendingWindowInDays must be from 7 to 30, not {days}")
    return need_alive(call, services, proceed)


def cancel_deletion(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Only of a key that is pending deletion."""
    key = services.world.neighbours.key(call.region, str(_wish(call).get("KeyId") or ""))
    if key is not None and key.state != "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
    return proceed()


def create_alias(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """The prefix alias/aws/ is AWS's own."""
    if str(_wish(call).get("AliasName", "")).startswith("alias/aws/"):
        raise AwsError("NotAuthorizedException", "The alias prefix alias/aws/ is reserved.")
    return need_alive(call, services, proceed)


def create_key(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A policy, where one is given, is a JSON document with statements; a key that is for nothing else encrypts."""
    wish = _wish(call)
    if wish.get("Policy") is not None:
        check_policy(wish["Policy"], "MalformedPolicyDocumentException")
    reply = proceed()
    if reply.status < 300 and not wish.get("KeyUsage"):
        answer = json.loads(reply.body)
        with services.world.moto.lock("kms"):
            services.world.moto.backend("kms", call.region).keys[answer["KeyMetadata"]["KeyId"]].key_usage = _ENCRYPTS
        answer["KeyMetadata"]["KeyUsage"] = _ENCRYPTS
        reply.body = json.dumps(answer).encode()
    return reply


def check_policy(text: str, code: str) -> None:
    """AwsError with ``code`` unless ``text`` is a policy document."""
    try:
        document = json.loads(text)
    except ValueError as err:
        raise AwsError(code, f"The policy is not valid JSON: {err}") from err
    if not isinstance(document, dict) or not document.get("Statement"):
        raise AwsError(code, "The policy has no Statement")


def enable_rotation(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Every 90 to 2560 days; moto forgets how often, so it is noted on its key."""
    wish = _wish(call)
    days = wish.get("RotationPeriodInDays", _DEFAULT_PERIOD)
    if not isinstance(days, int) or not 90 <= days <= 2560:
        raise AwsError("ValidationException", f"RotationPeriodInDays must be from 90 to 2560, not {days}")
    reply = need_alive(call, services, proceed)
    if reply.status < 300:
        with services.world.moto.lock("kms"):
            backend = services.world.moto.backend("kms", call.region)
            backend.keys[backend.get_key_id(wish["KeyId"])].rotation_period = days
    return reply


def rotation_status(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Tells the period where rotation is on."""
    reply = proceed()
    answer = json.loads(reply.body)
    if reply.status < 300 and answer.get("KeyRotationEnabled"):
        with services.world.moto.lock("kms"):
            backend = services.world.moto.backend("kms", call.region)
            key = backend.keys[backend.get_key_id(_wish(call)["KeyId"])]
            answer |= {"KeyId": key.id, "RotationPeriodInDays": getattr(key, "rotation_period", _DEFAULT_PERIOD)}
        reply.body = json.dumps(answer).encode()
    return reply
