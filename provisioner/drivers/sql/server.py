"""One connection for one verb, and what PostgreSQL and libpq answer as the errors of our tree.

A connection that cannot be made has changed nothing. One that breaks may have: the statements of a verb are one
transaction, so either all of it was done or nothing, and a read tells which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from provisioner.drivers.check.postgres import trusting
from provisioner.drivers.check.stages import PATIENCE, library
from provisioner.drivers.check.tls import anchors
from provisioner.drivers.sql.session import SqlSession
from provisioner.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    BusyError,
    CloudError,
    ConnectionFailedError,
    InvalidRequestError,
    UnavailableError,
)
from provisioner.secret import MASK, Secret

_KINDS: Final[tuple[tuple[str, type[CloudError]], ...]] = (
    ("28", AccessDeniedError),  # login refused
    ("42501", AccessDeniedError),
    ("42710", AlreadyExistsError),
    ("23505", AlreadyExistsError),  # two sessions made the same object at once
    ("40", BusyError),  # serialization, deadlock
    ("55", BusyError),  # lock not available, object in use
    ("57P", UnavailableError),  # starting up, shutting down
    ("08", ConnectionFailedError),
    ("53", UnavailableError),  # out of connections, memory, disk
)
"""First letters of SQLSTATE codes, and what they mean; whatever else a server refuses is wrong."""
_LOGIN: Final = ("authentication failed", "no pg_hba.conf entry", "role ")


@contextmanager
def connected(session: SqlSession, what: str, values: Mapping[str, Any]) -> Iterator[Any]:
    """A connection with one transaction, committed at the end; ``values``: what was lent.

    UnavailableError where nobody answers at that address; other CloudError kinds for what the server says.
    """
    psycopg = library("psycopg")
    password: Secret | None = values.get("password")
    if password is None or not values.get("host"):
        raise AccessDeniedError("where to log in, and with which password, is not known here", where=what)
    secret = password.reveal()
    session.ask()
    where = f"{what} at {values['host']}:{values['port']}"
    try:
        with trusting(anchors(session, values.get("ca_file")), values.get("tls") or "require") as (mode, root):
            connection = psycopg.connect(
                host=values["host"],
                port=values["port"],
                dbname=values["database"],
                user=values["username"],
                password=secret,
                sslmode=mode,
                sslrootcert=root,
                connect_timeout=int(PATIENCE),
                application_name="provisioner",
                options="-c lock_timeout=10s",
            )
    except OSError as err:
        raise InvalidRequestError(f"the CA file cannot be used: {err}", where=where) from err
    except psycopg.Error as err:
        raise _unconnected(err, where, secret) from None
    try:
        with connection:
            yield connection
    except psycopg.Error as err:
        raise _refused(err, where, secret) from None


def _unconnected(err: Exception, where: str, secret: str) -> CloudError:
    said = _line(str(err), secret)
    if any(word in said for word in _LOGIN):
        return AccessDeniedError(said, where=where, hint="check the user and the password that the step is given")
    return UnavailableError(
        said, where=where, hint="is there a way to it from here? a private database is reached from its network alone"
    )


def _refused(err: Any, where: str, secret: str) -> CloudError:
    state = err.sqlstate
    if state is None:
        return ConnectionFailedError(_line(str(err), secret), where=where)
    kind = next((kind for start, kind in _KINDS if state.startswith(start)), InvalidRequestError)
    said = err.diag.message_primary or str(err)
    hint = err.diag.message_hint or ""
    return kind(_line(said, secret), where=where, hint=_line(hint, secret) if hint else "", cloud_code=state)


def _line(message: str, secret: str) -> str:
    """The last line of what was said, which tells how it ended, with the password masked."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    text = re.sub(r"^.*port \d+ failed: ", "", lines[-1]) if lines else "no reason given"
    return text.replace(secret, MASK) if secret else text
