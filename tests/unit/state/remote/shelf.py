"""A bucket in memory, whose every request can be watched, refused, cut off, or be somebody's last."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from obstore.store import MemoryStore

from provisioner.errors import StateWriteError
from provisioner.state.remote.backend import RemoteBackend
from provisioner.state.remote.bucket import Bucket, Found, Version
from provisioner.state.store import Store
from tests.unit.state.toys import NAME, WHO

Moment = Callable[[str, str, str], None]


class Died(BaseException):
    """The process is killed here."""


class Shelf(Bucket):
    """Calls ``moment(when, operation, name)`` before and after every request."""

    def __init__(self, objects: Any, moment: Moment | None = None) -> None:
        super().__init__(objects, "mem://shelf/", "p/")
        self.moment: Moment = moment or (lambda when, operation, name: None)

    def get(self, name: str) -> Found | None:
        self.moment("before", "get", name)
        found = super().get(name)
        self.moment("after", "get", name)
        return found

    def names(self, folder: str) -> list[str]:
        self.moment("before", "list", folder)
        found = super().names(folder)
        self.moment("after", "list", folder)
        return found

    def delete(self, names: Iterable[str]) -> None:
        for name in names:
            self.moment("before", "delete", name)
            super().delete([name])
            self.moment("after", "delete", name)

    def _put(self, name: str, data: bytes, mode: Any) -> Version | None:
        self.moment("before", "put", name)
        version = super()._put(name, data, mode)
        self.moment("after", "put", name)
        return version


class Place:
    """One record in one memory. Each :meth:`backend` is another machine, as it were."""

    def __init__(self, lease: float = 30.0) -> None:
        self.memory: Any = MemoryStore()
        self.lease = lease

    def backend(self, moment: Moment | None = None, check: Callable[[], None] = lambda: None) -> RemoteBackend:
        return RemoteBackend(Shelf(self.memory, moment), check, self.lease)

    def open(self, moment: Moment | None = None, **options: Any) -> Store:
        return Store.open(self.backend(moment), NAME, who=WHO, **options)

    def bucket(self) -> Shelf:
        return Shelf(self.memory)


def abandon(store: Store) -> None:
    """What the death of a process leaves: its heart stops, its lock stays, and it is not to be seen any more."""
    lease = store._pen._lease  # type: ignore[attr-defined]
    lease._over.set()
    lease._heart.join()


def forget_host(place: Place) -> None:
    """The lock's holder is on another host, so nobody can see whether it lives."""
    bucket = place.bucket()
    found = bucket.get("lock.json")
    assert found is not None
    bucket.overwrite("lock.json", found.data.replace(os.uname().nodename.encode(), b"elsewhere"))


def refuse(names: str, times: int = 1) -> Moment:
    """The next so many writes of a name that begins so are answered with an error, before they take effect."""
    left = [times]

    def moment(when: str, operation: str, name: str) -> None:
        if when == "before" and operation == "put" and name.startswith(names) and left[0]:
            left[0] -= 1
            raise StateWriteError("cannot write it: 503", where=name)

    return moment
