"""Why a proxy cannot log in to its database: AWS says AUTH_FAILURE and no more, so this asks around.

The usual reasons are that the proxy's role may not read the secret, may not use the key that the secret is encrypted
with (https://github.com/aws/aws-cdk/issues/28850), or cannot be assumed by RDS; IAM's own simulator knows. Each source
is asked for itself, and one that may not be asked is left out. The secret's value is never read.

Weakness: the simulator looks at the role's policies; what a key's or a secret's own policy says it does not see.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import unquote

from provisioner.drivers.aws.session import AwsSession
from provisioner.errors import CloudError, NotFoundError

_SERVICE: Final = "rds.amazonaws.com"
_OTHERWISE: Final = (
    "as far as IAM tells, its role may read the secret: are the username and password in it the database's?"
)


def explain(session: AwsSession, proxy: str) -> str:
    """What stands in the way and what to do."""
    with suppress(CloudError):
        found = session.call("rds", "describe_db_proxies", what=proxy, DBProxyName=proxy)["DBProxies"]
        return "; ".join(why for one in found for why in _reasons(session, one)) or _OTHERWISE
    return "may its role read the secret (secretsmanager:GetSecretValue) and use its key (kms:Decrypt)?"


def _reasons(session: AwsSession, proxy: Mapping[str, Any]) -> Iterator[str]:
    role = str(proxy["RoleArn"])
    yield from _trust(session, role)
    for secret in proxy.get("Auth", ()):
        yield from _secret(session, role, str(secret.get("SecretArn", "")))


def _trust(session: AwsSession, role: str) -> Iterator[str]:
    name = role.rpartition("/")[2]
    with suppress(CloudError):
        try:
            found = session.call("iam", "get_role", what=name, RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        except NotFoundError:
            yield f"role {name} does not exist"
            return
        text = found if isinstance(found, str) else json.dumps(found)
        if _SERVICE not in unquote(text):
            yield f"{_SERVICE} may not assume role {name}: name it in the role's trust policy"


def _secret(session: AwsSession, role: str, arn: str) -> Iterator[str]:
    with suppress(CloudError):
        try:
            secret = session.call("secretsmanager", "describe_secret", what=arn, SecretId=arn)
        except NotFoundError:
            yield f"secret {arn} does not exist"
            return
        if secret.get("DeletedDate"):
            yield f"secret {arn} is scheduled for deletion"
            return
        yield from _denied(session, role, "secretsmanager:GetSecretValue", arn, {})
        if secret.get("KmsKeyId"):
            yield from _key(session, role, str(secret["KmsKeyId"]), arn.split(":")[3])


def _key(session: AwsSession, role: str, key: str, region: str) -> Iterator[str]:
    with suppress(CloudError):
        found = session.call("kms", "describe_key", what=key, region=region, KeyId=key)["KeyMetadata"]
        if found.get("KeyManager") == "AWS":  # such a key serves whoever may read the secret
            return
        if found.get("KeyState") != "Enabled":
            yield f"key {found['Arn']} of the secret is {found.get('KeyState')}"
        via = {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}
        yield from _denied(session, role, "kms:Decrypt", str(found["Arn"]), via)


def _denied(session: AwsSession, role: str, action: str, thing: str, context: Mapping[str, str]) -> Iterator[str]:
    entries = [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for name, value in context.items()
    ]
    asked: dict[str, Any] = {"ActionNames": [action], "ResourceArns": [thing], "ContextEntries": entries}
    name = role.rpartition("/")[2]
    with suppress(CloudError):
        answer = session.call("iam", "simulate_principal_policy", what=name, PolicySourceArn=role, **asked)
        for result in answer.get("EvaluationResults", ()):
            if result.get("EvalDecision") != "allowed":
                only = "".join(f", with the condition {key} {value}" for key, value in context.items())
                yield f"role {name} may not {action} on {thing} ({result.get('EvalDecision')}): allow it{only}"
