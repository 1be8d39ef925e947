"""Which record is meant: one in the home, or one in a bucket.

``--state URL`` decides; without it ``PROVISIONER_STATE``, then the plan's ``state:``, then the home. A rehearsal keeps
its record in its own corner: the variable and the plan speak of the real thing, so with ``--sandbox`` only ``--state``
counts, and then the URL means the sandbox's own S3.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from provisioner.cli.app import App
from provisioner.cli.options import Chosen
from provisioner.errors import StateError, UsageError
from provisioner.plan.load import read_location
from provisioner.plan.model import Plan
from provisioner.state.backend import Backend
from provisioner.state.files import Files, writing
from provisioner.state.local import LocalBackend
from provisioner.state.store import peek

VARIABLE: Final = "PROVISIONER_STATE"
MOVED: Final = "moved-to"
"""A file beside a record that went to a bucket: which. Nothing is deployed from there any more."""


def record_of(app: App, chosen: Chosen, deployment: str, plan: Plan | None = None) -> Backend:
    """Where the deployment's record is, or would be; nothing is made. UsageError, StateError, PlanError."""
    url = location(chosen, plan)
    if not url:
        return LocalBackend(app.home.deployment(deployment, sandbox=chosen.sandbox))
    from provisioner.cli.work import choose_cloud
    from provisioner.state.remote.stores import open_backend

    choose_cloud(app, sandbox=chosen.sandbox, quiet=True)
    return open_backend(url, deployment, sandbox=chosen.sandbox)


def location(chosen: Chosen, plan: Plan | None = None) -> str:
    """The URL of the bucket that the record is in; empty where it is in the home."""
    if chosen.state or chosen.sandbox:
        return chosen.state or ""
    said = os.environ.get(VARIABLE, "")
    planned = plan.state if plan is not None else read_location(chosen.path) if chosen.path != Path() else ""
    if said and planned and said.rstrip("/") != planned.rstrip("/"):
        raise UsageError(f"{VARIABLE} says {said}, and the plan {planned}", hint="say which with --state, or unset it")
    return said or planned


def record_to_write(app: App, chosen: Chosen, deployment: str, plan: Plan | None = None) -> Backend:
    """The same for a run. StateError where the deployment has a record in the home and would get a second one."""
    backend = record_of(app, chosen, deployment, plan)
    home = LocalBackend(app.home.deployment(deployment, sandbox=chosen.sandbox))
    moved = home.directory / MOVED
    if isinstance(backend, LocalBackend):
        if moved.exists():
            url = moved.read_text(encoding="utf-8").strip()
            raise StateError(
                f"the record of {deployment!r} was moved to {url}",
                where=home.where,
                hint=f"name it with --state or `state:`; or, to go on here all the same, remove {moved}",
            )
        return backend
    there = peek(backend, deployment) if home.exists() else None
    if not home.exists() or moved.exists() or (there is not None and (there.steps or there.runs)):
        return backend
    found = peek(home, deployment)
    if found is None or not found.steps:
        return backend  # it was destroyed: there is nothing that could be forgotten
    words = f"{chosen.path}{f' -e {chosen.environment}' if chosen.environment else ''}"
    raise StateError(
        f"{deployment!r} has a record on this machine ({home.where}), and none in {backend.where}",
        where=backend.where,
        hint=f"move it there: provisioner state push {words} {home.place('state.json')} --state URL; "
        "or leave the URL out to go on here",
    )


def mark_moved(app: App, chosen: Chosen, deployment: str, backend: Backend) -> None:
    """The record in the home, if there is one, is no longer the one that counts; or it is again."""
    home = LocalBackend(app.home.deployment(deployment, sandbox=chosen.sandbox))
    if isinstance(backend, LocalBackend):
        (backend.directory / MOVED).unlink(missing_ok=True)
        return
    if not home.exists():
        return
    with writing(home.directory, "note that the record was moved"):
        Files().replace(home.directory / MOVED, f"{location(chosen)}\n".encode())


def recorded(app: App, chosen: Chosen, deployment: str, plan: Plan | None = None) -> Backend:
    """The record of a deployment that has one; StateError where it has none, so that none is made."""
    backend = record_of(app, chosen, deployment, plan)
    if not backend.exists():
        raise never_deployed(app, chosen, deployment, backend)
    return backend


def anywhere(app: App, chosen: Chosen, deployment: str) -> bool:
    """Is there a record of it, be it where it is meant to be, of the real thing, or of a rehearsal?"""
    if any(app.home.deployment(deployment, sandbox=sandbox).is_dir() for sandbox in (False, True)):
        return True
    return record_of(app, chosen, deployment).exists()


def never_deployed(app: App, chosen: Chosen, deployment: str, backend: Backend) -> StateError:
    """There is no record; perhaps there is one of the other kind."""
    hint = "provisioner deploy makes one"
    if app.home.deployment(deployment, sandbox=not chosen.sandbox).is_dir():
        hint = (
            "there is one of a rehearsal: add --sandbox"
            if not chosen.sandbox
            else "there is one outside the sandbox: leave --sandbox out"
        )
    return StateError(f"nothing was ever deployed as {deployment!r}", where=backend.where, hint=hint)
