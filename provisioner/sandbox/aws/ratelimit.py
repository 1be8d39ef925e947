"""So many calls a second and no more: each service of each region has a bucket of tokens, as AWS has for an account.

A bucket holds one second's worth, at least one call, and fills at the rate. A call that finds it empty is refused and
costs nothing, so who waits for the next token gets it, however many calls were refused meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """Buckets by service and region; safe to use from several threads. ``rate`` is in calls a second, 0 without end."""

    def __init__(self, rate: Callable[[], float], now: Callable[[], float]) -> None:
        self._rate, self._now = rate, now
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._lock = threading.Lock()

    def allows(self, service: str, region: str) -> bool:
        """Whether the call may pass; takes its token then."""
        rate = self._rate()
        if not rate:
            return True
        with self._lock:
            size, now = max(rate, 1.0), self._now()
            bucket = self._buckets.setdefault((service, region), _Bucket(size, now))
            bucket.tokens = min(size, bucket.tokens + max(now - bucket.at, 0.0) * rate)
            bucket.at = now
            if bucket.tokens < 1.0:
                return False
            bucket.tokens -= 1.0
            return True

    def clear(self) -> None:
        """Every bucket is full."""
        with self._lock:
            self._buckets.clear()
