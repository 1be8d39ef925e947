"""``monitor``: whether alarms, dashboards and budgets would tell anybody, a try, and what a database is busy with."""

from __future__ import annotations

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Chosen, Named, plan_options, record_options

UNHEALTHY = 8


@click.group("monitor", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def monitor() -> None:
    """Alarms, dashboards and budgets: are they there, and would anybody be told?"""


@monitor.command("verify", cls=Verb)
@record_options(parameters=True)
@click.pass_obj
def verify(app: App, named: Named) -> int:
    """Looks, and changes nothing; exit code 8 where an alarm would tell nobody, or a dashboard shows nothing.

    Of every alarm: it is there, enabled, its topic has a confirmed subscription, its metric has data or says why not.
    """
    from provisioner.cli.deployed import demand_record, deployed, looking
    from provisioner.cli.text.monitor import monitor_json, monitor_text
    from provisioner.operations import monitor as operation

    found = deployed(app, named)
    demand_record(app, found)
    with looking(app, found) as site:
        report = operation.verify(site, found.plan)
    exit_code = 0 if report.healthy else UNHEALTHY
    app.tell({**monitor_json(report), "exit_code": exit_code}, lambda: monitor_text(report))
    return exit_code


@monitor.command("test", cls=Verb)
@record_options(parameters=True)
@click.option("--alarm", "step", required=True, metavar="STEP", help="The step whose alarm is to ring.")
@click.option("--wait", default="60s", show_default=True, metavar="DURATION", help="How long to wait for the outcome.")
@click.option("--yes", is_flag=True, help="Do not ask: whoever the alarm tells is told.")
@click.pass_obj
def test(app: App, named: Named, step: str, wait: str, yes: bool) -> int:
    """Rings an alarm for a moment and waits until its topic was told; exit code 8 where it was not.

    The alarm is set to ALARM with a reason that says it is a test; CloudWatch sets it right at its next look.
    """
    from provisioner.cli.deployed import demand_record, deployed, looking
    from provisioner.cli.text.monitor import monitor_json, monitor_text
    from provisioner.operations import monitor as operation

    patience = _seconds(wait)
    found = deployed(app, named)
    demand_record(app, found)
    with looking(app, found) as site:
        if not _agreed(app, yes, f"Ring the alarm of {step}? Whoever it tells is told."):
            return 0
        app.unchanged = False
        reason = f"a test by provisioner monitor test of {found.deployment}"
        report = operation.ring(site, step, reason=reason, patience=patience)
    exit_code = 0 if report.healthy else UNHEALTHY
    app.tell({**monitor_json(report), "exit_code": exit_code}, lambda: monitor_text(report))
    return exit_code


_CHECK = click.option(
    "--check", metavar="STEP", help="The check.postgres of the plan through which to ask; left out: its only one."
)


@monitor.command("top-sql", cls=Verb)
@plan_options
@_CHECK
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="How many statements.")
@click.pass_obj
def top_sql(app: App, chosen: Chosen, check: str | None, limit: int) -> int:
    """The statements that took the most time, from the database's own pg_stat_statements; without their values."""
    from provisioner.cli.planfile import read_plan
    from provisioner.cli.text.monitor import statements_text
    from provisioner.cli.work import reading
    from provisioner.operations import measure

    plan = read_plan(app, chosen)
    with reading(app, chosen, plan.deployment, plan) as site:
        name, found = measure.slowest(site, plan, check, limit)
    result = {"deployment": plan.deployment, "check": name, "statements": [dict(one) for one in found]}
    app.tell(result, lambda: statements_text(found, app.printer.out.width))
    return 0


@monitor.command("baseline", cls=Verb)
@plan_options
@_CHECK
@click.option("--for", "span", default="10s", show_default=True, metavar="DURATION", help="How long to watch.")
@click.pass_obj
def baseline(app: App, chosen: Chosen, check: str | None, span: str) -> int:
    """How busy the database is: latency (p50, p95), transactions, cache hits, connections; keep it with --json."""
    from provisioner.cli.planfile import read_plan
    from provisioner.cli.text.monitor import baseline_text
    from provisioner.cli.work import reading
    from provisioner.operations import measure

    seconds = _seconds(span, "--for")
    plan = read_plan(app, chosen)
    with reading(app, chosen, plan.deployment, plan) as site:
        name, found = measure.baseline(site, plan, check, seconds)
    app.tell({"deployment": plan.deployment, "check": name, "baseline": dict(found)}, lambda: baseline_text(found))
    return 0


def _agreed(app: App, yes: bool, question: str) -> bool:
    from provisioner.errors import UsageError

    if not yes and (app.json or not app.printer.interactive):
        raise UsageError("this asks before it rings, and there is no terminal to ask on", hint="say --yes")
    return yes or app.printer.ask(question)


def _seconds(text: str, option: str = "--wait") -> float:
    from provisioner.errors import UsageError
    from provisioner.model import parse_duration

    try:
        return parse_duration(text)
    except ValueError as err:
        raise UsageError(f"{option}: {err}", hint="for example 60s or 2m") from err
