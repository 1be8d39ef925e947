"""Workers, each with a house of its own, that take points from a common heap until it is empty."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.crash.subjects import Subject
from tests.crash.sweep.house import House
from tests.crash.sweep.points import Counted, Point, by_verb, rank
from tests.crash.sweep.stories import EMPTY, Outcome, Stage

TRIES: Final = 3
"""A moment that did not come may come the next time: polls and what runs side by side vary."""

_FITS: Final = {
    EMPTY: ("deploy",),
    "a": ("update", "rollback", "rollback-first", "destroy"),
    "b": ("update-back", "rollback", "destroy"),
}
"""What can be played where the house stands, without a run that is there for its sake alone."""


class Heap:
    """The points that are left, those at which something changes first. Thread-safe."""

    def __init__(self, points: Sequence[Point], counted: Counted, seed: int) -> None:
        self._guard = threading.Lock()
        self._dice = random.Random(seed)
        self._left = {verb: list(found) for verb, found in by_verb(points).items()}
        self._tries: dict[str, int] = {}
        for found in self._left.values():
            self._dice.shuffle(found)
            found.sort(key=lambda point: -rank(counted, point))  # they are taken from the end

    def __len__(self) -> int:
        with self._guard:
            return sum(map(len, self._left.values()))

    def take(self, at: str, *, first: bool) -> Point | None:
        """One that begins where the house stands, if there is any; else any; None when all are taken."""
        with self._guard:
            fitting = [verb for verb in _FITS[at] if self._left[verb] and (first or verb != "rollback-first")]
            verbs = fitting or [verb for verb, found in self._left.items() if found]
            if not verbs:
                return None
            verb = self._dice.choices(verbs, [len(self._left[verb]) for verb in verbs])[0]
            return self._left[verb].pop()

    def give_back(self, point: Point) -> bool:
        """For another try; False where it had as many as it gets."""
        with self._guard:
            tries = self._tries[point.key] = self._tries.get(point.key, 1) + 1
            if tries > TRIES:
                return False
            self._left[point.verb].insert(0, point)
            return True


def work(house: House, counted: Counted, heap: Heap, told: Callable[[Outcome], None], stop: threading.Event) -> None:
    """Plays points until none is left or somebody stops it."""
    stage = Stage(house, counted.steps)
    while not stop.is_set():
        point = heap.take(stage.at, first=stage.first)
        if point is None:
            return
        outcome = stage.play(point)
        if not outcome.reached and not outcome.complaints and heap.give_back(point):
            continue
        told(outcome)


def sweep(
    directory: Path,
    subject: Subject,
    counted: Counted,
    heap: Heap,
    *,
    workers: int,
    bucket: bool,
    told: Callable[[Outcome], None],
) -> BaseException | None:
    """All of it; ``bucket``: with the record in one. ``told`` is called with every outcome, by one worker at a time.

    The first failure of the sweep itself stops it and is returned.
    """
    stop, guard, broken = threading.Event(), threading.Lock(), list[BaseException]()

    def tell(outcome: Outcome) -> None:
        with guard:
            told(outcome)

    def one(number: int) -> None:
        try:
            house = House(directory / f"house-{number}", subject, bucket=bucket)
            try:
                work(house, counted, heap, tell, stop)
            finally:
                house.close()
        except BaseException as error:
            broken.append(error)
            stop.set()

    threads = [threading.Thread(target=one, args=(number,), name=f"house-{number}") for number in range(workers)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt as error:
        stop.set()
        for thread in threads:
            thread.join()
        return error
    return broken[0] if broken else None
