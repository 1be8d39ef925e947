"""Killed at any instruction: the next run finishes what was begun, or takes it back to nothing.

Every moment of a deploy, of a change, of a rollback and of a destroy is a place to die (see :mod:`tests.crash.dying`);
a second and a third death may strike the runs that recover.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from provisioner.errors import AccessDeniedError
from provisioner.operations.site import Outcome
from provisioner.plan.model import Plan
from tests.crash.dying import Mortal
from tests.crash.stories import ALL_OF_FIRST, ALL_OF_SECOND, FIRST, SECOND, complete, empty, fresh, specs
from tests.engine.world import World, plan, step

Work = Callable[[World], object]


class Case(NamedTuple):
    """``before`` is what nobody dies in, ``work`` what is killed, ``then`` what a person types until it is done."""

    before: tuple[Work, ...]
    work: Work
    then: Work
    check: Callable[[World], None]


# -- what is done ---------------------------------------------------------------------------------------------


def nothing(world: World) -> object:
    return world.deploy(plan())


def first(world: World) -> object:
    return succeed(world.deploy(FIRST))


def second(world: World) -> object:
    return succeed(world.deploy(SECOND))


def back(world: World) -> object:
    """Rolls the last deploy back, unless a rollback of it has come to its end already."""
    runs = world.state.runs
    deploys = [run for run in runs if run.kind == "deploy" and run.id > 1]
    if not deploys or (deploys[-1].result.value == "rolled_back" and runs[-1].exit_code == 0):
        return None
    return succeed(world.rollback(made(world)))


def made(world: World) -> Plan:
    """The plan of the last run; here one has secrets and gates that the record alone does not need."""
    return SECOND if len(world.state.runs) > 2 else FIRST


def down(world: World) -> object:
    return succeed(world.destroy(SECOND))


def succeed(outcome: Outcome) -> Outcome:
    assert (outcome.exit_code, outcome.remains) == (0, []), outcome
    return outcome


# -- what must be true in the end -----------------------------------------------------------------------------


def is_first(world: World) -> None:
    complete(world, ALL_OF_FIRST)
    assert specs(world)["shop-test-db"]["colour"] == "red"
    assert world.cloud.only("-db").ident == world.database


def is_second(world: World) -> None:
    complete(world, ALL_OF_SECOND)
    assert specs(world)["shop-test-db"]["colour"] == "blue"
    assert world.cloud.only("-db").ident == world.database


def is_first_anew(world: World) -> None:
    complete(world, ALL_OF_FIRST)


def is_second_anew(world: World) -> None:
    complete(world, ALL_OF_SECOND)


def kept_the_data(world: World) -> None:
    """What a run made that succeeded is never thrown away without a copy, however its rollback was killed."""
    empty(world)
    assert not [call for call in world.cloud.calls if call[0] == "discard"]


def kept_the_data_and_came_back(world: World) -> None:
    complete(world, ALL_OF_FIRST)
    assert not [call for call in world.cloud.calls if call[0] == "discard"]


def back_to_first(world: World) -> object:
    """Nothing to take back where the change died before it was recorded."""
    return back(world) if len(world.state.runs) > 2 else None


CASES = {
    "a deploy, then deploy": Case((nothing,), first, first, is_first_anew),
    "a deploy, then rollback": Case((nothing,), first, back, empty),
    "a change, then deploy": Case((nothing, first), second, second, is_second),
    "a change, then rollback": Case((nothing, first), second, back_to_first, is_first),
    "a rollback, then rollback": Case((nothing, first, second), back, back, is_first),
    "a rollback, then deploy": Case((nothing, first, second), back, second, is_second),
    "a rollback to nothing, then rollback": Case((nothing, first), back, back, kept_the_data),
    "a rollback to nothing, then deploy": Case((nothing, first), back, first, kept_the_data_and_came_back),
    "a destroy, then destroy": Case((nothing, first, second), down, down, empty),
    "a destroy, then deploy": Case((nothing, first, second), down, second, is_second_anew),
}


class Nursery:
    """The world before the deed, made once; every death gets a twin of it."""

    def __init__(self, directory: Path, case: Case) -> None:
        self.directory = directory
        self.case = case
        self.parent = fresh(directory / "parent")
        for work in case.before:
            work(self.parent)
        self.born = 0

    def mortal(self) -> Mortal:
        self.born += 1
        world = self.parent.twin(self.directory / str(self.born))
        found = [thing.ident for thing in world.cloud.live() if thing.kind == "database"]
        world.database = found[0] if found else ""
        return Mortal(world)

    def deaths(self) -> Iterator[Mortal]:
        """One world for each moment at which the work can be killed, killed there."""
        for at in range(1, 10_000):
            one = self.mortal()
            if not one.die(self.case.work, at):
                return
            yield one


def keeps_its_secrets(one: Mortal) -> None:
    for path in one.world.directory.rglob("*"):
        assert not path.is_file() or b"canary" not in path.read_bytes(), path
    assert "canary" not in str(one.world.events)


@pytest.mark.parametrize("name", CASES)
def test_killed_at_every_moment_it_ends_as_if_it_had_not_been(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    count = 0
    for one in Nursery(tmp_path, case).deaths():
        count += 1
        try:
            keeps_its_secrets(one)
            case.then(one.world)
            case.check(one.world)
        except Exception as error:
            error.add_note(f"killed at moment {count}: {one.where}")
            raise
    assert count > 80


@pytest.mark.parametrize("name", CASES)
def test_killed_again_and_again_it_ends_as_if_it_had_not_been(tmp_path: Path, name: str) -> None:
    case, dice = CASES[name], random.Random(name)
    nursery = Nursery(tmp_path, case)
    total = nursery.mortal().moments(case.work)
    for _ in range(30):
        one = nursery.mortal()
        assert one.die(case.work, dice.randint(1, total))
        places = [one.where]
        for _ in range(2):
            if one.die(case.then, dice.randint(1, total)):
                places.append(one.where)
        try:
            case.then(one.world)
            case.check(one.world)
        except Exception as error:
            error.add_note(f"killed at: {'; '.join(places)}")
            raise


def test_what_a_killed_destroy_deleted_and_still_shows_is_not_taken_for_whole(tmp_path: Path) -> None:
    """A cloud may report for seconds, as if nothing were, what it is about to forget."""
    for at in range(1, 200, 3):
        world = fresh(tmp_path / str(at))
        world.deploy(plan(step("box"), step("db", "toy.database")))
        world.cloud.linger = 3.0
        world.cloud.removal = {}
        one = Mortal(world)
        if not one.die(lambda world: world.destroy(), at):
            break
        assert world.deploy(plan(step("box"), step("db", "toy.database"))).exit_code == 0
        world.clock.pass_time(60.0)
        complete(world, ["box", "db"])


def test_a_reverse_that_was_killed_is_not_taken_up_again_once_everything_was_destroyed(tmp_path: Path) -> None:
    seen = 0
    for at in range(1, 10_000, 4):
        world = fresh(tmp_path / str(at))
        world.deploy(plan(step("box"), step("keep")))
        world.cloud.fail("create", "-bad", lambda: AccessDeniedError("no"))
        one = Mortal(world)
        if not one.die(lambda world: world.deploy(plan(step("keep", size=2), step("bad", after=("keep",)))), at):
            break
        if world.state.runs[-1].result.value == "reversing":
            seen += 1
            assert world.destroy().exit_code == 0
            world.cloud.calls.clear()
            assert world.deploy(plan(step("other"))).exit_code == 0
            assert world.writes() == ["create other"]
    assert seen


def test_killed_while_its_very_first_record_is_made_it_deploys_as_if_nothing_had_been(tmp_path: Path) -> None:
    for at in range(1, 30):
        one = Mortal(fresh(tmp_path / str(at)))
        assert one.die(first, at)
        one.world.deploy(plan())
        assert (one.world.names(), one.world.state.steps) == ([], {})


def test_rollback_after_a_deploy_that_died_before_its_first_change_leaves_the_deployment_before_it(
    tmp_path: Path,
) -> None:
    """The one before succeeded and is in use: to take back the dead one must not mean to take back that."""
    nursery = Nursery(tmp_path, CASES["a change, then rollback"])
    seen = 0
    for one in nursery.deaths():
        run = one.world.state.runs[-1]
        if run.id > 2 and not run.changes:
            seen += 1
            assert one.world.rollback(SECOND).exit_code == 0
            is_first(one.world)
        elif seen:
            break
    assert seen


def test_a_rollback_of_an_adoption_that_was_killed_anywhere_gives_the_object_back_as_it_was(tmp_path: Path) -> None:
    adopting = plan(step("net", "toy.network"), step("box", adopt=True, named="corporate", size=3, after=("net",)))
    for at in range(1, 10_000):
        one = Mortal(fresh(tmp_path / str(at)))
        theirs = one.world.cloud.plant("thing", "corporate", "other/it", size=7)
        one.world.clock.pass_time(60.0)
        assert one.world.deploy(adopting).exit_code == 0
        assert theirs.spec["size"] == 3
        if not one.die(lambda world: world.rollback(), at):
            break
        if any(not change.undone for change in one.world.state.runs[0].changes):
            assert one.world.rollback().exit_code == 0, f"killed {one.where}"
        assert (one.world.state.steps, theirs.spec["size"]) == ({}, 7), f"killed {one.where}"
        assert one.world.names() == ["corporate"]
    assert at > 40
