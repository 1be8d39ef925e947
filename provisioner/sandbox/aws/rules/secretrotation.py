"""Secrets Manager: rotation for real. A function of the user's is called four times and gives the secret its new value.

RotateSecret answers at once; the steps are done in the background, one after the other, and the first that fails ends
it: then AWSPENDING stays where it is, and no other rotation begins. Without RotateImmediately only testSecret is
called, on a version that has the current value and goes again.

Weakness: nothing rotates by itself when its day has come; a schedule is only kept.
"""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.functions import policy
from provisioner.sandbox.aws.functions.invoke import carry_out, prepare
from provisioner.sandbox.aws.rules.secretsmanager import SERVICE
from provisioner.sandbox.aws.wire import parameters
from provisioner.sandbox.settings import ACCOUNT

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_log = logging.getLogger(__name__)
_STEPS: Final = ("createSecret", "setSecret", "testSecret", "finishSecret")
_DAY: Final = 86400
_SCHEDULE: Final = re.compile(r"rate\((\d+) (hours?|days?)\)|cron\(\S+ \S+ \S+ \S+ \S+ \S+\)")
_LEAST_HOURS: Final = 4
_TEST: Final = "for a test alone"
_NO_FUNCTION: Final = (
    "You tried to enable rotation on a secret that doesn't already have a Lambda function ARN configured and you "
    "didn't include such an ARN as a parameter in this call."
)


