"""One thread that drives every step, and a pool that makes the calls.

A step is a generator that yields what it wants and is resumed with the answer:

============  =======================================================================================
Call          run a function in a worker thread
Look          read an object; looks of one type that meet become one ``read_many`` where there is one
Commit        make journal entries durable; all commits of one tick share one write
Sleep         be resumed later; a timer in a heap, no thread waits
Turn          be resumed when a service may be called, in the order of asking; who shares a call shares a turn
============  =======================================================================================

So a thousand steps that wait for their databases cost a thousand small objects, and one list call a look.

Calls wait for a worker in the order in which they came. While none is free, looks that could share a call are gathered
for a moment (:data:`HOLD`): then the workers are the narrow place, and one list call for many serves all the better.

Weakness: a call that hangs holds its worker until the SDK's own time-out; there is no way to kill a thread.
"""

from __future__ import annotations

import heapq
import queue
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple, Protocol

from provisioner.engine.clock import Clock
from provisioner.errors import InterruptedRunError
from provisioner.model import Key, Observed
from provisioner.resource import CanReadMany, Resource, Singly
from provisioner.state.records import Entry

SLACK = 0.02
"""Seconds by which a timer may fire early, so that looks which are due together are made together."""

HOLD = 0.25
"""Seconds for which looks of one type are gathered while no worker is free."""


@cache
def lists(kind: type[Resource]) -> bool:
    """Whether many looks at the type are one call. Kept, as the question itself is a slow one."""
    return issubclass(kind, CanReadMany)


class Call(NamedTuple):
    """Runs ``function()`` in a worker; resumed with its result, or its exception is raised in the step."""

    function: Callable[[], Any]


class Look(NamedTuple):
    """Resumed with ``Observed | None``, or with SINGLY where a list cannot tell. ``alone``: by a read of its own."""

    resource: Resource
    key: Key
    alone: bool = False


class Commit(NamedTuple):
    """Resumed when the entries are durable."""

    entries: Sequence[Entry]


class Sleep(NamedTuple):
    """Resumed after so many seconds, or with :class:`InterruptedRunError` when the run is stopped."""

    seconds: float


class Lane(Protocol):
    """What a :class:`Turn` waits for: ``delay`` seconds until the next may go; ``take`` says that one goes."""

    def delay(self) -> float: ...

    def take(self) -> None: ...


class Turn(NamedTuple):
    """Resumed when the lane is free; all that name the same ``shared`` are let in together.

    InterruptedRunError when the run is stopped.
    """

    lane: Lane
    shared: str = ""


Wish = Call | Look | Commit | Sleep | Turn
Task = Generator[Wish, Any, Any]


class Result(NamedTuple):
    """What a task came to: a value, or the exception that ended it."""

    value: Any
    error: BaseException | None


