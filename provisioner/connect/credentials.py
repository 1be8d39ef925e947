"""The credentials of a database: read once, kept for a while, read again when the database no longer takes them."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from provisioner.connect.urls import database_url
from provisioner.errors import MissingExtraError, SetupError

VARIABLE: Final = "DB_SECRET_ARN"
LIFETIME: Final = 3600.0
"""Seconds that a secret is believed without another look."""
_REFUSED: Final = frozenset({"28P01", "28000"})
"""PostgreSQL's codes for a password, and for a user, that it does not take."""
_SAID: Final = ("password authentication failed", "authentication failed for user")


def refused(error: BaseException) -> bool:
    """Whether a database refused the credentials, as psycopg, psycopg2 and asyncpg say it."""
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return code in _REFUSED or any(words in str(error) for words in _SAID)


class Credentials:
    """The members of one secret. Safe to use from several threads; its text shows nothing."""

    def __init__(
        self,
        arn: str | None = None,
        *,
        fetch: Callable[[str], str] | None = None,
        lifetime: float = LIFETIME,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``arn``: by default what ``DB_SECRET_ARN`` says. ``fetch``: ARN → the secret's text, by default from AWS."""
        self.arn = arn or os.environ.get(VARIABLE, "")
        if not self.arn:
            raise SetupError(f"{VARIABLE} is not set", where="credentials", hint="provisioner outputs PLAN has the ARN")
        self._fetch = fetch or read_secret
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Any] | None = None
        self._until = 0.0

    def __repr__(self) -> str:
        return f"Credentials({self.arn!r})"

    def current(self) -> Mapping[str, Any]:
        """The members, from AWS at most once a ``lifetime``."""
        with self._lock:
            if self._known is None or self._clock() >= self._until:
                self._read()
            assert self._known is not None
            return self._known

    def refresh(self, stale: Mapping[str, Any] | None = None) -> bool:
        """Reads the secret again, unless somebody else did since ``stale`` was current; whether it is another now."""
        with self._lock:
            before = self._known
            if stale is None or stale is before:
                self._read()
            return self._known != (stale if stale is not None else before)

    def url(self, *, scheme: str = "postgresql", **options: str) -> str:
        """As :func:`provisioner.connect.urls.database_url`, of the members that are current."""
        return database_url(self.current(), scheme=scheme, **options)

    def connect(self, connect: Callable[[str], Any], **options: str) -> Any:
        """``connect(url)``; once more with the secret read again, where the database refused what was known.

        What it gives back is whatever ``connect`` does: a connection of the application's library.
        """
        known = self.current()
        try:
            return connect(database_url(known, **options))
        except Exception as error:
            if not refused(error) or not self.refresh(known):
                raise
        return connect(database_url(self.current(), **options))

    def _read(self) -> None:
        try:
            found = json.loads(self._fetch(self.arn))
        except ValueError:
            found = None
        if not isinstance(found, dict):
            # Neither the text nor the parser's complaint, which quotes it, is shown.
            raise SetupError("it is not a JSON object", where=self.arn, hint="username, password, host, port, dbname")
        self._known = found
        self._until = self._clock() + self._lifetime


def read_secret(arn: str) -> str:
    """The current version of a secret of AWS Secrets Manager; MissingExtraError, and boto's errors."""
    try:
        import boto3
    except ImportError as err:
        raise MissingExtraError("boto3 is not installed", where=arn, hint="pip install 'provisioner[aws]'") from err
    parts = arn.split(":")
    region = parts[3] if len(parts) > 3 else None
    make: Any = boto3.client
    return str(make("secretsmanager", region_name=region).get_secret_value(SecretId=arn)["SecretString"])


@cache
def _shared(arn: str) -> Credentials:
    return Credentials(arn)


def _named(arn: str | None) -> Credentials:
    return _shared(Credentials(arn).arn)


def get_db_credentials(arn: str | None = None) -> Mapping[str, Any]:
    """The members of the secret that ``arn``, or ``DB_SECRET_ARN``, names; shared by the whole process."""
    return _named(arn).current()


def create_database_url(arn: str | None = None, *, scheme: str = "postgresql", **options: str) -> str:
    """The URL of the database of that secret."""
    return _named(arn).url(scheme=scheme, **options)
