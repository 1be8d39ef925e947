"""The one writer of a deployment's record. Start here.

:meth:`Store.open` locks, loads and folds; :meth:`Store.commit` makes entries durable and only then shows them
in ``state``; :meth:`Store.close` folds and unlocks. Whatever instruction a process dies at, the next ``open``
has every commit that returned, and at most one that did not, whole.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from provisioner.errors import StateError, StateWriteError
from provisioner.state import journal, snapshot
from provisioner.state.audit import Audit
from provisioner.state.files import Files, read, writing
from provisioner.state.journal import Journal
from provisioner.state.ledger import Ledger
from provisioner.state.load import is_current, load, peek
from provisioner.state.lock import Lock, LockInfo, Owner
from provisioner.state.records import FORMAT, Entry, PutRun, State
from provisioner.state.upgrade import UPGRADES, Upgrade

__all__ = ["Owner", "Store", "peek"]

_SAFE = f"what was recorded is safe in {journal.NAME}"


class Store:
    """A deployment's record, held open by one process. Safe to use from several threads."""

    def __init__(self, directory: Path, lock: Lock, files: Files, audit: Audit) -> None:
        self.directory = directory
        self._lock = lock
        self._files = files
        self._audit = audit
        self._mutex = threading.RLock()
        self._ledger: Ledger
        self._journal: Journal
        self._folded = -1
        self._halfway = False
        self._closed = False

    @property
    def state(self) -> State:
        """The record as it is on the disk. Read only: to change it, commit."""
        return self._ledger.state

    @property
    def takeover(self) -> LockInfo | None:
        """The owner that died with the lock, None where the last one ended in good order."""
        return self._lock.takeover

    @classmethod
    def open(
        cls,
        directory: Path,
        deployment: str,
        *,
        who: Owner,
        clock: Callable[[], float] = time.time,
        create: bool = True,
        files: Files | None = None,
        upgrades: Mapping[int, Upgrade] = UPGRADES,
    ) -> Self:
        """Locks the directory and loads what is in it; an empty one becomes a new state if ``create``.

        LockHeldError, StateDamagedError, StateFormatError, StateLineageError, StateWriteError; StateError
        where there is nothing and ``create`` is false, or a file cannot be read. After an error the lock is
        free again.
        """
        files = files or Files()
        if not create and read(directory / snapshot.NAME) is None:
            load(directory, deployment, upgrades)  # complains if it was there once
            raise StateError(
                f"nothing was ever deployed as {deployment!r} here",
                where=str(directory),
                hint="deploy it first",
            )
        with writing(directory, "make the directory of the state"):
            files.make_directory(directory)
        lock = Lock.take(directory, who, clock, files)
        store = cls(directory, lock, files, Audit(directory, lock.info, clock, files))
        try:
            store._begin(deployment, upgrades)
        except BaseException:
            lock.release()
            raise
        return store

    def _begin(self, deployment: str, upgrades: Mapping[int, Upgrade]) -> None:
        loaded = load(self.directory, deployment, upgrades)
        with writing(self.directory / snapshot.NAME, "write the state"):
            if loaded is None:
                state = State(deployment=deployment, lineage=os.urandom(16).hex(), salt=os.urandom(16).hex())
                self._ledger = Ledger(state)
                self._write_snapshot()
            else:
                self._ledger = Ledger(loaded.state)
                if loaded.format != FORMAT:
                    path = self.directory / snapshot.NAME
                    self._files.keep(path, path.with_name(f"{path.name}.v{loaded.format}"))
                if is_current(loaded):
                    self._folded = loaded.folded
                else:
                    self._write_snapshot()
            # Always a new journal, so that an owner whose lock was broken writes into one that nobody reads.
            self._journal = Journal(self.directory, self._files, keep=bool(loaded and loaded.lines))
            self._files.sync_directory(self.directory)

    def commit(self, entries: Sequence[Entry]) -> None:
        """All entries durable when it returns, in this order, or none of them.

        StateWriteError: nothing was recorded, ``unwritten`` has the records. LockLostError: stop. TypeError:
        an entry holds a secret, what JSON cannot hold, or a field of the wrong type. ValueError: a change of
        a run that does not exist.
        """
        if not entries:
            return
        with self._mutex:
            self._ready()
            slim = [_header(entry) for entry in entries]
            if complaint := self._ledger.complaint(slim):
                raise ValueError(complaint)
            # What is shown is what was written, decoded again: the caller's own objects may change later.
            lines, written = journal.lines_of(slim, self.state.lineage, self.state.serial + 1)
            self._append(lines)
            for line, entry in zip(lines, written, strict=True):
                self._ledger.apply(line.serial, entry)
            self._halfway = False
            for entry in written:
                if isinstance(entry, PutRun) and entry.run.finished is None:
                    self._lock.note_run(entry.run.id)

    def _append(self, lines: Sequence[journal.Line]) -> None:
        self._lock.must_be_ours()
        self._halfway = True
        try:
            with writing(self._journal.path, "record the next step, so the run stops before it"):
                self._journal.append(b"".join(map(journal.frame, lines)))
        except StateWriteError as err:
            self._halfway = False
            err.unwritten = tuple(msgspec.json.encode(line).decode() for line in lines)
            raise
        # If the lock was broken while we wrote, its new owner may have read the journal before our line.
        self._lock.must_be_ours()

    def _ready(self) -> None:
        if self._closed:
            raise ValueError("the store is closed")
        if self._halfway:
            # An exception (a signal's, say) interrupted a commit or a fold: memory may be behind the files.
            self._lock.must_be_ours()
            old, deployment = self._journal, self.state.deployment
            self._begin(deployment, UPGRADES)
            old.close()
            self._halfway = False

    def fold(self) -> None:
        """Moves the journal's content into ``state.json``.

        StateWriteError: nothing is lost, the journal goes on. LockLostError: stop.
        """
        with self._mutex:
            self._ready()
            self._lock.must_be_ours()
            with writing(self.directory / snapshot.NAME, "fold the journal into the state", safe=_SAFE):
                if self._folded != self.state.serial:
                    self._write_snapshot()
                if self._journal.length:
                    self._renew_journal()

    def _renew_journal(self) -> None:
        old = self._journal
        self._halfway = True
        try:
            self._journal = Journal(self.directory, self._files, keep=True)
        except OSError:
            self._halfway = False  # the old one still has its name
            raise
        old.close()
        self._halfway = False
        self._files.sync_directory(self.directory)

    def _write_snapshot(self) -> None:
        path = self.directory / snapshot.NAME
        self._files.write_new(path.with_name(f"{path.name}.tmp"), snapshot.encode(self.state))
        self._files.keep(path, self.directory / snapshot.BACKUP)
        self._files.rename(path.with_name(f"{path.name}.tmp"), path)
        self._files.sync_directory(self.directory)
        self._folded = self.state.serial

    def audit(self, event: str, /, **facts: object) -> None:
        """Appends a line to ``audit.jsonl``. StateWriteError, LockLostError; TypeError for a secret."""
        with self._mutex:
            if self._closed:
                raise ValueError("the store is closed")
            self._lock.must_be_ours()
            self._audit.append(event, facts)

    def still_ours(self) -> bool:
        """False once somebody broke the lock: then no call may be made any more."""
        return self._lock.still_ours()

    def close(self) -> None:
        """Folds and unlocks; a second time does nothing. The lock is free even after StateWriteError."""
        with self._mutex:
            if self._closed:
                return
            try:
                if self._lock.still_ours():
                    self.fold()
                    self._audit.sync()
            finally:
                self._closed = True
                self._journal.close()
                self._audit.close()
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except StateError as closing:
            if error is None:
                raise
            error.add_note(f"and the state could not be folded: {closing}")


def _header(entry: Entry) -> Entry:
    """A run travels without its changes, so that recording it costs the same however many there are."""
    if isinstance(entry, PutRun) and entry.run.changes:
        return PutRun(run=msgspec.structs.replace(entry.run, changes=[]))
    return entry
