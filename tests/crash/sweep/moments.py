"""Moments at which a process can die, and the death itself.

A moment is told by what happens, not by when: ``after rds.CreateDBInstance db 1`` is the first answer to that call for
that object, whatever else runs beside it. Some physical moments have several names, because the engine writes what
happened in one tick at once: dying is bound to any of them.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

DIED: Final = "died "
"""The last line of the trail of a process that reached its moment begins so."""


class Death(NamedTuple):
    """Where to die: at a moment of this name, or at the moment of this number (from 1); never where both are unset."""

    name: str = ""
    number: int = 0


class Thing(NamedTuple):
    """What happens: its names, each with how often it has happened before; the first stands for all of them."""

    names: Sequence[str]


class Moments:
    """Counts the moments of this process, writes each into a file, and kills the process at the chosen one.

    The file is written before anything else happens, so a process that is gone has told how far it came. Calls and
    writes happen in several threads; one of them at a time is counted.
    """

    def __init__(self, trail: Path, death: Death) -> None:
        self._fd = os.open(trail, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._death = death
        self._guard = threading.Lock()
        self._happened: Counter[str] = Counter()
        self._count = 0

    def begin(self, *names: str) -> Thing:
        """Something is about to happen: numbers it, and is the moment before it."""
        with self._guard:
            self._happened.update(names)
            thing = Thing([f"{name} {self._happened[name]}" for name in names])
            self._pass("before", thing)
        return thing

    def reach(self, when: str, thing: Thing) -> None:
        """A later moment of the same thing: ``sent``, ``after``."""
        with self._guard:
            self._pass(when, thing)

    def _pass(self, when: str, thing: Thing) -> None:
        self._count += 1
        names = [f"{when} {name}" for name in thing.names]
        if self._death.name in names or self._count == self._death.number:
            os.write(self._fd, f"{DIED}{names[0]}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(self._fd, f"{names[0]}\n".encode())


def read_trail(trail: Path) -> tuple[list[str], str]:
    """The moments that a process passed, and the one at which it died (empty if it did not)."""
    lines = trail.read_text(encoding="utf-8").splitlines()
    if lines and lines[-1].startswith(DIED):
        return lines[:-1], lines[-1].removeprefix(DIED)
    return lines, ""
