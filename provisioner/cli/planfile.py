"""The plan that a verb was told of. By itself, so that verbs that ask no cloud load no engine."""

from __future__ import annotations

from provisioner.cli.app import App
from provisioner.cli.options import Chosen
from provisioner.cli.text.findings import findings_text
from provisioner.plan.load import load_plan
from provisioner.plan.model import Plan


def read_plan(app: App, chosen: Chosen) -> Plan:
    """The plan; its warnings go to stderr. PlanError."""
    plan = load_plan(
        chosen.path,
        app.registry,
        environment=chosen.environment,
        parameters=chosen.parameters,
        parameter_files=chosen.files,
    )
    app.failed.setdefault("deployment", plan.deployment)
    app.printer.say(*findings_text(plan.warnings, sources=app.printer.err.terminal))
    return plan
