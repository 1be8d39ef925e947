"""Folders that a plan names as a field's value: what counts is what is in them, not where they are.

A field of the type :data:`Folder` is written as a path relative to the plan's file; several folders put into one are
joined by `` + ``. When the plan is read, the value becomes ``functions/export#sha256:<digest>``: the same in every
checkout, on every machine. That text is what is recorded and compared. A driver turns it into the bytes of a zip file
with :func:`packed`; the digest is that of exactly these bytes, so a cloud that tells the digest of what it was given
(Lambda's CodeSha256) is compared with it.

The zip is the same wherever it is made: entries sorted, one fixed time, modes 644 and 755, nothing compressed (what
compressed bytes look like depends on the library's version). Left out: ``__pycache__``, ``*.pyc`` and whatever begins
with a dot.

Weakness: where a folder is is known to this process alone, from reading the plan. A digest that only the record knows
(the code before the last run) must come from somewhere else, or :func:`packed` says that it is not here.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

MARK: Final = "#sha256:"
_MARKED: Final = "folder"
_AND: Final = " + "
_MOST: Final = 250 * 1024 * 1024
"""Bytes that all files of a folder may have: what Lambda takes, unzipped."""

Folder = Annotated[str, Meta(min_length=1, pattern=r"^[^#]*(#sha256:[0-9a-f]{64})?$", extra={_MARKED: True})]
"""The type of a field whose value is a folder."""

_lock = threading.Lock()
_places: Final[dict[str, tuple[Path, ...]]] = {}


def is_folder(extra: object) -> bool:
    """Whether a field's ``Meta.extra`` is that of :data:`Folder`."""
    return isinstance(extra, dict) and bool(extra.get(_MARKED))


def take(base: Path, text: str) -> str:
    """The value for the folders that ``text`` names, relative to ``base``; ValueError says what is wrong with them."""
    if MARK in text:
        raise ValueError("write the folder alone: its digest is found out when the plan is read")
    names = [name.strip() for name in text.split(_AND.strip())] if _AND in text else [text.strip()]
    if not all(names):
        raise ValueError("a folder between two + is missing")
    places = tuple(base / name for name in names)
    digest = hashlib.sha256(zipped(places)).hexdigest()
    with _lock:
        _places[digest] = places
    return f"{_AND.join(names)}{MARK}{digest}"


def digest(value: str) -> str:
    """The hexadecimal SHA-256 of a value; empty where it has none."""
    return value.partition(MARK)[2]


def same(wanted: str, seen: str) -> bool:
    """``matches`` for such fields: the same content, whatever the folder is called.

    >>> same("a#sha256:12", "b#sha256:12"), same("a#sha256:12", "a#sha256:34")
    (True, False)
    """
    return digest(wanted) == digest(seen)


def packed(value: str) -> bytes:
    """The zip file of a value that :func:`take` gave in this process; FileNotFoundError where it is not here."""
    with _lock:
        places = _places.get(digest(value))
    if places is None:
        raise FileNotFoundError(f"the content {value} is not on this machine")
    try:
        data = zipped(places)
    except ValueError as err:
        raise FileNotFoundError(f"{value}: {err}") from err
    if hashlib.sha256(data).hexdigest() != digest(value):
        raise FileNotFoundError(f"{value} has changed since the plan was read")
    return data


def zipped(places: tuple[Path, ...]) -> bytes:
    """The content of folders as one zip file; ValueError where that cannot be."""
    import zipfile

    files: dict[str, Path] = {}
    for place in places:
        for name, path in _files(place):
            if name in files:
                raise ValueError(f"{name} is in {files[name].parent} and in {path.parent}")
            files[name] = path
    if not files:
        raise ValueError(f"there is no file in {' and '.join(map(str, places))}")
    if sum(path.stat().st_size for path in files.values()) > _MOST:
        raise ValueError(f"it has more than {_MOST // 1024 // 1024} MB")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, wherever this runs
            entry.external_attr = (0o100755 if path.stat().st_mode & 0o100 else 0o100644) << 16
            try:
                archive.writestr(entry, path.read_bytes())
            except OSError as err:
                raise ValueError(f"{path} cannot be read: {err.strerror}") from err
    return buffer.getvalue()


def _files(place: Path) -> Iterator[tuple[str, Path]]:
    if not place.is_dir():
        raise ValueError(f"there is no folder {place}")
    for path in place.rglob("*"):
        inner = path.relative_to(place)
        if any(part.startswith(".") or part == "__pycache__" for part in inner.parts) or path.suffix == ".pyc":
            continue
        if path.is_symlink():
            raise ValueError(f"{path} is a link, and what it leads to may be another elsewhere; put the file there")
        if path.is_file():
            yield inner.as_posix(), path
