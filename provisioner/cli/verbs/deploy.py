"""``deploy``: shows what it would do, asks, does it, and tells what it came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Chosen, Wishes, plan_options, run_options

if TYPE_CHECKING:
    from provisioner.cli.flight import Flight
    from provisioner.cli.work import Bench
    from provisioner.engine.preview import Planned
    from provisioner.operations.site import Options
    from provisioner.plan.model import Plan


@click.command("deploy", cls=Verb)
@plan_options
@run_options(on_failure=True)
@click.option("--reveal", is_flag=True, help="Show secret outputs.")
@click.option("--skip-preflight", "skipped", multiple=True, metavar="RULE", help="Leave this rule out; repeatable.")
@click.option("--no-preflight", is_flag=True, help="Leave preflight out.")
@click.pass_obj
def deploy(app: App, chosen: Chosen, wishes: Wishes, reveal: bool, skipped: tuple[str, ...], no_preflight: bool) -> int:
    """Brings a deployment to what its plan says. If a step fails, all that this run changed is reversed.

    Before that, preflight and scan: errors and what is highly unsafe end it, preflight's warnings are told.

    \b
    Exit codes: 0 done, 3 invalid or refused (nothing was changed), 4 failed and reversed,
    5 failed and something remains, 6 another run is at work, 130 stopped in good order.
    """
    from provisioner.cli.flight import Flight
    from provisioner.cli.planfile import read_plan
    from provisioner.cli.runs import begin, finish, options_of
    from provisioner.cli.work import bench, choose_cloud
    from provisioner.operations import deploy as operation

    begin(app, wishes, "deploy")
    plan = read_plan(app, chosen)
    flight = Flight(app, chosen, plan, skipped, wanted=not no_preflight)
    flight.offline()
    choose_cloud(app, sandbox=chosen.sandbox)
    with bench(app, chosen, wishes, plan.deployment, plan, "deploy") as made:
        options = options_of(wishes, _asker(app, made))
        outcome = operation.deploy(made.site, plan, options, _confirm(app, plan, wishes, made, flight, options))
    return finish(app, outcome, chosen, "deploy", plan=plan, reveal=reveal)


def _confirm(
    app: App, plan: Plan, wishes: Wishes, made: Bench, flight: Flight, options: Options
) -> Callable[[list[Planned]], bool]:
    from provisioner.cli.runs import agree
    from provisioner.cli.text.preview import changing, preview_text

    def confirm(planned: list[Planned]) -> bool:
        flight.online(made.site, planned)
        options.checks.extend(flight.checks(planned))
        there_is = bool(changing(planned))
        if there_is and not app.json:
            app.printer.say(*preview_text(plan.deployment, planned, app.registry), "")
        return agree(app, made, wishes.yes or not there_is, f"Deploy {plan.deployment}?")

    return confirm


def _asker(app: App, made: Bench) -> Callable[[Mapping[str, BaseException]], str] | None:
    if not app.printer.interactive:
        return None

    def ask(failures: Mapping[str, BaseException]) -> str:
        from provisioner.cli.style import bad

        with made.progress.suspended(), made.signals.as_usual():
            app.printer.say(*(f"{bad('failed')}: {step}: {error}" for step, error in failures.items()))
            try:
                return "reverse" if app.printer.ask("Reverse what this run changed? (no keeps it)") else "keep"
            except click.Abort:
                return "keep"

    return ask
