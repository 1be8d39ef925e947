"""Secrets for few calls: descriptions by name where they are few, by the deployment's tag where many; values once.

A version's content never changes, so what two steps want to know of the same version is fetched for both at once. It is
kept in memory, for the length of the session, as what the steps that refer to it hold anyway.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from provisioner.drivers.aws.page import chunks
from provisioner.drivers.aws.session import AwsSession
from provisioner.model import OWNER_TAG, Key

_NAMES_AT_ONCE: Final = 10
"""Values that one filter takes; a name finds all that begin with it."""


def named(session: AwsSession, keys: Sequence[Key], region: str) -> dict[str, Mapping[str, Any]]:
    """By name, what Secrets Manager's list says of them; it may be minutes old, and lack what is new.

    At a glance at more than ten, those that do not carry the deployment's tag are left out too.
    """
    wanted = {key.name for key in keys}
    found: dict[str, Mapping[str, Any]] = {}
    if len(wanted) > _NAMES_AT_ONCE and session.glancing:
        _list(session, found, wanted, region, {"tag-key": [OWNER_TAG], "tag-value": [f"{keys[0].deployment}/"]})
        return found
    for names in chunks(sorted(wanted), _NAMES_AT_ONCE):
        _list(session, found, set(names), region, {"name": names})
    return found


def _list(
    session: AwsSession,
    found: dict[str, Mapping[str, Any]],
    wanted: set[str],
    region: str,
    only: Mapping[str, Sequence[str]],
) -> None:
    filters = [{"Key": name, "Values": list(values)} for name, values in only.items()]
    place: dict[str, Any] = {"region": region, "Filters": filters, "MaxResults": 100}
    for item in session.pages("secretsmanager", "list_secrets", "SecretList", **place):
        if item["Name"] in wanted:
            found[item["Name"]] = item
        if wanted <= found.keys():
            return


def current(session: AwsSession, found: Mapping[str, Any], region: str, what: str) -> Mapping[str, Any]:
    """GetSecretValue's answer for the current version of a secret as described; asked once a version."""
    stages: Mapping[str, Sequence[str]] = found.get("VersionIdsToStages") or found.get("SecretVersionsToStages") or {}
    version = next((version for version, labels in stages.items() if "AWSCURRENT" in labels), "")
    place = session.memory("secret values").setdefault(found["ARN"], {"lock": threading.Lock(), "answers": {}})
    with place["lock"]:
        answers: dict[str, Mapping[str, Any]] = place["answers"]
        if not version or version not in answers:
            answer = session.call("secretsmanager", "get_secret_value", what=what, region=region, SecretId=found["ARN"])
            answers.clear()
            answers[answer["VersionId"]] = answer
            return answer
        return answers[version]