class _Group:
    """Looks of one type that will share a call; ``since``: when the first of them came."""

    __slots__ = ("looks", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.looks: list[tuple[_Running, Look]] = []


class _Line:
    """Who waits for a lane: in order, and those together who will share a call."""

    __slots__ = ("lane", "waiting")

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.waiting: dict[str | int, list[_Running]] = {}


class _Running:
    __slots__ = ("done", "task")

    def __init__(self, task: Task, done: Callable[[Result], None]) -> None:
        self.task = task
        self.done = done


class Loop:
    """Runs tasks until none is left. Only the thread that calls :meth:`run` touches steps and state."""

    def __init__(self, clock: Clock, commit: Callable[[Sequence[Entry]], None], *, workers: int = 16) -> None:
        """``workers``: calls under way at once; 0 makes every call at once in this thread (for tests)."""
        self._clock = clock
        self._commit = commit
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="call") if workers else None
        self._ready: deque[tuple[_Running, Any, BaseException | None]] = deque()
        self._commits: list[tuple[_Running, Sequence[Entry]]] = []
        self._looks: dict[int, _Group] = {}
        self._calls: deque[tuple[Callable[[], Any], Callable[[Result], None]]] = deque()
        self._timers: list[tuple[float, int, _Running]] = []
        self._lines: dict[int, _Line] = {}
        self._ticket = 0
        self._flying = 0
        self._landed: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._stop: InterruptedRunError | None = None

    def spawn(self, task: Task, done: Callable[[Result], None]) -> None:
        """Starts a task; ``done`` is called in the loop's thread with what it came to."""
        self._ready.append((_Running(task, done), None, None))

    def stop(self) -> None:
        """Ends every wait, now and later, with InterruptedRunError. Safe to call from a signal handler."""
        self._stop = InterruptedRunError("stopped by a signal")
        self._landed.put(None)

    def resume(self) -> None:
        """Allows waiting again after a :meth:`stop` (for the undo that follows it)."""
        self._stop = None

    @property
    def stopping(self) -> bool:
        return self._stop is not None

    def run(self) -> None:
        """Returns when no task is left. A failed commit is raised here once the calls under way have landed."""
        try:
            while self._busy():
                self._drain()
                if not self._ready:
                    self._wait()
        except BaseException:
            self._calls.clear()
            self._settle_flying()
            raise

    def _busy(self) -> bool:
        now = self._ready or self._commits or self._looks or self._calls
        return bool(now or self._timers or self._lines or self._flying)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True)

    def _drain(self) -> None:
        while self._ready:
            running, value, error = self._ready.popleft()
            self._step(running, value, error)
        if self._commits:
            batch, self._commits = self._commits, []
            self._commit([entry for _, entries in batch for entry in entries])
            self._ready.extend((running, None, None) for running, _ in batch)
        else:
            self._dispatch()

    def _step(self, running: _Running, value: Any, error: BaseException | None) -> None:
        try:
            wish = running.task.send(value) if error is None else running.task.throw(error)
        except StopIteration as end:
            running.done(Result(end.value, None))
        except Exception as failure:
            running.done(Result(None, failure))
        else:
            self._grant(running, wish)

    def _grant(self, running: _Running, wish: Wish) -> None:
        if isinstance(wish, Call):
            self._calls.append((wish.function, _resuming(self._ready, running)))
            self._fill()
        elif isinstance(wish, Commit):
            self._commits.append((running, wish.entries))
        elif isinstance(wish, Look) and wish.alone:
            self._calls.append((_reading(wish), _resuming(self._ready, running)))
        elif isinstance(wish, Look):
            group = self._looks.setdefault(id(wish.resource), _Group(self._clock.now()))
            group.looks.append((running, wish))
        elif self._stop is not None:
            self._ready.append((running, None, self._stop))
        elif isinstance(wish, Turn):
            self._ticket += 1
            line = self._lines.setdefault(id(wish.lane), _Line(wish.lane))
            line.waiting.setdefault(wish.shared or self._ticket, []).append(running)
        else:
            self._ticket += 1
            heapq.heappush(self._timers, (self._clock.now() + wish.seconds, self._ticket, running))

    def _dispatch(self) -> None:
        """Hands out calls and looks as far as there are workers."""
        self._fill()
        busy = self._pool is not None and self._flying >= self._workers
        due = self._clock.now() - HOLD
        for key, group in list(self._looks.items()):
            shared = lists(type(group.looks[0][1].resource))
            if not (busy and shared) or group.since <= due:
                del self._looks[key]
                self._look(group.looks)
        self._fill()

    def _fill(self) -> None:
        while self._calls and (self._pool is None or self._flying < self._workers):
            self._fly(*self._calls.popleft())

    def _look(self, group: list[tuple[_Running, Look]]) -> None:
        resource = group[0][1].resource
        if len(group) > 1 and lists(type(resource)):
            lister: Any = resource
            keys = [look.key for _, look in group]
            # Many steps wait for this one: it goes before what waits for a worker.
            self._calls.appendleft((lambda: lister.read_many(keys), lambda result: self._share(group, result)))
            return
        for running, look in group:
            self._calls.append((_reading(look), _resuming(self._ready, running)))

    def _share(self, group: list[tuple[_Running, Look]], result: Result) -> None:
        for running, look in group:
            seen: Observed | Singly | None = result.value.get(look.key.owner) if result.error is None else None
            self._ready.append((running, seen, result.error))

    def _fly(self, function: Callable[[], Any], landed: Callable[[Result], None]) -> None:
        if self._pool is None:
            landed(_outcome(function))
            return
        self._flying += 1

        def land(future: Future[Result]) -> None:
            self._landed.put(lambda: landed(future.result()))

        self._pool.submit(_outcome, function).add_done_callback(land)

    def _wait(self) -> None:
        if self._stop is not None and (self._timers or self._lines):
            self._wake(float("inf"))
            return
        timeout = self._idle()
        if timeout is not None and not self._flying and self._clock.pass_time(timeout):
            timeout = 0.0
        if self._flying or timeout:
            self._land(timeout)
        self._wake(self._clock.now() + SLACK)

    def _idle(self) -> float | None:
        """Seconds until a timer or a turn is due; None where nothing waits for the time."""
        due = [max(self._timers[0][0] - self._clock.now(), 0.0)] if self._timers else []
        return min(due + [line.lane.delay() for line in self._lines.values()], default=None)

    def _land(self, timeout: float | None) -> None:
        try:
            event = self._landed.get(timeout=timeout) if timeout is None or timeout > 0 else self._landed.get_nowait()
            while True:
                if event is not None:
                    self._flying -= 1
                    event()
                event = self._landed.get_nowait()
        except queue.Empty:
            return

    def _wake(self, until: float) -> None:
        while self._timers and self._timers[0][0] <= until:
            _, _, running = heapq.heappop(self._timers)
            self._ready.append((running, None, self._stop))
        for key, line in list(self._lines.items()):
            while line.waiting and (self._stop is not None or not line.lane.delay()):
                for running in line.waiting.pop(next(iter(line.waiting))):
                    self._ready.append((running, None, self._stop))
                line.lane.take()
            if not line.waiting:
                del self._lines[key]

    def _settle_flying(self) -> None:
        while self._flying:
            event = self._landed.get()
            if event is not None:
                self._flying -= 1


def _outcome(function: Callable[[], Any]) -> Result:
    try:
        return Result(function(), None)
    except Exception as error:
        return Result(None, error)


def _reading(look: Look) -> Callable[[], Any]:
    return lambda: look.resource.read(look.key)


def _resuming(ready: deque[tuple[_Running, Any, BaseException | None]], running: _Running) -> Callable[[Result], None]:
    return lambda result: ready.append((running, *result))
