"""What was changed outside, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from provisioner.cli.style import accent, bad, bold, cut, dim, good, warn, width
from provisioner.cli.text.values import literal, plain
from provisioner.engine.drift import Finding, Kind
from provisioner.engine.fields import Cause, Field
from provisioner.operations.drift import Report

_INDENT: Final = "      "
_PLENTY: Final = 1000
_SHORT: Final = 30
_SIGNS: Final[Mapping[Kind, tuple[str, Callable[[str], str], str]]] = {
    Kind.CHANGED: ("~", warn, "changed outside"),
    Kind.GONE: ("-", bad, "gone"),
    Kind.REPLACED: ("!", bad, "replaced"),
    Kind.UNTAGGED: ("?", bad, "its owner's tag is gone"),
    Kind.DOUBLED: ("!", bad, "doubled"),
    Kind.UNSETTLED: ("!", warn, "not ready"),
    Kind.UNFINISHED: ("…", accent, "a run left it half done"),
    Kind.UNRECORDED: ("+", warn, "carries our tag and is in no record"),
    Kind.PLANNED: ("·", dim, "the plan changed"),
    Kind.SAME: ("=", dim, "as recorded"),
}


def drift_json(report: Report) -> dict[str, Any]:
    """``{deployment, drifted, objects: […], missing, unsearched, summary: {kind: number}}``; unchanged objects too."""
    return {
        "deployment": report.deployment,
        "drifted": bool(report.drifted),
        "compared_with_plan": report.planned,
        "objects": [finding_json(finding) for finding in report.findings],
        "missing": report.missing,
        "unsearched": report.unsearched,
        "summary": dict(Counter(finding.kind.value for finding in report.findings)),
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """One object. ``fields``: those that are not the same in plan, record and cloud; ``next``: what to do about it."""
    return {
        "step": finding.step,
        "type": finding.type,
        "name": finding.name,
        "stage": finding.stage,
        "kind": finding.kind.value,
        "drifted": finding.drifted,
        "detail": finding.detail,
        "next": next_of(finding),
        "fields": [_field_json(field) for field in finding.fields],
        "unchecked": finding.unchecked,
    }


def _field_json(field: Field) -> dict[str, Any]:
    return {
        "field": field.field,
        "plan": plain(field.plan),
        "record": plain(field.record),
        "cloud": plain(field.cloud),
        "cause": field.cause.value,
        "secret": field.secret,
        "replaces": field.replaces,
        "added": plain(field.added),
        "missing": plain(field.missing),
    }


def drift_text(report: Report, columns: int = _PLENTY) -> list[str]:
    """A block an object, drift first, what only the plan changed after it, and the sum."""
    drifted = report.drifted
    planned = [finding for finding in report.findings if finding.kind is Kind.PLANNED]
    same = [finding for finding in report.findings if finding.kind is Kind.SAME]
    lines = [bold(report.deployment)]
    for finding in drifted:
        lines += ["", *finding_text(finding, columns, plan=report.planned)]
    if planned or report.missing:
        lines += ["", *_wrapped("not drift: the plan changed, and deploy would bring it", columns, dim, "  ")]
        for finding in planned:
            lines += finding_text(finding, columns, plan=True)
        lines += [f"  {dim('·')} {bold(step)}  {dim('not there yet')}" for step in report.missing]
    if same:
        lines += ["", f"  {dim(f'= {len(same)} as recorded')}"]
        lines += [line for finding in same for line in _unchecked(finding, columns)]
    for type_, why in report.unsearched.items():
        lines += _wrapped(f"not searched: {type_}: {why}", columns, warn, "  ")
    return [*lines, "", *_wrapped(summary(report), columns, warn if drifted else good, "")]


def finding_text(finding: Finding, columns: int, *, plan: bool) -> list[str]:
    """One object: what it is, what is to be said of it, and field by field."""
    sign, colour, words = _SIGNS[finding.kind]
    head = f"  {colour(sign)} {bold(finding.step)}  {finding.type}"
    named = f"{head}  {dim(finding.name)}"
    lines = [named if width(named) <= columns else head]
    said = words + (f": {finding.detail}" if finding.detail else "")
    if finding.kind not in (Kind.PLANNED, Kind.CHANGED):  # there the fields say it
        lines += _wrapped(said, columns, colour)
    if finding.kind is not Kind.PLANNED:
        lines += _wrapped(f"next: {next_of(finding)}", columns, dim)
    for field in finding.fields:
        lines += _field(field, columns, plan=plan)
    return lines + _unchecked(finding, columns)


def next_of(finding: Finding) -> str:
    """What somebody can do about it; empty where nothing is to be done."""
    if finding.kind is Kind.REPLACED and not finding.ours:
        return "remove it or choose another name; to use it, say `adopt: existing` in the plan"
    if finding.kind is Kind.UNTAGGED and not finding.claimable:
        return "put the tag back by hand"
    return {
        Kind.CHANGED: "deploy brings the plan's values back, state adopt accepts the cloud's",
        Kind.GONE: "deploy makes it again, state adopt drops it from the record",
        Kind.REPLACED: "deploy goes on with this one, state adopt accepts it",
        Kind.UNTAGGED: "deploy puts the tag back",
        Kind.DOUBLED: "take the owner's tag off the copies: a destroy deletes whatever carries it",
        Kind.UNSETTLED: "wait, or see what the cloud has to say about it",
        Kind.UNFINISHED: "deploy goes on with it, rollback returns",
        Kind.UNRECORDED: "state recover writes a record of it",
        Kind.PLANNED: "deploy",
        Kind.SAME: "",
    }[finding.kind]


def _field(field: Field, columns: int, *, plan: bool) -> list[str]:
    """In one line where it fits, else a line a side."""
    why, colour = _why(field, plan=plan)
    before, after = (field.record, field.plan) if field.cause is Cause.PLAN else (field.record, field.cloud)
    if field.added or field.missing:
        line = f"{_INDENT}{field.field}  {colour(why)}"
        lines = [line] if width(line) <= columns else _wrapped(f"{field.field}: {why}", columns, colour)
        lines += [f"{_INDENT}  {good('+')} {_value(item, columns)}" for item in field.added]
        return lines + [f"{_INDENT}  {bad('-')} {_value(item, columns)}" for item in field.missing]
    change = "another secret" if field.secret else f"{literal(before)} → {literal(after)}"
    line = f"{_INDENT}{field.field}: {change}  {colour(why)}"
    if width(line) <= columns:
        return [line]
    sides = [("record", field.record), ("cloud", field.cloud), *([("plan", field.plan)] if plan else ())]
    lines = [f"{_INDENT}{field.field}"]
    lines += [f"{_INDENT}  {dim(f'{side:<6}')} {_value(value, columns)}" for side, value in sides]
    return lines + _wrapped(why, columns, colour, _INDENT + "  ")


def _why(field: Field, *, plan: bool) -> tuple[str, Callable[[str], str]]:
    only = "; only a new object can have another" if field.replaces else ""
    if field.cause is Cause.PLAN:
        return f"the plan changed{only}", dim
    if field.cause is Cause.BOTH:
        return f"changed outside, and the plan says {cut(literal(field.plan), _SHORT)} by now{only}", warn
    if field.cause is Cause.AGREED:
        return f"changed outside, {'and the plan is silent' if field.plan is None else 'as the plan has it now'}", warn
    return f"changed outside{'; the plan is as recorded' if plan else ''}{only}", warn


def _unchecked(finding: Finding, columns: int) -> list[str]:
    told = [f"not compared: {finding.step}.{name}: {why}" for name, why in finding.unchecked.items()]
    return [line for text in told for line in _wrapped(text, columns, dim)]


def _value(value: Any, columns: int) -> str:
    return cut(literal(value), max(columns - 16, 20))


def _wrapped(text: str, columns: int, colour: Callable[[str], str], indent: str = _INDENT) -> list[str]:
    import textwrap

    return [indent + colour(line) for line in textwrap.wrap(text, max(columns - len(indent), 20))]


def summary(report: Report) -> str:
    """``Drift: 2 changed outside, 1 gone.``"""
    return f"Drift: {counted(report.drifted)}." if report.drifted else "No drift."


def counted(findings: Iterable[Finding]) -> str:
    """How many of each kind."""
    found = Counter(finding.kind for finding in findings)
    short = {Kind.UNTAGGED: "without their tag", Kind.UNFINISHED: "half done", Kind.UNRECORDED: "in no record"}
    return ", ".join(f"{found[kind]} {short.get(kind, words)}" for kind, (_, _, words) in _SIGNS.items() if found[kind])
