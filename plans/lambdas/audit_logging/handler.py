"""The ledger of what was done with personal data: adds an entry for others, and says whether it is whole.

``{"action": "consent withdrawn", "person_id": "42", "request_id": "…", "actor": "who", "details": {…}}`` adds an
entry, once a request, and answers with it. ``{"verify": true}`` reads the whole ledger and answers ``{"rows",
"broken_at": id or null, "digest": the newest}``.

``export`` and ``deletion`` are the other functions' own words, and are refused here. Details must not hold what they
are about: the ledger can never forget it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import audit
import db
import people

_OTHERS = ("export", "deletion")
_MOST = 4000


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Lambda's entry."""
    if event.get("verify"):
        return verify()
    action, person = people.text_of(event, "action", 100), people.person_of(event)
    request, actor = people.text_of(event, "request_id"), people.text_of(event, "actor")
    if action in _OTHERS:
        raise ValueError(f"only the function that does an {action} writes that it did")
    details = event.get("details") or {}
    if not isinstance(details, dict) or len(json.dumps(details)) > _MOST:
        raise ValueError(f"details is a JSON object of at most {_MOST} characters")
    with db.connect() as connection, connection.transaction():
        audit.open_ledger(connection)
        entry = audit.add(connection, request=request, action=action, person=person, actor=actor, details=details)
    return entry.shown()


def verify() -> dict[str, Any]:
    """Whether every row is as it was written."""
    with db.connect() as connection, connection.transaction():
        audit.open_ledger(connection)
        rows, at, digest = audit.broken(connection)
    return {"rows": rows, "broken_at": at, "digest": digest}
