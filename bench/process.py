"""One command, measured: wall, CPU and memory of all its processes, and when it said what."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bench.sampler import Sampler


class Failed(Exception):
    """A measured command, or what it needs, failed: there is no number. The text says what and why."""

    @property
    def gist(self) -> str:
        """One line of it: what the command called an error, else what was done."""
        lines = [line.strip(" │╷╵") for line in str(self).splitlines()]
        errors = [line for line in lines[1:] if line.startswith("Error")]
        return lines[0] if lines[0].startswith("terraform: ") or not errors else errors[0]


class Line(NamedTuple):
    """What a command said, and when: Unix time in seconds, at which the line was read."""

    at: float
    text: str


class Done(NamedTuple):
    """A command that ended. ``wall`` and ``cpu`` in seconds, ``memory`` the peak in MB (10⁶ bytes)."""

    code: int
    wall: float
    cpu: float
    memory: float
    lines: list[Line]

    def tail(self, lines: int = 12) -> str:
        return "\n".join(line.text for line in self.lines[-lines:])


def run(command: Sequence[str], *, env: Mapping[str, str], cwd: Path, codes: Sequence[int] = (0,)) -> Done:
    """Runs it to its end. Failed where it ends with none of ``codes``, with the end of what it said."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    sampler = Sampler(process.pid)
    sampler.start()
    try:
        done = _watched(process, sampler, begun)
    finally:
        sampler.finish()
        if process.returncode is None:  # interrupted: neither it nor a plugin of it may be left behind
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if done.code not in codes:
        raise Failed(f"{' '.join(command)} ended with {done.code}:\n{done.tail()}")
    return done


def _watched(process: subprocess.Popen[bytes], sampler: Sampler, begun: float) -> Done:
    assert process.stdout is not None
    with process.stdout as said:
        lines = [Line(time.time(), text.decode(errors="replace").rstrip("\n")) for text in said]
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    sampler.finish()
    # What the kernel adds up is exact, and holds every child that was waited for; one that was not is only in what
    # was seen of it.
    cpu = max(usage.ru_utime + usage.ru_stime, sum(sampler.seconds.values()))
    return Done(process.returncode, wall, cpu, sampler.peak / 1e6, lines)
