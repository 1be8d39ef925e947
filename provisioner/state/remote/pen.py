"""What the one writer of a record in a bucket does.

A commit is one object, ``journal/SERIAL``, that is *created*, never overwritten: whoever comes second to a serial is
told so. That is what keeps out a writer that was paused, lost its lock and woke up: the new owner, before it reads
the journal for good, claims the next serial with an empty object, and so the paused one's next commit is refused by
the store itself, whatever anybody's clock says. The owner's first commit then fills its own claim.
"""

from __future__ import annotations

import contextlib
import time
from itertools import pairwise
from typing import Final

from provisioner.errors import LockLostError, StateError
from provisioner.state import snapshot
from provisioner.state.lock import LockInfo
from provisioner.state.remote.bucket import Bucket, Version
from provisioner.state.remote.lease import Lease
from provisioner.state.remote.objects import (
    AUDIT,
    HISTORY,
    JOURNAL,
    KEPT,
    contents,
    is_numbered,
    number,
    numbered,
    segments,
)

SNAPSHOTS: Final = 20
"""So many snapshots before the present one are kept."""

_MANY: Final = 200
_OLD: Final = 10.0


class AuditObjects:
    """``audit/NUMBER``: lines gathered and written together; at the latest when a run begins, ends, or is closed."""

    def __init__(self, bucket: Bucket, lease: Lease) -> None:
        self._bucket = bucket
        self._lease = lease
        self._lines: list[bytes] = []
        self._last: int | None = None
        self._since = 0.0

    def tail(self) -> bytes:
        names = [name for name in self._bucket.names(AUDIT) if is_numbered(name)]
        self._last = number(names[-1]) if names else 0
        found = self._bucket.get(names[-1]) if names else None
        return found.data.rstrip(b"\n").rpartition(b"\n")[2] if found else b""

    def append(self, line: bytes) -> None:
        if not self._lines:
            self._since = time.monotonic()
        self._lines.append(line)
        if len(self._lines) >= _MANY or time.monotonic() - self._since > _OLD:
            try:
                self.sync()
            except StateError:
                self._lines.pop()  # the chain goes on from the line before
                raise

    def sync(self) -> None:
        if not self._lines:
            return
        assert self._last is not None, "an audit is begun before it is written"
        name, data = numbered(AUDIT, self._last + 1), b"".join(self._lines)
        version = self._bucket.create(name, data)
        if version is None and (own := self._bucket.get(name)) is not None and data.startswith(own.data):
            version = self._bucket.update(name, data, own.version)  # an earlier try, whose answer was lost
        if version is None:
            self._lease.lose("somebody else writes the audit of this deployment")
            self._lease.must_be_ours()
        self._last += 1
        self._lines = []

    def close(self) -> None:
        """What was not written yet is lost with its process, as in a crash."""


class RemotePen:
    """The lease of a record, and the serials that it claimed."""

    def __init__(self, bucket: Bucket, lease: Lease) -> None:
        self.audit = AuditObjects(bucket, lease)
        self.pending = 0
        self._bucket = bucket
        self._lease = lease
        self._claim: tuple[int, Version] | None = None
        self._head = f"{lease.token}\n".encode()

    @property
    def info(self) -> LockInfo:
        return self._lease.info

    @property
    def takeover(self) -> LockInfo | None:
        return self._lease.takeover

    def still_ours(self) -> bool:
        return self._lease.still_ours()

    def must_be_ours(self) -> None:
        self._lease.must_be_ours()

    def note_run(self, run: int) -> None:
        self._lease.note_run(run)

    def claim(self, serial: int) -> bool:
        """Takes the serial after ``serial`` from whoever else might write it."""
        name = numbered(JOURNAL, serial + 1)
        found = self._bucket.get(name)
        if found is None:
            version = self._bucket.create(name, self._head)
        elif contents(found.data):
            return False
        else:
            version = self._bucket.update(name, self._head, found.version)
        if version is None:
            return False
        self._claim = (serial + 1, version)
        return True

    def append(self, block: bytes, first: int) -> None:
        """LockLostError: somebody else recorded something under this serial."""
        name, data = numbered(JOURNAL, first), self._head + block
        if self._claim is not None and self._claim[0] == first:
            version = self._bucket.update(name, data, self._claim[1])
        else:
            version = self._bucket.create(name, data)
        if version is None and (own := self._bucket.get(name)) is not None and own.data.startswith(self._head):
            # An earlier try of ours had its effect though we were told that it failed: nobody relies on it.
            version = self._bucket.update(name, data, own.version)
        if version is None:
            self._refused()
        self._claim = None
        self.pending += len(block)

    def write_snapshot(self, raw: bytes, serial: int) -> None:
        """The one before goes into the history; LockLostError where somebody else replaced it meanwhile."""
        current = self._bucket.get(snapshot.NAME)
        if current is None:
            version = self._bucket.create(snapshot.NAME, raw)
        else:
            self._bucket.create(numbered(HISTORY, snapshot.serial_of(current.data)), current.data)
            self.must_be_ours()
            version = self._bucket.update(snapshot.NAME, raw, current.version)
        if version is None:
            self._refused()

    def replace(self, raw: bytes, serial: int) -> None:
        current = self._bucket.get(snapshot.NAME)
        self.must_be_ours()
        if current is None:
            version = self._bucket.create(snapshot.NAME, raw)
        else:
            version = self._bucket.update(snapshot.NAME, raw, current.version)
        if version is None:
            self._refused()
        own = filter(is_numbered, self._bucket.names(JOURNAL))
        self._bucket.delete([name for name in own if number(name) <= serial])
        self.claim(serial)

    def set_aside(self, part: str, name: str) -> str:
        raw = segments(self._bucket) if part == "journal.jsonl" else None
        if raw is None:
            found = self._bucket.get(part)
            raw = found.data if found else b""
        self._bucket.overwrite(KEPT + name, raw)
        return self._bucket.place(KEPT + name)

    def new_journal(self, *, keep: bool) -> None:
        """Drops what the snapshot *before* the present one has; the rest leads from that one to the present."""
        self.pending = 0
        history = [name for name in self._bucket.names(HISTORY) if is_numbered(name)]
        if not history:
            return
        names = [name for name in self._bucket.names(JOURNAL) if is_numbered(name)]
        oldest = number(history[-1])
        old = [name for name, after in pairwise(names) if number(after) <= oldest + 1]
        # What stays behind does no harm, and the next fold finds it again.
        with contextlib.suppress(StateError):
            self._bucket.delete([*old, *history[:-SNAPSHOTS]])

    def release(self) -> None:
        self._lease.release()

    def _refused(self) -> None:
        self._lease.lose("somebody else has recorded something since this run last did")
        raise LockLostError(
            "somebody else has recorded something since this run last did; nothing more was recorded, and no further "
            "call may be made",
            where=self._bucket.url,
            hint="see who is at work: provisioner status PLAN; then run the same command again",
        )
