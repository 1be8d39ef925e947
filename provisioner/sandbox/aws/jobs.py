"""Work on real databases, done in the background: side by side for different databases, in order for the same one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, Final, TypeVar

_log = logging.getLogger(__name__)
_WORKERS: Final = 8

T = TypeVar("T")


class Jobs:
    """A pool of threads with a lane for each database. A job's failure is logged, and kept in its future."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="database")
        self._last: dict[str, Future[Any]] = {}
        self._guard = threading.Lock()

    def do(self, lane: str, job: Callable[[], T]) -> Future[T]:
        """Do ``job`` after every earlier job of the same ``lane``."""
        with self._guard:
            before = self._last.get(lane)
            # The pool starts jobs in the order in which they came, so the one that is waited for always runs.
            future: Future[T] = self._pool.submit(self._run, lane, before, job)
            self._last[lane] = future
        future.add_done_callback(partial(self._done, lane))
        return future

    def _done(self, lane: str, future: Future[Any]) -> None:
        with self._guard:
            if self._last.get(lane) is future:
                del self._last[lane]

    def _run(self, lane: str, before: Future[Any] | None, job: Callable[[], T]) -> T:
        if before is not None:
            wait([before])
        try:
            return job()
        except Exception:
            _log.exception("work on %s failed", lane)
            raise

    def settle(self) -> None:
        """Wait for every job that was asked for so far."""
        with self._guard:
            under_way = list(self._last.values())
        wait(under_way)

    def close(self) -> None:
        """Start nothing new, wait for what runs, end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)
