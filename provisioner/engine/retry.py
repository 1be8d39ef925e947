"""The one place that retries, and the one place that slows down.

Up to ``attempts`` tries in all (10 tries, not 10 retries: the first is one of them), exponential with jitter, only for
errors that a driver's translation marks retryable. A ``Retry-After`` from the cloud is honoured. Between two tries no
thread waits: the step sleeps in the loop's timer heap.

A throttled answer slows its whole service down for every step (:mod:`.pace`), so that three hundred steps do not burn
their tries against the same limit: who was refused goes to the end of the queue, and comes back when it is its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import msgspec
from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential

from provisioner.engine.clock import Clock
from provisioner.engine.loop import Call, Look, Sleep, Task, Turn, lists
from provisioner.engine.pace import Pace
from provisioner.errors import CloudError, ThrottledError
from provisioner.resource import SINGLY

REFUSALS = 3
"""So many times as often as it may fail a call may be throttled: at its slowest the queue moves every five seconds."""


class RetryPolicy(msgspec.Struct, frozen=True):
    """``initial`` and ``most`` are seconds; the n-th pause is about ``initial * 2**(n-1)``, at most ``most``."""

    attempts: int = 10
    initial: float = 0.5
    most: float = 30.0


class Retrier:
    """Reads for steps, and hands out tries for what they do; keeps the policy and the pace."""

    def __init__(self, policy: RetryPolicy, clock: Clock, *, random: Random | None = None) -> None:
        self._policy = policy
        self._random = random or Random()
        self._clock = clock
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
                answer = yield from self.once(wish, service, listed)
            except CloudError as error:
                if not error.retryable:
                    raise
                tries = tries or self.tries()
                pause = tries.pause(error)
                heard(tries.made, error, pause)
                yield Sleep(pause)
            else:
                if answer is not SINGLY or not isinstance(wish, Look):
                    return answer
                wish, listed = wish._replace(alone=True), ""

    def turn(self, service: str, shared: str = "") -> Task:
        """Waits until the service may be called again. ``shared``: a type that many steps look at in one call."""
        lane = self.pace.lane(service)
        if lane.rate is not None:
            yield Turn(lane, f"{service} {shared}" if shared else "")

    def once(self, wish: Look | Call, service: str, shared: str = "") -> Task:
        """One try; whoever makes it has waited for its turn."""
        lane, sent = self.pace.lane(service), self._clock.now()
        try:
            answer = yield wish
        except ThrottledError:
            lane.throttled(sent)
            raise
        except CloudError as error:
            if not error.retryable:
                lane.answered()
            raise
        lane.answered(shared)
        return answer

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
        self._refused, self._refusals = 0, policy.attempts * REFUSALS

    @property
    def made(self) -> int:
        """Tries made so far."""
        return self._state.attempt_number - 1 + self._refused

    def pause(self, error: CloudError) -> float:
        """Seconds to wait before the next try; raises ``error`` when there is none left.

        Who was throttled waits for its turn and not here, and may be refused :data:`REFUSALS` times as often.
        """
        if isinstance(error, ThrottledError):
            self._refused += 1
            if self._refused >= self._refusals:
                raise error
            return error.retry_after or 0.0
        if self._stop(self._state):
            raise error
        pause = self._wait(self._state) + self._jitter()
        self._state.attempt_number += 1
        return max(float(pause), error.retry_after or 0.0)
