"""``kill -9`` at random moments of a credlink deploy: the next deploy completes it, the next rollback empties it.

``KILLS`` says how many moments (4 by default; the long form uses 40), ``KILL_SEED`` which.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator

import pytest

from provisioner.sandbox import supervisor
from tests.crash.rig import Rig

KILLS = int(os.environ.get("KILLS", "4"))
SEED = int(os.environ.get("KILL_SEED", "1"))


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("kills"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def calls(rig: Rig) -> int:
    """Calls that a whole deploy makes before its gates run."""
    rig.fresh()
    code, _, err = rig.run(*rig.verb("deploy"))
    assert code == 0, err
    return len(rig.requests())


def kill_a_deploy(rig: Rig, place: int, source: random.Random) -> None:
    """Kills a deploy at its call number ``place``: after the effect and before the answer, or before a late effect."""
    kind = source.choice([{"kind": "hang", "delay": 3}, {"kind": "slow", "delay": 0.3}])
    rig.fault(skip=place, **kind)
    process = rig.start(*rig.verb("deploy"))
    while not rig.struck() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(source.uniform(0, 0.05))
    assert process.poll() is None, "the deploy was over before it could be killed"
    process.send_signal(signal.SIGKILL)
    rig.said += [text.decode() for text in process.communicate()]
    supervisor.admin(rig.sandbox, "DELETE", "/_sandbox/faults")
    rig.remember_secrets()


def places(offset: int) -> list[tuple[float, random.Random]]:
    """Shares of a deploy's calls, spread evenly and moved about."""
    source = random.Random(SEED + offset)
    return [(0.95 * (place + source.random()) / KILLS, random.Random(source.random())) for place in range(KILLS)]


def label(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else "of-the-calls"


@pytest.mark.parametrize(("share", "source"), places(0), ids=label)
def test_after_a_kill_the_next_deploy_completes_it_without_a_duplicate(
    rig: Rig, calls: int, share: float, source: random.Random
) -> None:
    rig.fresh()
    kill_a_deploy(rig, int(calls * share), source)
    code, _, err = rig.run(*rig.verb("deploy"))
    assert code == 0, f"seed {SEED}: {err}"
    rig.assert_state_equals_cloud("credlink-development")
    code, out, err = rig.run(*rig.verb("deploy", "--json"))
    assert (code, '"changes":[]' in out.replace(" ", "").replace("\n", "")) == (0, True), f"seed {SEED}: {out}{err}"
    rig.remember_secrets()
    assert len(rig.canaries) >= 2
    assert rig.leaks() == []


@pytest.mark.parametrize(("share", "source"), places(1), ids=label)
def test_after_a_kill_a_rollback_leaves_nothing(rig: Rig, calls: int, share: float, source: random.Random) -> None:
    rig.fresh()
    kill_a_deploy(rig, int(calls * share), source)
    code, _, err = rig.run(*rig.verb("rollback"))
    nothing_began = code == 2 and "no run to roll back" in err
    assert code == 0 or nothing_began, f"seed {SEED}: {code} {err}"
    assert rig.inventory() == [], f"seed {SEED}: {err}"
    assert rig.leaks() == []
