"""Descriptions of many secrets for few calls: by name where they are few, by the deployment's tag where many."""

from __future__ import annotations

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
    place = {"region": region, "Filters": filters, "MaxResults": 100}
    for item in session.pages("secretsmanager", "list_secrets", "SecretList", **place):
        if item["Name"] in wanted:
            found[item["Name"]] = item
        if wanted <= found.keys():
            return
