"""A record in a directory: files, ``fsync``, and the kernel's lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from provisioner.state import audit, snapshot
from provisioner.state.backend import Backend, Holder, Location
from provisioner.state.files import Files, read, writing
from provisioner.state.journal import Journal
from provisioner.state.lock import Lock, LockInfo, Owner, break_lock, lock_info

_CHUNK: Final = 65536
_ENOUGH: Final = 2  # the newline before the last whole line, and its own


class AuditFile:
    """``audit.jsonl`` of one store; opened when it is first used. A line survives the process at once."""

    def __init__(self, path: Path, files: Files) -> None:
        self.path = path
        self._files = files
        self._fd: int | None = None
        self._length = 0

    def tail(self) -> bytes:
        """Cuts off a torn last line and returns the last whole one."""
        fd = self._open()
        end = os.fstat(fd).st_size
        tail, start = b"", end
        while start and tail.count(b"\n") < _ENOUGH:
            step = min(_CHUNK, start)
            start -= step
            tail = os.pread(fd, step, start) + tail
        whole, newline, torn = tail.rpartition(b"\n")
        self._length = end - len(torn)
        if torn:
            self._files.truncate(fd, self.path, self._length)
        return whole.rpartition(b"\n")[2] if newline else b""

    def append(self, line: bytes) -> None:
        # At the end of the last whole line, so that what a failed write left behind is written over.
        self._files.write(self._open(), self.path, line, self._length)
        self._length += len(line)

    def _open(self) -> int:
        if self._fd is None:
            self._fd = self._files.open_kept(self.path)
        return self._fd

    def sync(self) -> None:
        if self._fd is not None:
            self._files.sync(self._fd, self.path)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class LocalPen:
    """The lock of a directory, and the journal that this very process made."""

    def __init__(self, directory: Path, lock: Lock, files: Files) -> None:
        self.directory = directory
        self.audit = AuditFile(directory / audit.NAME, files)
        self._lock = lock
        self._files = files
        self._journal: Journal | None = None

    @property
    def info(self) -> LockInfo:
        return self._lock.info

    @property
    def takeover(self) -> LockInfo | None:
        return self._lock.takeover

    @property
    def pending(self) -> int:
        return self._journal.length if self._journal else 0

    def still_ours(self) -> bool:
        return self._lock.still_ours()

    def must_be_ours(self) -> None:
        self._lock.must_be_ours()

    def note_run(self, run: int) -> None:
        self._lock.note_run(run)

    def claim(self, serial: int) -> bool:
        """Always: :meth:`new_journal` leaves an owner whose lock was broken with a file that nobody reads."""
        return True

    def write_snapshot(self, raw: bytes, serial: int) -> None:
        path = self.directory / snapshot.NAME
        between = path.with_name(f"{path.name}.tmp")
        self._files.write_new(between, raw)
        self._files.keep(path, self.directory / snapshot.BACKUP)
        self._files.rename(between, path)
        self._files.sync_directory(self.directory)

    def replace(self, raw: bytes, serial: int) -> None:
        self._files.replace(self.directory / snapshot.NAME, raw)
        self.new_journal(keep=False)

    def set_aside(self, part: str, name: str) -> str:
        self._files.keep(self.directory / part, self.directory / name)
        return str(self.directory / name)

    def new_journal(self, *, keep: bool) -> None:
        old = self._journal
        self._journal = Journal(self.directory, self._files, keep=keep)
        if old is not None:
            old.close()
        self._files.sync_directory(self.directory)

    def append(self, block: bytes, first: int) -> None:
        assert self._journal is not None, "a journal is started before it is written"
        self._journal.append(block)

    def release(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        self.audit.close()
        self._lock.release()


class LocalBackend:
    """The record in one directory."""

    def __init__(self, directory: Path, files: Files | None = None) -> None:
        self.directory = directory
        self._files = files or Files()

    @property
    def where(self) -> str:
        return str(self.directory)

    def place(self, part: str) -> str:
        return str(self.directory / part)

    def exists(self) -> bool:
        return self.directory.is_dir()

    def read(self, part: str) -> bytes | None:
        return read(self.directory / part)

    def snapshots(self) -> list[int]:
        raw = self.read(snapshot.BACKUP)
        return [snapshot.serial_of(raw)] if raw else []

    def snapshot(self, serial: int) -> bytes | None:
        raw = self.read(snapshot.BACKUP)
        return raw if raw and snapshot.serial_of(raw) == serial else None

    def holder(self) -> Holder | None:
        info = lock_info(self.directory)
        return Holder(info, info.alive()) if info else None

    def take(self, who: Owner, clock: Callable[[], float]) -> LocalPen:
        with writing(self.where, "make the directory of the state"):
            self._files.make_directory(self.directory)
        return LocalPen(self.directory, Lock.take(self.directory, who, clock, self._files), self._files)

    def break_lock(self) -> LockInfo | None:
        return break_lock(self.directory)


def backend_of(location: Location, files: Files | None = None) -> Backend:
    """A directory's backend, or the one that is given. ``files`` is for tests of directories."""
    return LocalBackend(location, files) if isinstance(location, Path) else location
