"""What a deploy would do: the same plan, the same table, nothing done.

Everything that can be named is read at once (one list call a type, where the type can), then the steps are decided in
the order of the plan. What was seen is kept in the context, so a deploy that follows does not read it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import msgspec

from provisioner.engine.compare import UNKNOWN, Difference, compare, gap
from provisioner.engine.context import Context, Seen
from provisioner.engine.decide import Sight, Verdict, decide, sight
from provisioner.engine.loop import Result, Task
from provisioner.engine.lost import known as known_by
from provisioner.engine.schedule import Schedule
from provisioner.engine.settle import settle
from provisioner.errors import NotOfferedError
from provisioner.model import Key, Observed, Phase
from provisioner.plan.model import Plan, StepDecl
from provisioner.refs import UnresolvedError, freeze, refs_in, resolve
from provisioner.resource import CanBorrow, Gate, Resource
from provisioner.spec import decode, defaults, fields
from provisioner.state.records import Action, Record, Status


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen to one step. ``problem``: why it cannot. ``protected``: the cloud guards it from deletion.

    ``settled``: what the cloud was asked for of all that the plan leaves open, by field.
    """

    step: str
    type: str
    name: str
    action: Action
    stage: str = ""
    differences: list[Difference] = []
    reason: str = ""
    problem: str = ""
    holds_data: bool = False
    protected: bool = False
    protect: bool = False
    settled: dict[str, Any] = {}


_ACTIONS = {
    Verdict.CREATE: Action.CREATE,
    Verdict.WAIT: Action.RESUME,
    Verdict.SETTLE: Action.RESUME,
    Verdict.FINISH: Action.RESUME,
    Verdict.KEEP: Action.KEEP,
    Verdict.UPDATE: Action.UPDATE,
    Verdict.REPLACE: Action.REPLACE,
    Verdict.ADOPT: Action.ADOPT,
    Verdict.CLAIM: Action.UPDATE,
}
_GONE = "it was there and is gone"
_UNTAGGED = "it has lost its owner's tag, which is put back"


def preview(ctx: Context, plan: Plan, steps: Sequence[StepDecl]) -> list[Planned]:
    """One entry a step in the order of the plan, then the recorded steps that the plan no longer has."""
    objects = [s for s in steps if not issubclass(ctx.drivers.registry.type(s.type), Gate)]
    planned: dict[str, Planned] = {}
    failures: dict[str, BaseException] = {}

    def landed(name: str, result: Result) -> None:
        if result.error is not None:
            failures[name] = result.error
        elif isinstance(result.value, Planned):
            planned[name] = result.value

    with ctx.retrier.impatient():
        _read_all(ctx, plan, objects)
    by_name = {decl.name: decl for decl in objects}
    needs = {decl.name: decl.needs for decl in objects}
    schedule = Schedule(ctx.loop, list(by_name), needs, lambda n: _decide(ctx, by_name[n]), landed, halt=True)
    schedule.begin()
    ctx.loop.run()
    for error in failures.values():
        raise error
    leaving = [_leaving(ctx, record) for record in removed(ctx, plan)]
    return [planned[decl.name] for decl in objects if decl.name in planned] + leaving


def removed(ctx: Context, plan: Plan) -> list[Record]:
    """Recorded steps that the plan does not have (any more, or in this environment), last first.

    One that is a check by now has left it too: a check has no object.
    """
    registry = ctx.drivers.registry
    wanted = {decl.name for decl in plan.steps if issubclass(registry.type(decl.type), Resource)}
    return [record for name, record in reversed(ctx.state.steps.items()) if name not in wanted]


def look_at(ctx: Context, records: Sequence[Record]) -> None:
    """Reads these records' objects, one list call a type where it can; results are in ``ctx.seen``."""
    read(ctx, {record.step: (ctx.drivers.resource(record.type), record.key) for record in records})


def _read_all(ctx: Context, plan: Plan, objects: Sequence[StepDecl]) -> None:
    keys: dict[str, tuple[Resource, Key]] = {}
    for decl in objects:
        resource = ctx.drivers.resource(decl.type)
        # What lives inside another object is looked at when that one is known.
        key = early_key(ctx, resource, decl) if not isinstance(resource, CanBorrow) else None
        if key is not None:
            keys[decl.name] = (resource, key)
            ctx.drivers.leave_out(decl.type, key.owner, _unmanaged(resource, decl))
    for record in removed(ctx, plan):
        keys[record.step] = (ctx.drivers.resource(record.type), record.key)
    with ctx.drivers.glancing():
        read(ctx, keys, glanced=True)


