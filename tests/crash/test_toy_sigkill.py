"""A real SIGKILL, by the kernel, on a real process: what the simulated deaths of the other tests stand for.

The cloud lives in a file that the process writes before it hears that a call took effect, as a cloud would.
"""

from __future__ import annotations

import os
import pickle
import signal
from pathlib import Path

import pytest

from provisioner.operations.site import Outcome
from tests.crash.dying import Killed, Mortal
from tests.crash.stories import ALL_OF_FIRST, FIRST, complete, empty, fresh
from tests.engine.world import World

SHARE = 6
"""One moment in so many."""


class Elsewhere:
    """A world whose deploy runs in a process of its own; the cloud outlives the process, in a file."""

    def __init__(self, directory: Path) -> None:
        self.world = fresh(directory)
        self._file = directory / "cloud"

    def die(self, at: int) -> bool:
        """Deploys in a child that is killed at a moment; False if it ended before."""
        child = os.fork()
        if child == 0:
            self._live(at)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        self._load()
        return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL

    def _live(self, at: int) -> None:
        code = 1
        try:
            mortal = Mortal(self.world)
            mortal.at = at
            self.world.cloud.hooks.insert(0, lambda when, verb, name: self._save())
            mortal.die_by = lambda: os.kill(os.getpid(), signal.SIGKILL)
            code = self.world.deploy(FIRST).exit_code
            self._save()
        except Killed:
            code = 2
        finally:
            os._exit(code)

    def _save(self) -> None:
        cloud = self.world.cloud
        hooks, cloud.hooks = cloud.hooks, []
        between = self._file.with_name("cloud.tmp")
        between.write_bytes(pickle.dumps(cloud))
        between.replace(self._file)
        cloud.hooks = hooks

    def _load(self) -> None:
        if not self._file.exists():
            return
        self.world.cloud = pickle.loads(self._file.read_bytes())
        clock = self.world.cloud.clock
        self.world.clock.pass_time(clock.now())
        self.world.cloud.clock = self.world.clock


@pytest.mark.parametrize("finish", ["deploy", "rollback"])
def test_a_process_that_the_kernel_kills_is_taken_over_by_the_next(tmp_path: Path, finish: str) -> None:
    killed = 0
    for at in range(20, 10_000, SHARE):
        one = Elsewhere(tmp_path / str(at))
        if not one.die(at):
            break
        killed += 1
        if finish == "deploy":
            good(one.world.deploy(FIRST))
            complete(one.world, ALL_OF_FIRST)
        elif one.world.state.runs:
            good(one.world.rollback(FIRST))
            empty(one.world)
    assert killed > 20


def good(outcome: Outcome) -> None:
    assert (outcome.exit_code, outcome.remains) == (0, [])


def test_the_lock_of_a_killed_process_is_taken_over_and_says_whose_it_was(tmp_path: Path) -> None:
    one = Elsewhere(tmp_path)
    assert one.die(60)
    world: World = one.world
    site = world.site()
    takeover = site.store.takeover  # type: ignore[attr-defined]
    assert takeover is not None
    assert takeover.command == "test"
    assert takeover.alive() is False
    site.store.close()
