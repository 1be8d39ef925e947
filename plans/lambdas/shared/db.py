"""A connection to PostgreSQL with the credentials of a secret, over TLS that is verified.

DB_SECRET_ARN   the secret: a JSON document with username and password, and host, port and dbname unless these are given
DB_HOST, DB_PORT, DB_NAME   where the secret does not say it, or to go through a proxy
DB_CA_FILE      the authority of the server's certificate; left out: rds-ca.pem beside this file, else the system's
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import psycopg

CONNECT_SECONDS = 10
_AUTHORITY = Path(__file__).with_name("rds-ca.pem")
_REJECTED = ("28P01", "28000")
"""SQLSTATEs of a password that is wrong, or not good for this."""

_known: dict[str, dict[str, Any]] = {}


def connect() -> psycopg.Connection[Any]:
    """A connection, nothing begun. The secret is fetched once, and again where its password is not right any more."""
    arn = os.environ["DB_SECRET_ARN"]
    fetched = arn not in _known
    try:
        return open_with(_credentials(arn))
    except psycopg.OperationalError as err:
        if fetched or not rejected(err):
            raise
    del _known[arn]  # rotated since it was fetched
    return open_with(_credentials(arn))


def open_with(document: Mapping[str, Any]) -> psycopg.Connection[Any]:
    """A connection with the credentials of one version of a secret."""
    return psycopg.connect(
        host=os.environ.get("DB_HOST") or document["host"],
        port=int(os.environ.get("DB_PORT") or document.get("port") or 5432),
        dbname=os.environ.get("DB_NAME") or document.get("dbname") or "postgres",
        user=document["username"],
        password=document["password"],
        sslmode="verify-full",
        sslrootcert=authority(),
        connect_timeout=CONNECT_SECONDS,
        application_name=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "provisioner"),
    )


def authority() -> str:
    """What ``sslrootcert`` says."""
    return os.environ.get("DB_CA_FILE") or (str(_AUTHORITY) if _AUTHORITY.exists() else "system")


def rejected(err: psycopg.OperationalError) -> bool:
    """Whether the server refused the password. A failed connection has no SQLSTATE, only the server's words."""
    return err.sqlstate in _REJECTED or "authentication failed" in str(err)


def _credentials(arn: str) -> dict[str, Any]:
    if arn not in _known:
        answer = boto3.client("secretsmanager").get_secret_value(SecretId=arn)
        _known[arn] = json.loads(answer["SecretString"])
    return _known[arn]
