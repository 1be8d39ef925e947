"""One writer a record in a bucket: a lock object with a lease that its holder renews.

``lock.json`` says who holds it. Only its holder changes it, by its version, so a holder that lost it finds out at its
next try. A lease is over when the object was not renewed for its length *by the store's own clock* (the age of the
object against the age of a probe written now), so no two hosts need to agree about the time. The holder itself counts
from *before* it sent its last successful renewal, and stops making calls a margin before anybody may take over; a
margin after the end is what others wait on top. On the holder's own host a dead process is seen at once.

Weakness: a call that is already on the wire when the lease ends takes effect all the same, which is what the margin is
for; a call that a cloud sits on for longer than that is not stopped by anything.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from provisioner.errors import LockHeldError, LockLostError, StateDamagedError, StateError
from provisioner.state.lock import LockInfo, Owner, describe
from provisioner.state.remote.bucket import Bucket, Found, Version

NAME: Final = "lock.json"
PROBES: Final = "clock/"
LEASE: Final = 30.0
"""Seconds that a holder may be silent before others may take over."""

_MARGIN: Final = 1 / 6  # of the lease
_BEAT: Final = 1 / 4
_RESOLUTION: Final = 1.0  # stores tell whole seconds


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """``lock.json``. ``token`` is the holder's alone; ``holder`` is None once it was released. ``beats``: renewals."""

    token: str
    lease: float
    beats: int = 0
    holder: LockInfo | None = None
    revoked: bool = False
    """Taken away by hand: free as soon as the lease is over, for the holder may not know yet."""


def _clock() -> float:
    """Seconds that go on while the machine sleeps or the process is stopped."""
    # CLOCK_MONOTONIC stands still while Linux sleeps, and goes on while macOS does, where BOOTTIME is not known.
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Lease:
    """A lock that is held, and renewed by a thread of its own."""

    def __init__(self, bucket: Bucket, body: Body, version: Version, sent: float, takeover: LockInfo | None) -> None:
        assert body.holder is not None
        self.takeover = takeover
        self.info = body.holder
        self.token = body.token
        self._bucket = bucket
        self._body = body
        self._version = version
        self._renewed = sent
        self._beats = body.beats
        self._lost = ""
        self._failed: StateError | None = None
        self._mutex = threading.Lock()
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._heart.start()

    @classmethod
    def take(cls, bucket: Bucket, who: Owner, clock: Callable[[], float], length: float) -> Lease:
        """LockHeldError says who holds it and until when; StateError."""
        body = Body(token=os.urandom(16).hex(), lease=length, holder=describe(who, clock()))
        while True:
            found = bucket.get(NAME)
            before = decode(found.data, bucket.place(NAME)) if found else None
            if found and before and before.holder is not None:
                left = remaining(bucket, found, before)
                if left > 0:
                    raise _held(before, left, bucket.place(NAME))
            sent = _clock()
            data = msgspec.json.encode(body)
            version = bucket.update(NAME, data, found.version) if found else bucket.create(NAME, data)
            if version is not None:
                return cls(bucket, body, version, sent, before.holder if before else None)

    def still_ours(self) -> bool:
        """Asks nobody while the lease is fresh; renews it where a pause made it old."""
        if self._lost:
            return False
        return self._fresh() or self._renew()

    def must_be_ours(self) -> None:
        """LockLostError unless :meth:`still_ours`."""
        if self.still_ours():
            return
        why = self._lost or f"its lease could not be renewed ({self._failed})"
        raise LockLostError(
            f"{why}; nothing more was recorded, and no further call may be made",
            where=self._bucket.place(NAME),
            hint="see who is at work: provisioner status PLAN; then run the same command again",
        ) from self._failed

    def lose(self, why: str) -> None:
        """Another sign showed that somebody else writes."""
        self._lost = self._lost or why

    def note_run(self, run: int) -> None:
        """Others see it after the next beat."""
        self.info = msgspec.structs.replace(self.info, run=run)

    def release(self) -> None:
        """Free for the next one; where that cannot be written, the lease runs out."""
        self._over.set()
        self._heart.join()
        with self._mutex, contextlib.suppress(StateError):
            if not self._lost:
                body = msgspec.structs.replace(self._body, holder=None, beats=self._beats + 1)
                data = msgspec.json.encode(body)
                if self._bucket.update(NAME, data, self._version) is None and self._caught_up():
                    self._bucket.update(NAME, data, self._version)
        self._lost = self._lost or "it was released"

    def _fresh(self) -> bool:
        return _clock() - self._renewed < self._body.lease * (1 - _MARGIN)

    def _beat(self) -> None:
        while not self._over.wait(self._body.lease * _BEAT) and not self._lost:
            self._renew()

    def _renew(self) -> bool:
        with self._mutex:
            if self._lost:
                return False
            sent = _clock()
            # Never the same bytes twice: a beat of which nobody knew must not pass for one of this moment.
            self._beats += 1
            body = msgspec.structs.replace(self._body, holder=self.info, beats=self._beats)
            try:
                version = self._bucket.update(NAME, msgspec.json.encode(body), self._version)
                if version is None and self._caught_up():
                    sent = _clock()
                    version = self._bucket.update(NAME, msgspec.json.encode(body), self._version)
                if version is None:
                    self._lost = self._taken()
                    return False
            except StateError as err:
                # The next beat tries again; until the margin the lease is ours whatever the network does.
                self._failed = err
                return self._fresh()
            self._body, self._version, self._renewed, self._failed = body, version, sent, None
            return True

    def _caught_up(self) -> bool:
        """The object is ours in another version: an earlier beat had its effect, and only its answer was lost."""
        found = self._bucket.get(NAME)
        if found is None or decode(found.data, self._bucket.place(NAME)).token != self.token:
            return False
        self._version = found.version
        return True

    def _taken(self) -> str:
        found = self._bucket.get(NAME)
        body = decode(found.data, self._bucket.place(NAME)) if found else None
        if body is None:
            return "this run's lock object was removed"
        if body.revoked:
            return "this run's lock was taken away"
        return f"this run's lock was taken by {body.holder or 'somebody who has released it since'}"


