"""``drift``: what was changed outside. It reads, and changes nothing."""

from __future__ import annotations

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Named, record_options

DIFFERENT = 7


@click.command("drift", cls=Verb)
@record_options(parameters=True)
@click.pass_obj
def drift(app: App, named: Named) -> int:
    """Compares every object with its record, field by field; exit code 7 where something was changed outside.

    What only the plan changed is shown and is no drift. Without a plan (--deployment NAME), and with a broken one, the
    record alone is compared.
    """
    from provisioner.cli.deployed import demand_record, deployed, looking, on_record
    from provisioner.cli.text.drift import drift_json, drift_text
    from provisioner.operations import drift as operation

    found = deployed(app, named)
    if found.plan is None:
        demand_record(app, found)
    with looking(app, found) as site:
        report = operation.drift(site, found.plan)
    if not report.findings and not on_record(app, found):
        demand_record(app, found)
    exit_code = DIFFERENT if report.drifted else 0
    app.tell({**drift_json(report), "exit_code": exit_code}, lambda: drift_text(report, app.printer.out.width))
    return exit_code
