"""What the policies of a plan's roles allow, as far as the plan says it: for rules about proxies and functions."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any, Final

from provisioner.plan.outline import Item, unknown
from provisioner.scan.access import statements, words

MANAGED: Final[Mapping[str, tuple[str, ...]]] = {
    "AWSLambdaBasicExecutionRole": ("logs:*",),
    "AWSLambdaVPCAccessExecutionRole": ("logs:*", "ec2:*NetworkInterface*"),
    "SecretsManagerReadWrite": ("secretsmanager:*",),
    "AdministratorAccess": ("*",),
    "PowerUserAccess": ("*",),
}
"""Policies of AWS's own whose content is known here, roughly."""


def may(role: Item, action: str) -> bool | None:
    """Whether a role may do something to some object: None where it has policies that are not known here."""
    strange = role.assumed("managed_policies") or role.assumed("inline_policies")
    for arn in role.values.get("managed_policies") or ():
        known = MANAGED.get(str(arn).rpartition("/")[2])
        strange = strange or known is None
        if any(_covers(pattern, action) for pattern in known or ()):
            return True
    for statement in _documents(role):
        if statement.get("Effect") == "Allow" and any(_covers(word, action) for word in words(statement, "Action")):
            return True
        strange = strange or "NotAction" in statement
    return None if strange or unknown(role.values.get("managed_policies")) else False


def _documents(role: Item) -> Iterator[Mapping[str, Any]]:
    documents = role.values.get("inline_policies")
    for document in documents.values() if isinstance(documents, Mapping) else ():
        yield from statements(document)


def _covers(pattern: str, action: str) -> bool:
    return fnmatch.fnmatchcase(action.lower(), pattern.lower())


def trusts(role: Item, service: str) -> bool:
    """Whether a service may assume the role, as far as is known."""
    services = role.values.get("services")
    return not isinstance(services, list) or unknown(services) or service in services