def decode(raw: bytes, where: str) -> Body:
    """StateDamagedError."""
    try:
        return msgspec.json.decode(raw, type=Body)
    except (ValueError, RecursionError) as err:
        hint = "see that nobody is at work, then remove that object"
        raise StateDamagedError(f"it is not a lock ({err})", where=where, hint=hint) from err


def remaining(bucket: Bucket, found: Found, body: Body) -> float:
    """Seconds until the lock may be taken over; 0 or less where it may be now."""
    if body.holder is None or body.holder.died_here():
        return 0.0
    return body.lease * (1 + _MARGIN) + _RESOLUTION - (_now(bucket) - found.modified).total_seconds()


def _now(bucket: Bucket) -> datetime:
    """The store's clock: the age of an object of nobody else, as stores do not like many changes of one."""
    name = f"{PROBES}{os.urandom(8).hex()}"
    if bucket.create(name, b"?") is None or (probe := bucket.get(name)) is None:
        raise StateError("a probe that was just written is gone", where=bucket.place(name))
    bucket.delete([name])
    return probe.modified


def revoke(bucket: Bucket) -> LockInfo | None:
    """Takes the lock away; its holder, None where nobody has it. It becomes free when its lease is over."""
    while True:
        found = bucket.get(NAME)
        body = decode(found.data, bucket.place(NAME)) if found else None
        if found is None or body is None or body.holder is None:
            return None
        taken = msgspec.structs.replace(body, token=os.urandom(16).hex(), revoked=True)
        if bucket.update(NAME, msgspec.json.encode(taken), found.version) is not None:
            return body.holder


def _held(body: Body, left: float, where: str) -> LockHeldError:
    if body.revoked:
        return LockHeldError(
            f"the lock was taken away from {body.holder}, which may not know yet",
            where=where,
            hint=f"it is free in {left:.0f} s: run the same command again then",
        )
    return LockHeldError(
        f"another run is at work: {body.holder}",
        where=where,
        hint=f"wait for it; if it is dead, its lease runs out in {left:.0f} s; if it hangs: "
        "provisioner state unlock PLAN --force",
    )
