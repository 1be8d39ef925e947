"""``scan``: what is not as safe as it could be, in a plan or in what it deployed. It reads alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Chosen, plan_options

if TYPE_CHECKING:
    from provisioner.plan.model import Plan
    from provisioner.plan.outline import Outline

UNSAFE = 8


def _list_rules(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from provisioner.cli.text.report import rules_json, rules_text
    from provisioner.scan.families import all_rules

    app = ctx.ensure_object(App)
    app.tell(rules_json(all_rules().values()), lambda: rules_text(all_rules().values()))
    ctx.exit(0)


@click.command("scan", cls=Verb)
@plan_options
@click.option("--deployed", is_flag=True, help="Look at what is deployed instead of what the plan says.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="SARIF 2.1.0, or annotations of a GitHub workflow; --json is --format json.",
)
@click.option("--rule", "only", multiple=True, metavar="ID", help="This rule alone; repeatable.")
@click.option("--rules", is_flag=True, is_eager=True, expose_value=False, callback=_list_rules, help="List the rules.")
@click.pass_obj
def scan(app: App, chosen: Chosen, deployed: bool, form: str, only: tuple[str, ...]) -> int:
    """Looks for what is not as safe as it could be: encryption, exposure, access, backups, traces.

    Exit code 8 where something of level high is left that the plan does not waive. Nothing is changed.
    """
    from provisioner.cli.planfile import read_plan
    from provisioner.cli.text.report import report_json, report_text, verdict_text
    from provisioner.cli.text.sarif import github_lines, sarif
    from provisioner.plan.outline import Outline
    from provisioner.preflight.check import known_ids
    from provisioner.scan import scan as operation
    from provisioner.scan.families import all_rules

    plan = read_plan(app, chosen)
    outline = _deployed(app, chosen, plan) if deployed else Outline(plan, app.registry)
    report = operation.scan(outline, datetime.now(UTC).date(), known=known_ids(), only=only)
    exit_code = 0 if operation.passed(report) else UNSAFE
    if app.json or form == "json":
        app.printer.json({**report_json(report), "deployed": deployed, "exit_code": exit_code})
    elif form == "sarif":
        app.printer.json(sarif(report, [rule for rule in all_rules().values() if rule.id in report.rules]))
    elif form == "github":
        app.printer.show(github_lines(report))
    else:
        app.printer.show(
            [
                *report_text(report, sources=app.printer.out.terminal),
                "",
                verdict_text(report, clean="is as it should be"),
            ]
        )
    return exit_code


def _deployed(app: App, chosen: Chosen, plan: Plan) -> Outline:
    """The plan with what the cloud reports."""
    from provisioner.cli.work import reading
    from provisioner.operations.surveys import observed

    with reading(app, chosen, plan.deployment, plan) as site:
        return observed(site, plan)
