"""Small records, and disks that fail, die or are photographed, for the tests of the state."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioner.model import Key
from provisioner.state.files import Files
from provisioner.state.lock import Owner
from provisioner.state.records import Action, Change, PutChange, PutRecord, PutRun, Record, Run, Status, Undo, UndoKind
from provisioner.state.store import Store

NAME = "shop-production"
WHO = Owner(user="ada", command="provisioner deploy shop.yaml -e production")


def record(step: str, status: Status = Status.CREATING, **spec: object) -> Record:
    key = Key(deployment=NAME, step=step, name=f"{NAME}-{step}")
    return Record(step=step, type="toy.thing", status=status, key=key, spec=dict(spec))


def put(step: str, status: Status = Status.CREATING, **spec: object) -> PutRecord:
    return PutRecord(record=record(step, status, **spec))


def put_run(number: int, **fields: object) -> PutRun:
    return PutRun(run=Run(**{"id": number, "kind": "deploy", "started": 1.0, **fields}))  # type: ignore[arg-type]


def put_change(number: int, step: str, *, undone: bool = False) -> PutChange:
    change = Change(
        step=step, type="toy.thing", action=Action.CREATE, undo=Undo(kind=UndoKind.DELETE), at=2.0, undone=undone
    )
    return PutChange(run=number, change=change)


@contextmanager
def opened(directory: Path, files: Files | None = None) -> Iterator[Store]:
    store = Store.open(directory, NAME, who=WHO, clock=lambda: 1000.0, files=files)
    try:
        yield store
    finally:
        store.close()


class Watched(Files):
    """Calls ``before(operation, file name)`` ahead of every system call."""

    def __init__(self, before: Callable[[str, str], None]) -> None:
        self.before = before

    def about_to(self, operation: str, path: Path) -> None:
        self.before(operation, path.name)


class Broken(Files):
    """Fails with ``number`` wherever ``when`` says so; a write that fails has written half."""

    def __init__(self, when: Callable[[str, str], bool], number: int = errno.ENOSPC) -> None:
        self.when = when
        self.number = number

    def about_to(self, operation: str, path: Path) -> None:
        if operation != "write" and self.when(operation, path.name):
            raise OSError(self.number, os.strerror(self.number))

    def write(self, fd: int, path: Path, data: bytes, offset: int) -> None:
        if self.when("write", path.name):
            super().write(fd, path, data[: len(data) // 2], offset)
            raise OSError(self.number, os.strerror(self.number))
        super().write(fd, path, data, offset)


Image = dict[str, bytes]


class Camera(Files):
    """Photographs the directory before every system call: what a kill, and what a power cut, would leave behind.

    After a power cut each name may be as it is or as it was at the last sync of the directory, and a file's content as
    it is, half of what was not synced, or none of it.
    """

    def __init__(self, directory: Path, done: Callable[[], int]) -> None:
        self.directory = directory
        self.done = done
        self.images: list[tuple[int, str, Image]] = []
        here = list(directory.iterdir()) if directory.is_dir() else []
        self._synced = {file.stat().st_ino: file.read_bytes() for file in here}
        self._names = {file.name: file.stat().st_ino for file in here}
        self._held = [os.open(file, os.O_RDONLY) for file in here]

    def about_to(self, operation: str, path: Path) -> None:
        if not self.directory.is_dir():
            return
        names = {file.name: file.stat().st_ino for file in self.directory.iterdir()}
        content = {file.stat().st_ino: file.read_bytes() for file in self.directory.iterdir()}
        for inode, raw in list(self._synced.items()):
            content.setdefault(inode, raw)
        step = f"{len(self.images)} before {operation} of {path.name}"
        changed = [name for name in names.keys() | self._names.keys() if names.get(name) != self._names.get(name)]
        versions = {"now": names, "synced": self._names}
        if len(changed) > 1:  # the disk may have got the changes of names in any order
            versions |= {f"synced but {name}": self._with(name, names) for name in changed}
        for known, kept in versions.items():
            for amount in ("all", "half", "none"):
                image = {name: self._left(inode, content, amount) for name, inode in kept.items()}
                self.images.append((self.done(), f"{step}: names {known}, content {amount}", image))

    def _with(self, name: str, names: dict[str, int]) -> dict[str, int]:
        mixed = {**self._names, name: names.get(name, 0)}
        return {known: inode for known, inode in mixed.items() if inode}

    def _left(self, inode: int, content: dict[int, bytes], amount: str) -> bytes:
        now, synced = content.get(inode, b""), self._synced.get(inode, b"")
        if amount == "all" or not now.startswith(synced):
            return now
        extra = len(now) - len(synced)
        return now[: len(synced) + (extra // 2 if amount == "half" else 0)]

    def sync(self, fd: int, path: Path) -> None:
        super().sync(fd, path)
        self._held.append(os.dup(fd))  # so that its inode is not given to another file
        self._synced[os.fstat(fd).st_ino] = path.read_bytes()

    def sync_directory(self, path: Path) -> None:
        super().sync_directory(path)
        if path == self.directory:
            self._names = {file.name: file.stat().st_ino for file in path.iterdir()}

    def put_away(self) -> None:
        for fd in self._held:
            os.close(fd)


def develop(image: Image, directory: Path) -> Path:
    """The photographed directory as a real one."""
    directory.mkdir()
    for name, raw in image.items():
        (directory / name).write_bytes(raw)
    return directory
