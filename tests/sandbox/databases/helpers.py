"""What the tests of this package share: clients, and a look at the processes of a directory."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from provisioner.sandbox.databases.host import DatabaseHost, Endpoint

if TYPE_CHECKING:
    Connection = psycopg.Connection[tuple[Any, ...]]

USER = "credlink"
PASSWORD = "it's-a-\\canary-5f1c"
DATABASE = "app"
ONCE = Retry(NoBackoff(), 0)
"""A refused client is not to try again, for seconds."""


def connect(host: DatabaseHost, endpoint: Endpoint, **changes: Any) -> Connection:
    """A connection as a careful client makes it: TLS, the certificate and the name verified."""
    words: dict[str, Any] = {
        "user": USER,
        "password": PASSWORD,
        "dbname": DATABASE,
        "sslmode": "verify-full",
        "sslrootcert": str(host.ca_path),
        "connect_timeout": 10,
        "autocommit": True,
        **changes,
    }
    return psycopg.connect(host=endpoint.host, port=endpoint.port, **words)


def value(connection: Connection, query: str) -> Any:
    """The first column of the first row."""
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def cache(host: DatabaseHost, endpoint: Endpoint, token: str) -> redis.Redis:
    """A client from a URL, over TLS."""
    return redis.Redis.from_url(
        f"rediss://:{token}@{endpoint.host}:{endpoint.port}/0",
        ssl_ca_certs=str(host.ca_path),
        decode_responses=True,
        retry=ONCE,
    )


def plain_cache(endpoint: Endpoint) -> redis.Redis:
    """A client without TLS and token."""
    return redis.Redis(host=endpoint.host, port=endpoint.port, decode_responses=True, socket_timeout=5, retry=ONCE)


def servers_below(directory: Path) -> list[int]:
    """Processes that work below ``directory``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            working_in = (process / "cwd").readlink()
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
        if working_in.is_relative_to(directory):
            found.append(int(process.name))
    return found


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether ``condition`` comes true within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
