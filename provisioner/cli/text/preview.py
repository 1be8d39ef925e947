"""What a deploy would do, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from provisioner.cli.style import accent, bad, bold, cut, dim, good, pad, warn
from provisioner.cli.text.values import literal, plain
from provisioner.engine.compare import UNKNOWN, Difference
from provisioner.engine.preview import Planned
from provisioner.resource import Registry, Resource, Reversibility
from provisioner.state.records import Action

SIGNS: Final[dict[Action, tuple[str, Callable[[str], str], str]]] = {
    Action.CREATE: ("+", good, "create"),
    Action.UPDATE: ("~", warn, "update"),
    Action.REPLACE: ("-/+", bad, "replace"),
    Action.DELETE: ("-", bad, "delete"),
    Action.ADOPT: (">", accent, "adopt"),
    Action.RESUME: ("»", accent, "finish"),
    Action.FORGET: ("<", accent, "let go"),
    Action.KEEP: ("=", dim, "unchanged"),
}
"""Sign, colour and word of each action."""
_LONGEST_NAME: Final = 48


def changing(planned: Iterable[Planned]) -> list[Planned]:
    """What would not stay as it is."""
    return [one for one in planned if one.action is not Action.KEEP or one.problem]


def counted(planned: Iterable[Planned]) -> str:
    """``12 create, 1 update``: what is to be done, or that nothing is."""
    counts = Counter(one.action for one in changing(planned))
    return ", ".join(f"{number} {action.value}" for action, number in counts.items()) or "nothing to do"


def preview_json(planned: Sequence[Planned], registry: Registry) -> dict[str, Any]:
    """``{"changes": […], "summary": {action: number}}``; unchanged steps are among the changes, as ``keep``."""
    return {
        "changes": [_json(one, registry) for one in planned],
        "summary": {action.value: number for action, number in _counts(planned).items()},
    }


def _json(one: Planned, registry: Registry) -> dict[str, Any]:
    return {
        "step": one.step,
        "type": one.type,
        "name": one.name,
        "stage": one.stage,
        "action": one.action.value,
        "reason": one.reason,
        "problem": one.problem,
        "protect": one.protect,
        "protected": one.protected,
        "settled": {field: plain(value) for field, value in one.settled.items()},
        "differences": [_difference_json(d) for d in one.differences],
        "notes": notes(one, registry),
    }


def _difference_json(one: Difference) -> dict[str, Any]:
    return {"field": one.field, "before": plain(one.before), "after": plain(one.after), "replaces": one.replaces}


def _counts(planned: Iterable[Planned]) -> dict[Action, int]:
    found = Counter(one.action for one in planned)
    return {action: found[action] for action in SIGNS}


def preview_text(deployment: str, planned: Sequence[Planned], registry: Registry) -> list[str]:
    """A line a change with what it changes below it, by stage, and the sum of it."""
    shown = changing(planned)
    lines = [bold(deployment)]
    widths = (max((len(p.step) for p in shown), default=0), max((len(p.type) for p in shown), default=0))
    stage = ""
    for one in shown:
        if one.stage != stage:
            stage = one.stage
            lines += ["", f"  {accent(stage)}"] if stage else [""]
        lines += _change(one, widths, registry)
    kept = sum(1 for one in planned if one.action is Action.KEEP and not one.problem)
    if kept:
        lines += ["", f"  {dim(f'= {kept} unchanged')}"]
    return [*lines, "", summary(planned)]


def _change(one: Planned, widths: tuple[int, int], registry: Registry) -> list[str]:
    sign, colour, _ = SIGNS[one.action]
    mark = bad("  !") if one.problem else colour(f"{sign:>3}")
    name = dim(cut(one.name, _LONGEST_NAME))
    lines = [f"  {mark} {pad(bold(one.step), widths[0])}  {one.type:<{widths[1]}}  {name}".rstrip()]
    if one.problem:
        lines.append(f"        {bad(one.problem)}")
    if one.reason:
        lines.append(f"        {dim(one.reason)}")
    shown = {difference.field for difference in one.differences} if one.action is not Action.CREATE else set()
    lines += [f"        {name}: {literal(value)}" for name, value in one.settled.items() if name not in shown]
    if one.action is not Action.CREATE:
        lines += [_difference(difference) for difference in one.differences]
    return lines + [f"        {warn('note:')} {note}" for note in notes(one, registry)]


def _difference(one: Difference) -> str:
    forces = f"  {bad('forces replacement')}" if one.replaces else ""
    after = dim(UNKNOWN) if one.after == UNKNOWN else literal(one.after)
    return f"        {one.field}: {literal(one.before)} → {after}{forces}"


def notes(one: Planned, registry: Registry) -> list[str]:
    """What somebody should know before saying yes."""
    if one.type not in registry:
        return []
    cls = registry.type(one.type)
    found: list[str] = []
    if one.holds_data and one.action in (Action.REPLACE, Action.DELETE):
        found.append("it holds data")
    if one.protected and one.action in (Action.REPLACE, Action.DELETE):
        found.append("it has deletion protection")
    if not issubclass(cls, Resource):
        return found
    if one.action is Action.CREATE and cls.reversibility is Reversibility.DELAYED:
        found.append("when deleted, the cloud keeps it for days before it is gone")
    if one.action is Action.CREATE and cls.reversibility is Reversibility.ONE_WAY:
        found.append("once made it cannot be taken back")
    fields = [d.field for d in one.differences if d.field in cls.one_way]
    if one.action is Action.UPDATE and fields:
        found.append(f"{', '.join(fields)} can only be changed one way: a reverse cannot bring the old value back")
    return found


def summary(planned: Iterable[Planned]) -> str:
    """``Plan: 12 to create, 1 to change, 0 to replace, 0 to delete.``"""
    planned = list(planned)
    count = _counts(planned)
    parts = [
        f"{count[Action.CREATE]} to create",
        f"{count[Action.UPDATE]} to change",
        f"{count[Action.REPLACE]} to replace",
        f"{count[Action.DELETE]} to delete",
    ]
    for action, words in ((Action.ADOPT, "to adopt"), (Action.RESUME, "to finish"), (Action.FORGET, "to let go")):
        parts += [f"{count[action]} {words}"] if count[action] else []
    problems = sum(1 for one in planned if one.problem)
    parts += [bad(f"{problems} impossible")] if problems else []
    return f"Plan: {', '.join(parts)}."
