"""``scripts/crash-sweep``: every death of every verb, and pairs of them; a table, and exit code 1 if anything is wrong."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.crash.subjects import SUBJECTS, Subject
from tests.crash.sweep.crew import Heap, sweep
from tests.crash.sweep.house import House
from tests.crash.sweep.points import VERBS, Counted, Point, count, double, parse, single
from tests.crash.sweep.report import Head, Results, failures, table
from tests.crash.sweep.stories import Outcome, Stage

BUCKET = "bucket"
_TELL_EVERY = 20.0


def main(words: Sequence[str] | None = None) -> int:
    """0: every point ended well; 1: one did not; 2: wrong usage; 130: interrupted."""
    arguments = _parser().parse_args(words)
    for number in (signal.SIGINT, signal.SIGTERM):  # also in the background, where Ctrl-C is ignored
        signal.signal(number, signal.default_int_handler)
    directory = Path(tempfile.mkdtemp(prefix="crash-sweep-"))
    try:
        if arguments.point:
            return _one(directory, SUBJECTS[arguments.plan], parse(arguments.point), bucket=arguments.record == BUCKET)
        return _all(directory, arguments)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _one(directory: Path, subject: Subject, point: Point, *, bucket: bool) -> int:
    """Plays one point, and tells all that was said."""
    house = House(directory / "house", subject, bucket=bucket)
    try:
        stage = Stage(house, count(house).steps)
        outcome = stage.play(point)
        for ran in house.said:
            print(f"$ {ran.words}   → {ran.code}   {f'died {ran.died}' if ran.died else ''}\n{ran.err}")
    finally:
        house.close()
    print(table([outcome]), failures([outcome]), sep="\n")
    return 1 if outcome.complaints else 0


def _all(directory: Path, arguments: argparse.Namespace) -> int:
    results = Results(arguments.resume or arguments.results)
    if results.head is None or not arguments.resume:
        results = _anew(directory, arguments)
    assert results.head is not None
    points = _chosen(results.head.counted, results.head.chosen)
    left = [point for point in points if not results.done(point.key)]
    heap = Heap(left, results.head.counted, int(results.head.chosen["seed"]))
    print(f"{len(points)} points, {len(left)} to play, results in {results.path}", flush=True)
    told = _Teller(results, len(left))
    chosen = results.head.chosen
    error = sweep(
        directory,
        SUBJECTS[chosen.get("plan", "credlink")],
        results.head.counted,
        heap,
        workers=arguments.workers,
        bucket=chosen["record"] == BUCKET,
        told=told,
    )
    done = list(results.outcomes.values())
    print(table(done), failures(done, chosen), sep="\n")
    if isinstance(error, KeyboardInterrupt):
        print(f"interrupted; go on with: scripts/crash-sweep --resume {results.path}")
        return 130
    if error is not None:
        raise error
    return 1 if any(outcome.complaints for outcome in done) else 0


def _anew(directory: Path, arguments: argparse.Namespace) -> Results:
    """Counts, and begins a new file; the one of that name before is kept beside it."""
    path: Path = arguments.results
    if path.exists():
        path.replace(path.with_name(f"{path.name}.before"))
    house = House(directory / "count", SUBJECTS[arguments.plan], bucket=arguments.record == BUCKET)
    try:
        counted = count(house)
    finally:
        house.close()
    sample = "" if arguments.sample is None else str(arguments.sample)
    chosen = {"verbs": arguments.verb, "sample": sample, "double": str(arguments.double), "seed": str(arguments.seed)}
    chosen |= {"record": arguments.record, "plan": arguments.plan}
    results = Results(path)
    results.begin(Head(counted=counted, chosen=chosen))
    return results


def _chosen(counted: Counted, chosen: dict[str, str]) -> list[Point]:
    verbs = chosen["verbs"].split(",")
    seed, sample = int(chosen["seed"]), int(chosen["sample"]) if chosen["sample"] else None
    return single(counted, verbs, sample, seed) + double(counted, verbs, int(chosen["double"]), seed)


class _Teller:
    """Writes every outcome, says at once what is wrong, and now and then how far it is."""

    def __init__(self, results: Results, points: int) -> None:
        self._results = results
        self._chosen = results.head.chosen if results.head else {}
        self._points = points
        self._begun = self._told = time.monotonic()
        self._count = 0

    def __call__(self, outcome: Outcome) -> None:
        self._results.write(outcome)
        self._count += 1
        if outcome.complaints:
            print(failures([outcome], self._chosen), flush=True)
        now = time.monotonic()
        if now - self._told > _TELL_EVERY:
            self._told = now
            left = (now - self._begun) / self._count * (self._points - self._count)
            print(f"{self._count} of {self._points}, about {left / 60:.0f} min to go", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/crash-sweep", description=__doc__)
    parser.add_argument("--verb", default=",".join(VERBS), type=_verbs, help=f"of {', '.join(VERBS)}")
    parser.add_argument("--plan", choices=SUBJECTS, default="credlink", help="what is deployed (default credlink)")
    parser.add_argument("--record", choices=("home", BUCKET), default="home", help="where the record is")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="sandboxes side by side")
    parser.add_argument("--double", type=int, default=300, help="pairs of deaths (default 300)")
    parser.add_argument("--seed", type=int, default=1, help="decides what is sampled (default 1)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--sample", type=int, help="so many single deaths a verb")
    which.add_argument("--all", action="store_true", help="every single death (the default)")
    parser.add_argument("--results", type=Path, default=Path("bench") / "crash-sweep.jsonl", help="JSON lines")
    parser.add_argument("--resume", type=Path, help="go on with these results")
    parser.add_argument("--point", help="play this one alone and tell everything: 'VERB: MOMENT[, then NUMBER]'")
    return parser


def _verbs(text: str) -> str:
    unknown = set(text.split(",")) - set(VERBS)
    if unknown:
        raise argparse.ArgumentTypeError(f"no such verb: {', '.join(sorted(unknown))}; there are {', '.join(VERBS)}")
    return text


if __name__ == "__main__":
    sys.exit(main())
