"""Killed at any moment while a lost tag is put back, while a drift is accepted, while a lost record is written anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from provisioner.plan.model import Plan
from tests.crash.dying import Mortal
from tests.crash.stories import fresh
from tests.engine.world import World, agree, plan, step

MADE = plan(step("vpc", "toy.tagged", size=2), step("box", uses=["${vpc.id}"]), step("lamp", "toy.light"))
AGREED = plan(step("vpc", "toy.tagged", size=7), step("box", uses=["${vpc.id}"]), step("lamp", "toy.light"))


class Case(NamedTuple):
    """``happens`` after the deploy; ``work`` is killed, and once more done; then ``wanted`` must be what there is."""

    happens: Callable[[World], None]
    work: Callable[[World], object]
    wanted: Plan


def strip(world: World) -> None:
    world.cloud.only("vpc").owner = None
    world.cloud.only("box").owner = None


def change(world: World) -> None:
    world.cloud.only("vpc").spec["size"] = 7
    world.cloud.lose("lamp")


def lose(world: World) -> None:
    shutil.rmtree(world.directory)


CASES = {
    "deploy": Case(strip, lambda world: world.deploy(MADE), MADE),
    "adopt": Case(change, lambda world: world.adopt(None), AGREED),
    "recover": Case(lose, lambda world: world.salvage(MADE), MADE),
}


@pytest.mark.parametrize("name", CASES)
def test_killed_at_any_moment_it_is_done_again_and_nothing_is_lost_or_doubled(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    start = fresh(tmp_path / "start")
    start.cloud.lag = 0.0
    assert start.deploy(MADE).exit_code == 0
    case.happens(start)
    idents = {thing.ident for thing in start.cloud.live()}
    moments = Mortal(start.twin(tmp_path / "count")).moments(case.work)
    assert moments > 20
    for at in range(1, moments + 1):
        world = start.twin(tmp_path / str(at))
        mortal = Mortal(world)
        assert mortal.die(case.work, at), at
        case.work(world)
        agree(world)
        assert not any(finding.drifted for finding in world.drift(case.wanted).values()), mortal.where
        outcome = world.deploy(case.wanted)
        assert outcome.exit_code == 0, mortal.where
        assert {thing.ident for thing in world.cloud.live()} >= idents, mortal.where
        assert world.names() == ["box", "lamp", "vpc"], mortal.where
        assert world.destroy(case.wanted).exit_code == 0
        assert world.names() == [], mortal.where