def rotate(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """RotateSecret."""
    wish = parameters(call, "InvalidParameterException")
    token = wish.get("ClientRequestToken") or str(uuid.uuid4())
    at_once = wish.get("RotateImmediately", True)
    with services.world.moto.lock(SERVICE):
        secret = _live(call, services, wish["SecretId"])
        function = wish.get("RotationLambdaARN") or secret.rotation_lambda_arn
        if not function:
            raise AwsError("InvalidRequestException", _NO_FUNCTION)
        rules = _rules(wish.get("RotationRules") or getattr(secret, "rotation_rules", None))
        _may_be_called(services, call.region, function, secret.arn)
        _not_pending(secret, token)
        began = token not in secret.versions
        secret.rotation_requested = secret.rotation_enabled = True
        secret.rotation_lambda_arn, secret.rotation_rules = function, rules
        secret.auto_rotate_after_days = rules.get("AutomaticallyAfterDays", 0)
        secret.next_rotation_date = int(time.time()) + (secret.auto_rotate_after_days or 1) * _DAY
        if began:
            secret.versions[token] = _pending(secret, token, with_value=not at_once)
    if began:
        steps = _STEPS if at_once else ("testSecret",)
        work = _Rotation(call, services, secret, function, token)
        services.world.jobs.do(f"rotation {secret.arn}", lambda: work.carry_out(steps, kept=at_once))
    return _answer(secret, VersionId=token)


def cancel(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """CancelRotateSecret."""
    wish = parameters(call, "InvalidParameterException")
    with services.world.moto.lock(SERVICE):
        secret = _live(call, services, wish["SecretId"])
        if not secret.rotation_lambda_arn:
            raise AwsError("InvalidRequestException", _NO_FUNCTION)
        secret.rotation_enabled, secret.next_rotation_date = False, None
    return _answer(secret)


def describe(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """DescribeSecret: moto knows of no schedules."""
    reply = proceed()
    if reply.status < 300:
        with services.world.moto.lock(SERVICE):
            wish = str(json.loads(call.body or b"{}").get("SecretId", ""))
            secret = services.world.moto.backend(SERVICE, call.region).secrets.get(wish)
            rules = getattr(secret, "rotation_rules", None)
        if rules:
            reply.body = json.dumps(json.loads(reply.body) | {"RotationRules": rules}).encode()
    return reply


def _live(call: Call, services: Services, wish: str) -> Any:
    secret = services.world.moto.backend(SERVICE, call.region).secrets.get(wish)
    if secret is None:
        raise AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    if secret.deleted_date is not None:
        raise AwsError(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    return secret


def _rules(wish: dict[str, Any] | None) -> dict[str, Any]:
    rules = dict(wish or {})
    schedule = rules.get("ScheduleExpression")
    if not schedule and not rules.get("AutomaticallyAfterDays"):
        raise AwsError("InvalidParameterException", "Rotation rules must be specified to enable rotation.")
    if schedule and rules.get("AutomaticallyAfterDays"):
        raise AwsError(
            "InvalidParameterException",
            "You must specify either AutomaticallyAfterDays or ScheduleExpression, but not both.",
        )
    found = _SCHEDULE.fullmatch(schedule) if schedule else None
    if schedule and found is None:
        raise AwsError("InvalidParameterException", f"Invalid schedule expression: {schedule}")
    if found and found.group(1) and found.group(2).startswith("hour") and int(found.group(1)) < _LEAST_HOURS:
        raise AwsError("InvalidParameterException", "A secret can be rotated every four hours at most.")
    return rules


def _may_be_called(services: Services, region: str, arn: str, secret: str) -> None:
    home = services.functions.region(region)
    with home.lock:
        home.settle()
        name = arn.split(":")[6] if arn.count(":") >= 6 else arn
        function = home.functions.get(name)
        allowed = function is not None and policy.may_invoke(function, "secretsmanager.amazonaws.com", secret, ACCOUNT)
    if not allowed:
        raise AwsError(
            "AccessDeniedException",
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants "
            "access to the principal secretsmanager.amazonaws.com.",
        )


def _not_pending(secret: Any, token: str) -> None:
    for version, data in secret.versions.items():
        stages = data["version_stages"]
        waits = "AWSPENDING" in stages and "AWSCURRENT" not in stages and _TEST not in data
        if waits and version != token:
            raise AwsError(
                "InvalidRequestException",
                "A previous rotation isn't complete. That rotation will be reattempted.",
            )


def _pending(secret: Any, token: str, *, with_value: bool) -> dict[str, Any]:
    for data in secret.versions.values():
        if "AWSPENDING" in data["version_stages"]:
            data["version_stages"].remove("AWSPENDING")
    version = {"createdate": int(time.time()), "version_id": token, "version_stages": ["AWSPENDING"]}
    if with_value:
        current = next(data for data in secret.versions.values() if "AWSCURRENT" in data["version_stages"])
        version |= {_TEST: True} | {
            name: current[name] for name in ("secret_string", "secret_binary") if name in current
        }
    return version


def _answer(secret: Any, **more: str) -> Reply:
    body = json.dumps({"ARN": secret.arn, "Name": secret.name, **more}).encode()
    return Reply(200, [("Content-Type", "application/x-amz-json-1.1")], body)


class _Rotation:
    """One rotation under way."""

    def __init__(self, call: Call, services: Services, secret: Any, function: str, token: str) -> None:
        self.call, self.services, self.secret, self.function, self.token = call, services, secret, function, token

    def carry_out(self, steps: tuple[str, ...], *, kept: bool) -> None:
        """Calls the function for each step; the first that fails is the last."""
        try:
            done = all(self._step(step) for step in steps)
        finally:
            if not kept:
                with self.services.world.moto.lock(SERVICE):
                    self.secret.versions.pop(self.token, None)
        if done and kept:
            self.secret.last_rotation_date = int(time.time())

    def _step(self, step: str) -> bool:
        event = {"Step": step, "SecretId": self.secret.arn, "ClientRequestToken": self.token}
        home = self.services.functions.region(self.call.region)
        try:
            ended = carry_out(prepare(home, self.function, None, self.call), json.dumps(event).encode())
        except AwsError as refused:
            _log.warning("rotation of %s: %s: %s", self.secret.name, step, refused)
            return False
        if ended.failed:
            _log.warning("rotation of %s: %s: %s", self.secret.name, step, ended.payload.decode())
        return not ended.failed
