"""From PLAN or ``--deployment NAME`` to a deployment: for verbs that work by the record, and better with the plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from provisioner.cli.app import App
from provisioner.cli.options import Chosen, Named
from provisioner.cli.records import record_of, recorded
from provisioner.cli.signals import Signals
from provisioner.cli.work import choose_cloud, plan_if_valid
from provisioner.errors import UsageError
from provisioner.operations.glance import glance
from provisioner.operations.site import Site
from provisioner.plan.model import Plan


class Deployed(NamedTuple):
    """``plan``: None where only the name was given, or the plan is not valid (which was told)."""

    deployment: str
    plan: Plan | None
    chosen: Chosen

    @property
    def region(self) -> str:
        return self.plan.region if self.plan is not None else ""


def deployed(app: App, named: Named) -> Deployed:
    """The deployment that is meant. PlanError where not even its name can be read of the plan."""
    chosen = named.chosen
    if named.plan is None:
        name = named.deployment or ""
        if not name or "/" in name or name.startswith("."):
            raise UsageError(f"{name!r} is not the name of a deployment")
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


@contextmanager
def looking(app: App, found: Deployed) -> Iterator[Site]:
    """A site that only looks: no lock, nothing written; an empty one where nothing is recorded."""
    app.unchanged = True
    choose_cloud(app, sandbox=found.chosen.sandbox)
    backend = record_of(app, found.chosen, found.deployment, found.plan)
    with (
        glance(backend, found.deployment, app.registry, found.region) as site,
        Signals(site.loop.stop, app.printer.say),
    ):
        yield site
