"""``graph``: the steps and what each needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Chosen, plan_options

if TYPE_CHECKING:
    from provisioner.operations.graph import Graph
    from provisioner.plan.model import Plan

_SUFFIXES = {".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".md": "mermaid", ".mermaid": "mermaid"}


@click.command("graph", cls=Verb)
@plan_options
@click.option(
    "--format", "form", type=click.Choice(["text", "mermaid", "dot", "svg"]), help="text, or what the file's name says."
)
@click.option(
    "-o", "--output", "path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="To a file."
)
@click.option("--full", is_flag=True, help="Also the edges that longer ways imply.")
@click.pass_obj
def graph(app: App, chosen: Chosen, form: str | None, path: Path | None, full: bool) -> int:
    """The steps by stage and what each needs; coloured by status where something is deployed."""
    from provisioner.cli.planfile import read_plan
    from provisioner.errors import UsageError
    from provisioner.operations.graph import graph_of

    plan = read_plan(app, chosen)
    made = graph_of(plan, _status(app, chosen, plan), app.registry, full=full)
    form = form or _SUFFIXES.get(path.suffix.lower() if path else "", "text")
    if path is None:
        if app.json:
            app.printer.json(_json(made))
        elif form == "text":
            app.printer.show(_text(made))
        else:
            app.printer.raw(_drawn(made, form))
        return 0
    try:
        path.write_text(_drawn(made, form), encoding="utf-8")
    except OSError as err:
        raise UsageError(f"cannot write {path}: {err.strerror or err}", hint="name a file that can be written") from err
    app.tell({"deployment": plan.deployment, "path": str(path), "format": form}, lambda: [f"wrote {path}"])
    return 0


def _status(app: App, chosen: Chosen, plan: Plan) -> Any:
    from provisioner.cli.records import record_of
    from provisioner.operations.status import status_of
    from provisioner.state.store import peek

    state = peek(record_of(app, chosen, plan.deployment, plan), plan.deployment)
    return status_of(state, plan, app.registry, None) if state is not None else None


def _drawn(made: Graph, form: str) -> str:
    if form == "svg":
        from provisioner.operations.graphsvg import svg

        return svg(made)
    if form == "text":
        return click.unstyle("\n".join(_text(made))) + "\n"
    from provisioner.operations.graphtext import dot, mermaid

    return dot(made) if form == "dot" else mermaid(made)


def _text(made: Graph) -> list[str]:
    from provisioner.cli.text.graph import graph_text

    return graph_text(made)


def _json(made: Graph) -> dict[str, Any]:
    nodes = [
        {
            "step": node.step,
            "type": node.type,
            "stage": node.stage,
            "depth": node.depth,
            "status": node.status or None,
            "adopted": node.adopted,
            "protect": node.protect,
            "check": node.check,
        }
        for node in made.nodes
    ]
    edges = [{"need": edge.need, "step": edge.step} for edge in made.edges]
    return {"deployment": made.title, "stages": list(made.stages), "nodes": nodes, "edges": edges}
