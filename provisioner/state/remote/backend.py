"""A record under a prefix of a bucket: reading it, and getting hold of its pen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from provisioner.errors import StateError
from provisioner.state import journal, snapshot
from provisioner.state.audit import NAME as AUDIT_FILE
from provisioner.state.backend import Holder
from provisioner.state.lock import LockInfo, Owner
from provisioner.state.remote import lease
from provisioner.state.remote.bucket import Bucket
from provisioner.state.remote.objects import AUDIT, HISTORY, is_numbered, number, numbered, segments
from provisioner.state.remote.pen import RemotePen

_FOLDERS: Final = {journal.NAME: "journal/", AUDIT_FILE: "audit/"}


class RemoteBackend:
    """``check`` is asked once the lock object is there and before anything else is written: may the record be here?"""

    def __init__(self, bucket: Bucket, check: Callable[[], None], length: float = lease.LEASE) -> None:
        self._bucket = bucket
        self._check = check
        self._length = length

    @property
    def where(self) -> str:
        return self._bucket.url

    def place(self, part: str) -> str:
        return self._bucket.place(_FOLDERS.get(part, part))

    def exists(self) -> bool:
        return self._bucket.get(snapshot.NAME) is not None or bool(self._bucket.names("journal/"))

    def read(self, part: str) -> bytes | None:
        """The journal is put together from its segments; those before the last snapshot serve as the backup's."""
        if part == journal.NAME:
            return segments(self._bucket)
        if part == journal.BACKUP:
            return None
        if part == snapshot.BACKUP:
            serials = self.snapshots()
            return self.snapshot(serials[-1]) if serials else None
        if part == AUDIT_FILE:
            return b"".join(
                data or b"" for data in self._bucket.get_all(filter(is_numbered, self._bucket.names(AUDIT)))
            )
        return self._get(part)

    def snapshots(self) -> list[int]:
        """The serials of the snapshots before the present one, oldest first."""
        return [number(name) for name in self._bucket.names(HISTORY) if is_numbered(name)]

    def snapshot(self, serial: int) -> bytes | None:
        """One of them."""
        return self._get(numbered(HISTORY, serial))

    def _get(self, name: str) -> bytes | None:
        found = self._bucket.get(name)
        return found.data if found else None

    def holder(self) -> Holder | None:
        """``alive`` goes by the lease; None where that was taken away and is not over yet."""
        found = self._bucket.get(lease.NAME)
        body = lease.decode(found.data, self._bucket.place(lease.NAME)) if found else None
        if found is None or body is None or body.holder is None:
            return None
        try:
            over = lease.remaining(self._bucket, found, body) <= 0
        except StateError:  # who may only read cannot ask the store for its time
            return Holder(body.holder, None)
        return Holder(body.holder, False if over else None if body.revoked else True)

    def take(self, who: Owner, clock: Callable[[], float]) -> RemotePen:
        held = lease.Lease.take(self._bucket, who, clock, self._length)
        try:
            self._check()
        except BaseException:
            held.release()
            raise
        return RemotePen(self._bucket, held)

    def break_lock(self) -> LockInfo | None:
        return lease.revoke(self._bucket)
