"""Where a record is kept, as the store sees it: a place to read from, and a pen that one process at a time holds.

There are two: ``local`` (a directory) and ``remote`` (a prefix in a bucket). Snapshot, journal and audit have the same
content in both; what differs is how a line becomes durable, and how one writer keeps the others out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from provisioner.state.lock import LockInfo, Owner


class Holder(NamedTuple):
    """Who holds a lock. ``alive``: whether it is still at work, None where nobody can tell."""

    info: LockInfo
    alive: bool | None


class Ledgerbook(Protocol):
    """The audit file of a pen. Methods raise OSError or StateWriteError."""

    def tail(self) -> bytes:
        """The last whole line, without its end; empty where there is none."""
        ...

    def append(self, line: bytes) -> None:
        """One line with its end. It survives the death of the process, or at the latest :meth:`sync` makes it."""
        ...

    def sync(self) -> None: ...

    def close(self) -> None: ...


class Pen(Protocol):
    """What the one writer of a record holds. Writing raises OSError or StateWriteError."""

    @property
    def info(self) -> LockInfo:
        """What others are told about the holder."""
        ...

    @property
    def takeover(self) -> LockInfo | None:
        """The holder before, if it died or was deprived of the lock; None where it ended in good order."""
        ...

    @property
    def audit(self) -> Ledgerbook: ...

    @property
    def pending(self) -> int:
        """Bytes in the journal since :meth:`new_journal`."""
        ...

    def still_ours(self) -> bool:
        """False once somebody else may write: then no call may be made any more."""
        ...

    def must_be_ours(self) -> None:
        """LockLostError unless :meth:`still_ours`."""
        ...

    def note_run(self, run: int) -> None:
        """Tells others the run's number. A courtesy: errors do not matter."""
        ...

    def claim(self, serial: int) -> bool:
        """From now on nobody else can record anything after ``serial``; False if somebody has meanwhile."""
        ...

    def write_snapshot(self, raw: bytes, serial: int) -> None:
        """The whole state, in one step; the one before is kept as a backup."""
        ...

    def replace(self, raw: bytes, serial: int) -> None:
        """The whole state in place of all that there is, journal included; none of that becomes a backup."""
        ...

    def set_aside(self, part: str, name: str) -> str:
        """Keeps a copy of a part under another name; where it is now."""
        ...

    def new_journal(self, *, keep: bool) -> None:
        """What the journal holds is in the snapshot, so it starts anew; ``keep``: the old one becomes a backup."""
        ...

    def append(self, block: bytes, first: int) -> None:
        """One commit, whole or not at all, durable when it returns. ``first``: the serial of its first line."""
        ...

    def release(self) -> None:
        """Lets the next one in. Never raises on account of a lock that was lost."""
        ...


class Backend(Protocol):
    """One deployment's record. Reading raises StateError."""

    @property
    def where(self) -> str:
        """The directory or the URL, for people."""
        ...

    def place(self, part: str) -> str:
        """The same of one part (``state.json``, ``journal.jsonl``, ``audit.jsonl`` …)."""
        ...

    def exists(self) -> bool:
        """Was anything ever recorded here?"""
        ...

    def read(self, part: str) -> bytes | None:
        """A part's content, None where there is none."""
        ...

    def snapshots(self) -> list[int]:
        """The serials of the snapshots before the present one that are kept, oldest first."""
        ...

    def snapshot(self, serial: int) -> bytes | None:
        """One of them; None where it is not kept."""
        ...

    def holder(self) -> Holder | None:
        """Who holds the lock; None: nobody."""
        ...

    def take(self, who: Owner, clock: Callable[[], float]) -> Pen:
        """The pen. LockHeldError says who has it; StateWriteError."""
        ...

    def break_lock(self) -> LockInfo | None:
        """Takes the lock away from whoever has it, and returns who that was; None: nobody. StateWriteError."""
        ...


Location = Path | Backend
"""A directory, or a backend made by :func:`provisioner.state.remote.stores.open_backend`."""
