"""Secrets Manager: staging labels of a secret's versions, which moto moves less carefully than AWS.

A label is on one version at most. AWSCURRENT is always on one, and when it moves, AWSPREVIOUS moves to where it was.
Labels that a call does not name stay where they are. What is read without naming a version is what has AWSCURRENT.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.rules.secretsmanager import SERVICE, need_live

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_CURRENT: Final = "AWSCURRENT"
_PREVIOUS: Final = "AWSPREVIOUS"
_MOST: Final = 20
Labels = dict[str, list[str]]


def put_value(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """PutSecretValue and UpdateSecret: the new version takes its labels from the others."""
    wish = json.loads(call.body or b"{}")
    named = wish.get("VersionStages") or [_CURRENT]
    if len(named) > _MOST:
        raise AwsError("InvalidParameterException", f"a version has at most {_MOST} staging labels")
    with services.world.moto.lock(SERVICE):
        secret = services.world.moto.backend(SERVICE, call.region).secrets.get(str(wish.get("SecretId", "")))
        before = _labels(secret)
        reply = need_live(call, services, proceed)
        made = json.loads(reply.body).get("VersionId") if reply.status < 300 else None
        if made and made not in before and made in secret.versions:
            after: Labels = before | {made: []}
            for label in named if before else {*named, _CURRENT}:
                _move(after, label, made)
            _write(secret, after)
            reply.body = _with_stages(reply.body, after[made])
    return reply


def _with_stages(body: bytes, stages: list[str]) -> bytes:
    answer = json.loads(body)
    return json.dumps(answer | {"VersionStages": stages} if "VersionStages" in answer else answer).encode()


def update_stage(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """UpdateSecretVersionStage: whoever takes a label from a version says from which."""
    wish = json.loads(call.body or b"{}")
    label, source, target = wish.get("VersionStage"), wish.get("RemoveFromVersionId"), wish.get("MoveToVersionId")
    with services.world.moto.lock(SERVICE):
        secret = services.world.moto.backend(SERVICE, call.region).secrets.get(str(wish.get("SecretId", "")))
        before = _labels(secret)
        holder = next((version for version, labels in before.items() if label in labels), None)
        if target and holder not in (None, target, source):
            raise AwsError(
                "InvalidParameterException",
                f"The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to "
                f"version {holder}, so you must explicitly reference that version in RemoveFromVersionId.",
            )
        if label == _CURRENT and not target:
            raise AwsError("InvalidParameterException", "AWSCURRENT can be moved to another version, not removed.")
        if holder is not None and holder == target:
            return need_live(call, services, lambda: _unchanged(secret))
        reply = need_live(call, services, proceed)
        if reply.status < 300:
            _move(before, str(label), target)
            _write(secret, before)
    return reply


def _unchanged(secret: Any) -> Reply:
    body = json.dumps({"ARN": secret.arn, "Name": secret.name}).encode()
    return Reply(200, [("Content-Type", "application/x-amz-json-1.1")], body)


def _labels(secret: Any) -> Labels:
    """A copy of which version has which labels; empty where there is no such secret."""
    versions = secret.versions if secret is not None else {}
    return {version: list(data["version_stages"]) for version, data in versions.items()}


def _move(labels: Labels, label: str, target: str | None) -> None:
    """Put a label on ``target``, or on none, and take it from whichever version has it."""
    holder = next((version for version, held in labels.items() if label in held), None)
    if holder is not None:
        labels[holder].remove(label)
    if target:
        labels[target].append(label)
    if label == _CURRENT and holder not in (None, target):
        _move(labels, _PREVIOUS, holder)


def _write(secret: Any, labels: Labels) -> None:
    for version, held in labels.items():
        secret.versions[version]["version_stages"] = held
        if _CURRENT in held:
            secret.set_default_version_id(version)
