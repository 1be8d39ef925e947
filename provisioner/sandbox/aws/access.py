"""What a role may do, from the policies as they stand: for services that act in a role's name.

An identity's own calls are never judged (see the package's weaknesses); what RDS does with the role that it was given
is, because a proxy whose role may too little is a mistake that only shows at work.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from provisioner.sandbox.aws.moto_app import Moto
from provisioner.sandbox.aws.policies import Decision, Document, decide, read
from provisioner.sandbox.settings import ACCOUNT

_ROOT = f"arn:aws:iam::{ACCOUNT}:root"


class Credentials(NamedTuple):
    """What a database's secret holds."""

    username: str
    password: str


class Refused(Exception):
    """The value cannot be had; the text says why, as a service's log would."""


class Access:
    """Questions about roles, secrets and keys of moto's."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto

    def decide(self, role: str, action: str, resource: str, context: Mapping[str, str]) -> Decision:
        """What the role's own policies say; ``implicitDeny`` where there is no such role."""
        return decide(self._policies(role), action, resource, {**_about(role), **context})

    def assumable(self, role: str, service: str, context: Mapping[str, str]) -> bool:
        """Whether a service (``rds.amazonaws.com``) may take the role on."""
        with self._moto.lock("iam"):
            found = self._role(role)
            trust = read(found.assume_role_policy_document) if found is not None else {}
        return decide([trust], "sts:AssumeRole", role, context, [service, "*"]) == "allowed"

    def secret_exists(self, region: str, arn: str) -> bool:
        """Whether a region has a secret with this ARN that is not scheduled for deletion."""
        with self._moto.lock("secretsmanager"):
            found = self._moto.backend("secretsmanager", region).secrets.get(arn) if arn.startswith("arn:") else None
            return found is not None and found.deleted_date is None

    def credentials(self, role: str, secret: str) -> Credentials:
        """The user name and password of a secret, read as the role would read them; Refused where that fails."""
        region = secret.split(":")[3] if secret.count(":") > 5 else ""
        with self._moto.lock("secretsmanager"):
            found = self._moto.backend("secretsmanager", region).secrets.get(secret) if region else None
            if found is None or found.deleted_date is not None:
                raise Refused(f"the AWS Secrets Manager secret with the ARN {secret} does not exist")
            value, key, policy = _value(found), found.kms_key_id, read(found.policy)
        context = {"secretsmanager:VersionStage": "AWSCURRENT", **_about(role)}
        own = self.decide(role, "secretsmanager:GetSecretValue", secret, context)
        theirs = decide([policy], "secretsmanager:GetSecretValue", secret, context, [role, _ROOT, ACCOUNT, "*"])
        if "explicitDeny" in (own, theirs) or "allowed" not in (own, theirs):
            raise Refused(_not_authorized(role, secret))
        if key and not key.startswith("alias/aws/") and not self._decrypts(role, region, key, secret):
            raise Refused(_not_authorized(role, secret))
        return _parsed(value, secret)

    def _decrypts(self, role: str, region: str, name: str, secret: str) -> bool:
        """Whether Secrets Manager may decrypt with the key in the role's name: the key's policy has the first word."""
        with self._moto.lock("kms"):
            backend = self._moto.backend("kms", region)
            found = backend.keys.get(backend.any_id_to_key_id(name))
            if found is None or found.key_state != "Enabled":
                return False
            arn, policy = str(found.arn), read(found.policy)
        context = {
            "kms:ViaService": f"secretsmanager.{region}.amazonaws.com",
            "kms:CallerAccount": ACCOUNT,
            "kms:EncryptionContext:SecretARN": secret,
            **_about(role),
        }
        own = self.decide(role, "kms:Decrypt", arn, context)
        direct = decide([policy], "kms:Decrypt", arn, context, [role, "*"])
        handed_on = decide([policy], "kms:Decrypt", arn, context, [_ROOT, ACCOUNT])
        if "explicitDeny" in (own, direct, handed_on):
            return False
        return direct == "allowed" or (own == "allowed" and handed_on == "allowed")

    def _policies(self, role: str) -> list[Document]:
        with self._moto.lock("iam"):
            found = self._role(role)
            if found is None:
                return []
            versions = [version for one in found.managed_policies.values() for version in one.versions]
            attached = [version.document for version in versions if version.is_default]
            return [read(text) for text in (*found.policies.values(), *attached)]

    def _role(self, arn: str) -> Any:
        roles = self._moto.backend("iam", "aws").roles.values()
        return next((role for role in roles if role.arn == arn), None)


def _about(role: str) -> dict[str, str]:
    return {"aws:PrincipalArn": role, "aws:PrincipalAccount": ACCOUNT}


def _value(secret: Any) -> str:
    """The current version's text, "" where it has none."""
    current = (version for version in secret.versions.values() if "AWSCURRENT" in version.get("version_stages", ()))
    return str((next(current, None) or {}).get("secret_string") or "")


def _parsed(value: str, secret: str) -> Credentials:
    try:
        document = json.loads(value)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not document.get("username") or not document.get("password"):
        raise Refused(f"the AWS Secrets Manager secret with the ARN {secret} has no JSON with username and password")
    return Credentials(str(document["username"]), str(document["password"]))


def _not_authorized(role: str, secret: str) -> str:
    """RDS Proxy's own words, the same for the secret and for its key."""
    return f'The IAM role "{role}" is not authorized to read the AWS Secrets Manager secret with the ARN "{secret}"'
