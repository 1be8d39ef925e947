"""``state pull``, ``state push`` and ``state snapshots``: a record as a file, and its earlier snapshots."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Named, record_options

if TYPE_CHECKING:
    from provisioner.cli.held import Held


@click.command("pull", cls=Verb)
@click.option("--serial", type=int, metavar="N", help="An earlier snapshot instead: state snapshots lists them.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="To a file, not to stdout.")
@record_options()
@click.pass_obj
def pull(app: App, named: Named, serial: int | None, output: Path | None) -> int:
    """The whole record as one JSON file, as ``state push`` takes it. Nothing in it is secret."""
    from provisioner.cli.held import find_record
    from provisioner.errors import UsageError
    from provisioner.state.files import Files
    from provisioner.state.transfer import pull as operation

    found = find_record(app, named)
    raw = operation(found.backend, found.deployment, serial)
    if output is None:
        app.printer.raw(raw.decode())
        return 0
    try:
        Files().replace(output, raw)
    except OSError as err:
        hint = "name a file that can be written"
        raise UsageError(f"cannot write {output}: {err.strerror or err}", hint=hint) from err
    app.tell({"deployment": found.deployment, "path": str(output)}, lambda: [f"wrote {output}"])
    return 0


@click.command("push", cls=Verb)
@click.option("--force", is_flag=True, help="Also over a newer record, or one of another origin.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@record_options(step="required", what="FILE")
@click.pass_obj
def push(app: App, named: Named, force: bool, yes: bool) -> int:
    """Makes a pulled FILE (- is stdin) the record; the one that was there is kept beside it."""
    from provisioner.cli.held import find_record
    from provisioner.cli.records import mark_moved
    from provisioner.cli.runs import ask_first
    from provisioner.state.store import Owner, Store, peek
    from provisioner.state.transfer import push as operation
    from provisioner.state.transfer import read_file

    target = find_record(app, named, create=True)
    file = named.step or "-"
    new = read_file(_content(file), target.deployment, file)
    old = peek(target.backend, target.deployment)
    known = f"serial {old.serial}, {len(old.steps)} steps" if old else "none yet"
    question = f"Replace the record in {target.backend.where} ({known})"
    # Asked before anything is opened, for opening makes a record where there is none.
    if not ask_first(app, yes, f"{question} by {file} (serial {new.serial}, {len(new.steps)} steps)?"):
        app.tell({"deployment": target.deployment, "pushed": False}, lambda: ["nothing was changed"])
        return 0
    with Store.open(target.backend, target.deployment, who=Owner.me(f"provisioner state push {target.words}")) as store:
        done = operation(store, new, force=force)
    mark_moved(app, target.chosen, target.deployment, target.backend)
    _tell_pushed(app, target, done.state.serial, done.kept)
    return 0


def _tell_pushed(app: App, target: Held, serial: int, kept: str) -> None:
    where = target.backend.where
    result = {"deployment": target.deployment, "pushed": True, "where": where, "serial": serial, "kept": kept or None}
    before = [f"  the record before is kept in {kept}"] if kept else []
    app.tell(result, lambda: [f"the record of {target.deployment} is now in {where}, serial {serial}", *before])


def _content(file: str) -> bytes:
    from provisioner.errors import UsageError

    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as err:
        raise UsageError(
            f"cannot read {file}: {err.strerror or err}", hint="name a file that state pull wrote"
        ) from err


@click.command("snapshots", cls=Verb)
@record_options()
@click.pass_obj
def snapshots(app: App, named: Named) -> int:
    """The earlier snapshots that are kept: the last 20 in a bucket, the one before the present in a directory."""
    from provisioner.cli.held import find_record

    found = find_record(app, named)
    serials = found.backend.snapshots()
    app.tell(
        {"deployment": found.deployment, "where": found.backend.where, "snapshots": serials},
        lambda: [str(serial) for serial in serials] or ["none yet"],
    )
    return 0
