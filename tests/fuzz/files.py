"""One file case: which files, what was done to them, and what then reads them."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, NamedTuple

from tests.fuzz.corpus import Image, fitted, images
from tests.fuzz.mutations import KINDS, SCALE, WORDS, Change, changed
from tests.fuzz.readers import READERS

CALLS = 3_000_000
"""So many function calls are more than any file is worth: whoever needs more hangs, or will with a larger file."""

STUCK = 20
"""Seconds of processor time after which a case is given up, for what hangs within a single call."""

_MEMORY = Path("/dev/shm")


class Edit(NamedTuple):
    """What was done to one file of the corpus."""

    file: str
    changes: tuple[Change, ...]


class Case(NamedTuple):
    """``fit``: afterwards the checksums are made to fit; ``gone``: files that are missing; ``copies``: files that stand
    where another one should; ``words``: ``--param`` names and values."""

    corpus: str
    edits: tuple[Edit, ...] = ()
    fit: bool = False
    gone: tuple[str, ...] = ()
    copies: tuple[tuple[str, str], ...] = ()
    words: tuple[tuple[str, str], ...] = ()


class TooMuchWorkError(BaseException):
    """The case is not done when it ought to be. Not an Exception: nobody on the way may take it for one of theirs."""


def files_of(case: Case) -> Image:
    """The directory of a case."""
    image = dict(images()[case.corpus])
    for source, target in case.copies:
        if source in image:
            image[target] = image[source]
    for edit in case.edits:
        if edit.file in image:
            image[edit.file] = changed(image[edit.file], edit.changes)
            if case.fit:
                image[edit.file] = fitted(edit.file, image[edit.file])
    return {name: raw for name, raw in image.items() if name not in case.gone}


def read(case: Case, *, counted: bool = False) -> str:
    """What the reader came to; whatever it raises is a violation. ``counted``: its function calls are bounded too."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as directory:
        for name, raw in files_of(case).items():
            (Path(directory) / name).write_bytes(raw)
        with _bounded(counted):
            return READERS[case.corpus](Path(directory), case.words)


def holds(case: Case) -> None:
    """For whoever collects failures: one that is no Exception becomes one."""
    try:
        read(case)
    except TooMuchWorkError as error:
        raise AssertionError(f"too much work: {error}") from error


@contextmanager
def _bounded(counted: bool) -> Iterator[None]:
    left = CALLS

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            sys.setprofile(None)
            raise TooMuchWorkError(f"{CALLS} calls, the last in {frame.f_code.co_qualname}")

    def give_up(number: int, frame: FrameType | None) -> None:
        raise TooMuchWorkError(f"{STUCK} s of processor time")

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, STUCK)
    if counted:
        sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


# -- random ones ----------------------------------------------------------------------------------------------

WEIGHTS = {"killed": 10, "rest": 8, "fresh": 2, "parameters": 5, "quickstart": 3, "quickstart-json": 3, "toy": 5}
"""How often each part of the corpus is drawn; once where nothing is said."""

_DRAWN = [name for name in READERS for _ in range(WEIGHTS.get(name, 1))]
_FAVOURITES = {
    "json": ("node", "node", "lose node", "twin node"),
    "yaml": ("scalar", "scalar", "insert", "move", "double", "leave out", "indent", "drop", "repeat"),
}
_NAMES = ("region", "size", "share", "large", "zones", "token", "no-such", "", "${x}")
_TEXTS = (*WORDS, "a,b", "[a, c]", "[", "1,,2", "50", " 7 ", "x" * 5000)


def random_case(seed: int, number: int) -> Case:
    """The case of that number; the same one every time."""
    dice = Random(f"{seed}/{number}")
    corpus = dice.choice(_DRAWN)
    names = sorted(images()[corpus])
    state = "state.json" in names
    json = state or corpus.endswith("-json") or corpus in ("endpoints", "sandbox")
    kinds = [*KINDS, *_FAVOURITES["json" if json else "yaml"] * 4]
    return Case(
        corpus=corpus,
        edits=tuple(Edit(dice.choice(names), _changes(dice, kinds)) for _ in range(dice.choice((1, 1, 2)))),
        fit=state and dice.random() < 0.5,
        gone=tuple(dice.sample(names, dice.choice((0, 0, 1, 2)))) if state else (),
        copies=((dice.choice(names), dice.choice(names)),) if state and dice.random() < 0.2 else (),
        words=_words(dice) if corpus.startswith("parameters") else (),
    )


def _changes(dice: Random, kinds: list[str]) -> tuple[Change, ...]:
    many = dice.choice((1, 1, 1, 2, 2, 3, 4))
    places = (
        (dice.choice(kinds), dice.randrange(SCALE), dice.randrange(SCALE), dice.randrange(10_000)) for _ in range(many)
    )
    return tuple(Change(*place) for place in places)


def _words(dice: Random) -> tuple[tuple[str, str], ...]:
    return tuple((dice.choice(_NAMES), dice.choice(_TEXTS)) for _ in range(dice.choice((0, 1, 1, 2))))
