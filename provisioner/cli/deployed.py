"""From PLAN or ``--deployment NAME`` to a deployment: for verbs that work by the record, and better with the plan."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import NamedTuple

from provisioner.cli.app import App
from provisioner.cli.held import a_name
from provisioner.cli.options import Chosen, Named
from provisioner.cli.records import record_of, recorded
from provisioner.cli.work import plan_if_valid, reading
from provisioner.operations.site import Site
from provisioner.plan.model import Plan


class Deployed(NamedTuple):
    """``plan``: None where only the name was given, or the plan is not valid (which was told)."""

    deployment: str
    plan: Plan | None
    chosen: Chosen


def deployed(app: App, named: Named) -> Deployed:
    """The deployment that is meant. PlanError where not even its name can be read of the plan."""
    chosen = named.chosen
    if named.plan is None:
        name = a_name(named.deployment or "")
        app.failed["deployment"] = name
        return Deployed(name, None, chosen)
    plan, name = plan_if_valid(app, chosen)
    return Deployed(name, plan, chosen)


def on_record(app: App, found: Deployed) -> bool:
    """Something was recorded for it here."""
    return record_of(app, found.chosen, found.deployment, found.plan).exists()


def demand_record(app: App, found: Deployed) -> None:
    """StateError where there is no record."""
    recorded(app, found.chosen, found.deployment, found.plan)


def looking(app: App, found: Deployed) -> AbstractContextManager[Site]:
    """A site that only looks: no lock, nothing written; an empty one where nothing is recorded."""
    return reading(app, found.chosen, found.deployment, found.plan)
