"""A graph as text: stages, their steps in the order of the plan, and what each needs."""

from __future__ import annotations

from typing import Final

from provisioner.cli.style import accent, bold, dim, good, table, warn
from provisioner.operations.graph import Graph, Node

_MARK: Final = {"ready": good("●"), "missing": dim("○"), "check": accent("◇"), "": dim("•")}


def graph_text(graph: Graph) -> list[str]:
    """A line a step, by stage."""
    needs: dict[str, list[str]] = {}
    for edge in graph.edges:
        needs.setdefault(edge.step, []).append(edge.need)
    rows = {node.step: _row(node, needs.get(node.step, [])) for node in graph.nodes}
    lines = dict(zip(rows, table(rows.values()), strict=True))
    text = [bold(graph.title)]
    for stage in graph.stages:
        members = [node for node in graph.nodes if node.stage == stage]
        text += ["", accent(stage or "(no stage)")]
        for node in members:
            branch = "└─" if node is members[-1] else "├─"
            text.append(f"{dim(branch)} {lines[node.step]}")
    return text


def _row(node: Node, needs: list[str]) -> tuple[str, str, str]:
    notes = [word for word, holds in (("adopted", node.adopted), ("protected", node.protect)) if holds]
    name = f"{_MARK.get(node.status, warn('◐'))} {bold(node.step)}" + (
        f" {dim('(' + ', '.join(notes) + ')')}" if notes else ""
    )
    return name, dim(node.type), f"{dim('←')} {', '.join(needs)}" if needs else ""
