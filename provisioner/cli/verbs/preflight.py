"""``preflight``: what would go wrong, told before a cent is spent. It reads alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Chosen, plan_options

if TYPE_CHECKING:
    from provisioner.plan.model import Plan
    from provisioner.rules.run import Report

FAILED = 3


def _list_rules(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from provisioner.cli.text.report import rules_json, rules_text
    from provisioner.preflight.check import caught_by_validate, every_rule

    app = ctx.ensure_object(App)
    rules, validate = list(every_rule().values()), list(caught_by_validate(app.registry))
    app.tell(rules_json(rules, validate), lambda: rules_text(rules, validate))
    ctx.exit(0)


@click.command("preflight", cls=Verb)
@plan_options
@click.option("--offline", is_flag=True, help="Ask no cloud: judge what the plan says alone.")
@click.option("--rule", "only", multiple=True, metavar="ID", help="This rule alone; repeatable.")
@click.option("--rules", is_flag=True, is_eager=True, expose_value=False, callback=_list_rules, help="List the rules.")
@click.pass_obj
def preflight(app: App, chosen: Chosen, offline: bool, only: tuple[str, ...]) -> int:
    """Checks a plan against what the cloud would refuse, what cannot work and what would be of no use.

    Asks the cloud for what it offers and allows, and writes nothing. Exit code 3 where there is an error. Warnings can
    be waived in the plan, with a reason and a day. `deploy` does this first.
    """
    from provisioner.cli.planfile import read_plan
    from provisioner.cli.text.report import report_json, report_text, verdict_text
    from provisioner.rules.rule import Level

    plan = read_plan(app, chosen)
    report = _offline(app, plan, only) if offline else _online(app, chosen, plan, only)
    exit_code = FAILED if report.unwaived(Level.ERROR) else 0
    result = {**report_json(report), "offline": offline, "exit_code": exit_code}
    lines = report_text(report, sources=app.printer.out.terminal)
    app.tell(result, lambda: [*lines, *([""] if lines else []), verdict_text(report, clean="can be deployed")])
    return exit_code


def _offline(app: App, plan: Plan, only: tuple[str, ...]) -> Report:
    from provisioner.plan.outline import Outline
    from provisioner.preflight.check import preflight as check

    return check(Outline(plan, app.registry), datetime.now(UTC).date(), only=only)


def _online(app: App, chosen: Chosen, plan: Plan, only: tuple[str, ...]) -> Report:
    from provisioner.cli.work import reading
    from provisioner.operations.surveys import preflight as check

    with reading(app, chosen, plan.deployment, plan) as site:
        return check(site, plan, datetime.now(UTC).date(), only=only)
