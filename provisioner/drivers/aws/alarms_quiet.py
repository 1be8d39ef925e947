"""aws.alarms_quiet: lets a deployment end well only if its alarms stay quiet for a while.

The last step of a plan, it is the trigger of a rollback by alarm: an alarm that begins to ring while it watches fails
the step at once, and the run reverses what it did. An alarm that rang before it looked gets until the step's timeout to
become quiet, for it may tell of what this very run has mended.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws.alarm_base import KINDS, NAMES_AT_ONCE
from provisioner.drivers.aws.page import chunks
from provisioner.model import format_duration, parse_duration
from provisioner.resource import Verdict

_QUIET_SINCE: Final = "alarms quiet since"


def _duration(text: str) -> str | None:
    try:
        parse_duration(text)
    except ValueError as err:
        return str(err)
    return None


@resource.resource("aws.alarms_quiet")
class AlarmsQuiet(resource.Gate):
    """Passes when none of the alarms rings, for as long as it watches."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """Which alarms, and how long."""

        alarms: Annotated[
            list[Annotated[str, Meta(min_length=1, max_length=255)]],
            Meta(min_length=1, description="Names of alarms, also composite ones.", examples=["${db-alarms.critical}"]),
        ]
        watch: Annotated[
            str, Meta(description="How long they must be quiet without a break; less than the step's timeout.")
        ] = "5m"
        need_data: Annotated[bool, Meta(description="Whether an alarm without data counts as one that rings.")] = False

    rules = (resource.Rule(("watch",), _duration),)
    timeout = 900.0
    interval = 15.0

    def check(self, spec: Spec) -> Verdict:
        """One look; the first quiet one starts the watch, which this session remembers."""
        alarms = {str(alarm["AlarmName"]): alarm for alarm in self._alarms(spec.alarms)}
        since = self.session.memory(_QUIET_SINCE)
        place = " ".join([spec.watch, *spec.alarms])
        if missing := [name for name in spec.alarms if name not in alarms]:
            return Verdict(False, f"there is no alarm {', '.join(missing)}")
        bad = ("ALARM", "INSUFFICIENT_DATA") if spec.need_data else ("ALARM",)
        if loud := [_said(alarm) for alarm in alarms.values() if alarm.get("StateValue") in bad]:
            rings = any(alarm.get("StateValue") == "ALARM" for alarm in alarms.values())
            return Verdict(False, "; ".join(loud), final=since.pop(place, None) is not None and rings)
        began = since.setdefault(place, time.monotonic())
        watched = time.monotonic() - began
        if watched < parse_duration(spec.watch):
            return Verdict(False, f"all quiet for {format_duration(watched)} of {spec.watch}")
        del since[place]
        return Verdict(True, f"{len(alarms)} alarms were quiet for {spec.watch}")

    def look(self, spec: Spec) -> Verdict:
        """Whether they are quiet now, without a watch."""
        alarms = {str(alarm["AlarmName"]): alarm for alarm in self._alarms(spec.alarms)}
        bad = ("ALARM", "INSUFFICIENT_DATA") if spec.need_data else ("ALARM",)
        wrong = [f"there is no alarm {name}" for name in spec.alarms if name not in alarms]
        wrong += [_said(alarm) for alarm in alarms.values() if alarm.get("StateValue") in bad]
        return Verdict(not wrong, "; ".join(wrong) or f"{len(alarms)} alarms are quiet")

    def _alarms(self, names: Sequence[str]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for some in chunks(list(dict.fromkeys(names)), NAMES_AT_ONCE):
            answer = self.session.call(
                "cloudwatch", "describe_alarms", AlarmNames=some, AlarmTypes=list(KINDS), MaxRecords=NAMES_AT_ONCE
            )
            found += [alarm for kind in KINDS for alarm in answer.get(f"{kind}s") or ()]
        return found


def _said(alarm: Mapping[str, Any]) -> str:
    state = "rings" if alarm["StateValue"] == "ALARM" else "has no data"
    return f"{alarm['AlarmName']} {state}: {alarm.get('StateReason') or 'no reason given'}"
