"""The memory of a process and all its children, looked at again and again while it runs.

It is the resident memory of all of them added up: pages that two of them share are counted twice, which fits neither
side better. The proportional share that the kernel also knows would: it takes from a Python program what it shares
with the sandbox and with this very process, and nothing from a provider plugin that shares with nobody; to ask for it
also stops the process for as long as its page table is walked.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Final

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICK: Final = os.sysconf("SC_CLK_TCK")
_SHORTEST, _LONGEST = 0.002, 0.05


def tree(pid: int) -> list[int]:
    """A process and all that descend from it; those that ended meanwhile are left out."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_bytes().split())
        except (FileNotFoundError, ProcessLookupError):  # it ended while it was looked at
            continue
    return found


def resident(pid: int) -> int:
    """Bytes; 0 where it is no more."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0


def peak() -> int:
    """Bytes that this very process was ever resident with. What the kernel keeps of a child as its ``maxrss`` will not
    do: that begins with what its parent had when it started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def used(pid: int) -> float:
    """Seconds of user and system time of the process itself, without its children; 0 where it is no more."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    fields = stat.rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


class Sampler(threading.Thread):
    """Watches ``pid`` from ``start`` to ``finish``: at first every 2 ms, so that a command of 50 ms is seen too, later
    every 50 ms.

    ``peak`` is bytes of the whole tree, ``seconds`` the CPU that each process was last seen to have used: less than
    the truth by what came after the last look, and the only trace of a child that nobody waited for.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self.peak = 0
        self.seconds: dict[int, float] = {}

    def run(self) -> None:
        begun = time.monotonic()
        while not self._over.wait(min(_LONGEST, max(_SHORTEST, (time.monotonic() - begun) / 20))):
            self.look()

    def look(self) -> None:
        """Look once."""
        pids = tree(self._pid)
        self.peak = max(self.peak, sum(map(resident, pids)))
        for pid in pids:
            self.seconds[pid] = max(self.seconds.get(pid, 0.0), used(pid))

    def finish(self) -> None:
        """Stop looking; returns once the last look is over."""
        self._over.set()
        self.join()
