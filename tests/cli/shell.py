"""Real processes: with pipes, and with a terminal of their own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
COMMAND: Final = (sys.executable, "-m", "tests.cli.toyapp")
_PATIENCE: Final = 30.0


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PROVISIONER_", "NO_COLOR"))}
    return kept | {"PROVISIONER_HOME": str(home), "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"} | more


def start(home: Path, *words: str, **more: str) -> subprocess.Popen[bytes]:
    """The command line with pipes."""
    return subprocess.Popen(
        [*COMMAND, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(home, **more)
    )  # fmt: skip


def read_until(process: subprocess.Popen[bytes], text: bytes) -> bytes:
    """What a process says on stderr until ``text`` is in it."""
    assert process.stderr is not None
    said = b""
    deadline = time.monotonic() + _PATIENCE
    while text not in said:
        assert time.monotonic() < deadline, said
        ready, _, _ = select.select([process.stderr], [], [], 1.0)
        if ready:
            more = os.read(process.stderr.fileno(), 65536)
            assert more, said
            said += more
    return said


class Terminal:
    """A process that has a terminal: what it shows, raw, and a way to type."""

    def __init__(self, home: Path, *words: str, rows: int = 24, columns: int = 120, **more: str) -> None:
        self.shown = ""
        self.pid, self._fd = pty.fork()
        if not self.pid:
            os.execve(COMMAND[0], [*COMMAND, *words], environment(home, **more))
        self.resize(rows, columns)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def until(self, there: str | Callable[[str], bool]) -> str:
        """Reads until a text is shown."""
        shown = there if callable(there) else lambda text: str(there) in text
        deadline = time.monotonic() + _PATIENCE
        while not shown(self.plain):
            assert time.monotonic() < deadline, self.plain
            assert self._read(), self.plain
        return self.plain

    def _read(self) -> bool:
        ready, _, _ = select.select([self._fd], [], [], 1.0)
        if not ready:
            return True
        with contextlib.suppress(OSError):  # Linux's way of saying that the other side is closed
            data = os.read(self._fd, 65536)
            self.shown += data.decode(errors="replace")
            return bool(data)
        return False

    def end(self) -> int:
        """Reads to the end; the exit code."""
        deadline = time.monotonic() + _PATIENCE
        while self._read():
            assert time.monotonic() < deadline, self.plain
        _, status = os.waitpid(self.pid, 0)
        os.close(self._fd)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        """The window is closed; the process may live on."""
        os.close(self._fd)
        self._fd = -1

    def wait(self) -> int:
        """The exit code of a process whose window was closed."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, self.plain
            time.sleep(0.01)

    def kill(self) -> None:
        """Leaves no process behind, whatever the test did."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
            if self._fd >= 0:
                self.close()

    @property
    def plain(self) -> str:
        """What was shown without colours and cursor movements."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.shown).replace("\r\n", "\n")
