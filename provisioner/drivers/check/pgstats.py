"""What a PostgreSQL has counted: its slowest statements, and one sample for a baseline. It reads, and changes nothing.

The server writes ``$1`` for the constants of queries, and leaves those of utility statements as they are, a new role's
password among them. So every literal is masked here, whatever the statement is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from provisioner.errors import InvalidRequestError

_EXTENSION: Final = "SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'"
_SLOWEST: Final = """
    SELECT query, calls, total_exec_time, mean_exec_time, max_exec_time, rows,
           100.0 * shared_blks_hit / NULLIF(shared_blks_hit + shared_blks_read, 0),
           100.0 * total_exec_time / NULLIF(sum(total_exec_time) OVER (), 0)
    FROM pg_stat_statements(true)
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY total_exec_time DESC LIMIT %s
"""
_LITERAL: Final = re.compile(r"'(?:[^']|'')*(?:'|$)|(\$[A-Za-z_]*\$).*?(?:\1|$)", re.DOTALL)
"""Quoted text, and text between dollar signs; also where the server cut the statement off."""
_COLUMNS: Final = ("query", "calls", "total_ms", "mean_ms", "max_ms", "rows", "cache_hit_percent", "share_percent")
_SAMPLE: Final = """
    SELECT xact_commit + xact_rollback AS transactions, tup_returned + tup_fetched AS rows_read,
           tup_inserted + tup_updated + tup_deleted AS rows_written, blks_hit, blks_read, deadlocks, temp_bytes,
           numbackends AS connections, pg_database_size(datname) AS bytes,
           current_setting('max_connections')::int AS max_connections
    FROM pg_stat_database WHERE datname = current_database()
"""


def slowest(connection: Any, limit: int) -> list[dict[str, Any]]:
    """The statements that took the most time in all, most first: times in ms, hits and shares in percent.

    InvalidRequestError where the database keeps no such record.
    """
    if connection.execute(_EXTENSION).fetchone() is None:
        raise InvalidRequestError(
            "pg_stat_statements is not installed in this database",
            hint="CREATE EXTENSION pg_stat_statements; RDS preloads its library",
        )
    rows = connection.execute(_SLOWEST, [limit]).fetchall()
    told = [dict(zip(_COLUMNS, [_plain(value) for value in row], strict=True)) for row in rows]
    return [{**one, "query": without_values(str(one["query"]))} for one in told]


def without_values(query: str) -> str:
    """The text with every literal masked.

    >>> without_values("ALTER ROLE app PASSWORD 'it''s secret'; SELECT $1")
    "ALTER ROLE app PASSWORD '***'; SELECT $1"
    """
    return _LITERAL.sub("'***'", query)


def sample(connection: Any) -> dict[str, float]:
    """The counters since the server's start, what is open now, and ``probe_ms``: what one query took to come back."""
    begun = time.perf_counter()
    connection.execute("SELECT 1").fetchone()
    took = (time.perf_counter() - begun) * 1000
    found = connection.execute(_SAMPLE)
    names = [str(column.name) for column in found.description]
    values = dict(zip(names, (float(value or 0) for value in found.fetchone()), strict=True))
    return values | {"probe_ms": took, "at": time.monotonic()}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int) else round(float(value), 3)


def baseline(samples: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """What a span of samples says: rates over the whole span, percentiles of the probes.

    >>> at = {"connections": 3.0, "max_connections": 100.0, "bytes": 10.0, "deadlocks": 0.0, "temp_bytes": 0.0}
    >>> at |= {"rows_read": 0.0, "rows_written": 0.0, "blks_hit": 0.0, "blks_read": 0.0}
    >>> first = {**at, "transactions": 10.0, "probe_ms": 1.0, "at": 0.0}
    >>> baseline([first, {**first, "transactions": 60.0, "probe_ms": 3.0, "at": 10.0}])["transactions_per_second"]
    5.0
    """
    first, last = samples[0], samples[-1]
    seconds = max(last["at"] - first["at"], 0.001)
    grown = {name: last[name] - first[name] for name in first}
    blocks = grown["blks_hit"] + grown["blks_read"]
    probes = sorted(one["probe_ms"] for one in samples)
    used = sorted(one["connections"] for one in samples)
    return {
        "seconds": round(seconds, 1),
        "samples": len(samples),
        "latency_ms": {"p50": _part(probes, 0.5), "p95": _part(probes, 0.95), "most": round(probes[-1], 3)},
        "transactions_per_second": round(grown["transactions"] / seconds, 2),
        "rows_read_per_second": round(grown["rows_read"] / seconds, 1),
        "rows_written_per_second": round(grown["rows_written"] / seconds, 1),
        "cache_hit_percent": round(100 * grown["blks_hit"] / blocks, 2) if blocks > 0 else None,
        "connections": {"p50": used[len(used) // 2], "most": used[-1], "allowed": last["max_connections"]},
        "deadlocks": grown["deadlocks"],
        "temp_bytes": grown["temp_bytes"],
        "database_bytes": last["bytes"],
    }


def _part(ordered: Sequence[float], part: float) -> float:
    return round(ordered[min(int(part * len(ordered)), len(ordered) - 1)], 3)
