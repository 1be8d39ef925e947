"""``status``, ``outputs`` and ``history``: how a deployment stands and how it came to that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Chosen, plan_options
from provisioner.cli.shapes import Shape, format_options, hand_over

if TYPE_CHECKING:
    from provisioner.plan.model import Plan
    from provisioner.state.backend import Backend
    from provisioner.state.records import State

DIFFERENT = 7
UNHEALTHY = 8


@click.command("status", cls=Verb)
@plan_options
@click.option("--refresh", is_flag=True, help=f"Compare with the cloud; exit code {DIFFERENT} where something differs.")
@click.option("--watch", is_flag=True, help="Show it again every second until the run that is at work ends.")
@click.pass_obj
def status(app: App, chosen: Chosen, refresh: bool, watch: bool) -> int:
    """How a deployment stands, step by step, from its record; also while a run is at work."""
    from provisioner.cli.records import recorded
    from provisioner.cli.text.status import status_json, status_text
    from provisioner.cli.watch import watching
    from provisioner.cli.work import plan_if_valid
    from provisioner.operations.status import DeploymentStatus, status_of
    from provisioner.state.store import peek

    plan, deployment = plan_if_valid(app, chosen)
    backend = recorded(app, chosen, deployment, plan)

    def look() -> DeploymentStatus:
        return status_of(_state(backend, deployment, peek), plan, app.registry, backend.holder())

    if watch and not app.json:
        watching(
            app.printer,
            lambda: look().standing == "running",
            lambda: status_text(look(), time.time(), app.printer.out.width),
        )
        return 0
    found = look()
    if not refresh or plan is None:
        app.tell({**status_json(found), "exit_code": 0}, lambda: status_text(found, time.time(), app.printer.out.width))
        return 0
    drift, text = _refreshed(app, chosen, plan)
    exit_code = DIFFERENT if drift["changes"] else 0
    result = {**status_json(found), "drift": drift, "exit_code": exit_code}
    app.tell(result, lambda: [*status_text(found, time.time(), app.printer.out.width), "", *text])
    return exit_code


def _state(backend: Backend, deployment: str, peek: Any) -> State:
    from provisioner.state.records import State

    found: State | None = peek(backend, deployment)
    return found or State(deployment=deployment, lineage="", salt="")


def _refreshed(app: App, chosen: Chosen, plan: Plan) -> tuple[dict[str, Any], list[str]]:
    """What differs from the plan in the cloud, as an object and as text."""
    from provisioner.cli.style import good
    from provisioner.cli.text.preview import changing, preview_json, preview_text
    from provisioner.cli.work import reading
    from provisioner.operations.deploy import plan_preview
    from provisioner.operations.site import Options

    with reading(app, chosen, plan.deployment, plan) as site:
        planned = plan_preview(site, plan, Options())
    differing = changing(planned)
    text = (
        preview_text("to bring it back to the plan", planned, app.registry)
        if differing
        else [good("the cloud has what the plan says")]
    )
    return preview_json(differing, app.registry), text


@click.command("outputs", cls=Verb)
@plan_options
@click.option("--raw", metavar="NAME", help="One value alone, as it is.")
@click.option("--reveal", is_flag=True, help="Show secret ones; they are read from the cloud.")
@format_options
@click.pass_obj
def outputs(app: App, chosen: Chosen, raw: str | None, reveal: bool, shape: Shape) -> int:
    """Endpoints and other values that a deployment hands on; without --reveal from its record alone.

    With --format for other programs: what is secret is left out then, unless --reveal.
    """
    from provisioner.cli.planfile import read_plan
    from provisioner.cli.records import recorded
    from provisioner.cli.text.outcome import outputs_text
    from provisioner.cli.text.values import plain

    if raw is not None and (shape.format or shape.path):
        raise click.UsageError("--raw is one value as it is: leave --format and --file out")
    plan = read_plan(app, chosen)
    backend = recorded(app, chosen, plan.deployment, plan)
    values = _values(app, chosen, plan, backend, reveal)
    if raw is not None:
        return _raw(app, plan, values, raw, reveal)
    if shape.format or shape.path:
        return hand_over(app, plan.deployment, values, shape, reveal=reveal)
    shown = {name: plain(value, reveal=reveal) for name, value in values.items()}
    app.tell(
        {"deployment": plan.deployment, "outputs": shown},
        lambda: outputs_text(shown, reveal=reveal) if shown else ["no outputs"],
    )
    return 0


def _values(app: App, chosen: Chosen, plan: Plan, backend: Backend, reveal: bool) -> dict[str, Any]:
    from provisioner.cli.work import reading
    from provisioner.operations.outputs import live_outputs, recorded_outputs
    from provisioner.state.store import peek

    if not reveal:
        return recorded_outputs(_state(backend, plan.deployment, peek), plan)
    with reading(app, chosen, plan.deployment, plan) as site:
        return live_outputs(site, plan)


def _raw(app: App, plan: Plan, values: dict[str, Any], name: str, reveal: bool) -> int:
    from provisioner.cli.text.values import as_text, has_secret, plain
    from provisioner.errors import RefusedError, StateError, UsageError

    if name not in plan.outputs:
        raise UsageError(f"the plan has no output {name!r}", hint=f"it has {', '.join(plan.outputs) or 'none'}")
    if name not in values:
        raise StateError(f"output {name!r} has no value: what it comes from is not deployed", hint="deploy it first")
    if not reveal and has_secret(values[name]):
        raise RefusedError(f"output {name!r} is secret", hint="--reveal shows it")
    value = plain(values[name], reveal=reveal)
    if app.json:
        app.printer.json({"deployment": plan.deployment, "name": name, "value": value})
    else:
        app.printer.raw(as_text(value) + "\n")
    return 0


@click.command("history", cls=Verb)
@plan_options
@click.option("--audit", is_flag=True, help="Check that nobody changed the audit file, and show it.")
@click.option("-n", "--lines", type=click.IntRange(1), metavar="N", help="The last N alone.")
@click.pass_obj
def history(app: App, chosen: Chosen, audit: bool, lines: int | None) -> int:
    """The runs of a deployment, newest first."""
    from provisioner.cli.records import recorded
    from provisioner.cli.text.status import history_text, run_json
    from provisioner.cli.work import plan_if_valid
    from provisioner.state.store import peek

    plan, deployment = plan_if_valid(app, chosen)
    backend = recorded(app, chosen, deployment, plan)
    if audit:
        return _audit(app, deployment, backend, lines)
    runs = _state(backend, deployment, peek).runs
    shown = runs[-lines:] if lines else runs
    app.tell({"deployment": deployment, "runs": [run_json(run) for run in shown]}, lambda: history_text(shown))
    return 0


def _audit(app: App, deployment: str, backend: Backend, lines: int | None) -> int:
    from provisioner.cli.text.audit import audit_text, read_audit
    from provisioner.state.audit import NAME, verify_audit

    raw, path = backend.read(NAME) or b"", backend.place(NAME)
    broken = verify_audit(raw)
    entries = read_audit(raw)[-(lines or 0) :]
    exit_code = UNHEALTHY if broken is not None else 0
    result = {
        "deployment": deployment,
        "path": path,
        "whole": broken is None,
        "broken_at": broken,
        "entries": entries,
        "exit_code": exit_code,
    }
    app.tell(result, lambda: audit_text(path, entries, broken))
    return exit_code
