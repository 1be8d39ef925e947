"""Preflight as the first part of a deploy: errors end it, warnings are told, once.

What needs no cloud is judged before the lock is taken; what the cloud has to say is asked after the preview, about what
is to be made or changed alone. So a deploy that has nothing to do makes no call more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from provisioner.cli.app import App

if TYPE_CHECKING:
    from provisioner.engine.preview import Planned
    from provisioner.operations.site import Site
    from provisioner.plan.model import Plan
    from provisioner.rules.run import Report


class Flight:
    """One deploy's preflight. ``skipped``: ids of rules that are left out; ``wanted`` False leaves out all."""

    def __init__(self, app: App, plan: Plan, skipped: Sequence[str] = (), *, wanted: bool = True) -> None:
        self._app = app
        self._plan = plan
        self._skipped = tuple(skipped)
        self._wanted = wanted
        self._today = datetime.now(UTC).date()

    def offline(self) -> None:
        """PreflightError where the plan alone shows that it would not go well; UsageError for an unknown rule."""
        if not self._wanted:
            return
        from provisioner.plan.outline import Outline
        from provisioner.preflight.check import preflight

        self._judge(preflight(Outline(self._plan, self._app.registry), self._today, skip=self._skipped))

    def online(self, site: Site, planned: Sequence[Planned]) -> None:
        """PreflightError where the cloud would refuse what is to be made or changed."""
        if not self._wanted:
            return
        from provisioner.operations.surveys import preflight_online

        report = preflight_online(site, self._plan, planned, self._today, skip=self._skipped)
        if report is not None:
            self._judge(report)

    def _judge(self, report: Report) -> None:
        from provisioner.cli.text.report import results_text
        from provisioner.rules.rule import Level

        errors = report.unwaived(Level.ERROR)
        if errors:
            from provisioner.preflight.errors import PreflightError

            raise PreflightError([result.finding for result in errors])
        sources = self._app.printer.err.terminal
        self._app.printer.say(*results_text(report.unwaived(), sources=sources))
