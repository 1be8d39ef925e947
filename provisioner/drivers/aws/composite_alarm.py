"""aws.composite_alarm: rings when a rule over other alarms holds, so that one trouble is told once.

An alarm that a rule names can be deleted only after the rule; a plan's reverse order sees to that, since the rule
refers to the alarms above it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import alarm_expression, bill_watch, same, tagged, tags
from provisioner.drivers.aws.alarm_base import LISTS, SAME_LISTS, Actions, NamedAlarm, sweep
from provisioner.drivers.aws.given import asked, rule
from provisioner.drivers.aws.tags import Tags
from provisioner.model import Key

_Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r'^[^"\x00-\x1f\x7f]+$')]
_Names = Annotated[list[_Name], Meta(min_length=1, max_length=100)]
_WORDS: Final = {"any_of": "OR", "all_of": "AND"}


def _one_way(expression: Any, any_of: Any, all_of: Any) -> str | None:
    given = sum(value is not None for value in (expression, any_of, all_of))
    return None if given == 1 else "give exactly one of rule, any_of, all_of"


def _suppressed(suppressor: Any, wait: Any, extension: Any) -> str | None:
    if suppressor is None:
        return "needs a suppressor" if wait is not None or extension is not None else None
    return "a suppressor needs suppressor_wait and suppressor_extension" if None in (wait, extension) else None


@resource.resource("aws.composite_alarm")
class CompositeAlarm(NamedAlarm):
    """An alarm over alarms."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A composite alarm."""

        name: Annotated[
            Annotated[str, Meta(max_length=255)] | None, Meta(description="Name. Left out: deployment-step.")
        ] = None
        description: Annotated[str, Meta(max_length=1024, description="What to do when it rings.")] = ""
        any_of: Annotated[
            _Names | None,
            Meta(description="Rings when any of these alarms does.", examples=["${db-alarms.critical}"]),
        ] = None
        all_of: Annotated[_Names | None, Meta(description="Rings when all of these alarms do.")] = None
        rule: Annotated[
            Annotated[str, Meta(min_length=1, max_length=10_240)] | None,
            Meta(
                description="Or a rule of CloudWatch's own: ALARM(name), OK(…), INSUFFICIENT_DATA(…), AND, OR, NOT.",
                examples=["ALARM(${db-cpu.name}) AND NOT ALARM(${maintenance.name})"],
            ),
        ] = None
        actions_enabled: Annotated[bool, Meta(description="Whether anybody is told.")] = True
        alarm_actions: Annotated[
            Actions, Meta(description="ARNs told when it rings.", examples=[["${alerts.arn}"]])
        ] = []
        ok_actions: Annotated[Actions, Meta(description="ARNs told when all is well again.")] = []
        insufficient_data_actions: Annotated[Actions, Meta(description="ARNs told when data runs out.")] = []
        suppressor: Annotated[_Name | None, Meta(description="Alarm that, while it rings, keeps this one silent.")] = (
            None
        )
        suppressor_wait: Annotated[
            Annotated[int, Meta(ge=0)] | None, Meta(description="Seconds that it waits for the suppressor to ring.")
        ] = None
        suppressor_extension: Annotated[
            Annotated[int, Meta(ge=0)] | None, Meta(description="Seconds of silence after the suppressor.")
        ] = None
        tags: Tags = None

    kind = "CompositeAlarm"
    charges = staticmethod(bill_watch.composite)
    rules = (
        resource.Rule(("rule", "any_of", "all_of"), _one_way),
        resource.Rule(("suppressor", "suppressor_wait", "suppressor_extension"), _suppressed),
        rule(alarm_expression.complaint, "rule"),
    )
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "rule": alarm_expression.same,
        "any_of": same.as_set,
        "all_of": same.as_set,
        **SAME_LISTS,
        "tags": tags.same,
    }

    def settings(self, alarm: Mapping[str, Any]) -> dict[str, Any]:
        """The rule in all the ways in which a plan can say it."""
        expression = str(alarm["AlarmRule"])
        return {
            "description": alarm.get("AlarmDescription") or "",
            "rule": expression,
            **{field: alarm_expression.apart(expression, word) for field, word in _WORDS.items()},
            "actions_enabled": alarm.get("ActionsEnabled") is not False,
            **{field: sorted(alarm.get(name) or ()) for field, name in LISTS.items()},
            **{field: alarm.get(name) for field, name in _SUPPRESSOR.items()},
        }

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the alarm with its tags; refuses to overwrite what is not ours."""
        self._make(key, "put_composite_alarm", spec.tags, _request(spec))

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Sets all settings in one call, those that the plan may not touch as they are; then the tags."""
        found = self._find(key)
        arn = str(found["AlarmArn"])
        tagged.forget(self.session, arn)
        now, wish = _kept(found), _request(spec, changed)
        if any(now.get(name) != value for name, value in wish.items()):
            self._call("put_composite_alarm", key, AlarmName=key.name, **{**now, **wish})
            sweep(self.session, key, _dropped(str(now["AlarmRule"]), str(wish.get("AlarmRule", now["AlarmRule"]))))
        self._retag(key, arn, spec.tags if asked(changed, "tags") else None)


_SUPPRESSOR: Final = {
    "suppressor": "ActionsSuppressor",
    "suppressor_wait": "ActionsSuppressorWaitPeriod",
    "suppressor_extension": "ActionsSuppressorExtensionPeriod",
}
_PLAIN: Final = {"description": "AlarmDescription", "actions_enabled": "ActionsEnabled", **_SUPPRESSOR}


def _request(spec: CompositeAlarm.Spec, changed: Collection[str] = ()) -> dict[str, Any]:
    """What PutCompositeAlarm is told of the fields that it may touch."""
    values = {name: getattr(spec, field) for field, name in _PLAIN.items() if asked(changed, field)}
    values |= {name: sorted(set(getattr(spec, field))) for field, name in LISTS.items() if asked(changed, field)}
    if asked(changed, "rule", *_WORDS):
        values["AlarmRule"] = _rule(spec)
    return {name: value for name, value in values.items() if value is not None}


def _rule(spec: CompositeAlarm.Spec) -> str | None:
    if spec.rule is not None:
        return spec.rule
    return next(
        (alarm_expression.joined(named, word) for field, word in _WORDS.items() if (named := getattr(spec, field))),
        None,
    )


def _dropped(before: str, after: str) -> list[str]:
    """The alarms that a rule named and names no more."""
    old, new = (alarm_expression.names(alarm_expression.parse(one)) for one in (before, after))
    return sorted(set(old) - set(new))


def _kept(found: Mapping[str, Any]) -> dict[str, Any]:
    """The alarm as it is, in PutCompositeAlarm's words."""
    names = (*_PLAIN.values(), "AlarmRule", "ActionConfiguration")
    kept = {name: found[name] for name in names if found.get(name) is not None}
    return kept | {name: sorted(found.get(name) or ()) for name in LISTS.values()}
