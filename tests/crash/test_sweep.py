"""A spread of the crash sweep: credlink killed at moments of every verb, and at pairs of them; all end well.

``scripts/crash-sweep`` plays every moment. ``CRASH_SAMPLE`` (1) is how many of each verb are played here, ``CRASH_SEED``
which ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.crash.sweep.crew import TRIES
from tests.crash.sweep.house import House
from tests.crash.sweep.points import VERBS, Counted, Point, count, double, single
from tests.crash.sweep.report import failures
from tests.crash.sweep.stories import Outcome, Stage

SAMPLE = int(os.environ.get("CRASH_SAMPLE", "1"))
SEED = int(os.environ.get("CRASH_SEED", "1"))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def counted(house: House) -> Counted:
    return count(house)


@pytest.fixture(scope="module")
def stage(house: House, counted: Counted) -> Stage:
    return Stage(house, counted.steps)


def play(stage: Stage, point: Point) -> Outcome:
    """As often as it takes for its moment to come; polls vary from run to run."""
    for _ in range(TRIES):
        outcome = stage.play(point)
        assert not outcome.complaints, failures([outcome])
        if outcome.died:
            break
    return outcome


@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_a_moment_the_next_command_leaves_cloud_and_record_as_one(
    stage: Stage, counted: Counted, verb: str
) -> None:
    outcomes = [play(stage, point) for point in single(counted, [verb], SAMPLE, SEED)]
    assert sum(bool(outcome.died) for outcome in outcomes) >= SAMPLE / 2


def test_killed_and_killed_again_while_it_recovers_it_ends_well_all_the_same(stage: Stage, counted: Counted) -> None:
    outcomes = [play(stage, point) for point in double(counted, VERBS, 2 * SAMPLE, SEED)]
    assert max(len(outcome.died) for outcome in outcomes) == 2


def test_there_are_hundreds_of_moments_and_most_are_before_or_after_something(counted: Counted) -> None:
    for names in counted.moments.values():
        assert len(names) == len(set(names)) > 200
        assert {name.split()[0] for name in names} == {"before", "sent", "after"}
        begun = {name.partition(" ")[2] for name in names if name.startswith("before")}
        over = {name.partition(" ")[2] for name in names if name.startswith("after")}
        assert begun == over


def test_every_kind_of_thing_that_a_process_does_to_the_world_has_its_moments(counted: Counted) -> None:
    done = {name.split()[1] for name in counted.moments["deploy"]}
    assert {"write", "sync", "rename", "sync_directory", "link", "truncate", "connect"} <= done
    assert {"rds.CreateDBInstance", "ec2.CreateVpc", "kms.CreateKey", "s3.CreateBucket"} <= done
    connected = {name for name in counted.moments["deploy"] if " connect " in name}
    assert {"after connect tcp 1", "after connect postgres 1", "after connect redis 1"} <= connected
