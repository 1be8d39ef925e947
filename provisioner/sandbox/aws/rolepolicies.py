"""What a role of IAM may do, as far as a service asks that refuses to work with a role that may not.

Weakness: statements are read for their actions alone; resources and conditions are taken to fit, and a Deny wins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from provisioner.sandbox.aws.moto_app import Moto


def trusts(moto: Moto, arn: str, service: str) -> bool:
    """Whether there is a role with this ARN which the service may assume."""
    with moto.lock("iam"):
        role = _role(moto, arn)
        if role is None:
            return False
        return any(
            statement.get("Effect") == "Allow" and service in _listed(_principal(statement).get("Service"))
            for statement in _statements(role.assume_role_policy_document)
        )


def allows(moto: Moto, arn: str, action: str) -> bool:
    """Whether the role's policies allow an action, ``ec2:CreateNetworkInterface``."""
    with moto.lock("iam"):
        role = _role(moto, arn)
        if role is None:
            return False
        documents = [*role.policies.values(), *map(_in_force, role.managed_policies.values())]
        effects = {
            statement.get("Effect")
            for document in documents
            for statement in _statements(document)
            if any(fnmatchcase(action.lower(), one.lower()) for one in _listed(statement.get("Action")))
        }
    return effects == {"Allow"}


def _role(moto: Moto, arn: str) -> Any:
    return next((role for role in moto.backend("iam", "aws").roles.values() if role.arn == arn), None)


def _in_force(policy: Any) -> Any:
    """The document of a managed policy's default version."""
    return next(one.document for one in policy.versions if one.version_id == policy.default_version_id)


def _statements(document: Any) -> Iterator[dict[str, Any]]:
    try:
        read = json.loads(unquote(document)) if isinstance(document, str) else document
    except ValueError:
        return
    yield from (one for one in _listed(read.get("Statement")) if isinstance(one, dict))


def _principal(statement: dict[str, Any]) -> dict[str, Any]:
    principal = statement.get("Principal")
    return principal if isinstance(principal, dict) else {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
