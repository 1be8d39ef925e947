"""How fast a service is called that limits its callers: not faster than it answers, and not much slower either."""

from __future__ import annotations

import pytest

from provisioner.engine.clock import VirtualClock
from provisioner.engine.pace import LEAST, Lane, Pace
from provisioner.errors import ThrottledError
from tests.engine.world import World, agree, plan, step

RATE = 10.0


class Bucket:
    """Lets so many calls a second through, and ``burst`` at once after a rest; refuses the others."""

    def __init__(self, world: World, burst: float) -> None:
        self.world = world
        self.burst = self.left = burst
        self.at = 0.0
        self.let_through = 0
        self.refused = 0
        world.cloud.hooks.append(self)

    def __call__(self, when: str, verb: str, name: str) -> None:
        if when != "before":
            return
        now = self.world.clock.now()
        self.left = min(self.burst, self.left + (now - self.at) * RATE)
        self.at = now
        if self.left < 1:
            self.refused += 1
            raise ThrottledError("slow down")
        self.left -= 1
        self.let_through += 1


@pytest.mark.parametrize("kind", ["toy.light", "toy.thing", "toy.network"])
def test_three_hundred_steps_take_little_longer_than_the_services_limit_dictates(world: World, kind: str) -> None:
    bucket = Bucket(world, burst=RATE)
    made = plan(*(step(f"s{number}", kind) for number in range(300)))
    assert world.deploy(made).exit_code == 0
    agree(world)
    dictated = (bucket.let_through - bucket.burst) / RATE
    assert world.clock.now() <= 1.2 * dictated
    # The first blast is refused once; after it hardly anything is.
    assert bucket.refused < 300 * 1.25


def test_no_step_fails_where_the_service_allows_no_burst_at_all(world: World) -> None:
    Bucket(world, burst=1.0)
    assert world.deploy(plan(*(step(f"s{number}") for number in range(120)))).exit_code == 0
    agree(world)


def test_a_limited_destroy_leaves_nothing(world: World) -> None:
    made = plan(*(step(f"s{number}") for number in range(120)))
    world.deploy(made)
    Bucket(world, burst=RATE)
    assert world.destroy(made).exit_code == 0
    assert world.names() == []


def test_a_service_that_refuses_for_ever_is_given_up(world: World) -> None:
    world.cloud.fail("create", "box", lambda: ThrottledError("slow down"), times=10_000)
    outcome = world.deploy(plan(step("box")))
    assert outcome.exit_code == 4
    assert "slow down" in str(outcome.failures[0].error)
    assert world.names() == []


def test_an_unthrottled_service_waits_for_nothing() -> None:
    lane = Lane(VirtualClock())
    for _ in range(3):
        assert lane.delay() == 0.0
        lane.take()
    assert lane.rate is None


def test_a_throttled_service_spaces_the_calls_of_all_steps_and_leaves_other_services_alone() -> None:
    clock = VirtualClock()
    pace = Pace(clock)
    for _ in range(8):
        pace.lane("rds").answered()
    clock.pass_time(0.5)
    pace.lane("rds").throttled(clock.now())
    assert pace.lane("rds").rate == 8.0
    assert pace.lane("rds").delay() == 0.125
    clock.pass_time(0.125)
    pace.lane("rds").take()
    assert pace.lane("rds").delay() == 0.125
    assert pace.lane("ec2").delay() == 0.0


def test_what_went_before_the_rate_was_changed_says_nothing_new() -> None:
    clock = VirtualClock()
    lane = Lane(clock)
    for _ in range(150):
        lane.throttled(0.0)
    assert lane.rate == 2.0


def test_calls_that_many_steps_share_are_counted_once() -> None:
    clock = VirtualClock()
    lane = Lane(clock)
    for _ in range(150):
        lane.answered("toy.light")
    for _ in range(4):
        lane.answered()
    lane.throttled(clock.now())
    assert lane.rate == 5.0


def test_the_rate_never_falls_to_nothing_and_climbs_until_nothing_is_held_back() -> None:
    clock = VirtualClock()
    lane = Lane(clock)
    for _ in range(40):
        clock.pass_time(0.2)
        lane.throttled(clock.now())
    assert lane.rate == LEAST
    for _ in range(2000):
        clock.pass_time(0.5)
        lane.answered()
    assert lane.rate is None
