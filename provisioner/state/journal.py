"""``journal.jsonl``: what was recorded since the last snapshot, one checksummed line an entry.

A line is ``crc32 as 8 hex digits, space, JSON, newline``. One commit is one write of one or more lines, each
of which says how many more belong to it, so that a commit torn by a crash vanishes whole. What was torn is
recognised by its place: the end of the file. A bad line anywhere else is damage, and refused.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from provisioner.model import Count
from provisioner.secret import Secret
from provisioner.state.files import Files
from provisioner.state.records import Entry
from provisioner.state.snapshot import damaged

NAME: Final = "journal.jsonl"
BACKUP: Final = "journal.jsonl.backup"


class Line(msgspec.Struct, omit_defaults=True):
    """One line's JSON. ``more``: so many lines of the same commit follow. The entry stays undecoded."""

    serial: Count
    lineage: str
    entry: msgspec.Raw
    more: Count = 0


class Frame(NamedTuple):
    """One line as found in the file. ``line`` is None where it is bad, and ``complaint`` says why; ``end`` is
    the offset after it; ``torn``: the file ends in it."""

    number: int
    end: int
    line: Line | None
    complaint: str = ""
    torn: bool = False


def refuse_secret(value: object) -> object:
    """msgspec hook: what JSON has no form for is refused; a secret with a word about why."""
    if isinstance(value, Secret):
        raise TypeError("a secret must never be recorded: freeze the spec, or record a reference")
    raise TypeError(f"a {type(value).__name__} cannot be recorded")


_ENCODER: Final = msgspec.json.Encoder(enc_hook=refuse_secret)
_LINES: Final = msgspec.json.Decoder(Line)
_ENTRIES: Final = msgspec.json.Decoder(Entry)


def lines_of(entries: Sequence[Entry], lineage: str, first: int) -> tuple[list[Line], list[Entry]]:
    """The lines of one commit, with serials from ``first`` on, and the entries as a reader will find them.

    TypeError if an entry holds a secret, or would not be read again as it is written.
    """
    last = len(entries) - 1
    lines: list[Line] = []
    found: list[Entry] = []
    for index, entry in enumerate(entries):
        raw = _ENCODER.encode(entry)
        try:
            found.append(_ENTRIES.decode(raw))
        except msgspec.ValidationError as err:
            raise TypeError(f"an entry could not be read again: {err}") from err
        lines.append(Line(first + index, lineage, msgspec.Raw(raw), last - index))
    return lines, found


def entry_of(line: Line) -> Entry:
    """The entry of a line; ValueError where it is none."""
    try:
        entry: Entry = _ENTRIES.decode(line.entry)
    except RecursionError as err:
        raise ValueError(f"it is nested too deep ({err})") from err
    return entry


def frame(line: Line) -> bytes:
    """A line's bytes in the file."""
    body = _ENCODER.encode(line)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def frames(raw: bytes) -> Iterator[Frame]:
    """Every line of a journal, good or bad, in order."""
    start = number = 0
    while start < len(raw):
        number += 1
        newline = raw.find(b"\n", start)
        if newline < 0:
            yield Frame(number, len(raw), None, "it has no end", torn=True)
            return
        yield _frame(number, raw[start:newline], newline + 1)
        start = newline + 1


def _frame(number: int, text: bytes, end: int) -> Frame:
    body = text[9:]
    if text[:9] != b"%08x " % zlib.crc32(body):
        return Frame(number, end, None, "its checksum does not fit")
    try:
        return Frame(number, end, _LINES.decode(body))
    except (ValueError, RecursionError) as err:
        return Frame(number, end, None, str(err))


class Scan(NamedTuple):
    """The whole commits of a journal, and the offset where they end; after it is what a crash tore."""

    lines: list[Line]
    end: int


def scan(raw: bytes, where: str) -> Scan:
    """StateDamagedError: a bad line that is not the torn end, a gap in the serials, a broken commit."""
    lines: list[Line] = []
    whole = end = 0
    for found in frames(raw):
        if found.torn:
            break
        line, place = found.line, f"{where}:{found.number}"
        if line is None:
            raise damaged(f"line {found.number} is damaged: {found.complaint}", place)
        if lines:
            _follows(lines[-1], line, place)
        lines.append(line)
        if line.more == 0:
            whole, end = len(lines), found.end
    return Scan(lines[:whole], end)


def _follows(before: Line, line: Line, place: str) -> None:
    if line.serial != before.serial + 1:
        raise damaged(f"serial {line.serial} follows {before.serial}: lines are missing or doubled", place)
    if before.more and line.more != before.more - 1:
        raise damaged(f"the commit that serial {before.serial} belongs to is not whole", place)


class Journal:
    """The journal that a store appends to: a file that this very store made.

    So a store that lost its lock appends to a file that nobody reads any more. Methods raise OSError.
    """

    def __init__(self, directory: Path, files: Files, *, keep: bool) -> None:
        """An empty journal takes the place of the one before, which is kept as a backup if ``keep``."""
        self.path = directory / NAME
        self.length = 0
        self._files = files
        self._soiled = False
        between = directory / f"{NAME}.tmp"
        self._fd = files.open_new(between)
        try:
            if keep:
                files.keep(self.path, directory / BACKUP)
            files.rename(between, self.path)
        except BaseException:
            os.close(self._fd)
            raise

    def append(self, block: bytes) -> None:
        """On the disk when it returns. When it raises, the file is as before, or is cut before the next."""
        try:
            if self._soiled:
                self.cut(self.length)
            self._files.write(self._fd, self.path, block, self.length)
            self._files.sync(self._fd, self.path)
        except OSError:
            self._clean()
            raise
        self.length += len(block)

    def _clean(self) -> None:
        try:
            self.cut(self.length)
        except OSError:
            # The caller reports the first error, which has the same reason; the next append must cut first.
            self._soiled = True

    def cut(self, length: int) -> None:
        """Drops everything after ``length``."""
        self._files.truncate(self._fd, self.path, length)
        self.length = length
        self._soiled = False

    def close(self) -> None:
        os.close(self._fd)
