"""How fast a service may be called: as fast as one likes until it throttles, then as fast as it was seen to answer.

A service that limits its callers answers so many calls a second and refuses the rest. So while it refuses, the number
of calls that it answers *is* the limit; from there the rate climbs slowly, until a refusal says that it was too much.

Weakness: a limit on one operation slows down its whole service, since nobody tells which limit was hit.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from provisioner.engine.clock import Clock

MEASURED: Final = 2.0
"""Seconds over which answers are counted."""

CALM: Final = 0.5
"""Seconds without a refusal after which the rate begins to climb."""

CLIMB: Final = 0.1
"""Share by which the rate climbs a second, once the limit was met from below."""

SEARCH: Final = 1.0
"""The same before that, when the rate is a guess."""

LEAST: Final = 0.2
"""Calls a second that are tried however often the service refuses."""

OPEN: Final = 200.0
"""Calls a second beyond which nothing is held back any more."""

TOGETHER: Final = 0.005
"""Seconds within which steps that share a call hear of its answer."""


class Lane:
    """The queue in front of one service."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rate: float | None = None
        self._known = False
        self._next = 0.0
        self._changed = float("-inf")
        self._climbed = 0.0
        self._answers: deque[float] = deque()
        self._shared: dict[str, float] = {}

    @property
    def rate(self) -> float | None:
        """Calls a second; None where nothing is held back."""
        return self._rate

    def delay(self) -> float:
        """Seconds until the next call may go."""
        return 0.0 if self._rate is None else max(self._next - self._clock.now(), 0.0)

    def take(self) -> None:
        """A call goes."""
        if self._rate is not None:
            self._next = max(self._next, self._clock.now()) + 1 / self._rate

    def answered(self, shared: str = "") -> None:
        """A call was let through, whatever came of it. ``shared``: many steps hear of it, one after the other."""
        now = self._clock.now()
        if shared:
            before, self._shared[shared] = self._shared.get(shared, float("-inf")), now
            if now - before < TOGETHER:
                return
        self._answers.append(now)
        self._forget(now)
        if self._rate is not None and now >= self._changed + CALM:
            self._rate *= 1 + (CLIMB if self._known else SEARCH) * (now - self._climbed)
            self._climbed = now
            if self._rate > OPEN:
                self._rate, self._known = None, False

    def throttled(self, sent: float) -> None:
        """A call that went at ``sent`` was refused. What went before the rate was changed says nothing new."""
        if sent <= self._changed:
            return
        now = self._clock.now()
        self._forget(now)
        if self._rate is None:
            self._rate = max(float(sum(1 for at in self._answers if at > now - 1)), 2.0)
        elif now - self._changed < 2 * CALM:
            self._rate *= 0.7
        else:
            self._known = True
            seconds = min(MEASURED, now - self._changed)
            self._rate = min(self._rate * 0.95, sum(1 for at in self._answers if at > now - seconds) / seconds)
        self._rate = max(self._rate, LEAST)
        self._changed, self._climbed = now, now + CALM
        self._next = now + 1 / self._rate

    def _forget(self, now: float) -> None:
        while self._answers and self._answers[0] <= now - MEASURED:
            self._answers.popleft()


class Pace:
    """A lane for every service."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lanes: dict[str, Lane] = {}

    def lane(self, service: str) -> Lane:
        """The service's own, made when it is first asked for."""
        found = self._lanes.get(service)
        if found is None:
            found = self._lanes[service] = Lane(self._clock)
        return found
