"""``state adopt`` and ``state recover``: the record is brought to what the cloud has. No object is touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Named, Wishes, record_options

if TYPE_CHECKING:
    from provisioner.cli.deployed import Deployed
    from provisioner.cli.work import Bench
    from provisioner.operations.adopt import Acceptance, Refusal
    from provisioner.operations.salvage import Haul


@click.command("adopt", cls=Verb)
@click.option("--all", "everything", is_flag=True, help="Accept all that was changed outside.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@record_options(step="many", what="STEP[.FIELD]", parameters=True)
@click.pass_obj
def adopt(app: App, named: Named, everything: bool, yes: bool) -> int:
    """Accepts what was changed outside as the new record: of a step, of one of its fields, or of --all.

    Afterwards drift finds nothing there; where the plan says otherwise, deploy would still change it. It is a run in
    the history, and rollback puts the record back. An object of somebody else is taken over in another way: by
    `adopt: existing` in the plan.
    """
    from provisioner.cli.deployed import demand_record, deployed
    from provisioner.cli.work import bench, choose_cloud
    from provisioner.errors import UsageError
    from provisioner.operations import adopt as operation

    if everything == bool(named.steps):
        raise UsageError("which STEP, or --all of them?", hint="provisioner drift shows what was changed outside")
    found = deployed(app, named)
    demand_record(app, found)
    choose_cloud(app, sandbox=named.sandbox)
    told: dict[str, Any] = {"accepted": [], "refused": []}
    with bench(app, found.chosen, Wishes(yes=yes), found.deployment, found.plan, "state adopt") as made:
        outcome = operation.adopt(made.site, found.plan, named.steps, _confirm_adopt(app, found, made, yes, told))
    if outcome.result == "declined":
        told["accepted"] = []
    return _finish(app, found, outcome, told, lambda: _adopted(outcome.run, told))


def _confirm_adopt(
    app: App, found: Deployed, made: Bench, yes: bool, told: dict[str, Any]
) -> Callable[[list[Acceptance], list[Refusal]], bool]:
    from provisioner.cli.runs import consent
    from provisioner.cli.text.mend import adopt_json, adopt_text

    def confirm(accepted: list[Acceptance], refused: list[Refusal]) -> bool:
        told.update(adopt_json(accepted, refused))
        if not app.json and (accepted or refused):
            width = app.printer.err.width
            app.printer.say(*adopt_text(found.deployment, accepted, refused, width, plan=found.plan is not None), "")
        return consent(app, made, yes or not accepted, f"Accept this as the record of {found.deployment}?")

    return confirm


def _adopted(run: int | None, told: dict[str, Any]) -> list[str]:
    from provisioner.cli.style import dim, good, plural

    if run is None:
        return ["nothing was changed" if told["refused"] or told["accepted"] else "nothing to accept"]
    many = plural(len(told["accepted"]), "object")
    return [f"{good('✓')} accepted what the cloud has of {many} {dim(f'(run {run}; rollback puts the record back)')}"]


@click.command("recover", cls=Verb)
@click.option("--accept-edited", is_flag=True, help="Take a state.json that somebody edited as it is.")
@click.option("--offline", is_flag=True, help="Mend the files alone; ask no cloud what is missing in them.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@record_options(parameters=True)
@click.pass_obj
def recover(app: App, named: Named, accept_edited: bool, offline: bool, yes: bool) -> int:
    """Has a damaged, incomplete or lost record back; says what it found, and asks.

    First the files: what is wrong with them and what can be had back; bad ones stay beside the new ones. Then the
    cloud: objects that carry the deployment's tag and are in no record get one again. A step that is not in the plan
    any more gets one that is good enough to be destroyed.
    """
    from provisioner.cli.deployed import demand_record, deployed, on_record

    found = deployed(app, named)
    told: dict[str, Any] = {"deployment": found.deployment}
    if found.plan is None or offline or on_record(app, found):
        demand_record(app, found)
        if not _mend_files(app, found, accept_edited, yes, told):
            return _finish(app, found, None, told, lambda: ["nothing was changed"])
    if offline:
        return _finish(app, found, None, told, list)
    return _salvage(app, found, yes, told)


def _mend_files(app: App, found: Deployed, accept_edited: bool, yes: bool, told: dict[str, Any]) -> bool:
    """False where they are damaged and stay so."""
    from provisioner.cli.records import record_of
    from provisioner.cli.runs import ask_first
    from provisioner.cli.text.state import examination_json, examination_text, recovery_json, recovery_text
    from provisioner.state import recovery

    backend = record_of(app, found.chosen, found.deployment, found.plan)
    seen = recovery.examine(backend, found.deployment, accept_edited=accept_edited)
    told |= {**examination_json(found.deployment, seen), "recovered": False}
    if seen.healthy:
        if not app.json:
            app.printer.show(examination_text(found.deployment, seen))
        return True
    app.printer.say(*examination_text(found.deployment, seen))
    if not ask_first(app, yes, "Recover it?"):
        return False
    done = recovery.recover(backend, found.deployment, accept_edited=accept_edited)
    told |= recovery_json(done)
    if not app.json:
        app.printer.show(recovery_text(done))
    return True


def _salvage(app: App, found: Deployed, yes: bool, told: dict[str, Any]) -> int:
    from provisioner.cli.runs import consent
    from provisioner.cli.text.mend import haul_json, haul_text
    from provisioner.cli.work import bench, choose_cloud
    from provisioner.operations.salvage import salvage

    choose_cloud(app, sandbox=found.chosen.sandbox)
    with bench(app, found.chosen, Wishes(yes=yes), found.deployment, found.plan, "state recover") as made:

        def confirm(haul: Haul) -> bool:
            told.update(haul_json(haul))
            if not app.json:
                app.printer.say(*haul_text(found.deployment, haul), *([""] if haul.found else []))
            return consent(app, made, yes or not haul.found, f"Record this for {found.deployment}?")

        outcome = salvage(made.site, found.plan, confirm)
    return _finish(app, found, outcome, told, lambda: _salvaged(outcome.run, told))


def _salvaged(run: int | None, told: dict[str, Any]) -> list[str]:
    from provisioner.cli.style import dim, good, plural

    if run is not None:
        return [f"{good('✓')} recorded {plural(len(told['found']), 'object')} {dim(f'(run {run})')}"]
    return ["nothing was changed"] if told["found"] else []


def _finish(app: App, found: Deployed, outcome: Any, told: dict[str, Any], text: Callable[[], list[str]]) -> int:
    ended = {"run": outcome.run, "result": outcome.result} if outcome is not None else {"run": None, "result": ""}
    app.tell({"deployment": found.deployment, **told, **ended, "exit_code": 0}, text)
    return 0
