"""How an object of a strict service passes through its states.

A lifecycle is a queue of stages. A stage has the status that reads show, the least time that it lasts, and maybe a
job: work on a real database, begun when the stage was queued. The stage ends when both are over, and what it leads
to (``then``) takes effect at that moment. Nothing ticks: ``settle`` is called before every look at the object.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Stage:
    """One state on the way. ``seconds`` infinite: it never ends; ``held``: nor does it while this is true."""

    status: str
    seconds: float = 0.0
    job: Future[Any] | None = None
    then: Callable[[], None] | None = None
    held: Callable[[], bool] | None = None


class Lifecycle:
    """The state of one object; guarded by the lock of the service that owns it."""

    def __init__(self, now: Callable[[], float], status: str) -> None:
        self._now = now
        self._stages: deque[Stage] = deque()
        self._began = now()
        self._rest = status
        self._failure = "failed"
        self.error: BaseException | None = None

    def follow(self, stages: list[Stage], *, rest: str, failure: str = "failed") -> None:
        """Go through ``stages`` and come to rest at ``rest``; at ``failure`` when a job raises."""
        if not self._stages:
            self._began = self._now()
        self._stages.extend(stages)
        self._rest, self._failure = rest, failure
        self.settle()

    def settle(self) -> None:
        """Take the object to where it should be by now."""
        while self._stages:
            stage = self._stages[0]
            end, now = self._began + stage.seconds, self._now()
            held = stage.held is not None and stage.held()
            if now < end or held or (stage.job is not None and not stage.job.done()):
                return
            self._stages.popleft()
            # A job that outlasts its stage's time ends the stage when it is found done.
            self._began = now if stage.held or (stage.job is not None and stage.seconds == 0) else end
            self.error = stage.job.exception() if stage.job is not None else None
            if self.error is not None:
                self._stages.clear()
                self._rest = self._failure
                return
            if stage.then is not None:
                stage.then()

    @property
    def status(self) -> str:
        """The state as reads show it now."""
        self.settle()
        return self._stages[0].status if self._stages else self._rest

    @property
    def busy(self) -> bool:
        """Whether the object is on its way somewhere."""
        self.settle()
        return bool(self._stages)

    @property
    def since(self) -> float:
        """When the state of now began, by the clock of ``now``."""
        self.settle()
        return self._began
