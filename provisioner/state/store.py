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
from types import TracebackType
from typing import Self

import msgspec

from provisioner.errors import StateError, StateWriteError
from provisioner.state import journal, snapshot
from provisioner.state.audit import NAME as AUDIT
from provisioner.state.audit import Audit
from provisioner.state.backend import Backend, Location, Pen
from provisioner.state.files import Files, writing
from provisioner.state.ledger import Ledger
from provisioner.state.load import is_current, load, peek
from provisioner.state.local import backend_of
from provisioner.state.lock import LockInfo, Owner
from provisioner.state.records import FORMAT, Entry, PutRun, State
from provisioner.state.upgrade import UPGRADES, Upgrade

__all__ = ["Owner", "Store", "peek"]

_RUN = "run"
_SAFE = f"what was recorded is safe in {journal.NAME}"


class Store:
    """A deployment's record, held open by one process. Safe to use from several threads."""

    def __init__(self, backend: Backend, pen: Pen, audit: Audit) -> None:
        self.backend = backend
        self._pen = pen
        self._audit = audit
        self._mutex = threading.RLock()
        self._ledger: Ledger
        self._folded = -1
        self._halfway = False
        self._closed = False

    @property
    def state(self) -> State:
        """The record as it was written. Read only: to change it, commit."""
        return self._ledger.state

    @property
    def takeover(self) -> LockInfo | None:
        """The owner that died with the lock, None where the last one ended in good order."""
        return self._pen.takeover

    @classmethod
    def open(
        cls,
        location: Location,
        deployment: str,
        *,
        who: Owner,
        clock: Callable[[], float] = time.time,
        create: bool = True,
        files: Files | None = None,
        upgrades: Mapping[int, Upgrade] = UPGRADES,
    ) -> Self:
        """Locks the record and loads what is in it; an empty place becomes a new state if ``create``.

        LockHeldError, StateDamagedError, StateFormatError, StateLineageError, StateWriteError; StateError
        where there is nothing and ``create`` is false, or a file cannot be read. After an error the lock is
        free again.
        """
        backend = backend_of(location, files)
        if not create and backend.read(snapshot.NAME) is None:
            load(backend, deployment, upgrades)  # complains if it was there once
            raise StateError(
                f"nothing was ever deployed as {deployment!r} here",
                where=backend.where,
                hint="deploy it first",
            )
        pen = backend.take(who, clock)
        store = cls(backend, pen, Audit(pen.audit, backend.place(AUDIT), pen.info, clock))
        try:
            store._begin(deployment, upgrades)
        except BaseException:
            pen.release()
            raise
        return store

    def _begin(self, deployment: str, upgrades: Mapping[int, Upgrade]) -> None:
        place = self.backend.place(snapshot.NAME)
        with writing(place, "write the state"):
            loaded = load(self.backend, deployment, upgrades)
            while not self._pen.claim(known := loaded.state.serial if loaded else 0):
                loaded = load(self.backend, deployment, upgrades)  # a last word of the one before us
                if (loaded.state.serial if loaded else 0) == known:
                    raise snapshot.damaged(f"there is a record {known + 1} that does not fit", self.backend.where)
            if loaded is None:
                state = State(deployment=deployment, lineage=os.urandom(16).hex(), salt=os.urandom(16).hex())
                self._ledger = Ledger(state)
                self._write_snapshot()
            else:
                self._ledger = Ledger(loaded.state)
                if loaded.format != FORMAT:
                    self._pen.set_aside(snapshot.NAME, f"{snapshot.NAME}.v{loaded.format}")
                if is_current(loaded):
                    self._folded = loaded.folded
                else:
                    self._write_snapshot()
            # Always a new journal, so that an owner whose lock was broken writes into one that nobody reads.
            self._pen.new_journal(keep=bool(loaded and loaded.lines))

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
                    self._pen.note_run(entry.run.id)

    def _append(self, lines: Sequence[journal.Line]) -> None:
        self._pen.must_be_ours()
        self._halfway = True
        place = self.backend.place(journal.NAME)
        try:
            with writing(place, "record the next step, so the run stops before it"):
                self._pen.append(b"".join(map(journal.frame, lines)), lines[0].serial)
        except StateWriteError as err:
            self._halfway = False
            err.unwritten = tuple(msgspec.json.encode(line).decode() for line in lines)
            raise
        # If the lock was broken while we wrote, its new owner may have read the journal before our line.
        self._pen.must_be_ours()

    def _ready(self) -> None:
        if self._closed:
            raise ValueError("the store is closed")
        if self._halfway:
            # An exception (a signal's, say) interrupted a commit or a fold: memory may be behind what is kept.
            self._pen.must_be_ours()
            self._begin(self.state.deployment, UPGRADES)
            self._halfway = False

    def fold(self) -> None:
        """Moves the journal's content into ``state.json``.

        StateWriteError: nothing is lost, the journal goes on. LockLostError: stop.
        """
        with self._mutex:
            self._ready()
            self._pen.must_be_ours()
            with writing(self.backend.place(snapshot.NAME), "fold the journal into the state", safe=_SAFE):
                if self._folded != self.state.serial:
                    self._write_snapshot()
                if self._pen.pending:
                    self._renew_journal()

    def _renew_journal(self) -> None:
        self._halfway = True
        try:
            self._pen.new_journal(keep=True)
        except (OSError, StateWriteError):
            self._halfway = False  # the old one goes on
            raise
        self._halfway = False

    def _write_snapshot(self) -> None:
        self._pen.write_snapshot(snapshot.encode(self.state), self.state.serial)
        self._folded = self.state.serial

    def replace(self, state: State) -> str:
        """Makes another state of this deployment the record; where the present one is kept now.

        Its serial becomes higher than both, so that nothing that was ever written fits on it. StateWriteError,
        LockLostError.
        """
        with self._mutex:
            self.fold()
            serial = max(self.state.serial, state.serial) + 1
            new = msgspec.structs.replace(state, serial=serial)
            with writing(self.backend.place(snapshot.NAME), "replace the state"):
                kept = self._pen.set_aside(snapshot.NAME, f"{snapshot.NAME}.replaced-{self.state.serial}")
                self._halfway = True
                self._pen.replace(snapshot.encode(new), serial)
            self._ledger = Ledger(new)
            self._folded = serial
            self._halfway = False
            return kept

    def audit(self, event: str, /, **facts: object) -> None:
        """Appends a line to ``audit.jsonl``. StateWriteError, LockLostError; TypeError for a secret."""
        with self._mutex:
            if self._closed:
                raise ValueError("the store is closed")
            self._pen.must_be_ours()
            self._audit.append(event, facts)
            if event == _RUN:
                self._audit.sync()

    def still_ours(self) -> bool:
        """False once somebody broke the lock: then no call may be made any more."""
        return self._pen.still_ours()

    def must_be_ours(self) -> None:
        """LockLostError unless :meth:`still_ours`. Cheap: to be asked before every call to a cloud."""
        self._pen.must_be_ours()

    def close(self) -> None:
        """Folds and unlocks; a second time does nothing. The lock is free even after StateWriteError."""
        with self._mutex:
            if self._closed:
                return
            try:
                if self._pen.still_ours():
                    self.fold()
                    self._audit.sync()
            finally:
                self._closed = True
                self._pen.release()

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
