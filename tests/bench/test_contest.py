"""Both sides work in turn in an emptied sandbox, and ours is held against the best of theirs, number by number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from bench.contest import best, compared, contest, median
from bench.process import Done, Failed, Line
from bench.sides import NEW, NOOP, Span, completed, finished


class _Sandbox:
    def __init__(self, log: list[str]) -> None:
        self._log = log

    def empty(self) -> None:
        self._log.append("emptied")

    def forget(self) -> None:
        pass

    def requests(self) -> dict[str, Any]:
        return {"total": 10, "writes": 4, "counts": {}}

    def arrivals(self) -> dict[str, float]:
        return {"db-instance": 100.0, "replication-group": 90.0}


class _Place:
    why = ""

    def __init__(self, runs: int) -> None:
        self.runs = runs
        self.log: list[str] = []
        self.noted: list[dict[str, Any]] = []
        self.rehearsal = _Sandbox(self.log)

    def say(self, text: str) -> None:
        self.log.append(text)

    def note(self, numbers: dict[str, Any]) -> None:
        self.noted.append(numbers)


class _Side:
    def __init__(self, place: _Place, label: str, walls: Iterable[float], *, broken: bool = False) -> None:
        self.label, self._place, self._walls, self._broken = label, place, iter(walls), broken

    def fresh(self) -> None:
        self._place.log.append(f"{self.label} fresh")

    def do(self, work: str) -> Done:
        self._place.log.append(f"{self.label} {work}")
        if self._broken and work == NOOP:
            raise Failed("plan ended with 2:\n│ \n│ Error: something differs\n│ here\n╵")
        return Done(0, next(self._walls), 0.5, 80.0, [])

    def state(self) -> int:
        return 2000

    def ran(self, done: Done) -> float:
        return done.wall

    def steps(self, done: Done) -> dict[str, Span]:
        return {"db-instance": Span(88.0, 100.2)}


def test_turns_alternate_and_each_begins_with_nothing() -> None:
    place = _Place(runs=2)
    ours = _Side(place, "ours", [1.0] * 4)
    theirs = [_Side(place, "parallelism 10", [9.0] * 2), _Side(place, "parallelism 50", [8.0] * 2)]
    contest(place, "x", ours, theirs, (NEW,))
    turns = ["ours", "parallelism 10", "ours", "parallelism 50"] * 2
    assert place.log == [entry for who in turns for entry in ("emptied", f"{who} fresh", f"{who} {NEW}")]


def test_a_number_is_the_median_of_its_turns_and_every_single_one_is_kept() -> None:
    place = _Place(runs=3)
    found = contest(place, "x", _Side(place, "ours", [1.0, 9.0, 2.0]), [], (NEW,))
    assert found.ours[NEW]["wall"] == 2.0
    assert [one["wall"] for one in place.noted] == [1.0, 9.0, 2.0]


def test_the_lag_is_from_ready_to_done_of_what_was_waited_for() -> None:
    place = _Place(runs=1)
    numbers = contest(place, "x", _Side(place, "ours", [1.0]), [], (NEW,)).ours[NEW]
    assert numbers["lag db-instance"] == pytest.approx(0.2)
    assert numbers["step db-instance"] == pytest.approx(12.2)
    assert "lag replication-group" not in numbers


def test_where_terraform_fails_ours_is_measured_on_and_the_row_says_what_was_wrong() -> None:
    place = _Place(runs=2)
    ours, theirs = _Side(place, "ours", [1.0] * 8), _Side(place, "parallelism 50", [9.0] * 8, broken=True)
    found = contest(place, "x", ours, [theirs], (NEW, NOOP))
    assert (found.theirs, found.why) == ({}, "terraform: Error: something differs")
    assert [entry for entry in place.log if entry == f"ours {NOOP}"] == [f"ours {NOOP}"] * 2
    row = next(iter(compared("credlink", "0 ms", found, {(NEW, "wall"): 0.1})))
    assert (row.what, row.number, row.reached, row.note) == (
        f"{NEW}, 0 ms",
        "wall",
        None,
        "terraform: Error: something differs",
    )


def test_ours_is_held_against_the_best_of_theirs_number_by_number() -> None:
    theirs = {
        "parallelism 10": {NEW: {"wall": 80.0, "CPU": 10.0}},
        "parallelism 50": {NEW: {"wall": 60.0, "CPU": 12.0}},
    }
    assert best(theirs, NEW, "wall") == (60.0, "parallelism 50")
    assert best(theirs, NEW, "CPU") == (10.0, "parallelism 10")
    assert best(theirs, NOOP, "wall") == (None, "")


def test_the_median_of_a_number_that_one_turn_lacks_is_that_of_the_others() -> None:
    assert median([{"wall": 1.0}, {"wall": 3.0, "lag": 0.2}, {"wall": 2.0, "lag": 0.4}]) == {
        "wall": 2.0,
        "lag": pytest.approx(0.3),
    }


def test_our_events_say_when_a_database_was_taken_for_done() -> None:
    events = [
        {"event": "run.started", "at": 1.0},
        {"event": "step.started", "step": "db", "type": "aws.rds_instance", "at": 2.0},
        {"event": "step.started", "step": "key", "type": "aws.kms_key", "at": 2.0},
        {"event": "step.finished", "step": "key", "at": 3.0},
        {"event": "step.finished", "step": "db", "at": 14.5},
    ]
    assert finished(events) == {"db-instance": Span(2.0, 14.5)}


def test_terraforms_words_say_when_a_database_was_taken_for_done() -> None:
    lines = [
        Line(1.0, "aws_db_instance.db: Creating..."),
        Line(11.0, "aws_db_instance.db: Still creating... [10s elapsed]"),
        Line(62.0, "aws_db_instance.db: Creation complete after 1m1s [id=db-ABC]"),
        Line(63.0, "aws_sns_topic.alerts: Creation complete after 0s [id=arn:aws:sns:us-east-1:1:x]"),
        Line(61.0, "aws_elasticache_replication_group.redis[0]: Modifying... [id=redis]"),
        Line(70.0, "aws_elasticache_replication_group.redis[0]: Modifications complete after 9s [id=redis]"),
    ]
    assert completed(lines) == {"db-instance": Span(1.0, 62.0), "replication-group": Span(61.0, 70.0)}
