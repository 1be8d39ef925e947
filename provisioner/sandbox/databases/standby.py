"""What makes a copy of a cluster's data a standby of it: whom to follow, with which password, and with how much room.

The password stands in a file beside the data, not in ``primary_conninfo``, which users who may see all settings see.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.databases.addresses import Endpoint

if TYPE_CHECKING:
    from psycopg import Connection

_SIGNAL: Final = "standby.signal"
_CONFIG: Final = "standby.conf"
_AT_LEAST: Final = (
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_worker_processes",
)
"""A standby with less of one of these than its primary does not start."""


def follow(directory: Path, data: Path, primary: Endpoint, user: str, password: str) -> None:
    """Make ``data``, a copy of the primary's, one that follows it; the password goes into ``directory``."""
    words = directory / "pgpass"
    with os.fdopen(os.open(words, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"*:*:*:{user}:{password}\n")
    where = f"host={primary.host} port={primary.port} user={user} passfile={words} sslmode=disable gssencmode=disable"
    (data / _CONFIG).write_text(
        f"primary_conninfo = '{where}'\nwal_retrieve_retry_interval = 200ms\n", encoding="utf-8"
    )
    (data / _SIGNAL).touch()


def forget(data: Path) -> None:
    """Make a copy of a standby's data a server of its own."""
    (data / _SIGNAL).unlink(missing_ok=True)
    (data / _CONFIG).unlink(missing_ok=True)


def include(data: Path) -> None:
    """Have postgresql.conf, written anew, read whom to follow."""
    if (data / _SIGNAL).exists():
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(f"include '{_CONFIG}'\n")


def enough(primary: Connection[Any], settings: dict[str, str]) -> dict[str, str]:
    """The settings with no less than the primary has of what a standby must not have less of."""
    rows = primary.execute("SELECT name, setting::int FROM pg_settings WHERE name = ANY(%s)", [list(_AT_LEAST)])
    wanted = dict(settings)
    for name, has in rows.fetchall():
        if not int(wanted.get(name) or 0) >= has:
            wanted[name] = str(has)
    return wanted
