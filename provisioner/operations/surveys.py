"""Preflight with the cloud's answers, and the scan of what is deployed. Both read alone.

Preflight asks only about steps that are to be made or changed: a deploy with nothing to do asks nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from provisioner.engine.preview import Planned, preview
from provisioner.errors import ProvisionerError
from provisioner.operations.site import Options, Site
from provisioner.plan.model import Plan
from provisioner.plan.outline import Outline
from provisioner.preflight import check
from provisioner.rules.look import Fresh
from provisioner.rules.run import Report
from provisioner.scan.deployed import deployed
from provisioner.state.records import Action
from provisioner.survey import CanSurvey, Survey

_MADE = (Action.CREATE, Action.REPLACE)


def preflight(site: Site, plan: Plan, today: date, *, only: Collection[str] = ()) -> Report:
    """Everything, offline and online, of a plan as it would be deployed now."""
    outline = Outline(plan, site.drivers.registry)
    survey = survey_of(site, plan)
    fresh = None
    if survey is not None:
        try:
            site.verify_accounts(site.clouds(plan.steps))
            fresh = fresh_of(preview(site.context(site.new_run("preflight"), plan, Options()), plan, plan.steps))
        except ProvisionerError as err:
            # identity.credentials or name.foreign says so; what else there is to ask is asked of every step.
            fresh = Fresh(unknown=err)
    return check.preflight(outline, today, survey=survey, fresh=fresh, only=only)


def preflight_online(
    site: Site, plan: Plan, planned: Sequence[Planned], today: date, *, skip: Collection[str] = ()
) -> Report | None:
    """What the cloud has to say to a deploy that was previewed; None where there is nothing to make or change."""
    fresh = fresh_of(planned)
    survey = survey_of(site, plan) if fresh.made or fresh.changed else None
    if survey is None:
        return None
    outline = Outline(plan, site.drivers.registry)
    return check.preflight(outline, today, survey=survey, fresh=fresh, skip=skip, online_only=True)


def survey_of(site: Site, plan: Plan) -> Survey | None:
    """Whom to ask about the plan's cloud; None where its session has no answers."""
    session = site.drivers.session(plan.provider)
    return session.survey() if isinstance(session, CanSurvey) else None


def fresh_of(planned: Sequence[Planned]) -> Fresh:
    """What a preview says of each step."""
    return Fresh(
        made=frozenset(one.step for one in planned if one.action in _MADE),
        changed=frozenset(one.step for one in planned if one.action is Action.UPDATE),
        problems={one.step: one.problem for one in planned if one.problem},
    )


def observed(site: Site, plan: Plan) -> Outline:
    """The plan with what the cloud reports of each step; CredentialsError, CloudError."""
    site.verify_accounts(site.clouds(plan.steps))
    ctx = site.context(site.new_run("scan"), plan, Options())
    preview(ctx, plan, plan.steps)
    seen = {name: sight.seen.spec for name, sight in ctx.seen.items() if sight.seen is not None}
    return deployed(plan, site.drivers.registry, seen)
