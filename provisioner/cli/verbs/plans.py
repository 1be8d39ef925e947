"""``validate`` and ``plan``: what is wrong with a plan, and what deploying it would do. Neither changes anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Chosen, plan_options, target_option

if TYPE_CHECKING:
    from provisioner.model import Finding
    from provisioner.plan.model import Plan

DIFFERENT = 7


@click.command("validate", cls=Verb)
@plan_options
@click.pass_obj
def validate(app: App, chosen: Chosen) -> int:
    """Checks a plan: every finding at once, with file, line and column. Nothing is called.

    Without -e a plan is checked in every environment that it declares.
    """
    from provisioner.cli.style import bold, dim, good, plural
    from provisioner.cli.text.findings import findings_json, findings_text

    plans, findings = _load_all(app, chosen)
    exit_code = 0 if plans else 3
    if app.json:
        app.printer.json(
            {
                "valid": not exit_code,
                "deployments": [_facts(plan) for plan in plans],
                "findings": findings_json(findings),
                "exit_code": exit_code,
            }
        )
        return exit_code
    app.printer.say(*findings_text(findings, sources=app.printer.err.terminal))
    for plan in plans:
        skipped = dim(f", {len(plan.skipped)} switched off") if plan.skipped else ""
        where = dim(f"({plan.provider}, {plan.region})")
        app.printer.show(
            [f"{good('✓')} {bold(plan.deployment)} is valid: {plural(len(plan.steps), 'step')}{skipped} {where}"]
        )
    if not plans:
        app.printer.say("", _sum(findings))
    return exit_code


def _sum(findings: Sequence[Finding]) -> str:
    from provisioner.cli.style import bad, plural

    errors = sum(1 for finding in findings if finding.severity.value == "error")
    return bad(f"✗ the plan is not valid: {plural(errors, 'error')}")


def _facts(plan: Plan) -> dict[str, Any]:
    return {
        "deployment": plan.deployment,
        "environment": plan.environment,
        "provider": plan.provider,
        "region": plan.region,
        "steps": len(plan.steps),
        "skipped": list(plan.skipped),
    }


def _load_all(app: App, chosen: Chosen) -> tuple[list[Plan], list[Finding]]:
    """The plan in the chosen environment or in all; no plan at all if one of them has an error."""
    plans, findings = _load(app, chosen, [chosen.environment])
    if not plans and any(one.id == "plan.environment-needed" for one in findings):
        return _load(app, chosen, _environments(chosen))
    return plans, findings


def _load(app: App, chosen: Chosen, environments: Sequence[str | None]) -> tuple[list[Plan], list[Finding]]:
    from provisioner.errors import PlanError
    from provisioner.plan.load import load_plan

    plans: list[Plan] = []
    findings: dict[object, Finding] = {}
    for environment in environments:
        try:
            plan = load_plan(
                chosen.path,
                app.registry,
                environment=environment,
                parameters=chosen.parameters,
                parameter_files=chosen.files,
            )
        except PlanError as err:
            found = err.findings
        else:
            plans.append(plan)
            found = plan.warnings
        findings.update({(one.id, one.where, one.message): one for one in found})
    return (plans if len(plans) == len(environments) else []), list(findings.values())


def _environments(chosen: Chosen) -> list[str | None]:
    from provisioner.plan.yamlfile import load

    return [str(name) for name in load(chosen.path).value["environments"]]


@click.command("plan", cls=Verb)
@plan_options
@target_option
@click.option("--detailed-exitcode", is_flag=True, help=f"Exit code {DIFFERENT} where there is something to do.")
@click.pass_obj
def plan(app: App, chosen: Chosen, targets: tuple[str, ...], detailed_exitcode: bool) -> int:
    """Shows what deploy would do; reads only."""
    from provisioner.cli.planfile import read_plan
    from provisioner.cli.text.preview import changing, preview_json, preview_text
    from provisioner.cli.work import reading
    from provisioner.operations.deploy import plan_preview
    from provisioner.operations.site import Options

    made = read_plan(app, chosen)
    with reading(app, chosen, made.deployment, made) as site:
        planned = plan_preview(site, made, Options(targets=targets))
    different = bool(changing(planned))
    exit_code = DIFFERENT if detailed_exitcode and different else 0
    result = {"deployment": made.deployment, **preview_json(planned, app.registry), "exit_code": exit_code}
    app.tell(result, lambda: preview_text(made.deployment, planned, app.registry))
    return exit_code
