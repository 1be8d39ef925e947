"""One writer a deployment: the kernel's lock on a file, and in the file who holds it.

The kernel drops the lock when its owner dies, however it dies, so a dead owner needs no detective work and no
id: the next run simply gets the lock, and finds the dead one's name in the file. To take a lock from an owner
that lives (or hangs), :func:`break_lock` puts a new file in place of the old; the old owner then holds a file
that has no name any more and finds out before its next write.

Weakness: on a network file system mounted so that locks stay on each host, two hosts can hold one lock; the
check of the file's identity does not help there. And a child that is forked, not spawned, shares its parent's
lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import os
import select
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import msgspec

from provisioner.errors import LockHeldError, LockLostError
from provisioner.model import Count, Moment, Pid
from provisioner.state.files import Files, read, writing

NAME: Final = "lock"

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_DEATH: Final = 5.0
_LOOKS: Final = 100
_PAUSE: Final = 0.01
_STARTED_FIELD: Final = 19  # of /proc/PID/stat, counted after the command's closing bracket


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Who runs. ``command`` is shown to others and stored, so it holds no parameter values."""

    user: str
    command: str

    @classmethod
    def me(cls, command: str) -> Self:
        """The user of this process."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a numeric user of a container, who has no name
            user = f"uid {os.getuid()}"
        return cls(user=user, command=command)


class LockInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a lock. ``since``: seconds since the epoch. ``started``: the process's start in the kernel's
    ticks, which tells it from a later one of the same pid; ``namespace``: which processes a pid is counted among,
    for containers of one host share its boot. All three are empty where the system has none."""

    pid: Pid
    host: str
    boot_id: str
    started: str
    user: str
    command: str
    since: Moment
    run: Count | None = None
    namespace: str = ""

    def alive(self) -> bool | None:
        """Whether the owner still runs; None if it is on another host, where we cannot look."""
        if self.host != os.uname().nodename or self.namespace != _namespace():
            return None
        if self.boot_id != _boot_id():
            return False
        if self.started:
            return self.started == _started(self.pid)
        return _exists(self.pid)

    def died_here(self) -> bool:
        """It ran in this very boot of this machine, and runs no more. Never true of what nobody here can know.

        Another host may have the same name, so a boot that is not this one says nothing about it.
        """
        return bool(self.boot_id) and self.boot_id == _boot_id() and self.alive() is False

    def end(self) -> bool:
        """Kills the process, if it is this very one, runs here and may be killed by us; False where it is not so.

        Even one that is stopped: nothing of it is carried out afterwards. A run can be killed anywhere without harm.
        """
        if self.pid == os.getpid() or self.alive() is not True or not self.started:
            return False
        try:
            handle = os.pidfd_open(self.pid)
        except (OSError, AttributeError):
            return False
        try:
            if self.started != _started(self.pid):  # between our look and the handle another took the number
                return False
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [], _DEATH)
        except OSError:  # somebody else's process
            return False
        finally:
            os.close(handle)
        return True

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        run = f" (run {self.run})" if self.run is not None else ""
        return f"{self.user}, pid {self.pid} on {self.host}: {self.command}{run}, since {since}"


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:  # not Linux
        return ""


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # not Linux
        return ""


