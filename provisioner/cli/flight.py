"""Preflight as the first part of a deploy: errors end it, warnings are told, once. The scan and the bill go with it.

What the scan finds of level high ends it too, unless the plan waives it; the rest of its findings is for ``provisioner
scan``. A plan over its own budget is one of preflight's errors.

What needs no cloud is judged before the lock is taken; what the cloud has to say is asked after the preview, about what
is to be made or changed alone. So a deploy that has nothing to do makes no call more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from provisioner.cli.app import App
from provisioner.cli.options import Chosen

if TYPE_CHECKING:
    from provisioner.engine.preview import Planned
    from provisioner.operations.site import Check, Site
    from provisioner.plan.model import Plan
    from provisioner.rules.look import Fresh
    from provisioner.rules.rule import Level
    from provisioner.rules.run import Report


class Flight:
    """One deploy's preflight. ``skipped``: ids of rules that are left out; ``wanted`` False leaves out all."""

    def __init__(
        self, app: App, chosen: Chosen, plan: Plan, skipped: Sequence[str] = (), *, wanted: bool = True
    ) -> None:
        self._app = app
        self._chosen = chosen
        self._plan = plan
        self._skipped = tuple(skipped)
        self._wanted = wanted
        self._today = datetime.now(UTC).date()
        self._found: list[Check] = []

    def offline(self) -> None:
        """PreflightError where the plan alone shows that it would not go well; UsageError for an unknown rule."""
        if not self._wanted:
            return
        from provisioner.cost import estimate
        from provisioner.operations.site import Check
        from provisioner.plan.outline import Outline
        from provisioner.preflight.check import known_ids, preflight
        from provisioner.rules.rule import Level
        from provisioner.scan.scan import scan

        outline = Outline(self._plan, self._app.registry)
        report = preflight(outline, self._today, skip=self._skipped)
        if report.unwaived(Level.ERROR):  # what is there may do what nobody could begin with today
            report = preflight(outline, self._today, skip=self._skipped, fresh=self._recorded())
        self._judge(report)
        safety = scan(outline, self._today, known=known_ids(), skip=self._skipped)
        self._judge(safety, Level.HIGH, tell=False)
        bill = estimate(outline)
        self._found = [
            Check("validate", f"{len(self._plan.steps)} steps, {len(report.rules)} rules"),
            Check("security_scan", f"{len(safety.unwaived())} findings, none of level high"),
            Check("cost_estimation", f"{'' if bill.complete else 'at least '}{bill.monthly:.2f} USD a month"),
        ]

    def _recorded(self) -> Fresh:
        """What a deploy would make as far as the record tells: the steps that are not in it."""
        from provisioner.cli.records import record_of
        from provisioner.errors import ProvisionerError
        from provisioner.rules.look import Fresh
        from provisioner.state.records import Status
        from provisioner.state.store import peek

        try:
            state = peek(record_of(self._app, self._chosen, self._plan.deployment, self._plan), self._plan.deployment)
        except ProvisionerError as err:  # the run itself will say so, if the plan gets that far
            return Fresh(unknown=err)
        steps = state.steps if state is not None else {}
        there = {name: record for name, record in steps.items() if record.status is not Status.CREATING}
        made = {one.name for one in self._plan.steps if one.name not in there or there[one.name].type != one.type}
        return Fresh(made=frozenset(made), changed=frozenset(there))

    def online(self, site: Site, planned: Sequence[Planned]) -> None:
        """PreflightError where the cloud would refuse what is to be made or changed."""
        if not self._wanted:
            return
        from provisioner.operations.surveys import preflight_online

        report = preflight_online(site, self._plan, planned, self._today, skip=self._skipped)
        if report is not None:
            self._judge(report)

    def checks(self, planned: Sequence[Planned]) -> list[Check]:
        """What was looked at, in the order of the stage ``validate``."""
        from provisioner.cli.text.preview import counted
        from provisioner.operations.site import Check

        plan = Check("plan", counted(planned))
        return [*self._found[:1], plan, *self._found[1:]]

    def _judge(self, report: Report, *fatal: Level, tell: bool = True) -> None:
        from provisioner.cli.text.report import results_text
        from provisioner.rules.rule import Level

        errors = report.unwaived(*(fatal or (Level.ERROR,)))
        if errors:
            from provisioner.preflight.errors import PreflightError

            raise PreflightError([result.finding for result in errors])
        if not tell:
            return
        sources = self._app.printer.err.terminal
        self._app.printer.say(*results_text(report.unwaived(), sources=sources))
