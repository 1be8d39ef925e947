"""From the words on the command line to a plan, a directory, and a site to work in."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from provisioner.cli.app import App
from provisioner.cli.memory import share_arenas
from provisioner.cli.options import Chosen, Wishes
from provisioner.cli.planfile import read_plan
from provisioner.cli.progress import PlainProgress, Progress
from provisioner.cli.records import record_of, record_to_write
from provisioner.cli.signals import Signals
from provisioner.cli.sinks import EventSink
from provisioner.cli.text.findings import findings_text
from provisioner.endpoints import ENDPOINTS
from provisioner.errors import PlanError, ProvisionerError, SandboxError, UsageError
from provisioner.model import format_duration
from provisioner.operations.glance import glance
from provisioner.operations.site import PARALLELISM, Site, open_site
from provisioner.plan.load import read_identity
from provisioner.plan.model import Plan


def plan_if_valid(app: App, chosen: Chosen) -> tuple[Plan | None, str]:
    """The plan, or None where it is not valid, and the deployment's name; PlanError where not even that can be read.

    What is recorded can be taken down without its plan, so a broken plan is told and does not stop that.
    """
    try:
        plan = read_plan(app, chosen)
    except PlanError as err:
        name = read_identity(chosen.path, chosen.environment)
        app.failed.setdefault("deployment", name)
        app.printer.say(*findings_text(err.findings, sources=app.printer.err.terminal))
        app.warn(f"{err}; going on from the record of {name} alone")
        return None, name
    return plan, plan.deployment


def choose_cloud(app: App, *, sandbox: bool, quiet: bool = False) -> None:
    """Points the drivers at the sandbox, or says (unless ``quiet``) where they point. Must come before a session."""
    given = os.environ.get(ENDPOINTS)
    if not sandbox:
        if given and not quiet:
            app.warn(f"{ENDPOINTS} is set: this talks to the endpoints in {given}, not to the cloud")
        return
    if given:
        return
    from provisioner.sandbox import supervisor
    from provisioner.sandbox.settings import SandboxOptions

    directory = app.home.sandbox
    info = supervisor.running(directory)
    if info is None:
        _make_room(directory)
        begun = time.monotonic()
        info = supervisor.start(directory, SandboxOptions())
        took = format_duration(time.monotonic() - begun)
        app.note(f"started the sandbox in {directory} ({took}); provisioner sandbox stop ends it")
    os.environ[ENDPOINTS] = info.endpoints


def _make_room(directory: Path) -> None:
    """The sandbox's directory in the home; SandboxError that says how to move the home."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as err:
        hint = "set PROVISIONER_HOME to a directory that you can write to"
        raise SandboxError(f"cannot use {directory}: {err}", where="sandbox", hint=hint) from err


class Bench(NamedTuple):
    """A site with everything around it that a run needs."""

    site: Site
    progress: Progress
    signals: Signals


@contextmanager
def bench(app: App, chosen: Chosen, wishes: Wishes, deployment: str, plan: Plan | None, verb: str) -> Iterator[Bench]:
    """Takes the lock and listens: to the events for the user, to signals for the run."""
    if app.json and wishes.events == "-":
        raise UsageError("--json and --events - both want stdout", hint="send the events to a file")
    share_arenas()
    backend = record_to_write(app, chosen, deployment, plan)
    progress = make_progress(app)
    sink = EventSink(wishes.events, app.printer) if wishes.events else None
    try:
        with open_site(
            backend,
            deployment,
            app.registry,
            plan.region if plan is not None else "",
            command=f"provisioner {verb} {chosen.words}",
            listeners=[progress, *([sink] if sink else [])],
            parallelism=wishes.parallelism or PARALLELISM,
        ) as site:
            known = {record.step: (record.stage, record.type) for record in site.store.state.steps.values()}
            known |= {step.name: (step.stage, step.type) for step in (plan.steps if plan is not None else ())}
            for name, (stage, type_) in known.items():
                progress.expect(stage, name, type_)
            _check_timeouts(wishes, list(known))
            with Signals(site.loop.stop, progress.notice) as signals, _noting(app, site):
                yield Bench(site, progress, signals)
    finally:
        progress.close()
        if sink is not None:
            sink.close()


@contextmanager
def _noting(app: App, site: Site) -> Iterator[None]:
    """Notes, for an error that ends the verb, how far it came: to no run at all, or to which."""
    try:
        yield
    except ProvisionerError:
        app.unchanged = site.recorded is None
        raise
    finally:
        begun = next((run for run in site.store.state.runs if run.id == site.recorded), None)
        if begun is not None:
            app.failed |= {"run": begun.id, "result": begun.result.value}


def _check_timeouts(wishes: Wishes, steps: Sequence[str]) -> None:
    for name in wishes.timeouts:
        if name not in steps:
            raise UsageError(f"--timeout: there is no step {name!r}", hint=f"steps: {', '.join(steps) or 'none'}")


def make_progress(app: App) -> Progress:
    """A live table for people, lines for everybody else."""
    if app.printer.err.terminal and not app.json and os.environ.get("TERM") != "dumb":
        from provisioner.cli.live import LiveProgress

        return LiveProgress(app.printer, time.time)
    return PlainProgress(app.printer, time.time)


@contextmanager
def reading(app: App, chosen: Chosen, deployment: str, plan: Plan | None) -> Iterator[Site]:
    """A site that only looks: no lock, nothing written; an empty one where nothing is recorded."""
    app.unchanged = True
    share_arenas()
    choose_cloud(app, sandbox=chosen.sandbox)
    backend = record_of(app, chosen, deployment, plan)
    with (
        glance(backend, deployment, app.registry, plan.region if plan is not None else "") as site,
        Signals(site.loop.stop, app.printer.say),
    ):
        yield site