def _unmanaged(resource: Resource, decl: StepDecl) -> frozenset[str]:
    """The fields that the plan says nothing of, and that are left as they are then."""
    return frozenset(name for name, value in defaults(resource.Spec).items() if value is None) - decl.tree.keys()


def read(ctx: Context, keys: Mapping[str, tuple[Resource, Key]], *, glanced: bool = False) -> None:
    """Reads what these keys mean, by step; results are in ``ctx.seen``. The first error is raised."""
    failures: dict[str, BaseException] = {}

    def keep(step: str, key: Key, result: Result) -> None:
        if result.error is not None:
            failures[step] = result.error
        else:
            ctx.seen[step] = Seen(key, result.value, ctx.clock.now(), glanced)

    for step, (resource, key) in keys.items():
        ctx.loop.spawn(ctx.look_for(resource, key, step), lambda r, s=step, k=key: keep(s, k, r))  # type: ignore[misc]
    ctx.loop.run()
    for error in failures.values():
        raise error


def early_key(ctx: Context, resource: Resource, decl: StepDecl) -> Key | None:
    """The key as far as it can be known before anything above was read; None where it cannot."""
    record = ctx.record(decl.name)
    known = {name: value for name, value in decl.tree.items() if not any(refs_in(value))}
    if any(name not in known for name in _identity(resource) if name in decl.tree):
        return record.key if record is not None and record.type == decl.type else None
    return _key(ctx, resource, decl, known)


def _identity(resource: Resource) -> tuple[str, ...]:
    return (*resource.identity, "name", "region")


def _key(ctx: Context, resource: Resource, decl: StepDecl, known: Mapping[str, Any]) -> Key:
    spec = SimpleNamespace(**{**defaults(resource.Spec), **known})
    return resource.key(ctx.state.deployment, decl.name, spec, ctx.drivers.region)


def _decide(ctx: Context, decl: StepDecl) -> Task:
    resource = ctx.drivers.resource(decl.type)
    record = ctx.record(decl.name)
    known, unknown = _partly(ctx, decl)
    facts: dict[str, Any] = {
        "step": decl.name,
        "type": decl.type,
        "stage": decl.stage,
        "holds_data": resource.holds_data,
    }
    facts |= {"protect": decl.protect or (record is not None and record.protect)}
    if any(name in unknown for name in _identity(resource)):
        return Planned(
            name=f"{ctx.state.deployment}-{decl.name}",
            action=Action.CREATE,
            reason="named after what is not there yet",
            **facts,
        )
    key = _key(ctx, resource, decl, known)
    if isinstance(resource, CanBorrow):
        if any(name in unknown for name in resource.borrows):
            return Planned(name=key.name, action=Action.CREATE, reason="what it lives in is not there yet", **facts)
        yield from ctx.reveal(decl.tree, decl.name)
        ctx.lend(resource, key, {**defaults(resource.Spec), **known})
    prior = ctx.seen.get(decl.name)
    if prior is None or prior.key != key:
        seen = yield from ctx.look_for(resource, key, decl.name)
        prior = ctx.seen[decl.name] = Seen(key, seen, ctx.clock.now())
    facts["name"] = key.name
    if record is not None and (record.key != key or record.type != decl.type):
        # What hangs on an object that will be replaced cannot rely on its outputs.
        ctx.forget(decl.name)
        ctx.seen.pop(decl.name)
        return Planned(action=Action.REPLACE, reason=f"{record.type} {record.key.name} becomes another object", **facts)
    yield from ctx.reveal(decl.tree, decl.name)
    yield from ctx.unveil(prior.seen, decl.name)
    planned, meant = yield from _judge(ctx, decl, key, prior.seen, record, facts)
    if prior.glanced and _in_question(planned, prior.seen, record, meant):
        seen = yield from ctx.look_for(resource, key, decl.name)
        ctx.seen[decl.name] = Seen(key, seen, ctx.clock.now())
        yield from ctx.unveil(seen, decl.name)
        planned, _ = yield from _judge(ctx, decl, key, seen, record, facts)
    return planned


def _in_question(planned: Planned, seen: Observed | None, record: Record | None, meant: Mapping[str, Any]) -> bool:
    """A list that lags may be wrong in this, and more than a create that would find out depends on it.

    Where the plan is not what was recorded, the list may show what was before the record, and be of the plan's mind.
    """
    if planned.action is Action.CREATE and seen is None and record is None:
        return False
    changed = record is not None and record.spec != meant
    return changed or planned.action is not Action.KEEP or bool(planned.problem)


