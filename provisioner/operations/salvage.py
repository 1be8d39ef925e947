"""Salvage: what carries our tag and is in no record gets one again. Nothing is done to any object.

A step of the plan gets the record that a deploy would have written, with the values that the cloud has; a step that
the plan has no more gets one that is good enough to be destroyed: what it needs is guessed from the ids, names and ARNs
that the objects hold of each other. So a record that was lost whole is had back, and the next deploy finds nothing to
do. What the plan adopts is adopted again.

Weaknesses: the runs of the lost record, and with them the ways back, are gone; a secret that the cloud does not report
is taken to be what its reference gives today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from provisioner.engine.compare import compare, fingerprints
from provisioner.engine.context import Context
from provisioner.engine.preview import preview
from provisioner.engine.search import Stray, search
from provisioner.model import Key, Observed, Phase
from provisioner.operations.adopt import take
from provisioner.operations.kin import Thing, needs_of, sorted_by_need
from provisioner.operations.site import Options, Outcome, Site, changes_of
from provisioner.plan.model import Plan, StepDecl
from provisioner.refs import UnresolvedError, freeze, resolve
from provisioner.resource import Resource
from provisioner.secret import Secret
from provisioner.spec import decode, fields, plain
from provisioner.state.records import (
    Action,
    Change,
    Entry,
    PutChange,
    PutRecord,
    Record,
    RunResult,
    Status,
    Undo,
    UndoKind,
)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An object and the record that it would get. ``planned``: its step is in the plan."""

    record: Record
    planned: bool


class Haul(msgspec.Struct, frozen=True, kw_only=True):
    """What a search brought. ``unsearched``: type → why not.

    ``blocked``: step → its further objects, by type and name, and why they get no record.
    """

    found: list[Found]
    blocked: dict[str, str] = {}
    unsearched: dict[str, str] = {}


Confirm = Callable[[Haul], bool]


def salvage(site: Site, plan: Plan | None, confirm: Confirm) -> Outcome:
    """One run, ``recover``; none where nothing was found. Without a plan all that is found counts as not in it.

    CredentialsError where the deployment lives in another account; CloudError.
    """
    state = site.store.state
    site.check_accounts(site.clouds(plan.steps if plan is not None else ()))
    run = site.new_run("recover")
    ctx = site.context(run, plan, Options())
    haul = look(site, ctx, plan)
    if not confirm(haul) or not haul.found:
        result = "declined" if haul.found else "succeeded"
        return Outcome(deployment=state.deployment, run=None, result=result, exit_code=0)
    site.started(run, len(haul.found))
    entries: list[Entry] = []
    for one in haul.found:
        record, undo = one.record, Undo(kind=UndoKind.NOTHING)
        change = Change(step=record.step, type=record.type, action=Action.RECOVER, undo=undo, at=ctx.clock.wall())
        entries += [PutRecord(record=record), PutChange(run=run.id, change=change)]
        ctx.audit("recover", record)
    site.record_run(run, RunResult.SUCCEEDED, exit_code=0, entries=entries)
    changes = changes_of(ctx.run)
    return site.finished(
        Outcome(deployment=state.deployment, run=run.id, result="succeeded", exit_code=0, changes=changes)
    )


def look(site: Site, ctx: Context, plan: Plan | None) -> Haul:
    """Searches every type of the deployment's clouds, and reads the key of every step that the plan has."""
    clouds = set(site.clouds(plan.steps if plan is not None else ()))
    registry = ctx.drivers.registry
    searched = search(ctx, [name for name in registry.names() if name.partition(".")[0] in clouds], plan)
    steps = {step.name: step for step in plan.steps} if plan is not None else {}
    planned = _planned(ctx, plan) if plan is not None else []
    own = {one.record.step: one.record for one in planned}
    strays: dict[str, Stray] = {}
    blocked: dict[str, list[str]] = {}
    for stray in _not_planned([*searched.strays, *searched.further], steps, planned):
        step = stray.key.step
        record = ctx.record(step) or own.get(step)
        if record is not None and (step not in own or record.type == stray.type):
            blocked.setdefault(step, []).append(_further(stray.type, stray.key, record.type, record.key))
        elif step in strays:
            blocked.setdefault(step, []).append(_further(stray.type, stray.key, strays[step].type, strays[step].key))
        else:
            strays[step] = stray
    # A step has one record. What is of another type than the plan's comes first: the next deploy then takes it away.
    for one in planned:
        if (first := strays.get(one.record.step)) is not None:
            why = _further(one.record.type, one.record.key, first.type, first.key)
            blocked.setdefault(one.record.step, []).append(why)
    planned = [one for one in planned if one.record.step not in strays]
    told = {step: "; ".join(reasons) for step, reasons in blocked.items()}
    return Haul(found=_related(ctx, planned, list(strays.values())), blocked=told, unsearched=searched.unsearched)


