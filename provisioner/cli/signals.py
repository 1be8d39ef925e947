"""Signals during a run: the first asks it to stop in good order, the second ends the process.

Whatever the second one cuts off is in the record, so the next run takes it up. SIGHUP comes when a terminal is closed;
who started us with ``nohup`` does not want to hear it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

INTERRUPTED: Final = 130
_CAUGHT: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _show_cursor() -> None:
    """The live view hides it, and a process that leaves at once does not get to end the view."""
    if os.isatty(2):
        with suppress(OSError):  # closed meanwhile
            os.write(2, b"\x1b[?25h\n")


class Signals:
    """Handlers for the length of a ``with``. Only in the main thread, as signals are."""

    def __init__(
        self, stop: Callable[[], None], say: Callable[[str], None], leave: Callable[[int], Any] = os._exit
    ) -> None:
        """``stop`` and ``say`` are called from the handler; ``leave`` ends the process."""
        self._stop = stop
        self._say = say
        self._leave = leave
        self._old: dict[signal.Signals, Any] = {}
        self.stopped = False

    def __enter__(self) -> Signals:
        for number in _CAUGHT:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue
            self._old[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        self._old.clear()

    @contextmanager
    def as_usual(self) -> Iterator[None]:
        """While a question waits for its answer, Ctrl-C ends the question.

        Also where it was ignored before, as it is in what a shell starts in the background: somebody is being asked.
        """
        usual = {**self._old, signal.SIGINT: signal.default_int_handler}
        mine = {number: signal.signal(number, handler) for number, handler in usual.items()}
        try:
            yield
        finally:
            for number, handler in mine.items():
                signal.signal(number, handler)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self.stopped:
            _show_cursor()
            self._say(f"{name} again: leaving at once; what is under way is recorded, and the next run takes it up")
            self._leave(INTERRUPTED)
            return
        self.stopped = True
        self._say(f"{name}: stopping in good order, calls under way are let finish; once more leaves at once")
        self._stop()
