"""Gives the user of a secret a new password, in the four steps that Secrets Manager calls one after the other.

The secret is a JSON document with username and password (and host, port, dbname, unless DB_HOST and its like say them).
The user changes the password itself (the single-user way): between setSecret and finishSecret, less than a second, who
opens a connection with the old password is refused, and finds the new one by asking again.

=============  ================================================================================================
createSecret   a version with a new password, labelled AWSPENDING
setSecret      the password in the database; it travels and is logged as a verifier, never as itself
testSecret     a connection with it
finishSecret   AWSCURRENT is moved to the version; the one before becomes AWSPREVIOUS
=============  ================================================================================================

Each may be called again, and again after a crash anywhere: it first looks whether it has been done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3
import db
import psycopg
from psycopg import sql

LENGTH = 32
EXCLUDED = "/@\"'\\ %:?#[]{}`$&+;=<>|~^!*(),"
"""What connection URLs and shells trip over. Letters and digits in 32 places are strong enough without."""


def handler(event: Mapping[str, Any], context: object) -> None:
    """Lambda's entry."""
    arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    client = boto3.client("secretsmanager")
    secret = client.describe_secret(SecretId=arn)
    stages = secret.get("VersionIdsToStages", {}).get(token)
    if not secret.get("RotationEnabled"):
        raise ValueError(f"{arn} is not set to rotate")
    if stages is None:
        raise ValueError(f"{arn} has no version {token}")
    if "AWSCURRENT" in stages:
        return  # done before
    if "AWSPENDING" not in stages:
        raise ValueError(f"the version {token} of {arn} is not the one that is pending")
    _STEPS[step](client, arn, token)


def create(client: Any, arn: str, token: str) -> None:
    """createSecret: a pending version with a new password; none where there is one."""
    current = _value(client, arn, "AWSCURRENT")
    if _value(client, arn, "AWSPENDING", token) is not None:
        return
    if current is None or "username" not in current:
        raise ValueError(f"{arn} has no username to give a password to")
    made = client.get_random_password(PasswordLength=LENGTH, ExcludeCharacters=EXCLUDED, ExcludePunctuation=True)
    document = json.dumps({**current, "password": made["RandomPassword"]})
    client.put_secret_value(SecretId=arn, ClientRequestToken=token, SecretString=document, VersionStages=["AWSPENDING"])


def put(client: Any, arn: str, token: str) -> None:
    """setSecret: the new password in the database, unless it is there."""
    pending = _pending(client, arn, token)
    if _opens(pending):
        return
    for label in ("AWSCURRENT", "AWSPREVIOUS"):  # the previous one, where somebody set it back
        known = _value(client, arn, label)
        if known is None or not _opens(known):
            continue
        if any(known.get(name) != pending.get(name) for name in ("username", "host", "port")):
            raise ValueError(f"{arn}: the pending version is of another user or server than the one labelled {label}")
        with db.open_with(known) as connection:
            _set_password(connection, pending["username"], pending["password"])
        return
    raise ValueError(f"{arn}: no version's password opens the database")


def test(client: Any, arn: str, token: str) -> None:
    """testSecret: the new password opens the database."""
    with db.open_with(_pending(client, arn, token)) as connection:
        connection.execute("SELECT now()")


def finish(client: Any, arn: str, token: str) -> None:
    """finishSecret: the pending version is the current one from now on."""
    labels = client.describe_secret(SecretId=arn)["VersionIdsToStages"]
    current = next(version for version, held in labels.items() if "AWSCURRENT" in held)
    if current != token:
        client.update_secret_version_stage(
            SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
        )
    client.update_secret_version_stage(SecretId=arn, VersionStage="AWSPENDING", RemoveFromVersionId=token)


_STEPS = {"createSecret": create, "setSecret": put, "testSecret": test, "finishSecret": finish}


def _value(client: Any, arn: str, label: str, token: str = "") -> dict[str, Any] | None:
    """The document of a version, None where no version has the label."""
    which = {"VersionId": token} if token else {}
    try:
        answer = client.get_secret_value(SecretId=arn, VersionStage=label, **which)
    except client.exceptions.ResourceNotFoundException:
        return None
    document: dict[str, Any] = json.loads(answer["SecretString"])
    return document


def _pending(client: Any, arn: str, token: str) -> dict[str, Any]:
    document = _value(client, arn, "AWSPENDING", token)
    if document is None:
        raise ValueError(f"{arn}: the pending version {token} has no value; createSecret comes first")
    return document


def _opens(document: Mapping[str, Any]) -> bool:
    try:
        db.open_with(document).close()
    except psycopg.OperationalError as err:
        if not db.rejected(err):
            raise
        return False
    return True


def _set_password(connection: psycopg.Connection[Any], user: str, password: str) -> None:
    row = connection.execute("SHOW password_encryption").fetchone()
    assert row is not None
    kind = {"on": "md5"}.get(row[0], row[0]).encode()
    # The server is told the verifier: statements are logged, be it only slow ones, and passwords must not be.
    verifier = connection.pgconn.encrypt_password(password.encode(), user.encode(), kind).decode()
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(verifier)))
