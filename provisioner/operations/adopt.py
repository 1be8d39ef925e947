"""Adopt: what the cloud has becomes the record, for the steps or fields that somebody names. No object is touched.

Afterwards the drift is gone; where the plan itself says otherwise, a deploy would still change it, and ``plan`` shows
that. It is a run of its own, and its rollback puts the records back as they were.

What cannot be accepted: an object of somebody else (that is what ``adopt: existing`` in the plan is for), one that has
lost its owner's tag (a deploy puts it back), one that is in no record (``state recover``), and a step that a run left
half done. Of a secret only the fingerprint is taken; a field that the cloud does not report (a password) is then taken
to be what its reference gives today, and nobody can check that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from provisioner.engine.compare import fingerprints
from provisioner.engine.context import Context
from provisioner.engine.drift import Finding, Kind
from provisioner.engine.fields import Cause
from provisioner.errors import RefusedError, UsageError
from provisioner.model import Observed
from provisioner.operations.drift import survey
from provisioner.operations.site import Options, Outcome, Site, changes_of
from provisioner.plan.model import Plan
from provisioner.refs import freeze, parse, resolve
from provisioner.secret import Secret
from provisioner.spec import plain
from provisioner.state.records import (
    Action,
    Change,
    DropRecord,
    Entry,
    PutChange,
    PutRecord,
    Record,
    RunResult,
    Undo,
    UndoKind,
)


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """What is accepted of one object: all of the finding, or some of its fields."""

    finding: Finding
    fields: tuple[str, ...]

    @property
    def partly(self) -> bool:
        return len(self.fields) < len(_outside(self.finding))


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a drift cannot be accepted."""

    finding: Finding
    reason: str


Confirm = Callable[[list[Acceptance], list[Refusal]], bool]


def adopt(site: Site, plan: Plan | None, wanted: Sequence[str], confirm: Confirm) -> Outcome:
    """One run. ``wanted``: ``STEP`` or ``STEP.FIELD``; empty: all that can be accepted.

    Raises before anything is written: UsageError for what is not there or has not drifted, RefusedError for what cannot
    be accepted. Where nothing has drifted there is no run.
    """
    state = site.store.state
    site.verify_accounts(site.clouds(plan.steps if plan is not None else ()))
    run = site.new_run("adopt")
    ctx = site.context(run, plan, Options())
    found = survey(ctx, plan).findings
    accepted, refused = _chosen(found, wanted)
    if wanted and refused:
        raise RefusedError(
            "; ".join(f"{one.finding.step}: {one.reason}" for one in refused), hint="nothing was changed"
        )
    if not confirm(accepted, refused) or not accepted:
        result = "declined" if accepted else "succeeded"
        return Outcome(deployment=state.deployment, run=None, result=result, exit_code=0)
    site.started(run, len(accepted))
    entries: list[Entry] = []
    for one in accepted:
        record = state.steps[one.finding.step]
        now = _accepted(ctx, record, one)
        entries.append(PutRecord(record=now) if now is not None else DropRecord(step=record.step))
        undo = Undo(kind=UndoKind.NOTHING, before=record)
        change = Change(step=record.step, type=record.type, action=Action.ACCEPT, undo=undo, at=ctx.clock.wall())
        entries.append(PutChange(run=run.id, change=change))
        ctx.audit("accept", record, kind=one.finding.kind.value, fields=list(one.fields))
    site.record_run(run, RunResult.SUCCEEDED, exit_code=0, entries=entries)
    changes = changes_of(ctx.run)
    return site.finished(
        Outcome(deployment=state.deployment, run=run.id, result="succeeded", exit_code=0, changes=changes)
    )


# -- which ----------------------------------------------------------------------------------------------------


def _chosen(found: Sequence[Finding], wanted: Sequence[str]) -> tuple[list[Acceptance], list[Refusal]]:
    by_step = {finding.step: finding for finding in found}
    everything: dict[str, list[str]] = {finding.step: [] for finding in found if finding.drifted}
    fields = _asked(by_step, wanted) if wanted else everything
    accepted, refused = [], []
    for step, names in fields.items():
        finding = by_step[step]
        reason = _refusal(finding)
        if reason:
            refused.append(Refusal(finding=finding, reason=reason))
        else:
            accepted.append(Acceptance(finding=finding, fields=tuple(names or _outside(finding))))
    return accepted, refused


def _asked(by_step: dict[str, Finding], wanted: Sequence[str]) -> dict[str, list[str]]:
    """Step → the fields asked for, none for all of them."""
    fields: dict[str, list[str]] = {}
    for word in wanted:
        step, _, field = word.partition(".")
        finding = by_step.get(step)
        if finding is None:
            raise UsageError(f"nothing is recorded for step {step!r}", hint=f"recorded: {', '.join(by_step) or 'none'}")
        if not finding.drifted:
            raise UsageError(f"{step} is as recorded: there is nothing to accept", hint="see: provisioner drift")
        if field and field not in _outside(finding):
            names = ", ".join(_outside(finding)) or "none"
            raise UsageError(f"{step}.{field} was not changed outside", hint=f"changed outside: {names}")
        fields.setdefault(step, [])
        fields[step] += [field] if field else _outside(finding)
    return fields


def _outside(finding: Finding) -> list[str]:
    return [field.field for field in finding.fields if field.cause is not Cause.PLAN]


_NEVER: Final[Mapping[Kind, str]] = {
    Kind.UNFINISHED: "a run left it half done: deploy goes on with it, rollback returns",
    Kind.UNRECORDED: "it is in no record: provisioner state recover writes one",
    Kind.UNTAGGED: "it has lost its owner's tag: deploy puts it back",
}


def _refusal(finding: Finding) -> str:
    """Why the record cannot take it over; empty where it can."""
    if finding.kind in _NEVER:
        return _NEVER[finding.kind]
    if finding.kind is Kind.REPLACED and not finding.ours:
        return f"{finding.detail}; what is somebody else's is taken over by the plan alone, with `adopt: existing`"
    if finding.kind is Kind.DOUBLED and not _outside(finding):
        return f"{finding.detail}: take it off the copies"
    if finding.kind is Kind.UNSETTLED and not _outside(finding):
        return f"the cloud says {finding.detail}, which is nothing to be recorded; wait for it, or mend it"
    return ""


# -- what becomes of the record -------------------------------------------------------------------------------


def _accepted(ctx: Context, record: Record, one: Acceptance) -> Record | None:
    """The record after it; None where the object is accepted to be gone."""
    if one.finding.kind is Kind.GONE:
        return None
    seen = ctx.seen[record.step].seen
    assert seen is not None
    spec, marks = dict(record.spec), dict(record.fingerprints)
    for name in one.fields:
        take(ctx, name, seen, spec, marks)
    outputs = {name: value for name, value in seen.outputs.items() if not isinstance(value, Secret)}
    return msgspec.structs.replace(record, spec=spec, fingerprints=marks, outputs=outputs)


def take(ctx: Context, name: str, seen: Observed, spec: dict[str, Any], marks: dict[str, str]) -> None:
    """Writes one field as the cloud has it into a frozen spec and its fingerprints."""
    value = seen.spec.get(name)
    for path in [path for path in marks if path == name or path.startswith((f"{name}.", f"{name}["))]:
        del marks[path]
    if isinstance(value, Secret):
        marks[name] = value.fingerprint(ctx.state.salt)
    elif name in seen.spec:
        spec[name] = freeze(plain(value), ctx.lookup)
    else:
        marks |= fingerprints({name: resolve(parse(spec[name]), ctx.lookup)}, ctx.state.salt)
