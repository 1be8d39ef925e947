"""Many light resources: deploy, no-op and destroy as they grow in number; and what a limit on calls makes of it."""

from __future__ import annotations

from collections.abc import Iterator

from bench import light
from bench.contest import compared, contest, measure
from bench.hall import Hall
from bench.sides import DESTROY, NEW, NOOP, Ours, Theirs
from bench.table import Row

SIZES = (12, 100, 500, 1500)
LATENCIES = (0.0, 0.05)
SMALL, LARGE = 150, 1500
"""Ten times as much must not take more than eleven times as long."""
LIMITED, RATE = 300, 10.0
_QUICK = {0.0: (12, 1500), 0.05: (1500,)}

_GOALS = {
    (NEW, "wall"): 0.25,
    (NEW, "CPU"): 0.15,
    (NEW, "calls"): 0.25,
    (NEW, "memory"): 0.15,
    (NOOP, "wall"): 0.1,
}


def rows(hall: Hall) -> Iterator[Row]:
    """Each size at each latency; a quick run: the ends, and with latency only the largest, without its destroy."""
    _warm(hall)
    walls = {}
    for latency in LATENCIES:
        hall.rehearsal.take(latency=latency)
        for size in _QUICK[latency] if hall.quick else SIZES:
            about = f"{size} resources, {latency * 1000:g} ms a call"
            works = (NEW, NOOP) if hall.quick and latency else (NEW, NOOP, DESTROY)
            ours, theirs = _sides(hall, size)
            found = contest(hall, about, ours, theirs, works)
            yield from compared("scale", about, found, _GOALS if size == LARGE else {})
            walls[latency, size] = found.ours[NEW]["wall"]
    hall.rehearsal.take()
    small = contest(hall, f"{SMALL} resources", _ours(hall, SMALL), [], (NEW,)).ours[NEW]["wall"]
    growth = walls[0.0, LARGE] / small
    yield Row(section="scale", what=f"wall of {LARGE} over {SMALL}, from nothing", ours=growth, unit="×", most=11)


def throttled(hall: Hall) -> Iterator[Row]:
    """Our wall over what the limit dictates: the calls that the busiest service gets where there is none, at its rate.

    A deploy in which a step fails ends with another code, and so without a number.
    """
    if not hall.rehearsal.limits_rates():
        yield Row(section="throttle", what="skipped", ours=None, unit="", note="the sandbox knows no limit of calls")
        return
    _warm(hall)
    ours = _ours(hall, LIMITED)
    hall.rehearsal.empty()
    ours.fresh()
    measure(hall, f"{LIMITED} resources, no limit", ours, NEW)
    counts = hall.rehearsal.requests()["counts"]
    busiest, calls = max(((name, sum(of.values())) for name, of in counts.items()), key=lambda pair: pair[1])
    hall.rehearsal.take(rate_limit=RATE)
    found = contest(hall, f"{LIMITED} resources, {RATE:g} calls a second", ours, [], (NEW,)).ours[NEW]
    about = f"{LIMITED} resources at {RATE:g} calls a second and service"
    yield Row(section="throttle", what=f"{about}: wall", ours=found["wall"], unit="s")
    yield Row(section="throttle", what=f"{about}: calls, refused ones too", ours=found["calls"], unit="")
    dictated = calls / RATE
    what = f"{about}: wall over the {dictated:.0f} s that {calls} calls of {busiest} take"
    yield Row(section="throttle", what=what, ours=found["wall"] / dictated, unit="×", most=1.2)


def _ours(hall: Hall, size: int) -> Ours:
    return hall.ours(light.write(hall.scratch, size), "-e", light.ENVIRONMENT)


def _sides(hall: Hall, size: int) -> tuple[Ours, list[Theirs]]:
    return _ours(hall, size), hall.theirs("light", {"size": str(size)})


def _warm(hall: Hall) -> None:
    """What the sandbox loads when it is first used, it loads now."""
    hall.rehearsal.take()
    few = _ours(hall, 4)
    few.do(NEW)
    few.do(DESTROY)
