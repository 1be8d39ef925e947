"""The one place that retries, and the one place that slows down.

Up to ``attempts`` tries in all (10 tries, not 10 retries: the first is one of them), exponential with jitter, only for
errors that a driver's translation marks retryable. A ``Retry-After`` from the cloud is honoured. Between two tries no
thread waits: the step sleeps in the loop's timer heap.

A throttled answer slows its whole service down for every step (:class:`Pace`), so that three hundred steps do not burn
their tries against the same limit.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential_jitter

from provisioner.engine.clock import Clock
from provisioner.engine.loop import Look, Sleep, Task
from provisioner.errors import CloudError, ThrottledError


class RetryPolicy(msgspec.Struct, frozen=True):
    """``initial`` and ``most`` are seconds; the n-th pause is about ``initial * 2**(n-1)``, at most ``most``."""

    attempts: int = 10
    initial: float = 0.5
    most: float = 30.0


class Pace:
    """The least seconds between two calls to a service: none until it throttles, then doubled, then eased off."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gap: dict[str, float] = {}
        self._next: dict[str, float] = {}

    def delay(self, service: str) -> float:
        """Seconds to wait before the next call; takes the place in the queue."""
        gap = self._gap.get(service, 0.0)
        if not gap:
            return 0.0
        now = self._clock.now()
        turn = max(self._next.get(service, 0.0), now)
        self._next[service] = turn + gap
        return turn - now

    def throttled(self, service: str) -> None:
        self._gap[service] = min(max(self._gap.get(service, 0.0) * 2, 0.05), 5.0)

    def answered(self, service: str) -> None:
        gap = self._gap.get(service, 0.0)
        if gap:
            self._gap[service] = gap * 0.9 if gap > 0.01 else 0.0


class Retrier:
    """Reads for steps, and hands out tries for what they do; keeps the policy and the pace."""

    def __init__(self, policy: RetryPolicy, clock: Clock, *, random: Random | None = None) -> None:
        self._policy = policy
        self._random = random or Random()
        self.pace = Pace(clock)

    def look(self, wish: Look, service: str, *, heard: Callable[[int, CloudError, float], None]) -> Task:
        """Reads an object, in the service's pace, as often as the policy allows; then raises the last error.

        ``heard(attempt, error, pause)`` is told of each retry.
        """
        tries: Tries | None = None
        while True:
            delay = self.pace.delay(service)
            if delay:
                yield Sleep(delay)
            try:
                answer = yield wish
            except CloudError as error:
                if isinstance(error, ThrottledError):
                    self.pace.throttled(service)
                if not error.retryable:
                    raise
                tries = tries or self.tries()
                pause = tries.pause(error)
                heard(tries.made, error, pause)
                yield Sleep(pause)
            else:
                self.pace.answered(service)
                return answer

    def tries(self) -> Tries:
        """A fresh count of tries under the policy."""
        return Tries(self._policy, self._random)


class Tries:
    """Counts the tries of one thing; tenacity's stop and wait rules without its sleeping."""

    def __init__(self, policy: RetryPolicy, random: Random) -> None:
        jitter = policy.initial
        self._stop: Any = stop_after_attempt(policy.attempts)
        self._wait: Any = wait_exponential_jitter(initial=policy.initial, max=policy.most, jitter=0)
        self._state = RetryCallState(Retrying(), fn=None, args=(), kwargs={})
        self._jitter: Callable[[], float] = lambda: random.uniform(0, jitter)

    @property
    def made(self) -> int:
        """Tries made so far."""
        return self._state.attempt_number - 1

    def pause(self, error: CloudError) -> float:
        """Seconds to wait before the next try; raises ``error`` when there is none left."""
        if self._stop(self._state):
            raise error
        pause = self._wait(self._state) + self._jitter()
        self._state.attempt_number += 1
        return max(float(pause), error.retry_after or 0.0)
