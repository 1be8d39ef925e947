"""Drift: every object beside its record and its step in the plan, and what is ours and in no record. Reads only.

One read an object (one list call a type, where it can), and one search a type that the plan or the record has. An
object of a type that neither has is found by ``state recover``, which searches them all.
"""

from __future__ import annotations

import msgspec

from provisioner.engine.context import Context
from provisioner.engine.drift import Finding, Kind, examine
from provisioner.engine.loop import Result
from provisioner.engine.preview import early_key, look_at, read
from provisioner.engine.search import Stray, search, searchable
from provisioner.model import Phase
from provisioner.operations.site import Options, Site
from provisioner.plan.model import Plan
from provisioner.resource import Resource
from provisioner.state.records import Record


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """``findings``: in the order of the record, then what is in none. ``missing``: steps of the plan that are nowhere.

    ``unsearched``: type → why nobody could look for unrecorded objects of it. ``planned``: there was a plan to compare.
    """

    deployment: str
    findings: list[Finding]
    missing: list[str] = []
    unsearched: dict[str, str] = {}
    planned: bool = True

    @property
    def drifted(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.drifted]


def drift(site: Site, plan: Plan | None) -> Report:
    """Reads and compares. CredentialsError where the deployment lives in another account; CloudError."""
    site.verify_accounts(site.clouds(plan.steps if plan is not None else ()))
    return survey(site.context(site.new_run("drift"), plan, Options()), plan)


def survey(ctx: Context, plan: Plan | None) -> Report:
    """The report, for a run that has checked whose account it is; what was seen is in ``ctx.seen``."""
    records = list(ctx.state.steps.values())
    with ctx.retrier.impatient():
        look_at(ctx, records)
    for record in records:
        _learn(ctx, record)
    findings = _examined(ctx, records, plan)
    searched = search(ctx, _types(ctx, plan), plan)
    strays = [*searched.strays, *(_by_key(ctx, plan) if plan is not None else ())]
    found = {stray.key.step for stray in strays}
    findings = [_doubled(finding, searched.doubled.get(finding.step, 1)) for finding in findings]
    missing = [step.name for step in plan.steps if _is_object(ctx, step.type)] if plan is not None else []
    return Report(
        deployment=ctx.state.deployment,
        findings=findings + [_unrecorded(ctx, stray) for stray in strays],
        missing=[name for name in missing if name not in ctx.state.steps and name not in found],
        unsearched=searched.unsearched,
        planned=plan is not None,
    )


def _learn(ctx: Context, record: Record) -> None:
    """Secrets that others refer to are read where they are now."""
    prior = ctx.seen.get(record.step)
    seen = prior.seen if prior is not None else None
    if seen is not None and seen.phase is Phase.READY and (record.adopted or seen.owner == record.key.owner):
        ctx.learn(record.step, seen.outputs)


def _examined(ctx: Context, records: list[Record], plan: Plan | None) -> list[Finding]:
    declared = {step.name: step for step in plan.steps} if plan is not None else {}
    findings: dict[str, Finding] = {}
    failures: list[BaseException] = []

    def landed(step: str, result: Result) -> None:
        if result.error is not None:
            failures.append(result.error)
        else:
            findings[step] = result.value

    with ctx.retrier.impatient():
        for record in records:
            step = record.step
            task = examine(ctx, record, ctx.seen[step].seen, declared.get(step))
            ctx.loop.spawn(task, lambda result, step=step: landed(step, result))  # type: ignore[misc]
        ctx.loop.run()
    for error in failures:
        raise error
    return [findings[record.step] for record in records]


def _types(ctx: Context, plan: Plan | None) -> list[str]:
    """Of the plan, of the record, and of what earlier runs did."""
    state = ctx.state
    types = [step.type for step in plan.steps] if plan is not None else []
    types += [record.type for record in state.steps.values()]
    types += [change.type for run in state.runs for change in run.changes]
    return [name for name in dict.fromkeys(types) if name in ctx.drivers.registry]


def _is_object(ctx: Context, type_: str) -> bool:
    return issubclass(ctx.drivers.registry.type(type_), Resource)


def _by_key(ctx: Context, plan: Plan) -> list[Stray]:
    """Unrecorded objects of types that cannot be searched, where the plan alone gives their key."""
    keys = {}
    types = {step.name: step.type for step in plan.steps}
    for step in plan.steps:
        if step.name in ctx.state.steps or not _is_object(ctx, step.type) or searchable(ctx, [step.type]):
            continue
        resource = ctx.drivers.resource(step.type)
        key = early_key(ctx, resource, step)
        if key is not None:
            keys[step.name] = (resource, key)
    read(ctx, keys)
    strays = []
    for name, (_, key) in keys.items():
        seen = ctx.seen[name].seen
        if seen is not None and seen.owner == key.owner:
            strays.append(Stray(types[name], key, seen))
    return strays


def _doubled(finding: Finding, number: int) -> Finding:
    if number == 1 or finding.kind not in (Kind.SAME, Kind.PLANNED, Kind.CHANGED):
        return finding
    return msgspec.structs.replace(finding, kind=Kind.DOUBLED, detail=f"{number} objects carry its tag")


def _unrecorded(ctx: Context, stray: Stray) -> Finding:
    record = ctx.record(stray.key.step)
    detail = f"its step is recorded as {record.type} {record.key.name}" if record is not None else stray.seen.detail
    return Finding(
        step=stray.key.step, type=stray.type, name=stray.key.name, kind=Kind.UNRECORDED, detail=detail, ours=True
    )
