"""The loop: what is made together, what waits without a thread, and how it stops."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from provisioner.engine.clock import SystemClock, VirtualClock
from provisioner.engine.loop import Call, Commit, Look, Loop, Result, Sleep, Task
from provisioner.engine.retry import Retrier, RetryPolicy
from provisioner.errors import InterruptedRunError, StateWriteError, ThrottledError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import SINGLY, Resource, Singly, Spec
from provisioner.state.records import DropRecord, Entry


class _Nothing(Spec, frozen=True):
    """No fields."""


class _Single(Resource):
    Spec = _Nothing

    def __init__(self) -> None:
        super().__init__(None)
        self.reads: list[list[str]] = []

    def read(self, key: Key) -> Observed | None:
        self.reads.append([key.step])
        return Observed(phase=Phase.READY, owner=key.owner)

    def create(self, key: Key, spec: Any) -> None:
        raise NotImplementedError

    def delete(self, key: Key) -> None:
        raise NotImplementedError


class _Listed(_Single):
    error: Exception | None = None
    unsure: frozenset[str] = frozenset()

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed | Singly]:
        self.reads.append([key.step for key in keys])
        if self.error is not None:
            raise self.error
        there = [key for key in keys if key.step != "gone"]
        return {
            key.owner: SINGLY if key.step in self.unsure else Observed(phase=Phase.READY, owner=key.owner)
            for key in there
        }


class _Bench:
    """A loop with its results and commits written down."""

    def __init__(self, *, workers: int = 0, clock: VirtualClock | SystemClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.commits: list[list[str]] = []
        self.results: dict[str, Result] = {}
        self.refuse: Exception | None = None
        self.loop = Loop(self.clock, self._commit, workers=workers)

    def _commit(self, entries: Sequence[Entry]) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.commits.append([entry.step for entry in entries if isinstance(entry, DropRecord)])

    def start(self, name: str, task: Task) -> None:
        self.loop.spawn(task, lambda result: self.results.__setitem__(name, result))

    def run(self) -> dict[str, Any]:
        self.loop.run()
        return {name: result.value if result.error is None else result.error for name, result in self.results.items()}


def _key(step: str) -> Key:
    return Key(deployment="shop", step=step, name=f"shop-{step}")


def _looking(resource: Resource, step: str) -> Task:
    return (yield Look(resource, _key(step)))


def _committing(step: str) -> Task:
    yield Commit([DropRecord(step=step)])
    return step


def _sleeping(seconds: float) -> Task:
    yield Sleep(seconds)
    return seconds


def _calling(function: Any) -> Task:
    return (yield Call(function))


def test_looks_of_one_tick_at_a_listable_type_are_one_call() -> None:
    bench, listed = _Bench(), _Listed()
    for name in ("a", "b", "gone"):
        bench.start(name, _looking(listed, name))
    found = bench.run()
    assert listed.reads == [["a", "b", "gone"]]
    assert found["a"].owner == "shop/a"
    assert found["gone"] is None


def test_what_a_list_cannot_tell_of_is_read_by_itself() -> None:
    clock = VirtualClock()
    bench, listed = _Bench(clock=clock), _Listed()
    listed.unsure = frozenset({"b", "d"})
    retrier = Retrier(RetryPolicy(), clock)
    for name in "abcd":
        bench.start(name, retrier.look(Look(listed, _key(name)), "toy", heard=lambda *_: None))
    found = bench.run()
    assert listed.reads == [list("abcd"), ["b"], ["d"]]
    assert {name: seen.owner for name, seen in found.items()} == {name: f"shop/{name}" for name in "abcd"}


def test_looks_at_a_type_that_cannot_be_listed_are_a_call_each_and_a_single_look_is_a_read() -> None:
    bench, single, listed = _Bench(), _Single(), _Listed()
    for name in ("a", "b"):
        bench.start(name, _looking(single, name))
    bench.start("c", _looking(listed, "c"))
    bench.run()
    assert single.reads == [["a"], ["b"]]
    assert listed.reads == [["c"]]


def _making(resource: Resource, step: str, made: Any) -> Task:
    yield Call(made)
    return (yield Look(resource, _key(step)))


def test_looks_that_come_while_calls_wait_for_a_worker_share_one_call() -> None:
    bench, listed = _Bench(workers=1), _Listed()
    for name in "abcdefgh":
        bench.start(name, _making(listed, name, lambda: None))
    bench.run()
    assert listed.reads == [list("abcdefgh")]


def test_a_look_is_not_held_back_for_long_however_many_calls_wait() -> None:
    clock = VirtualClock()
    bench, listed = _Bench(workers=1, clock=clock), _Listed()
    for name in "abcdefgh":
        bench.start(name, _making(listed, name, lambda: clock.pass_time(0.1)))
    bench.run()
    assert sorted(name for group in listed.reads for name in group) == list("abcdefgh")
    assert [len(group) for group in listed.reads] == [4, 4]


def test_looks_at_a_type_that_cannot_be_listed_wait_in_the_queue_like_any_call() -> None:
    bench, single = _Bench(workers=1), _Single()
    made: list[str] = []
    for name in ("a", "b", "c"):
        bench.start(name, _making(single, name, lambda name=name: made.append(name)))
    bench.run()
    assert made == ["a", "b", "c"]
    assert single.reads == [["a"], ["b"], ["c"]]


def test_a_failed_list_call_fails_every_look_that_shared_it() -> None:
    bench, listed = _Bench(), _Listed()
    listed.error = ThrottledError("slow down")
    for name in ("a", "b"):
        bench.start(name, _looking(listed, name))
    assert [type(error) for error in bench.run().values()] == [ThrottledError, ThrottledError]


def test_commits_of_one_tick_share_one_write_in_the_order_of_the_steps() -> None:
    bench = _Bench()
    for name in ("a", "b", "c"):
        bench.start(name, _committing(name))
    bench.run()
    assert bench.commits == [["a", "b", "c"]]


def test_a_step_goes_on_only_after_its_commit_is_durable() -> None:
    bench = _Bench()
    seen: list[int] = []

    def task() -> Task:
        yield Commit([DropRecord(step="a")])
        seen.append(len(bench.commits))

    bench.start("a", task())
    bench.run()
    assert seen == [1]


def test_a_commit_that_fails_ends_the_run_with_its_error_and_no_step_goes_on() -> None:
    bench = _Bench()
    bench.refuse = StateWriteError("no space left on device")
    bench.start("a", _committing("a"))
    with pytest.raises(StateWriteError, match="no space"):
        bench.loop.run()
    assert bench.results == {}


def test_a_commit_that_fails_waits_for_the_calls_under_way() -> None:
    bench = _Bench(workers=2, clock=SystemClock())
    bench.refuse = StateWriteError("no space left on device")
    begun, over = threading.Event(), threading.Event()

    def call() -> None:
        begun.set()
        over.set()

    def task() -> Task:
        yield Call(lambda: begun.wait(5))
        yield Commit([DropRecord(step="a")])

    bench.start("call", _calling(call))
    bench.start("a", task())
    with pytest.raises(StateWriteError):
        bench.loop.run()
    bench.loop.close()
    assert over.is_set()


def test_waits_pass_in_virtual_time_in_their_order() -> None:
    bench = _Bench()
    order: list[str] = []

    def task(name: str, seconds: float) -> Task:
        yield Sleep(seconds)
        order.append(f"{name} {bench.clock.now():.0f}")

    for name, seconds in (("slow", 1800.0), ("fast", 5.0), ("middle", 600.0)):
        bench.start(name, task(name, seconds))
    bench.run()
    assert order == ["fast 5", "middle 600", "slow 1800"]


def test_looks_that_are_due_almost_together_are_made_together() -> None:
    bench, listed = _Bench(), _Listed()

    def task(name: str, seconds: float) -> Task:
        yield Sleep(seconds)
        yield Look(listed, _key(name))

    bench.start("a", task("a", 1.0))
    bench.start("b", task("b", 1.01))
    bench.run()
    assert listed.reads == [["a", "b"]]


def test_a_thousand_waiting_steps_need_no_thread() -> None:
    bench = _Bench(workers=4)
    before = threading.active_count()
    for number in range(1000):
        bench.start(str(number), _sleeping(600.0))
    bench.run()
    assert threading.active_count() - before <= 4
    bench.loop.close()


def test_calls_run_at_the_same_time_up_to_the_number_of_workers() -> None:
    bench = _Bench(workers=3, clock=SystemClock())
    together = threading.Barrier(3, timeout=5)
    for name in ("a", "b", "c"):
        bench.start(name, _calling(together.wait))
    assert sorted(bench.run().values()) == [0, 1, 2]
    bench.loop.close()


def test_virtual_time_stands_still_while_a_call_is_under_way() -> None:
    bench = _Bench(workers=1)
    at: list[float] = []
    release = threading.Event()

    def call() -> float:
        release.wait(5)
        return bench.clock.now()

    def task() -> Task:
        at.append((yield Call(call)))

    bench.start("call", task())
    bench.start("sleep", _sleeping(100.0))
    threading.Timer(0.05, release.set).start()
    bench.run()
    bench.loop.close()
    assert at == [0.0]
    assert bench.clock.now() == 100.0


def test_a_steps_exception_is_its_result_and_the_others_go_on() -> None:
    bench = _Bench()

    def broken() -> Task:
        yield Sleep(1.0)
        raise KeyError("a defect")

    bench.start("broken", broken())
    bench.start("whole", _sleeping(2.0))
    found = bench.run()
    assert isinstance(found["broken"], KeyError)
    assert found["whole"] == 2.0


def test_stop_ends_every_wait_now_and_later_but_no_call_look_or_commit() -> None:
    bench, single = _Bench(), _Single()

    def task() -> Task:
        yield Call(bench.loop.stop)
        yield Look(single, _key("a"))
        yield Commit([DropRecord(step="a")])
        yield Sleep(1.0)

    bench.start("a", task())
    bench.start("b", _sleeping(3600.0))
    found = bench.run()
    assert [type(error) for error in found.values()] == [InterruptedRunError, InterruptedRunError]
    assert single.reads == [["a"]]
    assert bench.commits == [["a"]]
    assert bench.clock.now() == 0.0


def test_stop_from_another_thread_wakes_a_loop_that_waits_on_real_time() -> None:
    bench = _Bench(workers=1, clock=SystemClock())
    bench.start("a", _sleeping(3600.0))
    threading.Timer(0.05, bench.loop.stop).start()
    found = bench.run()
    bench.loop.close()
    assert isinstance(found["a"], InterruptedRunError)


def test_after_resume_waiting_is_allowed_again() -> None:
    bench = _Bench()
    bench.loop.stop()
    bench.loop.resume()
    bench.start("a", _sleeping(5.0))
    assert bench.run() == {"a": 5.0}
