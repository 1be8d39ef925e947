"""Everything that is stored of one person, as one JSON document (GDPR articles 15 and 20).

Event: ``{"person_id": "42", "request_id": "…", "actor": "who asked"}``. Answer: ``{"person_id", "exported_at",
"tables": {table: [row, …]}, "rows": {table: number}, "audit": digest}``. An unknown person is refused.

All tables are read in one transaction, REPEATABLE READ and READ ONLY: the document is of one moment. That it was given
out is written to the ledger after that, and before it is: without the entry there is no answer. The same request again
gives the document as it is by then, and no second entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import audit
import db
import people
import psycopg


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Lambda's entry."""
    person, wanted = people.person_of(event), people.configuration()
    request, actor = people.text_of(event, "request_id"), people.text_of(event, "actor")
    with db.connect() as connection:
        document = export(connection, wanted, person)
        with connection.transaction():
            audit.open_ledger(connection)
            entry = audit.add(
                connection,
                request=request,
                action="export",
                person=person,
                actor=actor,
                details={"rows": document["rows"]},
            )
    return {**document, "audit": entry.digest}


def export(connection: psycopg.Connection[Any], wanted: people.Configuration, person: str) -> dict[str, Any]:
    """The document; UnknownPersonError where there is nobody of that id."""
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    with connection.transaction():
        people.must_exist(connection, wanted.person, person)
        at = datetime.now(UTC)
        tables: dict[str, list[Any]] = {}
        for table in wanted.every:
            tables.setdefault(table.name, []).extend(table.rows(connection, person))
    connection.isolation_level = connection.read_only = None
    return {
        "person_id": person,
        "exported_at": at.isoformat(timespec="seconds"),
        "tables": tables,
        "rows": {name: len(rows) for name, rows in tables.items()},
    }
