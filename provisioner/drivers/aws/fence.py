"""The last moment before a request leaves: may it still?

boto3's own hook before sending is too early: a connection may have to be opened after it, and a process that is stopped
in between (or has to wait for its turn) would send what it may not send any more. So the connections themselves ask,
just before the bytes are handed to the kernel, and ask again where the answer took long enough to have grown stale.

Weakness: between that answer and the kernel there are a few microseconds that nothing can guard; and the place where
botocore keeps its connection pools is not documented, so where it is not found its own hook has to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

STALE: Final = 0.001
"""Seconds that an answer may take before it is asked for again."""

_TRIES: Final = 200  # on a machine that is that busy the last answer must do


def ask(check: Callable[[], None]) -> None:
    """Asks until an answer came at once; what ``check`` raises comes out."""
    for _ in range(_TRIES):
        begun = time.monotonic()
        check()
        if time.monotonic() - begun < STALE:
            return


def guard(client: Any, check: Callable[[], None]) -> None:
    """Every request of a boto3 client asks ``check`` before it leaves."""
    manager = getattr(getattr(getattr(client, "_endpoint", None), "http_session", None), "_manager", None)
    if manager is None:
        client.meta.events.register("before-send", lambda **_: ask(check))
        return
    manager.pool_classes_by_scheme = {
        scheme: _asking(pool, check) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def _asking(pool: Any, check: Callable[[], None]) -> Any:
    """A kind of connection pool whose connections ask."""
    kind: Any = pool.ConnectionCls

    def send(self: Any, data: Any) -> Any:
        if self.sock is None:
            self.connect()  # else it would happen after the question, and take its time
        ask(check)
        return kind.send(self, data)

    connection = type(f"Asking{kind.__name__}", (kind,), {"send": send})
    return type(f"Asking{pool.__name__}", (pool,), {"ConnectionCls": connection})
