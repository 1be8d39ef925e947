"""The gate that ends a plan: quiet for as long as it watches, and an alarm that begins to ring meanwhile is the end."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.drivers.aws.alarms_quiet import AlarmsQuiet


class Session:
    """Alarms by name, in the state that a test puts them."""

    def __init__(self, **states: str) -> None:
        self.states = states
        self._memory: dict[str, Any] = {}

    def memory(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._memory.setdefault(name, {})
        return found

    def call(self, service: str, operation: str, **wish: Any) -> dict[str, Any]:
        assert (service, operation, wish["AlarmTypes"]) == (
            "cloudwatch", "describe_alarms", ["MetricAlarm", "CompositeAlarm"],
        )  # fmt: skip
        listed = [
            {"AlarmName": name, "StateValue": self.states[name], "StateReason": "97 > 90"}
            for name in wish["AlarmNames"]
            if name in self.states
        ]
        return {"MetricAlarms": listed[:1], "CompositeAlarms": listed[1:]}


def spec(**more: Any) -> AlarmsQuiet.Spec:
    return AlarmsQuiet.Spec(**{"alarms": ["cpu", "all"], **more})


def test_quiet_alarms_pass_only_after_the_whole_watch() -> None:
    gate = AlarmsQuiet(Session(cpu="OK", all="INSUFFICIENT_DATA"))
    first = gate.check(spec(watch="1h"))
    assert (first.passed, first.final) == (False, False) and "of 1h" in first.detail
    assert gate.check(spec(watch="0s")).passed


def test_an_alarm_that_rang_before_is_given_time_and_one_that_begins_while_it_watches_is_not() -> None:
    session = Session(cpu="ALARM", all="OK")
    gate = AlarmsQuiet(session)
    before = gate.check(spec(watch="1h"))
    assert (before.passed, before.final) == (False, False) and "cpu rings: 97 > 90" in before.detail
    session.states["cpu"] = "OK"
    assert not gate.check(spec(watch="1h")).final
    session.states["all"] = "ALARM"
    during = gate.check(spec(watch="1h"))
    assert (during.passed, during.final) == (False, True) and "all rings" in during.detail


@pytest.mark.parametrize(("need", "passed"), [(False, True), (True, False)])
def test_an_alarm_without_data_is_quiet_unless_the_plan_says_otherwise(need: bool, passed: bool) -> None:
    gate = AlarmsQuiet(Session(cpu="OK", all="INSUFFICIENT_DATA"))
    assert gate.check(spec(watch="0s", need_data=need)).passed is passed


def test_an_alarm_that_is_not_there_is_not_quiet() -> None:
    seen = AlarmsQuiet(Session(cpu="OK")).check(spec(watch="0s"))
    assert not seen.passed and "no alarm all" in seen.detail
