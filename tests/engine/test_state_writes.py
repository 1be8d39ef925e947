"""The record cannot be written, or the lock is taken away: the run stops before the next call, and nothing is lost."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.engine.clock import VirtualClock
from provisioner.errors import LockLostError, ProvisionerError, StateError, StateWriteError
from provisioner.operations.deploy import deploy
from provisioner.operations.site import Options, Outcome, open_site
from provisioner.state.files import Files
from provisioner.state.lock import break_lock
from tests.crash.dying import release
from tests.crash.stories import ALL_OF_FIRST, FIRST, SECOND, complete, empty, fresh
from tests.engine.toycloud import ToyCloud
from tests.engine.toytypes import registry
from tests.engine.world import World


class _FullDisk(Files):
    """A disk that is full from the given system call on."""

    def __init__(self, room: int) -> None:
        self.room = room

    def about_to(self, operation: str, path: Path) -> None:
        self.room -= 1
        if self.room < 0 and operation in ("write", "open", "link", "rename", "sync"):
            raise OSError(errno.ENOSPC, "No space left on device")


def crippled(world: World, room: int, work: Callable[[], Outcome]) -> StateError | None:
    """Does the work on a disk that fills up after ``room`` system calls; the error that it ended with."""
    world.files = _FullDisk(room)
    try:
        work()
    except StateError as error:
        return error
    finally:
        world.files = Files()
        release(world.directory)
    return None


def test_wherever_the_disk_fills_up_the_run_stops_and_the_next_deploy_completes(tmp_path: Path) -> None:
    """Every second system call stands for all: the crash tests visit each."""
    room = 0
    while True:
        room += 2
        world = fresh(tmp_path / str(room))
        error = crippled(world, room, lambda world=world: world.deploy(FIRST))  # type: ignore[misc]
        if error is None:
            break
        assert isinstance(error, StateWriteError)
        assert "No space left" in str(error)
        assert "df" in error.hint
        assert world.deploy(FIRST).exit_code == 0
        complete(world, ALL_OF_FIRST)
    assert room > 60


def test_no_call_that_changes_something_follows_a_failed_write(tmp_path: Path) -> None:
    for room in range(20, 60):
        world = fresh(tmp_path / str(room))
        disk = world.files = _FullDisk(room)
        late: list[str] = []

        def watch(when: str, verb: str, name: str, disk: _FullDisk = disk, late: list[str] = late) -> None:
            if when == "before" and verb in ("create", "update", "delete", "discard") and disk.room < 0:
                late.append(f"{verb} {name}")

        world.cloud.hooks.append(watch)
        with pytest.raises(StateWriteError):
            world.deploy(FIRST)
        release(world.directory)
        assert late == []


def test_the_records_that_did_not_reach_the_disk_are_in_the_error_and_hold_no_secret(tmp_path: Path) -> None:
    found: list[str] = []
    for room in range(20, 70, 3):
        world = fresh(tmp_path / str(room))
        error = crippled(world, room, lambda world=world: world.deploy(FIRST))  # type: ignore[misc]
        found += getattr(error, "unwritten", ())
    assert any('"record"' in line for line in found)
    assert not any("canary" in line for line in found)


def test_a_fold_that_fails_after_a_failed_write_does_not_hide_it(tmp_path: Path) -> None:
    cloud = ToyCloud(VirtualClock())
    disk = _FullDisk(10_000)
    with (
        pytest.raises(StateWriteError) as caught,
        open_site(
            tmp_path / "shop-test", "shop-test", registry(cloud), "here", command="deploy", parallelism=0, files=disk
        ) as site,
    ):
        disk.room = 12
        deploy(site, FIRST, Options(), lambda planned: True)
    assert caught.value.unwritten
    assert any("folded" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("verb", ["rollback", "destroy"])
def test_a_disk_that_fills_up_while_things_are_taken_away_loses_nothing(tmp_path: Path, verb: str) -> None:
    for room in range(8, 68, 6):
        world = fresh(tmp_path / str(room))
        world.deploy(FIRST)

        def work(world: World = world) -> Outcome:
            return world.rollback(FIRST) if verb == "rollback" else world.destroy(FIRST)

        if crippled(world, room, work) is not None and world.state.steps:
            assert work().exit_code == 0
        empty(world)


def test_a_run_whose_lock_was_taken_away_makes_no_further_call_that_changes_something(tmp_path: Path) -> None:
    world = fresh(tmp_path)
    world.deploy(FIRST)
    after: list[str] = []

    def steal(when: str, verb: str, name: str) -> None:
        if not stolen and (when, verb) == ("after", "update"):
            stolen.append(name)
            break_lock(world.directory)
        elif stolen and when == "before" and verb in ("create", "update", "delete", "discard"):
            after.append(f"{verb} {name}")

    stolen: list[str] = []
    world.cloud.hooks.append(steal)
    with pytest.raises(ProvisionerError) as caught:
        world.deploy(SECOND)
    assert isinstance(caught.value, LockLostError)
    assert after == []
    world.cloud.hooks.clear()
    release(world.directory)
    assert world.deploy(SECOND).exit_code == 0


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
def test_a_run_whose_lock_is_taken_just_before_a_call_does_not_make_it(world: World, verb: str) -> None:
    world.deploy(FIRST)
    effects: list[str] = []

    def steal(when: str, done: str, name: str) -> None:
        if when == "before" and done == verb:
            break_lock(world.directory)
        elif when == "after" and done in ("create", "update", "delete", "discard"):
            effects.append(done)

    world.cloud.hooks.append(steal)
    with pytest.raises(LockLostError):
        world.deploy(SECOND)
    assert verb not in effects
    world.cloud.hooks.clear()
    release(world.directory)
    assert world.deploy(SECOND).exit_code == 0
