"""``cost``: what a plan costs a month, offline; against a budget, another environment, or what is deployed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from provisioner.cli import completers
from provisioner.cli.app import App
from provisioner.cli.lazy import LazyGroup, Place, Verb
from provisioner.cli.options import PLAN_FILE, Chosen, plan_options

if TYPE_CHECKING:
    from provisioner.cost import Estimate, Promise, Usage
    from provisioner.cost.limits import Standing
    from provisioner.plan.model import Plan
    from provisioner.plan.outline import Outline

OVER: Final = 8
_HERE: Final = "provisioner.cli.verbs.cost"

SECTIONS: Final = {
    "Commands": {
        "show": Place(f"{_HERE}:show", "The bill; the word may be left out: provisioner cost PLAN."),
        "advise": Place(f"{_HERE}:advise", "What would cost less, and how much."),
        "free-tier": Place(f"{_HERE}:free", "How much of the provider's free allowances it takes."),
        "prices": Place(f"{_HERE}:prices", "The price lists: every price with its source and date."),
    }
}


class CostGroup(LazyGroup):
    """``cost PLAN`` means ``cost show PLAN``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.places and args[0] not in ("-h", "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(
    "cost",
    cls=CostGroup,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="provisioner cost PLAN -e ENV shows the bill; provisioner cost show --help has its options.",
)
def cost() -> None:
    """What a plan costs a month, from dated price lists that come along: no account, no network."""


_usage = click.option(
    "--usage",
    "usage_file",
    type=PLAN_FILE,
    metavar="FILE",
    help="How much is used a month, in YAML; --all lists what can be said in it.",
)


@click.command("show", cls=Verb)
@plan_options
@_usage
@click.option("--compare", "others", multiple=True, metavar="ENV", shell_complete=completers.environments,
              help="Beside this environment; repeatable.")  # fmt: skip
@click.option("--deployed", is_flag=True, help="Beside what is recorded as deployed.")
@click.option("--term", type=click.Choice(["1y", "3y"]), help="With what can be reserved for so long.")
@click.option("--payment", type=click.Choice(["none", "partial", "all"]), help="How much of it is paid at once (none).")
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), metavar="USD",
              help=f"A month; exit code {OVER} where it costs more. Without it, the plan's budget.")  # fmt: skip
@click.option("-a", "--all", "everything", is_flag=True, help="Also what costs nothing, and where prices are from.")
@click.pass_obj
def show(
    app: App,
    chosen: Chosen,
    usage_file: Path | None,
    others: tuple[str, ...],
    deployed: bool,
    term: str | None,
    payment: str | None,
    budget: float | None,
    everything: bool,
) -> int:
    """The bill of a plan, step by step. Without -e the plan's environments stand side by side."""
    if payment is not None and term is None:
        raise click.UsageError("--payment belongs to --term")
    promise = _promise(term, payment)
    usage = _read_usage(usage_file)
    wanted = _environments(chosen, others, deployed)
    if wanted is None:
        return _one(app, chosen, usage, promise, budget, everything, deployed)
    bills = []
    code = 0
    for environment in wanted:
        plan, bill = _bill(app, chosen._replace(environment=environment), usage, promise)
        standing = _standing(plan, bill, budget)
        code = OVER if standing is not None and standing.over else code
        bills.append((environment, bill, standing))
    from provisioner.cli.text.cost import beside_json, beside_text
    from provisioner.cost.compare import compare

    found = compare([(name, bill) for name, bill, _ in bills])
    standings = [standing for _, _, standing in bills]
    result = {**beside_json(found, standings), "exit_code": code}
    app.tell(result, lambda: beside_text(found, standings, app.printer.out.width))
    return code


def _one(
    app: App,
    chosen: Chosen,
    usage: Usage | None,
    promise: Promise | None,
    budget: float | None,
    everything: bool,
    deployed: bool,
) -> int:
    from provisioner.cli.text.cost import beside_json, beside_text, bill_json, bill_text
    from provisioner.cost.compare import compare

    plan, bill = _bill(app, chosen, usage, promise)
    standing = _standing(plan, bill, budget)
    code = OVER if standing is not None and standing.over else 0
    if not deployed:
        result = {**bill_json(bill, standing), "exit_code": code}
        app.tell(result, lambda: bill_text(bill, standing, app.printer.out.width, everything))
        return code
    found = compare([("deployed", _recorded(app, chosen, plan, usage, promise)), ("planned", bill)])
    result = {**beside_json(found, [None, standing]), "exit_code": code}
    app.tell(result, lambda: beside_text(found, [None, standing], app.printer.out.width))
    return code


