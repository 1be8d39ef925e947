"""``verify``: the checklists of what is deployed, gone through by a machine. It reads alone."""

from __future__ import annotations

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Chosen, plan_options

UNHEALTHY = 8


@click.command("verify", cls=Verb)
@plan_options
@click.pass_obj
def verify(app: App, chosen: Chosen) -> int:
    """Goes through the checklist of every object that is deployed, and runs every check of the plan once.

    Exit code 8 where a point is not as it should be. What only a person can tell stays open, with the reason.
    """
    from provisioner.cli.planfile import read_plan
    from provisioner.cli.records import recorded
    from provisioner.cli.text.verify import verify_json, verify_text
    from provisioner.cli.work import reading
    from provisioner.operations.verify import verify as operation

    plan = read_plan(app, chosen)
    recorded(app, chosen, plan.deployment, plan)
    with reading(app, chosen, plan.deployment, plan) as site:
        found = operation(site, plan)
    exit_code = 0 if found.passed else UNHEALTHY
    app.tell({**verify_json(found), "exit_code": exit_code}, lambda: verify_text(found))
    return exit_code
