"""The last snapshot of what is deleted, under a name of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from secrets import token_hex

from provisioner.errors import AlreadyExistsError


def leave_snapshot(name: str, delete: Callable[[str], None]) -> None:
    """Deletes with the final snapshot ``<name>-final-<UTC time>``; where that name is taken, with another."""
    snapshot = f"{name}-final-{datetime.now(UTC):%Y%m%d%H%M%S}"
    try:
        delete(snapshot)
    except AlreadyExistsError:
        delete(f"{snapshot}-{token_hex(4)}")
