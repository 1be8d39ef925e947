"""CloudWatch: alarms over alarms, and who hangs on whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.rules.alarmrule import named, parsed
from provisioner.sandbox.aws.rules.alarmstore import INVALID, SERVICE, backend_of, check_actions, put_under
from provisioner.sandbox.aws.strict import checked_tags
from provisioner.sandbox.aws.wire import answer, parameters

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

SUPPRESSOR: Final = {
    "ActionsSuppressor": "actions_suppressor",
    "ActionsSuppressorWaitPeriod": "actions_suppressor_wait_period",
    "ActionsSuppressorExtensionPeriod": "actions_suppressor_extension_period",
}
"""Members that moto drops, and where we keep them on its alarm."""


def put(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A rule over alarms that there are. A new one has not been evaluated yet; an update leaves its state alone."""
    wish = parameters(call, INVALID)
    tree = parsed(wish["AlarmRule"])
    checked_tags(wish.get("Tags") or [])
    check_actions(wish)
    _check_suppressor(wish)
    with services.world.moto.lock(SERVICE):
        backend = backend_of(call, services)
        wanted = [*named(tree), *([wish["ActionsSuppressor"]] if wish.get("ActionsSuppressor") else [])]
        if missing := sorted({name for name in wanted if _bare(name) not in backend.alarms}):
            raise AwsError(
                INVALID,
                f"Could not save the composite alarm as alarms {', '.join(missing)} in the alarm rule do not exist",
            )
        before = backend.alarms.get(wish["AlarmName"])
        if before is not None and before.rule is None:
            raise AwsError(INVALID, f"The alarm {wish['AlarmName']} is a metric alarm")
        services.world.moto.touch(SERVICE)
        reply = put_under(call, services, partial(_make, call, backend, wish), wish)
        alarm = backend.alarms[wish["AlarmName"]]
        for member, field in SUPPRESSOR.items():
            setattr(alarm, field, wish.get(member))
    return reply


def _make(call: Call, backend: Any, wish: dict[str, Any]) -> Reply:
    """moto has composite alarms, and no operation that makes one."""
    backend.put_metric_alarm(
        name=wish["AlarmName"], namespace=None, metric_name=None, comparison_operator=None, evaluation_periods=None,
        period=None, threshold=None, statistic=None, description=wish.get("AlarmDescription"), dimensions=[],
        alarm_actions=wish.get("AlarmActions") or [], ok_actions=wish.get("OKActions"),
        insufficient_data_actions=wish.get("InsufficientDataActions"), actions_enabled=wish.get("ActionsEnabled"),
        rule=wish["AlarmRule"], tags=wish.get("Tags"),
    )  # fmt: skip
    return answer(call, {})


def _bare(name: str) -> str:
    return name.partition(":alarm:")[2] if name.startswith("arn:") else name


def _check_suppressor(wish: dict[str, Any]) -> None:
    given = [member for member in SUPPRESSOR if wish.get(member) is not None]
    if given and len(given) < len(SUPPRESSOR):
        raise AwsError(INVALID, f"{', '.join(set(SUPPRESSOR) - set(given))} is required with {given[0]}")


def parents(alarms: dict[str, Any], name: str) -> list[Any]:
    """The composite alarms whose rule, or silence, depends on an alarm."""
    return [
        alarm
        for alarm in alarms.values()
        if alarm.rule is not None
        and (name in named(parsed(alarm.rule)) or _bare(getattr(alarm, "actions_suppressor", None) or "") == name)
    ]


def refuse_needed(alarms: dict[str, Any], names: Iterable[str]) -> None:
    """AwsError where a composite alarm would lose one of these, or two composites are to go at once."""
    going = [name for name in dict.fromkeys(names) if name in alarms]
    if sum(alarms[name].rule is not None for name in going) > 1:
        raise AwsError(INVALID, "Only one composite alarm can be deleted per operation")
    needed = [name for name in going if parents(alarms, name)]
    if needed:
        who = "it" if len(needed) == 1 else "them"
        raise AwsError(INVALID, f"Cannot delete {','.join(needed)} as there are composite alarm(s) depending on {who}.")


def family(call: Call, services: Services, wish: dict[str, Any]) -> Reply:
    """DescribeAlarms for the parents or the children of an alarm: names and ARNs alone."""
    name = wish.get("ParentsOfAlarmName") or wish.get("ChildrenOfAlarmName")
    if set(wish) - {"ParentsOfAlarmName", "ChildrenOfAlarmName", "MaxRecords", "NextToken"} or (
        wish.get("ParentsOfAlarmName") and wish.get("ChildrenOfAlarmName")
    ):
        raise AwsError(INVALID, "No other parameter can be given together with a family")
    with services.world.moto.lock(SERVICE):
        alarms = backend_of(call, services).alarms
        if wish.get("ParentsOfAlarmName"):
            found = parents(alarms, _bare(str(name)))
        else:
            parent = alarms.get(name)
            known = set(named(parsed(parent.rule))) if parent is not None and parent.rule is not None else set()
            found = [alarms[child] for child in sorted(known) if child in alarms]
        told = [(alarm.rule is None, {"AlarmName": alarm.name, "AlarmArn": alarm.alarm_arn}) for alarm in found]
    metric, composite = ([view for plain, view in told if plain is wanted] for wanted in (True, False))
    return answer(call, {"MetricAlarms": metric, "CompositeAlarms": composite})
