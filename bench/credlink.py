"""Credlink, ours and an equal stack of Terraform's: from nothing, no-op, update of one value, destroy."""

from __future__ import annotations

from collections.abc import Iterator

from bench.contest import Found, Numbers, compared, contest
from bench.hall import Hall
from bench.rehearsal import SLOW
from bench.sides import CREDLINK, DESTROY, NEW, NOOP, UPDATE, Ours, Theirs
from bench.table import Row

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
    yield from _over_path(own, found.ours[NEW])
    yield from _lags(found)


def _over_path(own: Numbers, waited: Numbers) -> Iterator[Row]:
    """What was taken over what had to be: the database's time alone, and with the calls before and after it.

    Those are what a deploy takes that has nothing to wait for, without the step of the database in it.
    """
    rest = own["run"] - own["step db-instance"]
    start = own["wall"] - own["run"]
    for what, took, path in (
        (f"the run itself over the {CRITICAL:g} s of the database", waited["run"], CRITICAL),
        (f"the run over that and the {rest:.2f} s of its other calls", waited["run"], CRITICAL + rest),
        (f"the command over both and the {start:.2f} s of its start and end", waited["wall"], CRITICAL + rest + start),
    ):
        yield Row(section="waiting", what=what, ours=took / path, unit="×", most=1.02)


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
    ours = hall.ours(CREDLINK, "-e", "production", changed=("--param", f"db_instance_class={BIGGER}"))
    return ours, hall.theirs("credlink", {}, changed={"instance_class": BIGGER})


def _warm(hall: Hall, ours: Ours) -> None:
    """What the sandbox loads when it is first used, it loads now."""
    hall.rehearsal.take()
    ours.do(NEW)
    ours.do(DESTROY)
