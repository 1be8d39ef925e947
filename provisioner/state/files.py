"""The system calls that make the record durable, in one small object.

Everything that the state writes goes through :class:`Files`; a test hands in a subclass whose
:meth:`Files.about_to` counts, fails or kills the process before a chosen call.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from provisioner.errors import StateError, StateWriteError

_NO_LINKS: Final = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
_AGAIN: Final = "then run the same command again"
_ELSEWHERE: Final = "or set PROVISIONER_HOME to a directory that your user can write to"
_PERMIT: Final = f"give your user permission there (ls -ld), {_ELSEWHERE}"
_HINTS: Final = {
    errno.ENOSPC: f"make room on that disk (df -h, df -i), {_AGAIN}",
    errno.EDQUOT: f"the disk quota is used up: make room, {_AGAIN}",
    errno.EROFS: f"the file system is mounted read-only: remount it, {_ELSEWHERE}",
    errno.EACCES: _PERMIT,
    errno.EPERM: _PERMIT,
    errno.EIO: "the disk fails: copy the directory to another one first, then look at the system log",
    errno.EMFILE: f"too many open files: raise the limit (ulimit -n), {_AGAIN}",
    errno.EEXIST: f"a file stands where a directory is needed: move it away, {_ELSEWHERE}",
    errno.ENOTDIR: f"a file stands where a directory is needed: move it away, {_ELSEWHERE}",
    errno.EISDIR: "a directory stands where a file is needed: move it away",
    errno.ENOENT: f"something removed the directory while provisioner used it: put it back, {_AGAIN}",
}


class Files:
    """Thin wrappers of the system calls; each calls :meth:`about_to` first. All raise OSError."""

    def about_to(self, operation: str, path: Path) -> None:
        """Called before each call with its name (open, write, sync, truncate, rename, link, unlink,
        sync_directory)."""

    def open_new(self, path: Path) -> int:
        """A descriptor of an empty file of mode 0600; what stood there before is replaced, not truncated.

        A new inode, so that the mode is right and another name of the old file keeps its content.
        """
        self.unlink(path)
        self.about_to("open", path)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)

    def open_kept(self, path: Path) -> int:
        """A descriptor of an existing file, or of a new empty one of mode 0600."""
        self.about_to("open", path)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def write(self, fd: int, path: Path, data: bytes, offset: int) -> None:
        """All of ``data`` at ``offset``."""
        self.about_to("write", path)
        view = memoryview(data)
        while view:
            written = os.pwrite(fd, view, offset)
            offset += written
            view = view[written:]

    def sync(self, fd: int, path: Path) -> None:
        """Returns when content and length of the file are on the disk."""
        self.about_to("sync", path)
        if hasattr(os, "fdatasync"):
            os.fdatasync(fd)
        else:
            os.fsync(fd)

    def truncate(self, fd: int, path: Path, length: int) -> None:
        self.about_to("truncate", path)
        os.ftruncate(fd, length)

    def rename(self, source: Path, target: Path) -> None:
        self.about_to("rename", target)
        source.rename(target)

    def unlink(self, path: Path) -> None:
        self.about_to("unlink", path)
        path.unlink(missing_ok=True)

    def sync_directory(self, path: Path) -> None:
        """Returns when the names in the directory are on the disk."""
        self.about_to("sync_directory", path)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def make_directory(self, path: Path) -> None:
        """The directory and its missing parents, mode 0700, durable."""
        if path.is_dir():
            return
        if not path.parent.is_dir():
            self.make_directory(path.parent)
        self.about_to("mkdir", path)
        path.mkdir(mode=0o700, exist_ok=True)
        self.sync_directory(path.parent)

    def keep(self, source: Path, copy: Path) -> None:
        """``copy`` becomes a second name of ``source`` (a copy where the file system has no links).

        ``source`` is there all the time, so that no crash leaves a directory without it.
        """
        if not source.exists() or (copy.exists() and copy.samefile(source)):
            return
        between = copy.with_name(f"{copy.name}.tmp")
        self.unlink(between)
        self.about_to("link", copy)
        try:
            between.hardlink_to(source)
        except OSError as err:
            if err.errno not in _NO_LINKS:
                raise
            self.write_new(between, source.read_bytes())
        self.rename(between, copy)

    def write_new(self, path: Path, data: bytes) -> None:
        """A new file with this content, on the disk when it returns; its name is not yet."""
        fd = self.open_new(path)
        try:
            self.write(fd, path, data, 0)
            self.sync(fd, path)
        finally:
            os.close(fd)

    def replace(self, path: Path, data: bytes) -> None:
        """The file has the old content or the new one at every moment, and the new one when it returns."""
        between = path.with_name(f"{path.name}.tmp")
        self.write_new(between, data)
        self.rename(between, path)
        self.sync_directory(path.parent)


@contextlib.contextmanager
def writing(where: Path | str, what: str, *, safe: str = "") -> Iterator[None]:
    """Turns OSError into StateWriteError: ``what`` says what could not be done, ``safe`` what is not lost."""
    try:
        yield
    except OSError as err:
        hint = _HINTS.get(err.errno or 0, f"mend that, {_AGAIN}")
        message = f"cannot {what}: {err.strerror or err}"
        raise StateWriteError(f"{message}; {safe}" if safe else message, where=str(where), hint=hint) from err


def read(path: Path) -> bytes | None:
    """The file's bytes, None where it does not exist; StateError where it cannot be read."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as err:
        raise StateError(
            f"cannot read it: {err.strerror or err}",
            where=str(path),
            hint=_HINTS.get(err.errno or 0, "see whether the file is readable (ls -l)"),
        ) from err
