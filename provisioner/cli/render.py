"""Prints every character of the command line: results to stdout, progress, questions and errors to stderr.

What others say (a cloud, a plan) reaches the terminal without control characters. A reader that went away (``| head``)
ends the printing and never the run.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import select
import sys
from collections.abc import Iterable
from typing import Any, Final, TextIO

import click

_CONTROL: Final = re.compile(r"(\x1b\[[0-9;]*m)|[\x00-\x08\x0b-\x1f\x7f-\x9f]|[\u202a-\u202e\u2066-\u2069]")
_NARROWEST: Final = 40
_PLENTY: Final = 1000


def clean(text: str) -> str:
    """The text without control characters, but for line ends, tabs and colours.

    >>> clean("a\\x1b]0;title\\x07b")
    'a]0;titleb'
    """
    return _CONTROL.sub(lambda match: match.group(1) or "", text)


def _await_input() -> None:
    """Waits for an answer in short turns: a signal that comes just before a blocking read would not be heard in it."""
    try:
        waiting = [sys.stdin.fileno()]
    except (OSError, ValueError):
        return  # not a real stream: it answers at once
    while not select.select(waiting, [], [], 0.2)[0]:
        pass


class Stream:
    """One of the two standard streams; silent for good once its reader is gone."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.gone = False

    @property
    def terminal(self) -> bool:
        """Somebody looks at it."""
        try:
            return self.file.isatty()
        except ValueError:  # closed
            return False

    @property
    def colour(self) -> bool:
        """A terminal whose owner has nothing against colours (https://no-color.org)."""
        return self.terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    @property
    def width(self) -> int:
        """Columns, for texts that are to fit; plenty where nobody looks."""
        if not self.terminal:
            return _PLENTY
        import shutil

        return max(shutil.get_terminal_size().columns, _NARROWEST)

    def write(self, text: str) -> None:
        """Text as it is, flushed."""
        self.put(text if self.colour else click.unstyle(text))

    def put(self, text: str) -> None:
        """The same for whoever has seen to colours himself."""
        if self.gone:
            return
        try:
            self._put(text)
        except (OSError, ValueError) as err:
            self._lose(err)

    def _put(self, text: str) -> None:
        try:
            try:
                self.file.write(text)
            except UnicodeEncodeError as err:  # half a character, or one that this terminal's encoding lacks
                self.file.write(text.encode(err.encoding, "replace").decode(err.encoding))
            self.file.flush()
        except RuntimeError:
            # A signal's handler writes while the thread that it interrupted is writing.
            os.write(self.file.fileno(), click.unstyle(text).encode(errors="replace"))

    def _lose(self, err: OSError | ValueError) -> None:
        """Whoever read this stream is gone (or its disk is full); the interpreter must not stumble over it at exit."""
        self.gone = True
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.file.fileno())
            os.close(null)
        if not isinstance(err, BrokenPipeError) and self.file is sys.stdout:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"provisioner: cannot write to stdout: {err}\n")


class Screen(io.TextIOBase):
    """A stream as a library wants it that draws by itself: a terminal that was closed is no error here either."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.file.encoding

    def write(self, text: str) -> int:
        self._stream.put(text)
        return len(text)

    def flush(self) -> None:
        """Every write is flushed."""

    def isatty(self) -> bool:
        return self._stream.terminal

    def fileno(self) -> int:
        return self._stream.file.fileno()


class Printer:
    """Both streams. ``out`` is for what was asked for, ``err`` for everything said on the way."""

    def __init__(self, stdout: TextIO | None = None, stderr: TextIO | None = None) -> None:
        self.out = Stream(stdout or sys.stdout)
        self.err = Stream(stderr or sys.stderr)

    def show(self, lines: Iterable[str]) -> None:
        """Lines to stdout."""
        text = "\n".join(lines)
        if text:
            self.out.write(clean(text) + "\n")

    def raw(self, text: str) -> None:
        """Text to stdout exactly as it is, for programs that read it."""
        self.out.write(text)

    def json(self, tree: Any) -> None:
        """One JSON object to stdout. TypeError for what JSON does not know, secrets above all."""
        import json

        self.out.write(json.dumps(tree, indent=2, ensure_ascii=False) + "\n")

    def say(self, *lines: str) -> None:
        """Lines to stderr."""
        text = "\n".join(lines)
        if text:
            self.err.write(clean(text) + "\n")

    @property
    def interactive(self) -> bool:
        """A question would reach a person, and the answer us."""
        try:
            return sys.stdin is not None and sys.stdin.isatty() and self.err.terminal
        except ValueError:
            return False

    def ask(self, question: str) -> bool:
        """Yes or no; anything but a clear yes is a no. :class:`click.Abort` when it was interrupted."""
        self.err.write(clean(f"{question} [y/N] "))
        try:
            _await_input()
            answer = sys.stdin.readline()
        except (KeyboardInterrupt, OSError) as err:  # OSError: the terminal was closed
            self.err.write("\n")
            raise click.Abort from err
        return answer.strip().lower() in ("y", "yes")
