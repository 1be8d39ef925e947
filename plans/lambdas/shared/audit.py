"""What was done with personal data: a table that rows are added to, and nothing else.

Triggers refuse UPDATE, DELETE and TRUNCATE, and every row has the digest of itself and of the row before it, so that
even one whom no trigger stops (the table's owner, a superuser) leaves a trace: :func:`broken` finds it. Rows are added
one at a time, under a lock, so the chain is one.

Weakness: who may rewrite the table may rewrite the whole chain, too. Keep a digest elsewhere now and then (each
answer of these functions has the newest) and compare.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg
from psycopg.types.json import Json

BEGINNING = "0" * 64
_LOCK = 0x6764_7072  # "gdpr"
_TABLE = """
CREATE TABLE IF NOT EXISTS gdpr_audit (
    id bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    request text NOT NULL UNIQUE,
    action text NOT NULL,
    person text NOT NULL,
    actor text NOT NULL,
    details json NOT NULL,
    previous text NOT NULL,
    digest text NOT NULL
);
CREATE INDEX IF NOT EXISTS gdpr_audit_deletion ON gdpr_audit (person) WHERE action = 'deletion';
CREATE OR REPLACE FUNCTION gdpr_audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'gdpr_audit only grows: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE TRIGGER gdpr_audit_rows BEFORE UPDATE OR DELETE ON gdpr_audit
    FOR EACH ROW EXECUTE FUNCTION gdpr_audit_only_grows();
CREATE OR REPLACE TRIGGER gdpr_audit_table BEFORE TRUNCATE ON gdpr_audit
    FOR EACH STATEMENT EXECUTE FUNCTION gdpr_audit_only_grows();
"""
_COLUMNS = "id, at, request, action, person, actor, details, previous, digest"


class Entry(NamedTuple):
    """One row. ``details`` never holds what the data said, only how much of it there was."""

    id: int
    at: datetime
    request: str
    action: str
    person: str
    actor: str
    details: dict[str, Any]
    previous: str
    digest: str

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return {**self._asdict(), "at": _time(self.at)}


def open_ledger(connection: psycopg.Connection[Any]) -> None:
    """To be called first in a transaction that will add: nobody else adds until it ends. Makes the table if need be."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    if connection.execute("SELECT to_regclass('gdpr_audit')").fetchone() == (None,):
        connection.execute(_TABLE)


def add(
    connection: psycopg.Connection[Any],
    *,
    request: str,
    action: str,
    person: str,
    actor: str,
    details: Mapping[str, Any],
) -> Entry:
    """Adds a row in the caller's transaction. The same request again is answered with the row that it made."""
    known = by_request(connection, request)
    if known is not None:
        if (known.action, known.person) != (action, person):
            raise ValueError(f"the request {request!r} was made before, for something else")
        return known
    last = connection.execute("SELECT id, digest FROM gdpr_audit ORDER BY id DESC LIMIT 1").fetchone()
    number, previous = (last[0] + 1, last[1]) if last else (1, BEGINNING)
    at = datetime.now(UTC)
    entry = Entry(number, at, request, action, person, actor, dict(details), previous, "")
    entry = entry._replace(digest=digest_of(entry))
    connection.execute(
        f"INSERT INTO gdpr_audit ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [*entry[:6], Json(entry.details), entry.previous, entry.digest],
    )
    return entry


def by_request(connection: psycopg.Connection[Any], request: str) -> Entry | None:
    """The row that a request made."""
    return _one(connection, "request = %s", [request])


def deletion_of(connection: psycopg.Connection[Any], person: str) -> Entry | None:
    """The row of a person's latest deletion."""
    return _one(connection, "action = 'deletion' AND person = %s ORDER BY id DESC LIMIT 1", [person])


def _one(connection: psycopg.Connection[Any], where: str, values: list[str]) -> Entry | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM gdpr_audit WHERE {where}", values).fetchone()
    return Entry(*row) if row else None


def broken(connection: psycopg.Connection[Any]) -> tuple[int, int | None, str]:
    """(rows, id of the first row that is not as it was written or None, the newest digest)."""
    count, previous = 0, BEGINNING
    with connection.cursor(name="ledger") as cursor:  # row by row, however many there are
        for row in cursor.execute(f"SELECT {_COLUMNS} FROM gdpr_audit ORDER BY id"):
            entry = Entry(*row)
            count += 1
            if (entry.id, entry.previous, entry.digest) != (count, previous, digest_of(entry)):
                return count, entry.id, previous
            previous = entry.digest
    return count, None, previous


def digest_of(entry: Entry) -> str:
    """SHA-256 of everything in a row but the digest itself."""
    document = {**entry.shown(), "digest": ""}
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
