"""A file for one pair of eyes: mode 0600 from the first moment, whole at every moment, and never somebody else's."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from provisioner.errors import RefusedError, UsageError

MARK: Final = "# written by provisioner"
"""How the first line of a file says that it may be written anew without asking."""


def write_private(path: Path, text: str, *, force: bool = False) -> None:
    """Puts ``text`` into the file at once, or leaves what is there.

    RefusedError for a symbolic link and anything that is no plain file, and, unless ``force``, for a file that does
    not begin with :data:`MARK`: it holds something that nobody could make again. UsageError where it cannot be
    written.
    """
    try:
        _refuse(path, text, force)
        _replace(path, text.encode())
    except OSError as err:
        hint = "name a file in a directory that you can write to"
        raise UsageError(f"cannot write {path}: {err.strerror or err}", hint=hint) from err


def _refuse(path: Path, text: str, force: bool) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    where = str(path)
    if stat.S_ISLNK(found.st_mode):
        raise RefusedError("it is a symbolic link, and is not followed", where=where, hint="name the file itself")
    if not stat.S_ISREG(found.st_mode):
        raise RefusedError("it is no plain file", where=where, hint="name another")
    if found.st_uid != os.getuid():
        raise RefusedError("it belongs to another user", where=where, hint="name another, or move it away")
    if force:
        return
    before = path.read_bytes()
    if MARK[2:].encode() not in before.partition(b"\n")[0] and before != text.encode():
        hint = "--force replaces it; or name another"
        raise RefusedError("it is there, and was not written by provisioner", where=where, hint=hint)


def _replace(path: Path, data: bytes) -> None:
    folder = path.parent
    # mkstemp makes it 0600 and never follows what somebody put there under that name.
    fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=folder)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
