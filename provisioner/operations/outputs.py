"""A deployment's outputs: the plan's ``outputs`` section, filled in from what the steps are."""

from __future__ import annotations

from typing import Any

from provisioner.engine.context import Context
from provisioner.engine.loop import Result, Task
from provisioner.operations.site import Options, Site
from provisioner.plan.model import Plan
from provisioner.refs import PARAM, Ref, UnresolvedError, refs_in, resolve
from provisioner.secret import MASK, Secret
from provisioner.state.records import State


def resolve_outputs(ctx: Context, plan: Plan) -> dict[str, Any]:
    """Outputs after a deploy; what cannot be resolved (a step left out by --target) is left out."""
    found: dict[str, Any] = {}
    for name, decl in plan.outputs.items():
        try:
            found[name] = resolve(decl.tree, ctx.lookup)
        except UnresolvedError:
            continue
    return found


def recorded_outputs(state: State, plan: Plan) -> dict[str, Any]:
    """Outputs from the record alone; secret ones are masked. Needs no cloud and no credentials."""

    def lookup(ref: Ref) -> Any:
        record = state.steps.get(ref.step)
        if ref.step == PARAM:
            return Secret(MASK)
        if record is None:
            raise UnresolvedError(ref)
        return record.outputs[ref.output] if ref.output in record.outputs else Secret(MASK)

    found: dict[str, Any] = {}
    for name, decl in plan.outputs.items():
        try:
            found[name] = resolve(decl.tree, lookup)
        except UnresolvedError:
            continue
    return {name: MASK if isinstance(value, Secret) else value for name, value in found.items()}


def live_outputs(site: Site, plan: Plan) -> dict[str, Any]:
    """Outputs read from the cloud, secrets included. CredentialsError where it lives in another account."""
    site.verify_accounts(site.clouds(plan.steps))
    ctx = site.context(site.new_run("outputs"), plan, Options())
    trees = [decl.tree for decl in plan.outputs.values() if any(refs_in(decl.tree))]
    failures: list[BaseException] = []

    def reading(tree: Any) -> Task:
        yield from ctx.ensure(tree)

    def landed(result: Result) -> None:
        if result.error is not None:
            failures.append(result.error)

    for tree in trees:
        ctx.loop.spawn(reading(tree), landed)
    ctx.loop.run()
    for error in failures:
        raise error
    return resolve_outputs(ctx, plan)
