"""The record that a ``state`` verb is about, named by its plan or by its deployment's name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from provisioner.cli.app import App
from provisioner.cli.options import Chosen, Named
from provisioner.cli.records import record_of, recorded
from provisioner.errors import UsageError
from provisioner.plan.load import read_identity
from provisioner.state.backend import Backend


class Held(NamedTuple):
    """The record that is meant. ``words`` name it again on a command line."""

    deployment: str
    backend: Backend
    words: str
    chosen: Chosen


def find_record(app: App, named: Named, *, create: bool = False) -> Held:
    """UsageError; StateError where there is no such record, unless it is to be created."""
    chosen = Chosen(named.plan or Path(), named.environment, named.sandbox, state=named.state)
    name = named.deployment or read_identity(chosen.path, named.environment)
    if not name or "/" in name or name.startswith("."):
        raise UsageError(f"{name!r} is not the name of a deployment")
    words = chosen.words if named.plan is not None else f"--deployment {name}{chosen.words.removeprefix('.')}"
    app.failed["deployment"] = name
    return Held(name, (record_of if create else recorded)(app, chosen, name), words, chosen)
