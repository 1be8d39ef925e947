"""Two deploys of one deployment: one works, the other exits 6; and who lost its lock touches nothing any more.

``ROUNDS`` says how often (2 by default; the long form uses 50 and 20).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.crash.rig import Rig

ROUNDS = int(os.environ.get("ROUNDS", "2"))
DEPLOYMENT = "credlink-development"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("two"))
    try:
        yield made
    finally:
        made.close()


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    _, err = process.communicate(timeout=180)
    return process.returncode, err.decode()


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_of_two_deploys_at_once_one_works_and_the_other_exits_6_and_names_it(rig: Rig, round_: int) -> None:
    rig.fresh()
    pair = [rig.start(*rig.verb("deploy")) for _ in range(2)]
    ends = sorted((*ended(process), process.pid) for process in pair)
    assert [code for code, _, _ in ends] == [0, 6], [err for _, err, _ in ends]
    (_, _, winner), (_, complaint, _) = ends
    assert f"pid {winner} on " in complaint and "provisioner deploy " in complaint, complaint
    rig.assert_state_equals_cloud(DEPLOYMENT)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_stopped_run_whose_lock_was_taken_by_force_makes_no_write_when_it_is_continued(rig: Rig, round_: int) -> None:
    rig.fresh()
    source = random.Random(round_)
    paused = rig.start(*rig.verb("deploy"))
    writes = source.randrange(2, 24)
    while len(_writes(rig)) < writes and paused.poll() is None:
        time.sleep(0.005)
    paused.send_signal(signal.SIGSTOP)
    assert paused.poll() is None, "it was over before it could be stopped"
    try:
        code, _, err = rig.run("state", "unlock", *rig.verb("")[1:-1], "--force")
        assert code == 0, err
        code, _, err = rig.run(*rig.verb("deploy"))
        assert code == 0, err
        before = _writes(rig)
    finally:
        paused.send_signal(signal.SIGCONT)
    code, _ = ended(paused)
    assert _writes(rig) == before, "it wrote to the cloud after it had lost its lock"
    assert code == -signal.SIGKILL, "whoever takes a lock by force ends its owner"
    rig.assert_state_equals_cloud(DEPLOYMENT)
    code, out, err = rig.run(*rig.verb("deploy", "--json"))
    assert (code, '"changes":[]' in out.replace(" ", "").replace("\n", "")) == (0, True), err


def _writes(rig: Rig) -> list[int]:
    return [request["seq"] for request in rig.requests() if request["write"]]