def _judge(
    ctx: Context, decl: StepDecl, key: Key, seen: Observed | None, record: Record | None, facts: dict[str, Any]
) -> Task:
    """What would happen in the light of ``seen``, and the step's spec as it would be recorded."""
    try:
        meant = yield from settle(ctx, decl, key, seen)
        planned = _verdict(ctx, meant, seen, record, facts)
        if planned.action is Action.REPLACE:
            meant = yield from settle(ctx, decl, key, seen, anew=True)
            planned = _verdict(ctx, meant, seen, record, facts)
    except NotOfferedError as error:
        return Planned(action=Action.KEEP, problem=f"{error.message}; {error.hint}", **facts), {}
    if decl.name in ctx.settled:
        planned = msgspec.structs.replace(planned, settled=dict(ctx.settled[decl.name].found))
    return planned, freeze(meant.tree, ctx.lookup)


def _verdict(
    ctx: Context, decl: StepDecl, seen: Observed | None, record: Record | None, facts: dict[str, Any]
) -> Planned:
    """The table's word, as far as values are known."""
    resource = ctx.drivers.resource(decl.type)
    known, unknown = _partly(ctx, decl)
    meant = freeze(decl.tree, ctx.lookup)
    owner = f"{ctx.state.deployment}/{decl.name}"
    was = record is not None and record.adopted
    what = sight(seen, owner, adopted=was, known=known_by(resource, record, seen))
    adopting = what is Sight.FOREIGN and decl.adopt and seen is not None and seen.phase is Phase.READY
    adopted = adopting or (record is not None and record.adopted)
    differences: list[Difference] = []
    if seen is not None and (what in (Sight.READY, Sight.FAILED, Sight.UNTAGGED) or adopting):
        # Of what is adopted, only what the plan writes is managed.
        wanted = known if unknown or adopted else fields(decode(resource.Spec, known))
        differences = compare(type(resource), wanted, meant, seen, record, ctx.state.salt)
        differences += [Difference(name, seen.spec.get(name), UNKNOWN) for name in unknown]
    verdict = decide(record.status if record else None, what, gap(differences), adopt=decl.adopt, young=False)
    if seen is not None and seen.phase is Phase.READY and (what is not Sight.FOREIGN or decl.adopt):
        ctx.learn(decl.name, seen.outputs)
    facts["protected"] = seen is not None and seen.protected
    fixed = [difference.field for difference in differences if difference.replaces]
    if adopted and fixed:
        problem = f"{facts['name']} is adopted, and only another object can have another {', '.join(fixed)}"
        return Planned(action=Action.KEEP, problem=problem, differences=differences, **facts)
    if verdict is Verdict.FOREIGN and record is not None and record.status is Status.CREATING and _bare(seen):
        verdict = Verdict.SETTLE  # what a create of ours made may show before its tags do
    if verdict not in _ACTIONS:
        return Planned(
            action=Action.KEEP, problem=_problem(verdict, seen, facts["name"]), differences=differences, **facts
        )
    action = _ACTIONS[verdict]
    lost = record is not None and verdict is Verdict.CREATE and seen is None and record.outputs
    reason = _GONE if lost else _UNTAGGED if verdict is Verdict.CLAIM else ""
    return Planned(action=action, differences=differences, reason=reason, **facts)


def _bare(seen: Observed | None) -> bool:
    return seen is not None and seen.owner is None


def _problem(verdict: Verdict, seen: Observed | None, name: str) -> str:
    if verdict is Verdict.FOREIGN:
        whose = f"it belongs to {seen.owner}" if seen is not None and seen.owner else "it carries no owner's tag"
        return f"{name} exists already, and {whose}"
    if verdict is Verdict.MISSING:
        return f"there is nothing to adopt under {name}"
    state = seen.detail if seen else ""
    return f"{name} is in a state that no waiting mends: {state}; mend it there, or take it away (rollback, or destroy)"


def _partly(ctx: Context, decl: StepDecl) -> tuple[dict[str, Any], dict[str, Any]]:
    """Top-level fields of the step: those that are known, resolved, and those that are not."""
    known: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for name, value in decl.tree.items():
        try:
            known[name] = resolve(value, ctx.lookup)
        except UnresolvedError:
            unknown[name] = value
    return known, unknown


def _leaving(ctx: Context, record: Record) -> Planned:
    resource = ctx.drivers.resource(record.type)
    prior = ctx.seen.get(record.step)
    seen = prior.seen if prior else None
    return Planned(
        step=record.step,
        type=record.type,
        name=record.key.name,
        stage=record.stage,
        action=Action.FORGET if record.adopted else Action.DELETE,
        reason="no longer in the plan",
        holds_data=resource.holds_data,
        protected=seen is not None and seen.protected,
        protect=record.protect,
    )
