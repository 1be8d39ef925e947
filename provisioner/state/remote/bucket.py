"""The objects of one record in a bucket, and the three conditional writes that everything else is built from.

A request whose answer is lost may have taken effect, and the client retries it; a conditional write then meets its own
first try. So a refused write looks at what is there: its own bytes mean that it succeeded. Callers see to it that no
two of them ever write the same bytes under one name unless that does no harm.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provisioner.errors import StateError, StateWriteError

if TYPE_CHECKING:
    from obstore.store import AzureStore, GCSStore, S3Store

    Objects = S3Store | GCSStore | AzureStore

_AT_ONCE: Final = 16


class Version(NamedTuple):
    """What a later write is conditional on. Cloud Storage has a ``version`` (generation), others ``e_tag`` alone."""

    e_tag: str | None
    version: str | None

    def mode(self) -> dict[str, str]:
        """obstore's form; a field that is None must not be in it."""
        return {name: value for name, value in self._asdict().items() if value is not None}


class Found(NamedTuple):
    """An object. ``modified`` is the store's own clock, in whole seconds."""

    data: bytes
    version: Version
    modified: datetime


class Bucket:
    """The objects under ``prefix``. Reading raises StateError, writing StateWriteError."""

    def __init__(self, objects: Objects, url: str, prefix: str) -> None:
        """``prefix`` is empty or ends in ``/``; ``url`` is what people are told, and ends in ``/``."""
        self.url = url
        self._objects = objects
        self._prefix = prefix

    def place(self, name: str) -> str:
        return f"{self.url}{name}"

    def get(self, name: str) -> Found | None:
        """An object whole; None where there is none."""
        with self._reading(name):
            try:
                answer = _obstore().get(self._objects, self._prefix + name)
                data, meta = bytes(answer.bytes()), answer.meta
            except _missing():
                return None
        return Found(data, Version(meta.get("e_tag"), meta.get("version")), meta["last_modified"])

    def get_all(self, names: Iterable[str]) -> list[bytes | None]:
        """Several objects at once, in the order of their names."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="bucket") as pool:
            return [found.data if found else None for found in pool.map(self.get, names)]

    def names(self, folder: str) -> list[str]:
        """The names that begin with ``folder``, sorted."""
        with self._reading(folder):
            pages = _obstore().list(self._objects, self._prefix + folder)
            found = [str(meta["path"]) for page in pages for meta in page]
        return sorted(name[len(self._prefix) :] for name in found)

    def create(self, name: str, data: bytes) -> Version | None:
        """None: an object of that name was there already, and it is not this one."""
        return self._put(name, data, "create")

    def update(self, name: str, data: bytes, version: Version) -> Version | None:
        """None: the object is no longer that version (or gone), and it is not this one."""
        return self._put(name, data, version.mode())

    def overwrite(self, name: str, data: bytes) -> None:
        """Whatever was there."""
        self._put(name, data, "overwrite")

    def delete(self, names: Iterable[str]) -> None:
        """Objects that are gone already are a success."""
        for name in names:
            with self._writing(name), contextlib.suppress(*_missing()):
                _obstore().delete(self._objects, self._prefix + name)

    def _put(self, name: str, data: bytes, mode: Any) -> Version | None:
        exceptions = importlib.import_module("obstore.exceptions")
        with self._writing(name):
            try:
                answer = _obstore().put(self._objects, self._prefix + name, data, mode=mode, use_multipart=False)
                return Version(answer.get("e_tag"), answer.get("version"))
            except (exceptions.AlreadyExistsError, exceptions.PreconditionError, *_missing()):
                # Where nothing is to be updated the object is gone; where it was to be created, the bucket is.
                if mode == "overwrite" or ((there := self.get(name)) is None and mode == "create"):
                    raise
        return there.version if there is not None and there.data == data else None

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            yield
        except _errors() as err:
            raise StateError(f"cannot read it: {_said(err)}", where=self.place(name), hint=_hint(err)) from err

    @contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        try:
            yield
        except _errors() as err:
            raise StateWriteError(f"cannot write it: {_said(err)}", where=self.place(name), hint=_hint(err)) from err


def _obstore() -> Any:
    return importlib.import_module("obstore")


def _missing() -> tuple[type[BaseException], ...]:
    return (importlib.import_module("obstore.exceptions").NotFoundError, FileNotFoundError)


def _errors() -> tuple[type[BaseException], ...]:
    """Everything that obstore raises for what a store says; some of it as Python's own kinds."""
    return (importlib.import_module("obstore.exceptions").BaseError, OSError, NotImplementedError)


def _said(err: BaseException) -> str:
    """The store's words, without the trace of the library."""
    if isinstance(err, FileNotFoundError):
        return "there is no such bucket"
    return " ".join(str(err).split("\n\nDebug source:")[0].split())


def _hint(err: BaseException) -> str:
    return {
        "PermissionDeniedError": "these credentials must be allowed to list, read, write and delete in the bucket",
        "UnauthenticatedError": "the bucket's cloud does not know these credentials: log in again, or switch",
        "FileNotFoundError": "make the bucket first, or mend its name in `state:` or --state",
    }.get(type(err).__name__, "check the network and the bucket's region, then run the same command again")
