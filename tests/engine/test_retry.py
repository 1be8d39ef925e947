"""Retries: how often, how far apart, and what throttling costs everybody else."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from provisioner.engine.clock import VirtualClock
from provisioner.engine.course import LATE
from provisioner.engine.retry import Retrier, RetryPolicy
from provisioner.errors import (
    AccessDeniedError,
    BusyError,
    CloudError,
    ConnectionFailedError,
    ThrottledError,
    UnavailableError,
)
from tests.engine.world import World, agree, plan, step

ONE = plan(step("box"))


def unavailable() -> CloudError:
    return UnavailableError("try later", cloud_code="503")


@pytest.mark.parametrize("verb", ["create", "read"])
@pytest.mark.parametrize(("faults", "code"), [(9, 0), (10, 4)])
def test_ten_tries_in_all_so_nine_faults_are_survived_and_ten_are_not(
    world: World, verb: str, faults: int, code: int
) -> None:
    world.deploy(plan(step("other")))
    if verb == "read":
        # The preview reads too, and a read that fails there fails the command: so only after the create.
        world.cloud.hooks.append(lambda when, called, name: _arm(world, faults) if (when, called) == _MADE else None)
    else:
        world.cloud.fail(verb, "box", unavailable, times=faults)
    assert world.deploy(plan(step("other"), step("box"))).exit_code == code
    assert world.names() == (["box", "other"] if code == 0 else ["other"])
    agree(world)


_MADE = ("after", "create")


def _arm(world: World, faults: int) -> None:
    if not world.cloud.faults:
        world.cloud.fail("read", "box", unavailable, times=faults)


@pytest.mark.parametrize(("faults", "code"), [(9, 0), (10, 4)])
def test_an_update_is_tried_ten_times_too(world: World, faults: int, code: int) -> None:
    world.deploy(ONE)
    world.cloud.fail("update", "box", unavailable, times=faults)
    assert world.deploy(plan(step("box", size=2))).exit_code == code
    assert world.cloud.only("box").spec["size"] == (2 if code == 0 else 1)


def test_a_call_that_was_taken_starts_the_count_anew(world: World) -> None:
    world.deploy(ONE)
    world.cloud.fail("update", "box", unavailable, times=6)
    world.cloud.hooks.append(lambda when, verb, name: _undo_first_update(world) if (when, verb) == _CHANGED else None)
    assert world.deploy(plan(step("box", size=2))).exit_code == 0
    assert world.cloud.only("box").spec["size"] == 2


_CHANGED = ("after", "update")


def _undo_first_update(world: World) -> None:
    if len([call for call in world.cloud.writes() if call[0] == "update"]) == 7:
        world.cloud.only("box").spec["size"] = 1
        world.cloud.fail("update", "box", unavailable, times=6)


def test_an_error_that_is_not_marked_retryable_is_not_tried_again(world: World) -> None:
    world.cloud.fail("create", "box", lambda: AccessDeniedError("no"))
    assert world.deploy(ONE).exit_code == 4
    assert world.writes() == ["create box"]


def test_a_busy_object_is_waited_for_until_the_steps_time_is_up_and_costs_no_try(world: World) -> None:
    world.deploy(ONE)
    world.cloud.fail("update", "box", lambda: BusyError("in the middle of something"), times=100)
    assert world.deploy(plan(step("box", size=2))).exit_code == 0
    assert not [event for event in world.events if event["event"] == "step.retry"]


def test_pauses_grow_twofold_to_a_limit_with_a_jitter_below_the_first_pause() -> None:
    tries = Retrier(RetryPolicy(10, 1.0, 30.0), VirtualClock(), random=Random(7)).tries()
    pauses = [tries.pause(unavailable()) for _ in range(9)]
    for number, pause in enumerate(pauses):
        assert min(2.0**number, 30.0) <= pause <= min(2.0**number, 30.0) + 1.0
    assert all(later > earlier for earlier, later in pairwise(pauses[:6]))
    with pytest.raises(UnavailableError):
        tries.pause(unavailable())


def test_two_steps_do_not_come_back_at_the_same_moment() -> None:
    retrier = Retrier(RetryPolicy(), VirtualClock(), random=Random(7))
    assert retrier.tries().pause(unavailable()) != retrier.tries().pause(unavailable())


def test_the_clouds_own_retry_after_is_honoured(world: World) -> None:
    world.cloud.fail("create", "box", lambda: UnavailableError("later", retry_after=77.0))
    assert world.deploy(ONE).exit_code == 0
    assert world.clock.now() >= 77.0
    (retry,) = [event for event in world.events if event["event"] == "step.retry"]
    assert (retry["step"], retry["attempt"], retry["pause"]) == ("box", 1, 77.0)


def test_a_retry_after_beyond_the_steps_time_ends_with_that_time_and_the_clouds_own_error(world: World) -> None:
    world.cloud.fail("create", "box", lambda: UnavailableError("closed for today", retry_after=86_400.0), times=9)
    outcome = world.deploy(ONE)
    assert outcome.exit_code == 4
    assert "closed for today" in str(outcome.failures[0].error)
    assert 600.0 <= world.clock.now() <= 600.0 + LATE


def test_a_plan_may_ask_for_fewer_tries(world: World) -> None:
    world.cloud.fail("create", "box", unavailable, times=3)
    assert world.deploy(plan(step("box"), attempts=3)).exit_code == 4
    assert len([call for call in world.cloud.calls if call[0] == "create"]) == 3


def test_one_throttled_list_call_of_many_steps_costs_seconds_and_not_minutes(world: World) -> None:
    many = plan(*(step(f"s{number}", "toy.light") for number in range(150)))
    world.deploy(many)
    before, calls = world.clock.now(), len(world.cloud.calls)
    world.cloud.fail("list", "light", lambda: ThrottledError("slow down"))
    assert world.deploy(many).exit_code == 0
    assert world.clock.now() - before < 4.0
    assert len(world.cloud.calls) - calls < 150


def test_a_throttled_delete_slows_its_service_down_as_any_other_call_does(world: World) -> None:
    many = plan(*(step(f"s{number}") for number in range(4)))
    world.deploy(many)
    world.clock.pass_time(60.0)
    begun = world.clock.now()
    times: list[float] = []
    world.cloud.hooks.append(
        lambda when, verb, name: times.append(world.clock.now()) if (when, verb) == ("before", "delete") else None
    )
    world.cloud.fail("delete", "s", lambda: ThrottledError("slow down"), times=4)
    assert world.destroy(many).exit_code == 0
    second = sorted(times)[4:]
    assert second[0] > begun
    assert len({round(at, 3) for at in second}) == 4


def test_three_throttled_creates_deploy_without_a_duplicate(world: World) -> None:
    world.cloud.fail("create", "net", lambda: ThrottledError("slow down"), times=3)
    assert world.deploy(plan(step("net", "toy.network"))).exit_code == 0
    agree(world)


def test_a_queue_longer_than_the_grace_period_makes_no_duplicate_after_a_crash(world: World) -> None:
    """The grace counts from the intent, so an intent must not stand in the queue."""
    many = plan(*(step(f"net{number}", "toy.network") for number in range(12)))
    world.cloud.fail("create", "net", lambda: ThrottledError("slow down"), times=40)
    made: list[float] = []

    def watch(when: str, verb: str, name: str) -> None:
        if (when, verb) == ("before", "create"):
            step_name = name.removeprefix("shop-test-")
            assert world.clock.wall() - world.state.steps[step_name].since < 1.0
            made.append(world.clock.now())

    world.cloud.hooks.append(watch)
    assert world.deploy(many).exit_code == 0
    assert max(made) > 15.0
    agree(world)


def test_a_lost_answer_is_read_back_before_anything_is_made_again(world: World) -> None:
    world.cloud.fail("create", "net", lambda: ConnectionFailedError("reset"), after=True)
    assert world.deploy(plan(step("net", "toy.network"))).exit_code == 0
    assert world.writes() == ["create net"]
