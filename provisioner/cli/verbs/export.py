"""``export``: what a deployment hands to the next module, without a secret in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Chosen, plan_options

if TYPE_CHECKING:
    from provisioner.operations.handoff import Artefact
    from provisioner.plan.model import Plan
    from provisioner.state.records import State

_FORMATS: Final = ("json", "hcl", "env", "markdown")


@click.command("export", cls=Verb)
@plan_options
@click.option("--format", "format_", type=click.Choice(_FORMATS), default="json", show_default=True,
              help="json and hcl for modules, env for programs, markdown is a page for people.")  # fmt: skip
@click.option("--file", "path", type=click.Path(path_type=Path), metavar="PATH",
              help="Into a file that only you can read, whole or not at all.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace a file that something else wrote.")
@click.pass_obj
def export(app: App, chosen: Chosen, format_: str, path: Path | None, force: bool) -> int:
    """Endpoints, where credentials are, alarms, versions and outputs, from the record alone; never a secret value."""
    from provisioner.cli.planfile import read_plan
    from provisioner.cli.records import recorded
    from provisioner.cli.text.formats import COMMENTED
    from provisioner.operations.handoff import artefact
    from provisioner.state.records import State
    from provisioner.state.store import peek

    plan = read_plan(app, chosen)
    backend = recorded(app, chosen, plan.deployment, plan)
    state = peek(backend, plan.deployment) or State(deployment=plan.deployment, lineage="", salt="")
    found = artefact(state, plan)
    text, left = _formatted(app, format_, found, state, plan)
    if path is None:
        app.printer.raw(text)
    else:
        from provisioner.operations.privatefile import MARK, write_private

        head = f"{MARK}: {plan.deployment}\n" if format_ in COMMENTED else ""
        head = f"<!-- {MARK[2:]}: {plan.deployment} -->\n" if format_ == "markdown" else head
        write_private(path, head + text, force=force)
        app.note(f"wrote {path}, which only you can read")
    if left:
        app.warn(f"left out, for they are secret: {', '.join(left)}")
    return 0


def _formatted(app: App, format_: str, found: Artefact, state: State, plan: Plan) -> tuple[str, list[str]]:
    """The text, and the names of the outputs that are not in it."""
    import msgspec

    from provisioner.cli.text.formats import as_env, as_json, as_tfvars, without_secrets
    from provisioner.operations.handoff import flat

    outputs, left = without_secrets(found.outputs)
    safe = msgspec.structs.replace(found, outputs=outputs)
    if format_ == "markdown":
        from provisioner.cli.text.page import page

        return page(safe, state, plan, _costs(app, state, plan)), left
    if format_ == "env":
        return as_env(flat(safe)) + "\n", left
    tree: dict[str, Any] = msgspec.to_builtins(safe)
    ordered = {"format": tree.pop("format"), **tree}
    return (as_json(ordered) if format_ == "json" else as_tfvars(ordered)) + "\n", left


def _costs(app: App, state: State, plan: Plan) -> dict[str, str]:
    """USD a month by step, with what has no price said; and the sum under an empty name."""
    from provisioner.cli.text.money import usd
    from provisioner.cost import estimate
    from provisioner.operations.costs import Recorded

    bill = estimate(Recorded(state, app.registry, plan))
    costs = {step.step: usd(step.monthly) if step.known else "?" for step in bill.steps if step.lines or not step.known}
    return {**costs, "": ("" if bill.complete else "at least ") + usd(bill.monthly)}
