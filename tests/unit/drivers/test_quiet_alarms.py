"""``aws.alarms_quiet`` at a glance: how the alarms stand now, without the watch that a deployment keeps."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.drivers.aws.alarms_quiet import AlarmsQuiet


class Sky:
    """A session in which alarms have states."""

    def __init__(self, **states: str) -> None:
        self.states = states
        self.remembered: dict[str, dict[str, Any]] = {}

    def call(self, service: str, operation: str, *, AlarmNames: list[str], **_: Any) -> dict[str, Any]:
        known = [name for name in AlarmNames if name in self.states]
        return {"MetricAlarms": [{"AlarmName": name, "StateValue": self.states[name]} for name in known]}

    def memory(self, name: str) -> dict[str, Any]:
        return self.remembered.setdefault(name, {})


@pytest.mark.parametrize(
    ("states", "need_data", "passed", "detail"),
    [
        ({"cpu": "OK"}, False, True, "1 alarms are quiet"),
        ({"cpu": "INSUFFICIENT_DATA"}, False, True, "1 alarms are quiet"),
        ({"cpu": "INSUFFICIENT_DATA"}, True, False, "cpu has no data: no reason given"),
        ({"cpu": "ALARM"}, False, False, "cpu rings: no reason given"),
        ({}, False, False, "there is no alarm cpu"),
    ],
    ids=str,
)
def test_a_look_says_how_alarms_stand_and_starts_no_watch(
    states: dict[str, str], need_data: bool, passed: bool, detail: str
) -> None:
    sky = Sky(**states)
    verdict = AlarmsQuiet(sky).look(AlarmsQuiet.Spec(alarms=["cpu"], need_data=need_data))
    assert (verdict.passed, verdict.detail) == (passed, detail)
    assert not sky.remembered
