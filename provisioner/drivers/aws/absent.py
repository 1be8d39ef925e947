"""What a look of this session has just not found: it spares a create the look before it.

Some calls make a second object, or overwrite one, without a word; so who makes such a thing looks first. The engine has
just done that. A note is good for one create and for a minute, so a create that is called again looks for itself.
"""

from __future__ import annotations

import time
from typing import Final

from provisioner.drivers.aws.session import AwsSession
from provisioner.model import Key, Observed

_NOTES: Final = "seen absent"
_JUST_NOW: Final = 60.0
"""Seconds for which a look is good; as long as a run waits for a yes before it looks again."""


def note(session: AwsSession, kind: str, key: Key, seen: Observed | None) -> Observed | None:
    """Notes what a strong read of the type ``kind`` saw, and hands it on."""
    if seen is None:
        session.memory(_NOTES)[_place(kind, key)] = time.monotonic()
    else:
        session.memory(_NOTES).pop(_place(kind, key), None)
    return seen


def take(session: AwsSession, kind: str, key: Key) -> bool:
    """Whether a look has just found nothing; the note is used up."""
    seen_at = session.memory(_NOTES).pop(_place(kind, key), None)
    return seen_at is not None and time.monotonic() - seen_at < _JUST_NOW


def _place(kind: str, key: Key) -> str:
    return f"{kind} {key.region} {key.owner} {key.name}"
