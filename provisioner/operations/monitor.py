"""Monitoring: would somebody be told? ``verify`` looks and changes nothing; ``ring`` tries one alarm.

Works by the record: what was deployed is asked, each object by its type's own power.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from provisioner.engine.context import Context
from provisioner.engine.loop import Call, Result, Sleep, Task
from provisioner.errors import NotFoundError, UsageError
from provisioner.operations.site import Options, Site
from provisioner.plan.model import Plan
from provisioner.proof import CanProve, CanRing, Proof, Standing
from provisioner.resource import Resource
from provisioner.state.records import Record

EVERY: Final = 1.0
"""Seconds between two looks for what became of a try."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one thing that a step made."""

    step: str
    type: str
    standing: Standing
    subject: str
    detail: str
    hint: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """In the order of the plan, or of the record where there is none."""

    deployment: str
    shown: list[Shown]

    def count(self, standing: Standing) -> int:
        return sum(one.standing is standing for one in self.shown)

    @property
    def healthy(self) -> bool:
        """Something watches, and nothing of it fails."""
        return bool(self.shown) and not self.count(Standing.FAILED)


def verify(site: Site, plan: Plan | None) -> Report:
    """Asks every object that can prove itself. CredentialsError where the deployment lives elsewhere; CloudError."""
    site.verify_accounts(site.clouds(plan.steps if plan is not None else ()))
    ctx = site.context(site.new_run("monitor"), plan, Options())
    found: dict[str, list[Shown]] = {}
    failures: list[BaseException] = []

    def landed(record: Record, result: Result) -> None:
        if result.error is not None:
            failures.append(result.error)
        else:
            found[record.step] = [_shown(record.step, record.type, proof) for proof in result.value]

    records = _watching(ctx)
    with ctx.retrier.impatient():
        for record in records:
            ctx.loop.spawn(_prove(ctx, record), lambda result, record=record: landed(record, result))  # type: ignore[misc]
        ctx.loop.run()
    for error in failures:
        raise error
    return Report(deployment=ctx.state.deployment, shown=_in_order(ctx, plan, found))


def _watching(ctx: Context) -> list[Record]:
    registry = ctx.drivers.registry
    return [
        record
        for record in ctx.state.steps.values()
        if record.type in registry and issubclass(registry.type(record.type), CanProve)
    ]


def _prove(ctx: Context, record: Record) -> Task:
    resource = ctx.drivers.resource(record.type)
    assert isinstance(resource, CanProve)
    prove = resource.prove
    try:
        return (yield from _asked(ctx, resource, lambda: prove(record.key)))
    except NotFoundError as error:
        return [Proof(Standing.FAILED, f"{record.type} {record.key.name}", error.message, "deploy makes it again")]


def _asked(ctx: Context, resource: Resource, question: Callable[[], Sequence[Proof]]) -> Task:
    return (yield from ctx.retrier.fetch(Call(question), resource.service, heard=lambda *_: None))


def _in_order(ctx: Context, plan: Plan | None, found: dict[str, list[Shown]]) -> list[Shown]:
    """With what the plan has and nobody deployed."""
    if plan is None:
        return [one for shown in found.values() for one in shown]
    registry, lines = ctx.drivers.registry, []
    for step in plan.steps:
        if step.name in found:
            lines += found.pop(step.name)
        elif issubclass(registry.type(step.type), CanProve):
            lines.append(_shown(step.name, step.type, _MISSING))
    return lines + [one for shown in found.values() for one in shown]


_MISSING: Final = Proof(Standing.FAILED, "nothing", "it was never deployed", "deploy makes it")


def _shown(step: str, type_: str, proof: Proof) -> Shown:
    return Shown(
        step=step, type=type_, standing=proof.standing, subject=proof.subject, detail=proof.detail, hint=proof.hint
    )


def rings(site: Site) -> list[str]:
    """The steps that :func:`ring` can try."""
    registry, steps = site.drivers.registry, site.store.state.steps
    return [
        name for name, one in steps.items() if one.type in registry and issubclass(registry.type(one.type), CanRing)
    ]


def ring(site: Site, step: str, *, reason: str, patience: float) -> Report:
    """Rings the alarm of a step and waits up to ``patience`` seconds for what becomes of it.

    UsageError where the step has none. A FAILED line where it was not told that anybody was.
    """
    known = rings(site)
    if step not in known:
        raise UsageError(f"{step!r} is no alarm that was deployed", hint=f"steps: {', '.join(known) or 'none'}")
    site.verify_accounts(site.clouds(()))
    ctx = site.context(site.new_run("monitor"), None, Options())
    record = ctx.state.steps[step]
    outcome: list[Result] = []
    ctx.loop.spawn(_ring(ctx, record, reason, patience), outcome.append)
    ctx.loop.run()
    if outcome[0].error is not None:
        raise outcome[0].error
    proofs: Sequence[Proof] = outcome[0].value
    return Report(deployment=ctx.state.deployment, shown=[_shown(step, record.type, proof) for proof in proofs])


def _ring(ctx: Context, record: Record, reason: str, patience: float) -> Task:
    resource = ctx.drivers.resource(record.type)
    assert isinstance(resource, CanRing)
    pull, heard = resource.ring, resource.heard
    rung = yield Call(lambda: pull(record.key, reason))
    end = ctx.clock.now() + patience
    while True:
        proofs = yield from _asked(ctx, resource, lambda: heard(record.key))
        if proofs:
            return proofs
        if ctx.clock.now() >= end:
            detail = f"nothing was told within {patience:g} s"
            hint = "provisioner monitor verify says whether anybody listens"
            return [Proof(Standing.FAILED, f"alarm {', '.join(rung)}", detail, hint)]
        yield Sleep(EVERY)