def _started(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:  # no such process, or not Linux
        return ""
    return stat[stat.rfind(")") + 1 :].split()[_STARTED_FIELD]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


class Lock:
    """A lock that is held. ``takeover``: the owner that died with it, or None."""

    def __init__(self, path: Path, fd: int, info: LockInfo, files: Files, takeover: LockInfo | None) -> None:
        self.path = path
        self.info = info
        self.takeover = takeover
        self._fd = fd
        self._files = files

    @classmethod
    def take(cls, directory: Path, who: Owner, clock: Callable[[], float], files: Files) -> Lock:
        """LockHeldError says who holds it; StateWriteError: the file cannot be made."""
        path = directory / NAME
        with writing(path, "take the lock"):
            fd = _take(path, files)
            try:
                takeover = _decode(os.pread(fd, 65536, 0))
                lock = cls(path, fd, describe(who, clock()), files, takeover)
                lock._write(lock.info)
            except BaseException:
                os.close(fd)
                raise
        return lock

    def still_ours(self) -> bool:
        """False once somebody broke the lock."""
        try:
            return _names(self.path, self._fd)
        except OSError:  # a directory that went away or was closed to us: not provably ours
            return False

    def must_be_ours(self) -> None:
        """LockLostError unless :meth:`still_ours`."""
        if self.still_ours():
            return
        raise LockLostError(
            "this run's lock was taken away; nothing more was recorded, and no further call may be made",
            where=str(self.path),
            hint="see whose it is now: provisioner state unlock PLAN; then run the same command again",
        )

    def note_run(self, run: int) -> None:
        """Shows the run's number to whoever meets the lock. It is a courtesy, so an error does not matter."""
        if self.info.run == run:
            return
        self.info = msgspec.structs.replace(self.info, run=run)
        with contextlib.suppress(OSError):
            self._write(self.info)

    def _write(self, info: LockInfo) -> None:
        data = msgspec.json.encode(info) + b"\n"
        self._files.write(self._fd, self.path, data, 0)
        self._files.truncate(self._fd, self.path, len(data))

    def release(self) -> None:
        """An empty file stays: to remove it would let two others lock two files of the same name."""
        try:
            if self.still_ours():
                with contextlib.suppress(OSError):  # a name left in the file misleads, but does no harm
                    self._files.truncate(self._fd, self.path, 0)
        finally:
            os.close(self._fd)


def _take(path: Path, files: Files) -> int:
    while True:
        fd = files.open_kept(path)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _names(path, fd):
                return fd
        except BlockingIOError as err:
            owner = _name(fd)
            os.close(fd)
            raise LockHeldError(
                f"another run is at work: {owner or 'it has not written its name yet'}",
                where=str(path),
                hint="wait for it; if it hangs, stop it or take its lock away: provisioner state unlock PLAN",
            ) from err
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)  # it was replaced between our open and our lock: try the new one


def _name(fd: int) -> LockInfo | None:
    """Who holds it; whoever has only just taken it gets a moment to write that down."""
    for _ in range(_LOOKS):
        owner = _decode(os.pread(fd, 65536, 0))
        if owner is not None:
            return owner
        time.sleep(_PAUSE)
    return None


def describe(who: Owner, now: float) -> LockInfo:
    """This process, as others are told about it."""
    pid = os.getpid()
    return LockInfo(
        pid=pid,
        host=os.uname().nodename,
        boot_id=_boot_id(),
        started=_started(pid),
        user=who.user,
        command=who.command,
        since=now,
        namespace=_namespace(),
    )


def _names(path: Path, fd: int) -> bool:
    try:
        return _identity(path.stat()) == _identity(os.fstat(fd))
    except (FileNotFoundError, NotADirectoryError):
        return False


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino


def _decode(raw: bytes) -> LockInfo | None:
    try:
        return msgspec.json.decode(raw, type=LockInfo)
    except (ValueError, RecursionError):  # empty: released; half-written: just being taken, or died so
        return None


def lock_info(directory: Path) -> LockInfo | None:
    """The owner of a deployment's lock, None if nobody has it. Ask :meth:`LockInfo.alive`: it may be dead."""
    raw = read(directory / NAME)
    return _decode(raw) if raw else None


def break_lock(directory: Path) -> LockInfo | None:
    """Takes the lock away from whoever has it, and returns who that was; None: nobody. StateWriteError."""
    owner = lock_info(directory)
    path = directory / NAME
    if not path.exists():
        return None
    with writing(path, "break the lock"):
        Files().replace(path, b"")
    return owner
