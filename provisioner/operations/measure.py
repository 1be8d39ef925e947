"""What a database is busy with, and a baseline to compare later days with: asked through a plan's own check of it.

A check says where the database is, as whom to ask it and with which password, so nothing else need be told.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final

from provisioner.engine.context import Context
from provisioner.engine.loop import Call, Result, Sleep, Task
from provisioner.errors import UsageError
from provisioner.operations.site import Options, Site
from provisioner.plan.model import Plan, StepDecl
from provisioner.proof import CanMeasure
from provisioner.refs import UnresolvedError, resolve
from provisioner.resource import Registry
from provisioner.spec import decode

PAUSE: Final = 1.0
"""Seconds between two samples."""


def measurable(plan: Plan, registry: Registry) -> list[str]:
    """The checks of a plan that can measure."""
    return [step.name for step in plan.steps if issubclass(registry.type(step.type), CanMeasure)]


def slowest(site: Site, plan: Plan, step: str | None, limit: int) -> tuple[str, Sequence[Mapping[str, Any]]]:
    """The check that was asked, and the statements. UsageError where there is none, or more and none was named."""
    decl = _chosen(site, plan, step)
    return decl.name, _run(site, plan, lambda ctx: _slowest(ctx, decl, limit))


def baseline(site: Site, plan: Plan, step: str | None, seconds: float) -> tuple[str, Mapping[str, Any]]:
    """The check that was asked, and what ``seconds`` of samples say."""
    decl = _chosen(site, plan, step)
    return decl.name, _run(site, plan, lambda ctx: _baseline(ctx, decl, seconds))


def _chosen(site: Site, plan: Plan, step: str | None) -> StepDecl:
    names = measurable(plan, site.drivers.registry)
    hint = f"checks that can be asked: {', '.join(names) or 'none; add a check.postgres to the plan'}"
    if step is not None and step not in names:
        raise UsageError(f"{step!r} is no check of the plan that can measure", hint=hint)
    if step is None and len(names) != 1:
        raise UsageError(f"the plan has {len(names)} checks that can measure; name one with --check", hint=hint)
    return next(decl for decl in plan.steps if decl.name == (step or names[0]))


def _run(site: Site, plan: Plan, task: Callable[[Context], Task]) -> Any:
    site.verify_accounts(site.clouds(plan.steps))
    ctx = site.context(site.new_run("measure"), plan, Options())
    outcome: list[Result] = []
    ctx.loop.spawn(task(ctx), outcome.append)
    ctx.loop.run()
    if outcome[0].error is not None:
        raise outcome[0].error
    return outcome[0].value


def _asked(ctx: Context, decl: StepDecl) -> Generator[Any, Any, tuple[CanMeasure, Any]]:
    """The check, and its spec with what it refers to read from the cloud."""
    gate = ctx.drivers.of(decl.type)
    assert isinstance(gate, CanMeasure)
    yield from ctx.ensure(decl.tree)
    yield from ctx.reveal(decl.tree, decl.name)
    try:
        return gate, decode(gate.Spec, resolve(decl.tree, ctx.lookup))
    except UnresolvedError as error:
        raise ctx.unresolved(decl.name, error) from error


def _slowest(ctx: Context, decl: StepDecl, limit: int) -> Task:
    gate, spec = yield from _asked(ctx, decl)
    return (yield Call(lambda: gate.slowest(spec, limit)))


def _baseline(ctx: Context, decl: StepDecl, seconds: float) -> Task:
    gate, spec = yield from _asked(ctx, decl)
    end = ctx.clock.now() + seconds
    samples: list[Mapping[str, float]] = [(yield Call(lambda: gate.sample(spec)))]
    while ctx.clock.now() < end or len(samples) < 2:
        yield Sleep(min(PAUSE, max(end - ctx.clock.now(), 0.01)))
        samples.append((yield Call(lambda: gate.sample(spec))))
    return gate.baseline(samples)
