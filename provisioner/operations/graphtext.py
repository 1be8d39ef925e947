"""A graph in the languages of others: Mermaid (for Markdown) and DOT (for Graphviz)."""

from __future__ import annotations

from typing import Final

from provisioner.operations.graph import Graph, Node

COLOURS: Final = {
    "ready": ("#e7f6ec", "#1a7f37"),
    "creating": ("#e6f0fb", "#0969da"),
    "updating": ("#e6f0fb", "#0969da"),
    "deleting": ("#fdf0e3", "#bc4c00"),
    "missing": ("#ffffff", "#8c959f"),
    "check": ("#f3eefc", "#8250df"),
}
"""Fill and line of each status."""


def mermaid(graph: Graph) -> str:
    """A flowchart with a subgraph a stage and a class a status."""
    ids = {node.step: f"s{number}" for number, node in enumerate(graph.nodes)}
    lines = ["---", f"title: {graph.title}", "---", "flowchart LR"]
    for number, stage in enumerate(graph.stages):
        inside = [f"{ids[node.step]}{_mermaid_box(node)}" for node in graph.nodes if node.stage == stage]
        if stage:
            lines += [f'  subgraph g{number}["{_escaped(stage)}"]', *(f"    {line}" for line in inside), "  end"]
        else:
            lines += [f"  {line}" for line in inside]
    lines += [f"  {ids[edge.need]} --> {ids[edge.step]}" for edge in graph.edges]
    for status in sorted({node.status for node in graph.nodes if node.status}):
        fill, line = COLOURS[status]
        members = ",".join(ids[node.step] for node in graph.nodes if node.status == status)
        lines += [f"  classDef {status} fill:{fill},stroke:{line},color:#1f2328", f"  class {members} {status}"]
    return "\n".join(lines) + "\n"


def _mermaid_box(node: Node) -> str:
    label = f'"<b>{_escaped(node.step)}</b><br/>{_escaped(node.type)}"'
    return f"{{{{{label}}}}}" if node.check else f"[{label}]"


def _escaped(text: str) -> str:
    return text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")


def dot(graph: Graph) -> str:
    """A digraph with a cluster a stage."""
    lines = [
        f"digraph {_quoted(graph.title)} {{",
        "  rankdir=LR;",
        '  graph [fontname="Helvetica", labeljust=l, style="rounded,filled", color="#d0d7de", fillcolor="#f6f8fa"];',
        '  node [fontname="Helvetica", fontsize=11, shape=box, style="rounded,filled", color=gray60, fillcolor=white];',
        '  edge [color="#8c959f", arrowsize=0.7];',
    ]
    for number, stage in enumerate(graph.stages):
        inside = [f"{_quoted(node.step)} [{_dot_look(node)}];" for node in graph.nodes if node.stage == stage]
        if stage:
            lines += [
                f"  subgraph cluster_{number} {{",
                f"    label={_quoted(stage)};",
                *(f"    {line}" for line in inside),
                "  }",
            ]
        else:
            lines += [f"  {line}" for line in inside]
    lines += [f"  {_quoted(edge.need)} -> {_quoted(edge.step)};" for edge in graph.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _dot_look(node: Node) -> str:
    look = f"label={_quoted(node.step, node.type)}"
    if node.status:
        fill, line = COLOURS[node.status]
        look += f', fillcolor="{fill}", color="{line}"'
    return look + (", shape=hexagon" if node.check else "")


def _quoted(*lines: str) -> str:
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + "\\n".join(escaped) + '"'
