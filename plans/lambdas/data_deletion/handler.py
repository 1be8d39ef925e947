"""Takes everything away that is stored of one person (GDPR article 17), and keeps the receipt.

Event: ``{"person_id": "42", "request_id": "…", "actor": "who asked"}``. Answer, the receipt: ``{"person_id",
"deleted_at", "rows": {table: number}, "request", "audit": digest}``. An unknown person is refused.

One transaction: either every table is treated and the ledger has its entry, or nothing happened. The same request again
is answered with its receipt. So is another for the same person, with the latest, unless something has come since that
is to be deleted (a late write, an id that was given away anew): then it is, with a receipt of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import audit
import db
import people
import psycopg


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Lambda's entry."""
    person, wanted = people.person_of(event), people.configuration()
    request, actor = people.text_of(event, "request_id"), people.text_of(event, "actor")
    with db.connect() as connection, connection.transaction():
        entry = erase(connection, wanted, person, request=request, actor=actor)
    return receipt(entry)


def erase(
    connection: psycopg.Connection[Any], wanted: people.Configuration, person: str, *, request: str, actor: str
) -> audit.Entry:
    """Within the caller's transaction: the entry of this deletion, or of the one before."""
    audit.open_ledger(connection)  # two at a time would both find the person
    earlier = audit.deletion_of(connection, person)
    if earlier is None:
        person = people.must_exist(connection, wanted.person, person, lock=True)
        earlier = audit.deletion_of(connection, person)  # made anonymous, and asked for in another spelling
    if earlier is not None and not wanted.left(connection, person):
        return earlier
    answered = audit.by_request(connection, request)
    if answered is not None and (answered.action, answered.person) == ("deletion", person):
        return answered
    rows: dict[str, int] = {}
    for table in wanted.every:
        rows[table.name] = rows.get(table.name, 0) + table.erase(connection, person)
    return audit.add(connection, request=request, action="deletion", person=person, actor=actor, details={"rows": rows})


def receipt(entry: audit.Entry) -> dict[str, Any]:
    """What the ledger says of a deletion."""
    shown = entry.shown()
    return {
        "person_id": entry.person,
        "deleted_at": shown["at"],
        "rows": entry.details["rows"],
        "request": entry.request,
        "audit": entry.digest,
    }
