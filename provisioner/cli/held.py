"""The record that a ``state`` verb is about, named by its plan or by its deployment's name."""

from __future__ import annotations

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


def a_name(name: str) -> str:
    """The name of a deployment, which is a directory's too; UsageError where it cannot be one."""
    if not name or "/" in name or name.startswith("."):
        raise UsageError(f"{name!r} is not the name of a deployment")
    return name


def find_record(app: App, named: Named, *, create: bool = False) -> Held:
    """UsageError; StateError where there is no such record, unless it is to be created."""
    chosen = named.chosen
    name = a_name(named.deployment or read_identity(chosen.path, named.environment))
    app.failed["deployment"] = name
    return Held(name, (record_of if create else recorded)(app, chosen, name), chosen.words, chosen)
