"""Whatever instruction a process dies at, the record is there: every commit that returned, and whole commits only."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from provisioner.state import journal
from provisioner.state.store import Store, peek
from tests.unit.state.toys import NAME, WHO, Camera, Image, develop, opened, put, put_change, put_run

COMMITS = 5


def _commit(store: Store, number: int) -> None:
    store.commit([put_run(number), put(f"{number}a"), put_change(number, f"{number}a"), put(f"{number}b")])


def _steps(commits: int) -> list[str]:
    return [f"{number}{half}" for number in range(commits) for half in "ab"]


def _is_whole(steps: list[str], done: int) -> bool:
    return steps in (_steps(done), _steps(done + 1))


def _life(directory: Path) -> list[tuple[int, str, Image]]:
    """Photographs of a life with folds at several places."""
    done = 0
    camera = Camera(directory, lambda: done)
    with opened(directory, camera) as store:
        for number in range(COMMITS):
            _commit(store, number)
            done += 1
            if number in (1, 2):
                store.fold()
    camera.put_away()
    return camera.images


def test_a_kill_or_power_cut_before_any_system_call_loses_no_commit_that_returned(tmp_path: Path) -> None:
    images = _life(tmp_path / "life")
    assert len(images) > 200
    for number, (done, where, image) in enumerate(images):
        directory = develop(image, tmp_path / str(number))
        seen = peek(directory, NAME)
        assert _is_whole(list(seen.steps) if seen else [], done), where
        with opened(directory) as store:
            steps = list(store.state.steps)
            assert _is_whole(steps, done), where
            assert seen is None or store.state == seen, where
            store.commit([put("next")])
        with opened(directory) as store:
            assert list(store.state.steps) == [*steps, "next"], where
        assert not [file.name for file in directory.iterdir() if file.name.endswith(".tmp")], where


def test_a_second_crash_while_the_first_is_recovered_from_loses_nothing_either(tmp_path: Path) -> None:
    images = _life(tmp_path / "life")
    chosen = random.Random(7).sample(range(len(images)), 12)
    for number in chosen:
        done, where, image = images[number]
        directory = develop(image, tmp_path / str(number))
        camera = Camera(directory, lambda: 0)
        with opened(directory, camera):
            pass
        camera.put_away()
        for again, (_, second, rest) in enumerate(camera.images):
            with opened(develop(rest, tmp_path / f"{number}-{again}")) as store:
                assert _is_whole(list(store.state.steps), done), f"{where}; {second}"


def test_a_last_write_torn_at_any_byte_vanishes_whole(tmp_path: Path) -> None:
    with opened(tmp_path / "d") as store:
        _commit(store, 0)
        before = (tmp_path / "d" / journal.NAME).read_bytes()
        _commit(store, 1)
        image = {file.name: file.read_bytes() for file in (tmp_path / "d").iterdir()}
    whole = image[journal.NAME]
    for end in range(len(before), len(whole) + 1):
        for tail in (b"", b"\0" * 7) if end % 7 == 0 else (b"",):
            directory = develop({**image, journal.NAME: whole[:end] + tail}, tmp_path / f"{end}-{len(tail)}")
            state = peek(directory, NAME)
            assert state is not None
            assert list(state.steps) == _steps(2 if end == len(whole) else 1), end
            if end % 40 == 0:
                with opened(directory) as store:
                    assert store.state == state
                    _commit(store, 9)


def _work_until_killed(directory: Path, pipe: int) -> None:
    store = Store.open(directory, NAME, who=WHO)
    number = len(store.state.steps) // 2
    while True:
        _commit(store, number)
        number += 1
        os.write(pipe, b".")
        if number % 5 == 0:
            store.fold()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kill_9_at_any_moment_leaves_a_record_that_the_next_run_goes_on_with(tmp_path: Path, seed: int) -> None:
    chance, done = random.Random(seed), 0
    for _ in range(12):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                _work_until_killed(tmp_path, write)
            finally:
                os._exit(1)
        os.close(write)
        for _ in range(chance.randint(1, 12)):
            done += len(os.read(read, 1))
        for _ in range(chance.randint(0, 20_000)):
            pass  # so that the kill meets the child anywhere in its loop
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while rest := os.read(read, 4096):
            done += len(rest)
        os.close(read)
        state = peek(tmp_path, NAME)
        assert state is not None
        assert _is_whole(list(state.steps), done)
        done = len(state.steps) // 2
    with opened(tmp_path) as store:
        assert store.takeover is not None
        assert store.takeover.pid == child
        assert store.takeover.alive() is False