def _environments(chosen: Chosen, others: Sequence[str], deployed: bool) -> list[str] | None:
    """The environments to stand side by side; None where it is about one."""
    if deployed:
        if others:
            raise click.UsageError("--compare and --deployed are two questions: ask one at a time")
        return None
    if others:
        if chosen.environment is None:
            raise click.UsageError("--compare ENV needs -e: beside which environment?")
        return list(dict.fromkeys([chosen.environment, *others]))
    if chosen.environment is not None:
        return None
    from provisioner.plan.yamlfile import load

    value = load(chosen.path).value
    declared = value.get("environments") if isinstance(value, dict) else None
    return [str(name) for name in declared] if isinstance(declared, dict) and len(declared) > 1 else None


def _promise(term: str | None, payment: str | None) -> Promise | None:
    from provisioner.cost import Promise

    return Promise(term, payment or "none") if term is not None else None


def _read_usage(path: Path | None) -> Usage | None:
    from provisioner.cost.usage import read_usage

    return read_usage(path) if path is not None else None


def _outline(app: App, chosen: Chosen) -> tuple[Plan, Outline]:
    from provisioner.cli.text.findings import findings_text
    from provisioner.plan.load import load_plan
    from provisioner.plan.outline import Outline

    plan = load_plan(
        chosen.path,
        app.registry,
        environment=chosen.environment,
        parameters=chosen.parameters,
        parameter_files=chosen.files,
    )
    app.printer.say(*findings_text(plan.warnings, sources=app.printer.err.terminal))
    return plan, Outline(plan, app.registry)


def _bill(app: App, chosen: Chosen, usage: Usage | None, promise: Promise | None) -> tuple[Plan, Estimate]:
    from provisioner.cost import estimate

    plan, outline = _outline(app, chosen)
    return plan, estimate(outline, usage, promise)


def _standing(plan: Plan, bill: Estimate, budget: float | None) -> Standing | None:
    from provisioner.cost.limits import stand
    from provisioner.plan.model import Budget

    if budget is None:
        return stand(bill, plan.budget) if plan.budget is not None else None
    levels = {"warning": plan.budget.warning, "critical": plan.budget.critical} if plan.budget is not None else {}
    return stand(bill, Budget(monthly=budget, **levels))


def _recorded(app: App, chosen: Chosen, plan: Plan, usage: Usage | None, promise: Promise | None) -> Estimate:
    """The bill of what is recorded; StateError where nothing is."""
    from provisioner.cli.records import recorded
    from provisioner.cost import Usage, estimate
    from provisioner.operations.costs import Recorded
    from provisioner.state.records import State
    from provisioner.state.store import peek

    backend = recorded(app, chosen, plan.deployment, plan)
    state = peek(backend, plan.deployment) or State(deployment=plan.deployment, lineage="", salt="")
    said = Usage(usage.steps, usage.types) if usage is not None else None
    return estimate(Recorded(state, app.registry, plan), said, promise)


@click.command("advise", cls=Verb)
@plan_options
@_usage
@click.pass_obj
def advise(app: App, chosen: Chosen, usage_file: Path | None) -> int:
    """What would cost less, each with the money that it saves by the price lists. Nothing is changed."""
    from provisioner.cli.text.advice import advice_json, advice_text
    from provisioner.cost import estimate
    from provisioner.cost.advice import advise as found_by

    usage = _read_usage(usage_file)
    _, outline = _outline(app, chosen)
    bill = estimate(outline, usage)
    found = found_by(outline, usage)
    app.tell({**advice_json(bill, found), "exit_code": 0}, lambda: advice_text(bill, found, app.printer.out.width))
    return 0


@click.command("free-tier", cls=Verb)
@plan_options
@_usage
@click.pass_obj
def free(app: App, chosen: Chosen, usage_file: Path | None) -> int:
    """How much of the provider's free allowances a plan takes, and what is left to pay while they last."""
    from provisioner.cli.text.free import free_json, free_text
    from provisioner.cost.free import free_tier

    usage = _read_usage(usage_file)
    _, bill = _bill(app, chosen, usage, None)
    found = free_tier(bill, usage.account if usage is not None else {})
    app.tell({**free_json(found), "exit_code": 0}, lambda: free_text(found, app.printer.out.width))
    return 0


@click.command("prices", cls=Verb)
@click.argument("word", required=False)
@click.pass_obj
def prices(app: App, word: str | None) -> int:
    """Every price of the lists with its source and date; with WORD those whose id has it."""
    from provisioner.cost.tables import names, price_list

    rows: list[dict[str, Any]] = []
    for name in names():
        listed = price_list(name)
        for row in listed.prices if listed else ():
            if word is None or word in row.id:
                region = row.region or (listed.base if listed else "")
                rows.append({"id": row.id, "region": region, "price": str(row.price), "unit": row.unit,
                             "date": row.date, "source": row.source})  # fmt: skip
    from provisioner.cli.style import bold, dim, table

    def text() -> list[str]:
        cells = [(bold(r["id"]), r["region"], r["price"], r["unit"], r["date"], dim(r["source"])) for r in rows]
        return table(cells, head=("price", "region", "USD", "a", "of", "source")) or ["no price has that in its id"]

    app.tell({"currency": "USD", "prices": rows}, text)
    return 0
