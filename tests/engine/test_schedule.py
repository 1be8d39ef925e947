"""Which step may start: the ready-set."""

from __future__ import annotations

from provisioner.engine.clock import VirtualClock
from provisioner.engine.loop import Loop, Result, Sleep, Task
from provisioner.engine.schedule import Schedule, reversed_needs


class _Yard:
    """A schedule of tasks that take so many seconds; a negative number fails after that time."""

    def __init__(self, seconds: dict[str, float], needs: dict[str, list[str]], *, halt: bool) -> None:
        self.clock = VirtualClock()
        self.loop = Loop(self.clock, lambda entries: None, workers=0)
        self.seconds = seconds
        self.log: list[str] = []
        self.schedule = Schedule(self.loop, list(seconds), needs, self._task, self._done, halt=halt)

    def _task(self, name: str) -> Task:
        self.log.append(f"{name} starts {self.clock.now():.0f}")
        yield Sleep(abs(self.seconds[name]))
        if self.seconds[name] < 0:
            raise ValueError(name)

    def _done(self, name: str, result: Result) -> None:
        self.log.append(f"{name} {'fails' if result.error else 'ends'} {self.clock.now():.0f}")

    def run(self) -> list[str]:
        self.schedule.begin()
        self.loop.run()
        return self.log


def test_a_step_starts_the_moment_the_last_thing_that_it_needs_is_done() -> None:
    yard = _Yard({"net": 1, "slow": 10, "db": 5, "app": 1}, {"db": ["net"], "app": ["db", "slow"]}, halt=True)
    assert yard.run() == [
        "net starts 0",
        "slow starts 0",
        "net ends 1",
        "db starts 1",
        "db ends 6",
        "slow ends 10",
        "app starts 10",
        "app ends 11",
    ]


def test_position_in_the_plan_breaks_ties() -> None:
    yard = _Yard({"c": 1, "a": 1, "b": 1}, {}, halt=True)
    assert yard.run()[:3] == ["c starts 0", "a starts 0", "b starts 0"]


def test_after_a_failure_nothing_new_starts_and_what_runs_finishes() -> None:
    yard = _Yard({"bad": -1, "long": 5, "next": 1}, {"next": ["long"]}, halt=True)
    assert yard.run() == ["bad starts 0", "long starts 0", "bad fails 1", "long ends 5"]
    assert list(yard.schedule.failed) == ["bad"]
    assert yard.schedule.held_back == ["next"]


def test_without_halt_only_what_hangs_on_the_failed_one_is_held_back() -> None:
    yard = _Yard({"bad": -1, "child": 1, "grandchild": 1, "other": 3}, _CHAIN, halt=False)
    yard.run()
    assert yard.schedule.held_back == ["child", "grandchild"]
    assert yard.schedule.finished == {"other"}


_CHAIN = {"child": ["bad"], "grandchild": ["child"]}


def test_a_need_outside_the_schedule_is_met() -> None:
    assert _Yard({"a": 1}, {"a": ["elsewhere"]}, halt=True).run() == ["a starts 0", "a ends 1"]


def test_nothing_starts_once_the_loop_is_stopping() -> None:
    yard = _Yard({"a": 1}, {}, halt=True)
    yard.loop.stop()
    assert yard.run() == []
    assert yard.schedule.held_back == ["a"]


def test_taken_down_each_goes_after_all_that_need_it() -> None:
    order = ["app", "db", "net"]
    assert reversed_needs(order, {"app": ["db", "net"], "db": ["net"]}) == {
        "app": [],
        "db": ["app"],
        "net": ["app", "db"],
    }
