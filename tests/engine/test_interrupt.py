"""A signal at any call: the run stops in good order, says 130, and the next command goes on or takes it back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.errors import AccessDeniedError, InterruptedRunError, UsageError
from provisioner.operations.site import Outcome
from tests.crash.stories import ALL_OF_FIRST, ALL_OF_SECOND, FIRST, SECOND, complete, empty, fresh, specs
from tests.engine.world import World, agree, plan, step

Work = Callable[[World], Outcome]


def stop_at(world: World, number: int) -> None:
    """A signal comes at the given call to the cloud, counted from now."""
    left = [number]

    def hook(when: str, verb: str, name: str) -> None:
        if when == "before":
            left[0] -= 1
            if not left[0]:
                assert world.last is not None
                world.last.loop.stop()

    world.cloud.hooks[:] = [hook]


def interrupted(world: World, work: Work) -> bool:
    """Does the work; False once the signal came too late to matter."""
    try:
        code = work(world).exit_code
    except InterruptedRunError as error:  # during the preview: nothing was begun
        code = error.exit_code
    finally:
        world.cloud.hooks.clear()
    assert code in (0, 130)
    return code == 130


def everywhere(tmp_path: Path, before: Work | None, work: Work, check: Callable[[World], None]) -> None:
    """Interrupts the work at its first call, its second, and so on, until it comes to its end."""
    number = stopped = 0
    while True:
        number += 1
        world = fresh(tmp_path / str(number))
        if before is not None:
            before(world)
        calls = len(world.cloud.calls)
        stop_at(world, number)
        if interrupted(world, work):
            stopped += 1
        elif len(world.cloud.calls) - calls < number:
            break
        check(world)
    assert stopped > 10


def first(world: World) -> Outcome:
    return world.deploy(FIRST)


def second(world: World) -> Outcome:
    world.deploy(FIRST)
    return world.deploy(SECOND)


def test_an_interrupted_deploy_is_finished_by_the_next(tmp_path: Path) -> None:
    def check(world: World) -> None:
        assert world.deploy(FIRST).exit_code == 0
        complete(world, ALL_OF_FIRST)

    everywhere(tmp_path, None, first, check)


def test_an_interrupted_deploy_is_taken_back_by_rollback(tmp_path: Path) -> None:
    def check(world: World) -> None:
        try:
            assert world.rollback(FIRST).exit_code == 0
        except UsageError:
            assert world.state.runs == []
        empty(world)

    everywhere(tmp_path, None, first, check)


def test_an_interrupted_change_is_finished_by_the_next_deploy(tmp_path: Path) -> None:
    def check(world: World) -> None:
        assert world.deploy(SECOND).exit_code == 0
        complete(world, ALL_OF_SECOND)

    everywhere(tmp_path, first, lambda world: world.deploy(SECOND), check)


def test_an_interrupted_rollback_is_finished_by_the_next(tmp_path: Path) -> None:
    def check(world: World) -> None:
        if world.state.runs[-1].exit_code != 0:
            assert world.rollback(SECOND).exit_code == 0
        complete(world, ALL_OF_FIRST)
        assert specs(world)["shop-test-db"]["colour"] == "red"

    everywhere(tmp_path, second, lambda world: world.rollback(SECOND), check)


def test_an_interrupted_destroy_is_finished_by_the_next(tmp_path: Path) -> None:
    def check(world: World) -> None:
        assert world.destroy(FIRST).exit_code == 0
        empty(world)

    everywhere(tmp_path, first, lambda world: world.destroy(FIRST), check)


@pytest.mark.parametrize("finish", ["deploy", "rollback"])
def test_an_interrupted_reverse_is_finished_first_by_whatever_comes_next(tmp_path: Path, finish: str) -> None:
    made = plan(*FIRST.steps, step("bad", after=("mail",)))
    number = 0
    while True:
        number += 1
        world = fresh(tmp_path / str(number))
        world.cloud.fail("create", "-bad", lambda: AccessDeniedError("no"))

        def arm(when: str, verb: str, name: str, at: int = number, world: World = world) -> None:
            if (when, verb, name) == ("before", "create", "shop-test-bad"):
                stop_at(world, at + 1)  # the first call after it is the look that follows the refusal

        world.cloud.hooks.append(arm)
        code = world.deploy(made).exit_code
        world.cloud.hooks.clear()
        if code == 4:
            break
        assert code == 130
        if finish == "rollback":
            assert world.rollback(made).exit_code == 0
            empty(world)
        else:
            assert world.deploy(made).exit_code == 0
            agree(world)
    assert number > 10


def test_an_interrupted_run_says_so_in_its_last_event_and_in_the_record(tmp_path: Path) -> None:
    world = fresh(tmp_path)
    stop_at(world, 12)
    assert interrupted(world, first)
    assert world.events[-1]["event"] == "run.finished"
    assert world.events[-1]["exit_code"] == 130
    assert world.state.runs[-1].result.value == "interrupted"