def _not_planned(found: list[Stray], steps: Mapping[str, StepDecl], planned: list[Found]) -> list[Stray]:
    """What is not the plan's own object, which is left out once: several may share its name."""
    own = {(one.record.step, one.record.type, one.record.key.name) for one in planned}
    left = []
    for stray in found:
        what = (stray.key.step, stray.type, stray.key.name)
        if what in own:
            own.remove(what)
        else:
            left.append(stray)
    return left


def _further(type_: str, key: Key, other: str, chosen: Key) -> str:
    """A step has one record: why this object gets none."""
    return (
        f"{type_} {key.name}: the step is recorded as {other} {chosen.name}; delete this by hand, or take off its tag"
    )


# -- steps of the plan ----------------------------------------------------------------------------------------


def _planned(ctx: Context, plan: Plan) -> list[Found]:
    """Steps of the plan that are there and in no record, in its order."""
    missing = [
        step
        for step in plan.steps
        if step.name not in ctx.state.steps and issubclass(ctx.drivers.registry.type(step.type), Resource)
    ]
    if not missing:
        return []
    preview(ctx, plan, plan.steps)
    found = []
    for step in missing:
        prior = ctx.seen.get(step.name)
        if prior is None or prior.seen is None:
            continue
        ours = prior.seen.owner == prior.key.owner
        if ours or (step.adopt and prior.seen.phase is Phase.READY):
            record = _record(ctx, Stray(step.type, prior.key, prior.seen), step)
            found.append(Found(record=msgspec.structs.replace(record, adopted=not ours), planned=True))
    return found


def _record(ctx: Context, stray: Stray, step: StepDecl) -> Record:
    """As a deploy would have written it, with the cloud's value where it is another than the plan's."""
    resource = ctx.drivers.resource(step.type)
    seen = stray.seen
    spec, known = _known(ctx, step, seen)
    wanted = known
    if known.keys() == step.tree.keys() and seen.owner == stray.key.owner:
        wanted = fields(decode(resource.Spec, known))
    marks = fingerprints(wanted, ctx.state.salt)
    for difference in compare(type(resource), known, spec, seen, None, ctx.state.salt):
        take(ctx, difference.field, seen, spec, marks)
    facts: dict[str, Any] = {"needs": list(step.needs), "stage": step.stage, "protect": step.protect}
    return msgspec.structs.replace(_bare(ctx, stray), spec=spec, fingerprints=marks, **facts)


def _known(ctx: Context, step: StepDecl, seen: Observed) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plan's fields, frozen and resolved; what refers to something that is not there as the cloud has it."""
    spec: dict[str, Any] = {}
    known: dict[str, Any] = {}
    for name, value in step.tree.items():
        try:
            known[name] = resolve(value, ctx.lookup)
        except UnresolvedError:
            if name in seen.spec and not isinstance(seen.spec[name], Secret):
                spec[name] = freeze(plain(seen.spec[name]), ctx.lookup)
        else:
            spec[name] = freeze(value, ctx.lookup)
    return spec, known


def _bare(ctx: Context, stray: Stray) -> Record:
    return Record(
        step=stray.key.step,
        type=stray.type,
        status=Status.DELETING if stray.seen.phase is Phase.DELETING else Status.READY,
        key=stray.key,
        outputs={name: value for name, value in stray.seen.outputs.items() if not isinstance(value, Secret)},
        since=ctx.clock.wall(),
    )


# -- steps that the plan does not have ------------------------------------------------------------------------


def _related(ctx: Context, planned: list[Found], strays: list[Stray]) -> list[Found]:
    """Everything found, each after what it needs, as far as that can be told."""
    bare = {stray.key.step: _guessed(ctx, stray) for stray in strays}
    everything = [*ctx.state.steps.values(), *(one.record for one in planned), *bare.values()]
    things = [Thing.of(record, ctx.drivers.resource(record.type)) for record in everything]
    needs = needs_of(things, set(bare))
    found = []
    for one in planned:
        more = [need for need in needs[one.record.step] if need in bare and need not in one.record.needs]
        found.append(msgspec.structs.replace(one, record=_needing(one.record, [*one.record.needs, *more])))
    found += [Found(record=_needing(record, needs[step]), planned=False) for step, record in bare.items()]
    return sorted_by_need(found, lambda one: one.record)


def _needing(record: Record, needs: list[str]) -> Record:
    return msgspec.structs.replace(record, needs=needs)


def _guessed(ctx: Context, stray: Stray) -> Record:
    """What the cloud shows of it, without its secrets."""
    shown = {name: plain(value) for name, value in stray.seen.spec.items() if value is not None}
    spec = {name: freeze(value, ctx.lookup) for name, value in shown.items() if not isinstance(value, Secret)}
    return msgspec.structs.replace(_bare(ctx, stray), spec=spec)
