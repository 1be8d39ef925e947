"""Deaths of the process, at any call to the cloud and at any system call of the record.

Every moment at which something could be left half done is counted: before and after each cloud call, before each
system call on the record, and in the middle of each write. :class:`Mortal` dies at a chosen one. The kernel then
closes what the process had open, which frees its lock; nothing else is put in order.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from provisioner.state.files import Files
from tests.engine.world import World


class Killed(BaseException):
    """SIGKILL, as far as one process can play it: no ``except Exception`` sees it."""


class _DyingFiles(Files):
    def __init__(self, moment: Callable[[str], None]) -> None:
        self._moment = moment

    def about_to(self, operation: str, path: Path) -> None:
        self._moment(f"before {operation} {path.name}")

    def write(self, fd: int, path: Path, data: bytes, offset: int) -> None:
        try:
            self._moment(f"in the middle of write {path.name}")
        except Killed:
            os.pwrite(fd, data[: len(data) // 2], offset)
            raise
        super().write(fd, path, data, offset)


class Mortal:
    """Counts the moments of a world, and dies at number ``at`` (from 1) once it is set."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.count = 0
        self.at: int | None = None
        self.where = ""
        self.die_by: Callable[[], None] = lambda: None
        """What kills for real, where that is wanted."""
        world.files = _DyingFiles(self._moment)
        world.cloud.hooks.append(lambda when, verb, name: self._moment(f"{when} {verb} {name}"))

    def _moment(self, where: str) -> None:
        self.count += 1
        if self.count == self.at:
            self.where = where
            self.die_by()
            raise Killed(where)

    def die(self, work: Callable[[World], object], at: int) -> bool:
        """Dies at a moment of the work; False if the work ended before it came."""
        self.count, self.at, self.where = 0, at, ""
        try:
            work(self.world)
        except Killed:
            return True
        finally:
            self.at = None
            release(self.world.directory)
        return False

    def moments(self, work: Callable[[World], object]) -> int:
        """How many moments the work has; nobody dies."""
        self.count, self.at = 0, None
        work(self.world)
        return self.count


def release(directory: Path) -> None:
    """What the kernel does for a dead process: closes its files in the directory, locks and all."""
    for link in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):
            if str(link.readlink()).startswith(f"{directory}/"):
                os.close(int(link.name))
