"""Time as the engine sees it: injected, so that no test waits for it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """``now``: monotonic seconds for intervals; ``wall``: seconds since the epoch for the record."""

    def now(self) -> float: ...

    def wall(self) -> float: ...

    def pass_time(self, seconds: float) -> bool:
        """Lets ``seconds`` pass without waiting and returns True, or returns False: then the caller must wait."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def pass_time(self, seconds: float) -> bool:
        return False


class VirtualClock:
    """A clock that stands still until the engine has nothing else to do, then jumps to the next timer."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = 0.0
        self._start = start

    def now(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._start + self._now

    def pass_time(self, seconds: float) -> bool:
        self._now += max(seconds, 0.0)
        return True
