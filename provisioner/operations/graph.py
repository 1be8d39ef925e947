"""The steps of a plan and what each needs, as a graph that pictures are made of."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from provisioner.operations.status import DeploymentStatus
from provisioner.plan.model import Plan, StepDecl
from provisioner.resource import Gate, Registry


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One step. ``status``: as :mod:`provisioner.operations.status` has it, empty where nothing was ever deployed.

    ``depth``: the most steps that must come one after another before it.
    """

    step: str
    type: str
    stage: str
    depth: int
    status: str = ""
    adopted: bool = False
    protect: bool = False
    check: bool = False
    """It is a gate, and makes nothing."""


class Edge(msgspec.Struct, frozen=True):
    """``step`` needs ``need`` to be ready first."""

    need: str
    step: str


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """Nodes in the order of the plan. ``stages`` in the order in which they first appear."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    stages: tuple[str, ...]

    def node(self, step: str) -> Node:
        return next(node for node in self.nodes if node.step == step)


def graph_of(
    plan: Plan, status: DeploymentStatus | None, registry: Registry | None = None, *, full: bool = False
) -> Graph:
    """The graph of a plan. Edges that longer ways imply are left out unless ``full``.

    Without a ``registry`` the types of ``check.*`` are all that is known to be gates.
    """
    standing = {step.step: step for step in status.steps} if status is not None else {}
    depths = _depths(plan.steps)
    nodes = []
    for decl in plan.steps:
        stand = standing.get(decl.name)
        nodes.append(
            Node(
                step=decl.name,
                type=decl.type,
                stage=decl.stage,
                depth=depths[decl.name],
                status=stand.status if stand is not None else "",
                adopted=decl.adopt,
                protect=decl.protect,
                check=_is_gate(decl.type, registry),
            )
        )
    edges = [Edge(need, decl.name) for decl in plan.steps for need in decl.needs if need in depths]
    return Graph(
        title=plan.deployment,
        nodes=tuple(nodes),
        edges=tuple(edges if full else _reduced(plan.steps, edges)),
        stages=tuple(dict.fromkeys(decl.stage for decl in plan.steps)),
    )


def _is_gate(type_: str, registry: Registry | None) -> bool:
    if registry is None or type_ not in registry:
        return type_.startswith("check.")
    return issubclass(registry.type(type_), Gate)


def _depths(steps: Sequence[StepDecl]) -> dict[str, int]:
    """References point upward, so one pass in the order of the file is enough."""
    depths: dict[str, int] = {}
    for decl in steps:
        depths[decl.name] = max((depths[need] + 1 for need in decl.needs if need in depths), default=0)
    return depths


def _reduced(steps: Sequence[StepDecl], edges: Sequence[Edge]) -> list[Edge]:
    """Without the edges whose order another way through the graph already gives.

    A set of bits for each step says what is above it, so this is quick for thousands of steps.
    """
    place = {decl.name: number for number, decl in enumerate(steps)}
    above: dict[str, int] = {}
    kept: list[Edge] = []
    for decl in steps:
        needs = [need for need in decl.needs if need in above]
        implied = 0
        for need in needs:
            implied |= above[need]
        kept += [Edge(need, decl.name) for need in needs if not implied >> place[need] & 1]
        above[decl.name] = implied | sum(1 << place[need] for need in set(needs))
    order = {edge: number for number, edge in enumerate(edges)}
    return sorted(kept, key=lambda edge: order[edge])
