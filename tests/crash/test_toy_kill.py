"""Killed at any instruction: the next run finishes what was begun, or takes it back to nothing.

Every moment of a deploy, of a change, of a rollback and of a destroy is a place to die (see :mod:`tests.crash.dying`);
a second death may strike the run that recovers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provisioner.errors import UsageError
from provisioner.operations.site import Outcome
from tests.crash.dying import Mortal
from tests.crash.stories import ALL_OF_FIRST, ALL_OF_SECOND, FIRST, SECOND, complete, empty, fresh, specs
from tests.engine.world import World

Work = Callable[[World], Outcome]


def first(world: World) -> Outcome:
    return world.deploy(FIRST)


def second(world: World) -> Outcome:
    return world.deploy(SECOND)


def both(world: World) -> Outcome:
    first(world)
    return second(world)


def back(world: World) -> Outcome:
    return world.rollback(SECOND)


def down(world: World) -> Outcome:
    return world.destroy(SECOND)


# -- what must be true in the end -----------------------------------------------------------------------------


def finish_first(world: World) -> None:
    assert first(world).exit_code == 0
    complete(world, ALL_OF_FIRST)


def finish_second(world: World) -> None:
    assert second(world).exit_code == 0
    complete(world, ALL_OF_SECOND)
    assert specs(world)["shop-test-db"]["colour"] == "blue"


def undo_to_nothing(world: World) -> None:
    try:
        assert world.rollback(FIRST).exit_code == 0
    except UsageError:
        assert world.state.runs == [], "only a run that was never recorded has nothing to roll back"
    empty(world)


def undo_to_first(world: World) -> None:
    """As a person would: roll back until the change is gone, never further."""
    runs = [run for run in world.state.runs if run.kind == "deploy"]
    if len(runs) > 1 and not (runs[-1].result.value == "rolled_back" and world.state.runs[-1].exit_code == 0):
        assert back(world).exit_code == 0
    complete(world, ALL_OF_FIRST)
    assert specs(world)["shop-test-db"]["colour"] == "red"


def finish_down(world: World) -> None:
    assert down(world).exit_code == 0
    empty(world)


CASES: dict[str, tuple[Work | None, Work, Callable[[World], None]]] = {
    "deploy, then deploy": (None, first, finish_first),
    "deploy, then rollback": (None, first, undo_to_nothing),
    "change, then deploy": (first, second, finish_second),
    "change, then rollback": (first, second, undo_to_first),
    "rollback, then rollback": (both, back, undo_to_first),
    "rollback, then deploy": (both, back, finish_second),
    "destroy, then destroy": (both, down, finish_down),
    "destroy, then deploy": (both, down, finish_second),
}


def mortal(directory: Path, before: Work | None) -> Mortal:
    world = fresh(directory)
    if before is not None:
        before(world)
    return Mortal(world)


def deaths(tmp_path: Path, before: Work | None, work: Work) -> Iterator[Mortal]:
    """One world for each moment at which the work can be killed, killed there."""
    at = 0
    while True:
        at += 1
        one = mortal(tmp_path / str(at), before)
        if not one.die(lambda one=one: work(one.world), at):  # type: ignore[misc]
            return
        yield one


@pytest.mark.parametrize("case", CASES)
def test_killed_at_every_moment_it_ends_as_if_it_had_not_been(tmp_path: Path, case: str) -> None:
    before, work, check = CASES[case]
    count = 0
    for one in deaths(tmp_path, before, work):
        count += 1
        try:
            check(one.world)
        except Exception as error:
            error.add_note(f"killed at moment {count}: {one.where}")
            raise
    assert count > 90


@pytest.mark.parametrize("case", CASES)
def test_killed_twice_it_ends_as_if_it_had_not_been(tmp_path: Path, case: str) -> None:
    before, work, check = CASES[case]
    dice = random.Random(case)
    moments = mortal(tmp_path / "count", before).moments
    world = fresh(tmp_path / "measure")
    if before is not None:
        before(world)
    total = Mortal(world).moments(lambda: work(world))
    assert moments is not None
    for number in range(25):
        one = mortal(tmp_path / str(number), before)
        assert one.die(lambda one=one: work(one.world), dice.randint(1, total))  # type: ignore[misc]
        places = [one.where]
        for _ in range(2):
            if one.die(lambda one=one: again(one.world, case), dice.randint(1, total)):  # type: ignore[misc]
                places.append(one.where)
        try:
            check(one.world)
        except Exception as error:
            error.add_note(f"killed at: {'; '.join(places)}")
            raise


def again(world: World, case: str) -> Outcome:
    """What the person types next; a rollback that has nothing left to do is nothing to die in."""
    verb = case.rpartition(" ")[2]
    if verb == "rollback":
        return take_back(world, to_nothing=case.startswith("deploy"))
    if verb == "destroy":
        return down(world)
    return first(world) if case.startswith("deploy") else second(world)


def take_back(world: World, *, to_nothing: bool) -> Outcome:
    runs = world.state.runs
    deploys = [run for run in runs if run.kind == "deploy"]
    over = bool(deploys) and deploys[-1].result.value == "rolled_back" and runs[-1].exit_code == 0
    if over or len(deploys) < (1 if to_nothing else 2):
        return Outcome(deployment=world.state.deployment, run=None, result="nothing to do", exit_code=0)
    return world.rollback(FIRST if to_nothing else SECOND)


def test_a_death_in_the_middle_never_costs_a_database_that_was_there_before(tmp_path: Path) -> None:
    """Its id is the same after any death of a change, and after both ways to go on."""
    for check in (finish_second, undo_to_first):
        for one in deaths(tmp_path / check.__name__, first, second):
            ident = one.world.cloud.only("-db").ident
            check(one.world)
            assert one.world.cloud.only("-db").ident == ident


def test_a_death_in_a_rollback_never_discards_what_a_successful_run_made(tmp_path: Path) -> None:
    for one in deaths(tmp_path, first, lambda world: world.rollback(FIRST)):
        if one.world.state.runs[-1].exit_code != 0 or one.world.state.runs[-1].kind != "rollback":
            assert one.world.rollback(FIRST).exit_code == 0
        empty(one.world)
        assert not [call for call in one.world.cloud.writes() if call[0] == "discard"]


def test_no_secret_is_in_any_file_of_any_death(tmp_path: Path) -> None:
    for one in deaths(tmp_path, None, first):
        for path in one.world.directory.rglob("*"):
            assert not path.is_file() or b"canary" not in path.read_bytes(), (path, one.where)
        assert "canary" not in str(one.world.events)
