"""The same works on both sides in turn, and what the numbers come to.

Ours, theirs, ours, theirs, …: what else the machine does hits both. Each turn begins in an empty sandbox without a
record and does all its works; a number is the median of its turns. Where Terraform is measured at several parallelisms,
ours is held against the best that any of them reached, number by number.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from bench.process import Failed
from bench.sides import Side
from bench.table import Row

UNITS = {"wall": "s", "CPU": "s", "memory": "MB", "calls": "", "state": "kB"}
"""What is measured of each work, by its unit: seconds, the peak of all processes, the record on the disk after it."""

Numbers = dict[str, float]
Goals = Mapping[tuple[str, str], float]


class Counted(Protocol):
    """A sandbox, as far as it is asked here; what each says is told where ``Rehearsal`` says it."""

    def empty(self) -> None: ...
    def forget(self) -> None: ...
    def requests(self) -> dict[str, Any]: ...
    def arrivals(self) -> dict[str, float]: ...


class Place(Protocol):
    """Where it is done: ``Hall``."""

    @property
    def rehearsal(self) -> Counted: ...
    @property
    def runs(self) -> int: ...
    @property
    def why(self) -> str: ...

    def say(self, text: str) -> None: ...
    def note(self, numbers: dict[str, Any]) -> None: ...


class Found(NamedTuple):
    """Medians: of ours by work, and of theirs by label and work. ``why``: what is missing of the latter, and why."""

    ours: dict[str, Numbers]
    theirs: dict[str, dict[str, Numbers]]
    why: str


def contest(hall: Place, about: str, ours: Side, theirs: Sequence[Side], works: Sequence[str]) -> Found:
    """Does ``works`` in order, on each side. Failed where ours fails; where theirs does, ours is measured alone."""
    samples: dict[str, dict[str, list[Numbers]]] = {}
    failed = ""
    for turn in range(hall.runs):
        rivals: list[Side | None] = [] if failed else [*theirs]
        for rival in rivals or [None]:
            _one_turn(hall, f"{about}, {turn + 1} of {hall.runs}", ours, works, samples)
            if rival is None:
                continue
            try:
                _one_turn(hall, f"{about}, {turn + 1} of {hall.runs}", rival, works, samples)
            except Failed as err:
                hall.say(f"{rival.label}: {err}")
                failed = f"terraform: {err.gist}"
                samples.pop(rival.label, None)
                break
    medians = {label: {work: median(numbers) for work, numbers in found.items()} for label, found in samples.items()}
    return Found(medians.pop(ours.label), medians, failed or hall.why)


def _one_turn(
    hall: Place, about: str, side: Side, works: Sequence[str], samples: dict[str, dict[str, list[Numbers]]]
) -> None:
    hall.rehearsal.empty()
    side.fresh()
    found = {}
    for work in works:
        found[work] = measure(hall, about, side, work)
    for work, numbers in found.items():  # all of a turn or nothing
        samples.setdefault(side.label, {}).setdefault(work, []).append(numbers)


def measure(hall: Place, about: str, side: Side, work: str) -> Numbers:
    """One work of one side: the numbers of UNITS, and how long databases and caches took, with the lag of each."""
    hall.rehearsal.forget()
    done = side.do(work)
    requests = hall.rehearsal.requests()
    numbers: Numbers = {
        "wall": done.wall,
        "CPU": done.cpu,
        "memory": done.memory,
        "calls": requests["total"],
        "state": side.state() / 1000,
        "writes": requests["writes"],
        "run": side.ran(done),
    }
    ready, steps = hall.rehearsal.arrivals(), side.steps(done)
    numbers |= {f"step {kind}": span.done - span.began for kind, span in steps.items()}
    numbers |= {f"lag {kind}": span.done - ready[kind] for kind, span in steps.items() if kind in ready}
    hall.note({"about": about, "work": work, "side": side.label, **{k: round(v, 4) for k, v in numbers.items()}})
    return numbers


def median(samples: Sequence[Numbers]) -> Numbers:
    """Number by number; what one sample lacks, the median is of the others."""
    names = {name: None for sample in samples for name in sample}
    return {name: statistics.median(sample[name] for sample in samples if name in sample) for name in names}


def best(theirs: Mapping[str, Mapping[str, Numbers]], work: str, number: str) -> tuple[float | None, str]:
    """The least of what the others reached, and whose it is."""
    reached = {label: found[work][number] for label, found in theirs.items() if number in found.get(work, {})}
    if not reached:
        return None, ""
    label = min(reached, key=lambda one: reached[one])
    return reached[label], label if len(reached) > 1 else ""


def compared(section: str, about: str, found: Found, goals: Goals) -> Iterator[Row]:
    """A row for each work and number. ``goals``: the most that ours over theirs may be, by work and number."""
    for work, numbers in found.ours.items():
        for number, unit in UNITS.items():
            theirs, whose = best(found.theirs, work, number)
            yield Row(
                section=section,
                what=f"{work}, {about}",
                number=number,
                ours=numbers[number],
                theirs=theirs,
                unit=unit,
                compared=True,
                most=goals.get((work, number)),
                note=", ".join(filter(None, (whose, found.why))),
            )
