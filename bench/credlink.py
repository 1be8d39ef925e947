"""Credlink, ours and an equal stack of Terraform's: from nothing, no-op, update of one value, destroy."""

from __future__ import annotations

from collections.abc import Iterator

from bench.contest import Found, contest
from bench.contest import rows as compared
from bench.hall import Hall
from bench.rehearsal import SLOW
from bench.sides import DESTROY, NEW, NOOP, ROOT, UPDATE, Ours, Theirs
from bench.table import Row

PLAN = ROOT / "plans" / "aws-credlink.yaml"
BIGGER = "db.t3.medium"
LATENCIES = (0.0, 0.05)
CRITICAL = SLOW["rds"]
"""The longest chain of provisioning times: database and cache are made side by side."""

_GOALS = {
    **{(work, "CPU"): 0.3 for work in (NEW, NOOP, UPDATE, DESTROY)},
    **{(work, "memory"): 0.15 for work in (NEW, NOOP, UPDATE, DESTROY)},
    (NEW, "wall"): 0.1,
    (NOOP, "wall"): 0.15,
    (NEW, "calls"): 0.5,
    (NOOP, "calls"): 0.3,
}
_WAITING_GOALS = {(NEW, "CPU"): 0.3, (NEW, "memory"): 0.15, (UPDATE, "CPU"): 0.3, (UPDATE, "memory"): 0.15}
_KINDS = {"db-instance": "database", "replication-group": "cache"}


def rows(hall: Hall) -> Iterator[Row]:
    """Nothing to wait for, at each latency. A quick run measures Terraform's update and destroy only without any."""
    ours, theirs = _sides(hall)
    _warm(hall, ours)
    for latency in LATENCIES:
        hall.rehearsal.take(latency=latency)
        works = (NEW, NOOP) if hall.quick and latency else (NEW, NOOP, UPDATE, DESTROY)
        about = f"{latency * 1000:g} ms a call"
        found = contest(hall, about, ours, theirs, works)
        yield from compared("credlink", about, found, _GOALS)
        writes = found.ours[NOOP]["writes"]
        yield Row(section="credlink", what=f"no-op, {about}: calls that write", ours=writes, unit="", most=0)


def waiting(hall: Hall) -> Iterator[Row]:
    """12 s for the database, 8 s for the cache beside it, 8 s for a change: what is added to that, and by what lag."""
    ours, theirs = _sides(hall)
    _warm(hall, ours)
    own = contest(hall, "nothing to wait for", ours, [], (NEW,)).ours[NEW]
    hall.rehearsal.take(times=SLOW)
    works = (NEW,) if hall.quick else (NEW, UPDATE)
    found = contest(hall, "12/8/8 s", ours, theirs, works)
    yield from compared("waiting", "12/8/8 s", found, _WAITING_GOALS)
    took, ran = found.ours[NEW]["wall"], found.ours[NEW]["run"]
    path = f"{CRITICAL:g} s"
    for what, over in (
        (f"the run itself over the {path} of the database", ran / CRITICAL),
        (f"the run itself over {path} and its own calls' time ({own['run']:.2f} s)", ran / (CRITICAL + own["run"])),
    ):
        yield Row(section="waiting", what=what, ours=over, unit="×", most=1.02)
    start = f"the command over {path} and its own wall with nothing to wait for ({own['wall']:.2f} s)"
    yield Row(section="waiting", what=start, ours=took / (CRITICAL + own["wall"]), unit="×", most=1.02)
    yield from _lags(found)


def _lags(found: Found) -> Iterator[Row]:
    for work, numbers in found.ours.items():
        for kind, word in _KINDS.items():
            number = f"lag {kind}"
            if number not in numbers:
                continue
            theirs = [of[work][number] for of in found.theirs.values() if number in of.get(work, {})]
            yield Row(
                section="lag",
                what=f"{work}: {word} ready to step done",
                ours=numbers[number],
                theirs=min(theirs, default=None),
                unit="s",
                most=0.3,
                note="" if theirs else found.why,
            )


def _sides(hall: Hall) -> tuple[Ours, list[Theirs]]:
    ours = hall.ours(PLAN, "-e", "production", changed=("--param", f"db_instance_class={BIGGER}"))
    return ours, hall.theirs("credlink", {}, changed={"instance_class": BIGGER})


def _warm(hall: Hall, ours: Ours) -> None:
    """What the sandbox loads when it is first used, it loads now."""
    hall.rehearsal.take()
    ours.do(NEW)
    ours.do(DESTROY)
