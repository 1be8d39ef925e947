"""``state``: the record itself. These verbs work however broken the plan is, and without it by ``--deployment``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Named, record_options
from provisioner.cli.verbs.carry import pull, push, snapshots
from provisioner.cli.verbs.mend import adopt, recover

if TYPE_CHECKING:
    from provisioner.cli.held import Held
    from provisioner.state.records import Record, State


@click.group("state", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def state() -> None:
    """The record of a deployment: what is in it, and how to mend it."""


def _peek(held: Held) -> State:
    from provisioner.errors import StateError
    from provisioner.state.store import peek

    found = peek(held.backend, held.deployment)
    if found is None:
        raise StateError(
            f"nothing was ever recorded for {held.deployment!r}", where=held.backend.where, hint="deploy it first"
        )
    return found


@state.command("list", cls=Verb)
@record_options()
@click.pass_obj
def list_(app: App, named: Named) -> int:
    """Every recorded step."""
    import time

    from provisioner.cli.held import find_record
    from provisioner.cli.text.state import list_json, list_text

    found = _peek(find_record(app, named))
    app.tell(list_json(found), lambda: list_text(found, time.time()))
    return 0


@state.command("show", cls=Verb)
@record_options(step="optional")
@click.pass_obj
def show(app: App, named: Named) -> int:
    """A step's record (or all of it) as JSON. Nothing in it is secret."""
    import msgspec

    from provisioner.cli.held import find_record

    found = _peek(find_record(app, named))
    tree = msgspec.to_builtins(found if named.step is None else _record(found, named.step))
    app.printer.json(tree)
    return 0


def _record(found: State, step: str) -> Record:
    from provisioner.errors import UsageError

    if step not in found.steps:
        raise UsageError(
            f"nothing is recorded for step {step!r}", hint=f"recorded: {', '.join(found.steps) or 'nothing'}"
        )
    return found.steps[step]


@state.command("rm", cls=Verb)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@record_options(step="required")
@click.pass_obj
def rm(app: App, named: Named, yes: bool) -> int:
    """Forgets a step. Its object stays in the cloud as it is, and nobody undoes it any more."""
    from provisioner.cli.held import find_record
    from provisioner.cli.runs import ask_first
    from provisioner.operations.letgo import forgettable, let_go
    from provisioner.state.store import Owner, Store

    held, step = find_record(app, named), named.step or ""
    who = Owner.me(f"provisioner state rm {held.words}")
    with Store.open(held.backend, held.deployment, who=who, create=False) as store:
        what = forgettable(store.state, step)
        if not ask_first(app, yes, f"Forget {step} of {held.deployment}? {what} stays in the cloud"):
            app.tell({"deployment": held.deployment, "removed": None}, lambda: ["nothing was changed"])
            return 0
        let_go(store, step)
    kind, _, name = what.partition(" ")
    result = {"deployment": held.deployment, "removed": step, "type": kind, "name": name}
    app.tell(result, lambda: [f"forgot {step}; {what} stays in the cloud, and the next deploy finds it by its tag"])
    return 0


@state.command("unlock", cls=Verb)
@click.option(
    "--force", is_flag=True, help="Also from an owner that is alive (one on this host is killed), or on another host."
)
@record_options()
@click.pass_obj
def unlock(app: App, named: Named, force: bool) -> int:
    """Says whose the lock is, and takes it from an owner that is dead; --force from one that lives.

    A run that is killed leaves nothing that the next command does not finish.
    """
    from provisioner.cli.held import find_record
    from provisioner.errors import LockHeldError

    held = find_record(app, named)
    owner = held.backend.holder()
    if owner is None:
        app.tell({"deployment": held.deployment, "unlocked": False, "owner": None}, lambda: ["nobody holds the lock"])
        return 0
    alive = owner.alive
    if alive is not False and not force:
        where = "it is alive" if alive else f"it is on {owner.info.host}, so nobody here can tell whether it lives"
        raise LockHeldError(
            f"the lock belongs to {owner.info}; {where}",
            where=held.backend.where,
            hint="stop it and wait; --force takes the lock away: a run on this host is killed, "
            "another one stops before its next call",
        )
    # Killed first: one that is only told may be about to send what it has asked leave for.
    killed = owner.info.end()
    held.backend.break_lock()
    lived = "killed" if killed else "dead" if alive is False else "alive or unknown"
    result = {
        "deployment": held.deployment,
        "unlocked": True,
        "owner": str(owner.info),
        "alive": alive,
        "killed": killed,
    }
    app.tell(result, lambda: [f"took the lock away from {owner.info} ({lived})"])
    return 0


for _verb in (adopt, recover, pull, push, snapshots):
    state.add_command(_verb)
