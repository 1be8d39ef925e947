"""Server processes: started so that they die with us, stopped in good order, found again after a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from provisioner.errors import SandboxError
from provisioner.sandbox.databases.rootless import Identity

_POLL: Final = 0.005
_START_TIME: Final = 30.0
_GRACE: Final = 10.0
_LOG_TAIL: Final = 12
_KEPT: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")


class Spawner:
    """Starts every server from one thread that lives as long as the sandbox.

    The kernel's death signal follows the *thread* that started a process: a server started by a request's
    thread would die with that request.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database-spawner")

    def spawn(self, command: list[str], *, cwd: Path, log: Path) -> subprocess.Popen[bytes]:
        """Start a server whose output goes to ``log``; it gets nothing of our environment but paths."""
        return self._thread.submit(_spawn, command, cwd, log).result()

    def close(self) -> None:
        """End the thread; servers that still run get their death signal."""
        self._thread.shutdown(wait=True)


def _spawn(command: list[str], cwd: Path, log: Path) -> subprocess.Popen[bytes]:
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
        return subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(),
            start_new_session=True,
        )


def environment(**extra: str) -> dict[str, str]:
    """What a server may know of our environment: no credentials, no PG* variables."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {"LC_ALL": "C", "TZ": "UTC", **kept, **extra}


def run(identity: Identity, argv: list[str], *, cwd: Path, text: str = "", **variables: str) -> str:
    """Run a helper program to its end; its output, or SandboxError with the last lines of its errors."""
    done = subprocess.run(
        # The thread that waits for it is the one that started it: it dies only if we do.
        identity.command(argv, death_signal=signal.SIGKILL),
        cwd=cwd,
        input=text,
        capture_output=True,
        text=True,
        env=environment(**variables),
        check=False,
    )
    if done.returncode != 0 or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
        tail = "\n".join(done.stderr.strip().splitlines()[-_LOG_TAIL:])
        raise SandboxError(f"{Path(argv[0]).name} failed (exit {done.returncode}):\n{tail}", where="sandbox databases")
    return done.stdout


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], what: str, log: Path) -> None:
    """Wait for a server to be ready; SandboxError with its last words when it ends or takes too long."""
    deadline = time.monotonic() + _START_TIME
    while not ready():
        if process.poll() is not None:
            raise SandboxError(f"{what} did not start:\n{tail(log)}", where="sandbox databases")
        if time.monotonic() > deadline:
            stop(process, signal.SIGKILL)
            raise SandboxError(
                f"{what} was not ready after {_START_TIME:g} s:\n{tail(log)}",
                where="sandbox databases",
                hint="the machine may be overloaded; see the log in the sandbox's directory",
            )
        time.sleep(_POLL)


def stop(process: subprocess.Popen[bytes], *signals: signal.Signals) -> None:
    """Send the signals in turn, ten seconds for each to take effect, then SIGKILL; return when it is over."""
    for number in (*signals, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            continue
        return


def tail(log: Path) -> str:
    """The last lines of a server's log."""
    if not log.exists():
        return "(it wrote no log)"
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_TAIL:])


def end_leftover(pid_file: Path) -> None:
    """End the server that ``pid_file`` names in its first line, if it still works in the file's directory.

    The directory is the proof: the number may long belong to somebody else.
    """
    try:
        pid = int(pid_file.read_text(encoding="ascii").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return  # It ended in good order, or never got as far as its number.
    for number in (signal.SIGQUIT, signal.SIGKILL):
        if not _works_in(pid, pid_file.parent):
            return
        os.kill(pid, number)
        deadline = time.monotonic() + _GRACE
        while time.monotonic() < deadline:
            if not _works_in(pid, pid_file.parent):
                return
            time.sleep(_POLL)


def _works_in(pid: int, directory: Path) -> bool:
    """Whether a process lives and works in ``directory``; without /proc, its command line decides."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == directory.resolve()
        except (FileNotFoundError, PermissionError):
            return False  # It ended, or it is another user's and so not ours.
    told = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return str(directory) in told
