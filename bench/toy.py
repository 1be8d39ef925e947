"""Many light steps on the toy cloud, with the machine's own clock and a record on the disk.

``python -m bench.toy N`` measures one size in a process of its own and prints it as JSON: so memory is that size's own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.hall import Hall
from bench.sampler import peak
from bench.table import Row
from provisioner.engine.clock import SystemClock
from provisioner.operations.deploy import deploy
from provisioner.operations.destroy import destroy
from provisioner.operations.site import Options, Outcome, Site, open_site
from provisioner.plan.model import Plan
from provisioner.state.lock import Owner
from provisioner.state.records import PutRecord
from provisioner.state.store import Store
from tests.engine.toycloud import ToyCloud
from tests.engine.toytypes import registry
from tests.engine.world import DEPLOYMENT, World, plan, step

SMALL, LARGE = 150, 1500
RUNS = 3
CHAIN = 10
"""Steps hang on each other in chains of so many."""
COMMITS = 60


def rows(hall: Hall) -> Iterator[Row]:
    """The engine and its record, without a cloud."""
    small, large = _best(SMALL), _best(LARGE)
    for verb in ("deploy", "deploy again", "destroy"):
        for size, found in ((SMALL, small), (LARGE, large)):
            yield Row(section="toy", what=f"{verb}, {size} steps", ours=round(found[verb], 3), unit="s")
            each = found[verb] / size * 1e6
            yield Row(section="toy", what=f"{verb}, {size} steps, a step", ours=round(each), unit="µs")
        growth = (large[verb] / LARGE) / (small[verb] / SMALL)
        yield Row(
            section="toy",
            what=f"{verb}: time a step, {LARGE} over {SMALL}",
            ours=round(growth, 2),
            unit="×",
            most=1.25,
        )
    yield Row(section="toy", what=f"peak memory, {LARGE} steps", ours=round(large["rss"]), unit="MB", most=120)
    yield Row(section="toy", what="calls that write, deploy again", ours=large["writes"], unit="calls", most=0)
    yield Row(section="toy", what=f"calls, deploy again, {LARGE} steps", ours=large["calls"], unit="calls", most=3)
    with tempfile.TemporaryDirectory() as place:
        over = waiting(Path(place)) / 20.0
    yield Row(
        section="toy",
        what="12 s, then 8 s, 8 s beside: over the critical path",
        ours=round(over, 4),
        unit="×",
        most=1.02,
    )
    at_first, at_last = large["transition at 1"], large["transition at last"]
    yield Row(section="state", what="a transition at step 1", ours=round(at_first * 1e6), unit="µs")
    yield Row(section="state", what=f"a transition at step {LARGE}", ours=round(at_last * 1e6), unit="µs")
    growth = at_last / at_first
    yield Row(
        section="state", what=f"a transition, step {LARGE} over step 1", ours=round(growth, 2), unit="×", most=1.25
    )


def waiting(directory: Path) -> float:
    """Seconds of virtual time that a deploy takes whose longest chain provisions for 12 and then for 8 seconds."""
    world = World(directory)
    world.cloud.provision = {"-db": 12.0, "-replica": 8.0, "-cache": 8.0}
    made = plan(
        step("net", "toy.network"),
        step("db", "toy.light", uses=["${net.id}"]),
        step("replica", "toy.light", uses=["${db.id}"]),
        step("cache", "toy.light", uses=["${net.id}"]),
    )
    assert world.deploy(made).exit_code == 0
    return world.clock.now()


def _best(size: int) -> dict[str, float]:
    """Each number at its best of a few processes."""
    command = [sys.executable, "-m", "bench.toy", str(size)]
    found = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(RUNS)]
    return {name: min(one[name] for one in found) for name in found[0]}


def chains(size: int) -> Plan:
    """Steps in chains of ten, so that both width and depth grow with the size."""
    uses = {number: [f"${{s{number - 1}.id}}"] if number % CHAIN else [] for number in range(size)}
    return plan(*(step(f"s{number}", "toy.light", uses=uses[number]) for number in range(size)))


def measure(size: int, directory: Path) -> dict[str, float]:
    """Seconds of a deploy, of another with nothing to do, and of a destroy; calls, and MB at the peak."""
    cloud, made = ToyCloud(SystemClock()), chains(size)

    def run(work: Callable[[Site], Outcome]) -> float:
        cloud.calls.clear()
        begun = time.perf_counter()
        place = directory / DEPLOYMENT
        with open_site(
            place, DEPLOYMENT, registry(cloud), "here", command="bench", listeners=[lambda event: None]
        ) as site:
            outcome = work(site)
        took = time.perf_counter() - begun
        assert outcome.exit_code == 0, outcome
        return took

    found = {"deploy": run(lambda site: deploy(site, made, Options(), lambda planned: True))}
    found["deploy again"] = run(lambda site: deploy(site, made, Options(), lambda planned: True))
    found["calls"], found["writes"] = len(cloud.calls), len(cloud.writes())
    found |= transitions(directory)
    found["destroy"] = run(lambda site: destroy(site, made, Options(), lambda records: True))
    found["rss"] = peak() / 1e6
    return found


def transitions(directory: Path) -> dict[str, float]:
    """Seconds to record one step: in a state of one step, and in the one just deployed. Both at their best."""
    who = Owner(user="bench", command="bench")
    with (
        Store.open(directory / DEPLOYMENT, DEPLOYMENT, who=who) as large,
        Store.open(directory / "empty", DEPLOYMENT, who=who) as small,
    ):
        record = next(iter(large.state.steps.values()))
        took: dict[str, list[float]] = {"transition at 1": [], "transition at last": []}
        for _ in range(COMMITS):  # in turn, so that a slow moment of the disk strikes both
            for name, store in (("transition at 1", small), ("transition at last", large)):
                begun = time.perf_counter()
                store.commit([PutRecord(record=record)])
                took[name].append(time.perf_counter() - begun)
    return {name: sorted(times)[len(times) // 4] for name, times in took.items()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        sys.stdout.write(json.dumps(measure(int(sys.argv[1]), Path(place))))
