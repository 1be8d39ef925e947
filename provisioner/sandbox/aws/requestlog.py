"""The list of calls that reached the sandbox: what tests and benchmarks count."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from provisioner.sandbox.aws.call import Call

_KEPT: Final = 100_000


@dataclass(slots=True)
class Entry:
    """One call. ``status`` 0: still under way, or the connection was dropped; ``started`` is UTC."""

    seq: int
    service: str
    operation: str
    write: bool
    started: str
    status: int = 0
    seconds: float = 0.0


class RequestLog:
    """The latest 100,000 calls in the order in which they arrived, and a count of them all; thread-safe."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._writes = 0
        self._throttled = 0
        self._seq = 0
        self._lock = threading.Lock()

    def begin(self, call: Call) -> tuple[Entry, float]:
        """Note that a call arrived; hand both values to ``finish``."""
        with self._lock:
            self._seq += 1
            entry = Entry(self._seq, call.service, call.operation, call.write, datetime.now(UTC).isoformat())
            self._entries.append(entry)
            self._counts[call.service, call.operation] += 1
            self._writes += call.write
        return entry, time.perf_counter()

    def finish(self, entry: Entry, began: float, status: int) -> None:
        """Note how a call ended."""
        entry.status = status
        entry.seconds = round(time.perf_counter() - began, 6)

    def throttled(self) -> None:
        """Note that a call was refused because there were too many."""
        with self._lock:
            self._throttled += 1

    def report(self, *, since: int = 0) -> dict[str, Any]:
        """``{"total", "writes", "throttled", "counts": {service: {operation: n}}, "requests": […]}``; requests after
        ``since``, throttled those that the rate limit refused."""
        with self._lock:
            counts: dict[str, dict[str, int]] = {}
            for (service, operation), number in sorted(self._counts.items()):
                counts.setdefault(service, {})[operation] = number
            requests = [asdict(entry) for entry in self._entries if entry.seq > since]
            numbers = {"total": sum(self._counts.values()), "writes": self._writes, "throttled": self._throttled}
            return {**numbers, "counts": counts, "requests": requests}

    def clear(self) -> None:
        """Forget all; sequence numbers go on."""
        with self._lock:
            self._entries.clear()
            self._counts.clear()
            self._writes = self._throttled = 0
