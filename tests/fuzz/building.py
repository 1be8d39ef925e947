"""From wishes to a plan of the toy cloud."""

from __future__ import annotations

from typing import Any

from provisioner.plan.model import Plan, StepDecl
from tests.engine.world import DEPLOYMENT, plan, step
from tests.fuzz.story import ADOPTABLE, Wish


def corporate(wish: Wish) -> str:
    """The name of what somebody else made, for the wish to adopt."""
    return f"corporate-{wish.kind}-{wish.name}"


def reached(made: Plan, target: str) -> list[str]:
    """The steps that a deploy of the target works on."""
    by_name = {decl.name: decl for decl in made.steps}
    if target not in by_name:
        return list(by_name)
    return [target, *(name for need in by_name[target].needs for name in reached(made, need))]


def build(wishes: tuple[Wish, ...], *, free: bool = False) -> Plan:
    """The plan of these wishes; with ``free`` one that protects nothing, and without gates that never pass."""
    steps: list[StepDecl] = []
    for wish in wishes:
        above = {decl.name: decl.type for decl in steps if decl.type != "toy.gate"}
        if not (free and wish.kind == "gate" and above.keys().isdisjoint(wish.uses)):
            steps.append(_step(wish, above, free))
    return plan(*steps)


def _step(wish: Wish, above: dict[str, str], free: bool) -> StepDecl:
    uses = [use for use in wish.uses if use in above]
    protect = wish.protect and not free
    if wish.kind == "vault":
        return step(wish.name, "toy.vault", protect=protect)
    if wish.kind == "gate":
        return step(wish.name, "toy.gate", thing=f"${{{uses[0]}.id}}" if uses else "nothing", timeout=30.0)
    if wish.adopt and wish.kind in ADOPTABLE:
        # It does not point to ours: what others have and keep would hold on to it for good.
        kind, name = f"toy.{wish.kind}", corporate(wish)
        return step(wish.name, kind, adopt=True, protect=protect, named=name, after=tuple(uses), size=wish.size)
    tree: dict[str, Any] = {"size": wish.size, "uses": [f"${{{use}.id}}" for use in uses]}
    tree |= {"shape": "flat" if wish.flat else "round", "protected": wish.guarded and not free}
    vault = next((use for use in uses if above[use] == "toy.vault"), None)
    if vault is not None:
        tree["password"] = f"${{{vault}.value}}"
    named = f"{DEPLOYMENT}-{wish.name}-own" if wish.named else None
    return step(wish.name, f"toy.{wish.kind}", protect=protect, named=named, **tree)
