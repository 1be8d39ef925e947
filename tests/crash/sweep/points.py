"""Which deaths there are: counted in a first clean run of every verb, never listed by hand."""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from tests.crash.sweep.house import House

VERBS: Final = ("deploy", "update", "update-back", "rollback", "rollback-first", "destroy")
"""``update`` leads from variant a to b, ``update-back`` to a again; ``rollback`` takes an update back,
``rollback-first`` the deploy that made everything."""

_OTHER_WAY: Final = 4
_AT_ONCE: Final = 12
_HEAD_START: Final = 40
"""Moments that any run has before it has seen what is there."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A death: the moment ``name`` of a run of ``verb``; and with ``second`` another one, at the moment of that number
    of the run that recovers from it."""

    verb: str
    name: str
    second: int = 0

    @property
    def key(self) -> str:
        """``VERB: MOMENT``, and ``, then NUMBER``."""
        return f"{self.verb}: {self.name}" + (f", then {self.second}" if self.second else "")

    @property
    def other_way(self) -> bool:
        """One in four is recovered from by the other command (rollback for deploy, deploy for the rest)."""
        return zlib.crc32(self.key.encode()) % _OTHER_WAY == 0

    @property
    def at_once(self) -> bool:
        """One in twelve is recovered from in the same moment, the others after a while (see :mod:`house`)."""
        return zlib.crc32(f"once {self.key}".encode()) % _AT_ONCE == 0


def parse(key: str) -> Point:
    """The point of a key; ValueError where it is none."""
    verb, colon, rest = key.partition(": ")
    name, _, second = rest.partition(", then ")
    if verb not in VERBS or not colon or not name or not (second or "0").isdigit():
        raise ValueError(f"{key!r} is not VERB: MOMENT[, then NUMBER]")
    return Point(verb=verb, name=name, second=int(second or "0"))


class Counted(msgspec.Struct, kw_only=True):
    """The moments of each verb in the order of the run that was counted, and how many steps the plan records."""

    moments: dict[str, list[str]]
    steps: int


def count(house: House) -> Counted:
    """Runs every verb once, undisturbed; AssertionError where one fails."""
    moments: dict[str, list[str]] = {}

    def clean(verb: str, command: str, variant: str = "a") -> None:
        ran = house.run(command, variant=variant)
        assert ran.code == 0, f"{verb}: {ran.code}: {ran.err}"
        moments[verb] = ran.trail

    house.fresh()
    clean("deploy", "deploy")
    house.fresh()
    clean("deploy", "deploy")  # the first one loaded what a sandbox loads when it is first asked
    state = house.state()
    assert state is not None
    steps = len(state.steps)
    clean("update", "deploy", "b")
    clean("update-back", "deploy", "a")
    clean("update", "deploy", "b")
    clean("rollback", "rollback", "b")
    clean("destroy", "destroy")
    house.fresh()
    clean("deploy", "deploy")
    clean("rollback-first", "rollback")
    house.fresh()
    return Counted(moments=moments, steps=steps)


def single(counted: Counted, verbs: Sequence[str], sample: int | None, seed: int) -> list[Point]:
    """One point a moment; with ``sample`` so many a verb, spread evenly over its run, which ones is the seed's word."""
    points = []
    for verb in verbs:
        names = counted.moments[verb]
        if sample is not None:
            shift = random.Random(f"{seed} {verb}").random()
            places = {int((place + shift) * len(names) / sample) for place in range(sample)}
            names = [names[place] for place in sorted(places) if place < len(names)]
        points += [Point(verb=verb, name=name) for name in names]
    return points


def double(counted: Counted, verbs: Sequence[str], number: int, seed: int) -> list[Point]:
    """So many pairs, drawn evenly over the moments of all verbs; each only once."""
    dice = random.Random(seed)
    places = [(verb, place) for verb in verbs for place in range(len(counted.moments[verb]))]
    points: dict[str, Point] = {}
    for verb, place in dice.sample(places, min(number, len(places))):
        names = counted.moments[verb]
        second = dice.randint(1, _HEAD_START + int(0.9 * (len(names) - place)))
        point = Point(verb=verb, name=names[place], second=second)
        points[point.key] = point
    return list(points.values())


def rank(counted: Counted, point: Point) -> int:
    """0 for a moment at which the cloud or the disk changes, and for pairs; 1 for one at which something is only read.

    Nothing changes between two reads, so a death at either leaves the same behind: these come last.
    """
    if point.second:
        return 0
    when, _, thing = point.name.partition(" ")
    service, dot, operation = thing.partition(" ")[0].partition(".")
    request = bool(dot) and service.islower() and operation[:1].isupper()
    return int(request and f"sent {thing}" not in counted.moments[point.verb] and when != "sent")


def by_verb(points: Sequence[Point]) -> Mapping[str, list[Point]]:
    """Verb → its points, in their order."""
    return {verb: [point for point in points if point.verb == verb] for verb in VERBS}
