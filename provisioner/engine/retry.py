"""The one place that retries, and the one place that slows down.

Up to ``attempts`` tries in all (10 tries, not 10 retries: the first is one of them), exponential with jitter, only for
errors that a driver's translation marks retryable. A ``Retry-After`` from the cloud is honoured. Between two tries no
thread waits: the step sleeps in the loop's timer heap.

A throttled answer slows its whole service down for every step (:class:`Pace`), so that three hundred steps do not burn
their tries against the same limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from random import Random
from typing import Any

import msgspec
from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential

from provisioner.engine.clock import Clock
from provisioner.engine.loop import Call, Look, Sleep, Task
from provisioner.errors import CloudError, ThrottledError
from provisioner.resource import CanReadMany, Resource


class RetryPolicy(msgspec.Struct, frozen=True):
    """``initial`` and ``most`` are seconds; the n-th pause is about ``initial * 2**(n-1)``, at most ``most``."""

    attempts: int = 10
    initial: float = 0.5
    most: float = 30.0


class Pace:
    """The least seconds between two calls to a service: none until it throttles, then doubled, then eased off.

    Many steps may share one call, or have calls under way together. What they hear at one time counts once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gap: dict[str, float] = {}
        self._next: dict[str, float] = {}
        self._deaf: dict[str, float] = {}
        self._shared: dict[tuple[str, str], float] = {}

    def delay(self, service: str, listed: str = "") -> float:
        """Seconds to wait before the next call; takes the place in the queue.

        ``listed``: a type that many steps look at in one call, so that all who wait for it take one place together.
        """
        gap = self._gap.get(service, 0.0)
        if not gap:
            return 0.0
        now = self._clock.now()
        turn = self._shared.get((service, listed), 0.0)
        if not listed or turn <= now:
            turn = self._shared[service, listed] = max(self._next.get(service, 0.0), now)
            self._next[service] = turn + gap
        return turn - now

    def throttled(self, service: str) -> None:
        if self._hears(service):
            self._set(service, min(max(self._gap.get(service, 0.0) * 2, 0.05), 5.0))

    def answered(self, service: str) -> None:
        gap = self._gap.get(service, 0.0)
        if gap and self._hears(service):
            self._set(service, gap * 0.9 if gap > 0.01 else 0.0)

    def _hears(self, service: str) -> bool:
        return self._clock.now() >= self._deaf.get(service, 0.0)

    def _set(self, service: str, gap: float) -> None:
        self._gap[service] = gap
        self._deaf[service] = self._clock.now() + gap / 2


@cache
def lists(cls: type[Resource]) -> bool:
    """Whether many looks at the type are one call."""
    return issubclass(cls, CanReadMany)


class Retrier:
    """Reads for steps, and hands out tries for what they do; keeps the policy and the pace."""

    def __init__(self, policy: RetryPolicy, clock: Clock, *, random: Random | None = None) -> None:
        self._policy = policy
        self._random = random or Random()
        self.pace = Pace(clock)

    @contextmanager
    def impatient(self, attempts: int = 3) -> Iterator[None]:
        """Fewer tries for a while: before anything is changed, a cloud that cannot be reached is told soon."""
        patient = self._policy
        self._policy = msgspec.structs.replace(patient, attempts=min(attempts, patient.attempts))
        try:
            yield
        finally:
            self._policy = patient

    def look(self, wish: Look, service: str, *, heard: Callable[[int, CloudError, float], None]) -> Task:
        """Reads an object, in the service's pace, as often as the policy allows; then raises the last error.

        ``heard(attempt, error, pause)`` is told of each retry.
        """
        return self._tries(wish, service, wish.resource.type if lists(type(wish.resource)) else "", heard)

    def fetch(self, wish: Call, service: str, *, heard: Callable[[int, CloudError, float], None]) -> Task:
        """Makes a call that changes nothing, retried likewise."""
        return self._tries(wish, service, "", heard)

    def _tries(
        self, wish: Look | Call, service: str, listed: str, heard: Callable[[int, CloudError, float], None]
    ) -> Task:
        tries: Tries | None = None
        while True:
            yield from self.turn(service, listed)
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

    def turn(self, service: str, listed: str = "") -> Task:
        """Waits until the service may be called again; see :meth:`Pace.delay`."""
        delay = self.pace.delay(service, listed)
        if delay:
            yield Sleep(delay)

    def once(self, function: Callable[[], None], service: str) -> Task:
        """One try of a call that changes something; whoever makes it has waited for its turn."""
        try:
            yield Call(function)
        except ThrottledError:
            self.pace.throttled(service)
            raise
        self.pace.answered(service)

    def tries(self) -> Tries:
        """A fresh count of tries under the policy."""
        return Tries(self._policy, self._random)


class Tries:
    """Counts the tries of one thing; tenacity's stop and wait rules without its sleeping."""

    def __init__(self, policy: RetryPolicy, random: Random) -> None:
        jitter = policy.initial
        self._stop: Any = stop_after_attempt(policy.attempts)
        self._wait: Any = wait_exponential(multiplier=policy.initial, max=policy.most)
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
