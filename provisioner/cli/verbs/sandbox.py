"""``sandbox``: start, stop, look into and break the cloud on this machine."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb

if TYPE_CHECKING:
    from provisioner.sandbox.settings import SandboxInfo

_F = TypeVar("_F", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path, file_okay=False)


def _directory(app: App, given: Path | None) -> Path:
    return given.absolute() if given is not None else app.home.sandbox


def _dir_option(function: _F) -> _F:
    made: _F = click.option("--dir", "directory", type=_PATH, metavar="D", help="The sandbox's directory.")(function)
    return made


@click.group("sandbox", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def sandbox() -> None:
    """A cloud on this machine: AWS's control plane on loopback, with real PostgreSQL and Valkey behind it."""


@sandbox.command("start", cls=Verb)
@_dir_option
@click.option(
    "--provision-time", "times", multiple=True, metavar="SERVICE=DURATION",
    help="How long a service takes: rds=12s, elasticache=8s, rds:modify=1s; repeatable.",
)  # fmt: skip
@click.option("--latency", metavar="DURATION", help="Added to every call: 50ms.")
@click.option(
    "--rate-limit", type=click.FloatRange(min=0), metavar="CALLS",
    help="Calls a second that each service takes, and throttles the rest; 0 for no limit.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port of the control plane; any free one by default."
)
@click.pass_obj
def start(
    app: App, directory: Path | None, times: tuple[str, ...], latency: str | None, rate_limit: float | None, port: int
) -> int:
    """Starts the sandbox in the background; one that runs already is told the new times and goes on."""
    from provisioner.sandbox import supervisor
    from provisioner.sandbox.settings import SandboxOptions

    place = _directory(app, directory)
    options = SandboxOptions.parse(times, latency or 0, rate_limit or 0, port=port)
    already = supervisor.running(place) is not None
    info = supervisor.start(place, options)
    told: dict[str, Any] = {
        "provision_time": options.provision_time if times else None,
        "latency": None if latency is None else options.latency,
        "rate_limit": rate_limit,
    }
    changes = {name: value for name, value in told.items() if value is not None}
    if already and changes:
        supervisor.admin(place, "PATCH", "/_sandbox/options", changes)
    app.tell(
        {"already_running": already, **_info(info)}, lambda: _started(info, place, already=already, given=directory)
    )
    return 0


def _info(info: SandboxInfo) -> dict[str, Any]:
    return {"running": True, **info.to_json()}


def _started(info: SandboxInfo, place: Path, *, already: bool, given: Path | None) -> list[str]:
    from provisioner.cli.style import accent, dim, good

    option = f" --dir {shlex.quote(str(given))}" if given is not None else ""
    env = f'eval "$(provisioner sandbox env{option})"'
    return [
        f"{good('✓')} the sandbox {'runs already' if already else 'is up'} in {place} {dim(f'(pid {info.pid})')}",
        f"  {dim('AWS        ')} {accent(info.aws_url)}",
        f"  {dim('endpoints  ')} {info.endpoints}",
        f"  {dim('use it with')} {env}",
    ]


@sandbox.command("stop", cls=Verb)
@_dir_option
@click.pass_obj
def stop(app: App, directory: Path | None) -> int:
    """Stops the sandbox and everything that it started. What was deployed in it is gone."""
    from provisioner.sandbox import supervisor

    place = _directory(app, directory)
    stopped = supervisor.stop(place)
    word = "stopped" if stopped else "no sandbox runs"
    app.tell(
        {"stopped": stopped, "directory": str(place)},
        lambda: [f"{word} in {place}" if not stopped else f"stopped the sandbox in {place}"],
    )
    return 0


@sandbox.command("reset", cls=Verb)
@_dir_option
@click.pass_obj
def reset(app: App, directory: Path | None) -> int:
    """Empties the control plane and the databases; the ports stay."""
    from provisioner.sandbox import supervisor

    place = _directory(app, directory)
    supervisor.reset(place)
    app.tell({"reset": True, "directory": str(place)}, lambda: [f"emptied the sandbox in {place}"])
    return 0


@sandbox.command("status", cls=Verb)
@_dir_option
@click.pass_obj
def status(app: App, directory: Path | None) -> int:
    """Whether it runs, where, and with which times. Exit code 3 where it does not."""
    from provisioner.cli.style import table
    from provisioner.sandbox import supervisor

    place = _directory(app, directory)
    info = supervisor.running(place)
    if info is None:
        app.tell({"running": False, "directory": str(place)}, lambda: [f"no sandbox runs in {place}"])
        return 3
    options = supervisor.admin(place, "GET", "/_sandbox/options")
    objects = supervisor.admin(place, "GET", "/_sandbox/inventory?all=0")["objects"]

    def text() -> list[str]:
        rows = [("pid", str(info.pid)), ("since", info.started), ("AWS", info.aws_url), ("admin", info.admin_url)]
        rows += [("endpoints", info.endpoints), ("objects", str(len(objects))), ("latency", f"{options['latency']:g}s")]
        limit = options["rate_limit"]
        rows += [("rate limit", f"{limit:g} calls a second a service" if limit else "none")]
        rows += [(work, f"{seconds:g}s") for work, seconds in options["provision_time"].items()]
        return [f"the sandbox runs in {place}", *table(rows, indent="  ")]

    app.tell({**_info(info), "objects": len(objects), "options": options}, text)
    return 0


@sandbox.command("env", cls=Verb)
@_dir_option
@click.pass_obj
def env(app: App, directory: Path | None) -> int:
    """Prints what points AWS clients at the sandbox: eval "$(provisioner sandbox env)"."""
    from provisioner.errors import SandboxError
    from provisioner.sandbox import supervisor

    place = _directory(app, directory)
    info = supervisor.running(place)
    if info is None:
        raise SandboxError(f"no sandbox runs in {place}", hint="provisioner sandbox start")
    variables = supervisor.environment(info)
    app.tell(dict(variables), lambda: [f"export {name}={shlex.quote(value)}" for name, value in variables.items()])
    return 0


@sandbox.command("inventory", cls=Verb)
@_dir_option
@click.option("--all", "everything", is_flag=True, help="Also what is scheduled for deletion.")
@click.pass_obj
def inventory(app: App, directory: Path | None, everything: bool) -> int:
    """Every object in the sandbox that somebody made."""
    from provisioner.cli.style import dim, plural, table
    from provisioner.sandbox import supervisor

    found = supervisor.admin(_directory(app, directory), "GET", f"/_sandbox/inventory?all={int(everything)}")

    def text() -> list[str]:
        rows = [
            (o["service"], o["type"], str(o["name"] or ""), str(o["id"]), str(o["owner"] or ""))
            for o in found["objects"]
        ]
        made = table(rows, head=("service", "type", "name", "id", "owner"))
        return [*made, dim(plural(len(rows), "object"))]

    app.tell(found, text)
    return 0


@sandbox.command("requests", cls=Verb)
@_dir_option
@click.option("--since", type=click.IntRange(0), default=0, metavar="N", help="Only requests after number N.")
@click.option("--writes", is_flag=True, help="Only what changes something.")
@click.option("--clear", is_flag=True, help="Forget them all after showing them.")
@click.pass_obj
def requests(app: App, directory: Path | None, since: int, writes: bool, clear: bool) -> int:
    """The calls that reached the sandbox, in order, and how many of each."""
    from provisioner.cli.text.sandbox import requests_text
    from provisioner.sandbox import supervisor

    place = _directory(app, directory)
    report = supervisor.admin(place, "GET", f"/_sandbox/requests?since={since}")
    if writes:
        report["requests"] = [request for request in report["requests"] if request["write"]]
    if clear:
        supervisor.admin(place, "DELETE", "/_sandbox/requests")
    app.tell(report, lambda: requests_text(report))
    return 0


@sandbox.command("inbox", cls=Verb)
@_dir_option
@click.option("--since", type=click.IntRange(0), default=0, metavar="N", help="Only messages after number N.")
@click.option("--confirm", metavar="ADDRESS", help="Follow the links in the letters that ask this address first.")
@click.option("--clear", is_flag=True, help="Throw them all away after showing them.")
@click.pass_obj
def inbox(app: App, directory: Path | None, since: int, confirm: str | None, clear: bool) -> int:
    """What topics sent to addresses: notifications of alarms, and the letters that ask for confirmation."""
    from provisioner.cli.text.sandbox import inbox_text
    from provisioner.sandbox import supervisor

    place = _directory(app, directory)
    confirmed = None
    if confirm is not None:
        confirmed = supervisor.admin(place, "POST", "/_sandbox/confirm", {"endpoint": confirm})["confirmed"]
    found = supervisor.admin(place, "GET", f"/_sandbox/inbox?since={since}")
    if clear:
        supervisor.admin(place, "DELETE", "/_sandbox/inbox")
    app.tell({**found, "confirmed": confirmed}, lambda: inbox_text(found["letters"], confirmed))
    return 0


@sandbox.command("logs", cls=Verb)
@_dir_option
@click.option("-n", "--lines", type=click.IntRange(1), default=50, show_default=True, help="How many, from the end.")
@click.pass_obj
def logs(app: App, directory: Path | None, lines: int) -> int:
    """The end of the sandbox's own log."""
    from provisioner.errors import SandboxError

    path = _directory(app, directory) / "sandbox.log"
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            tail = file.read().splitlines()[-lines:]
    except FileNotFoundError as err:
        raise SandboxError(f"there is no {path}", hint="provisioner sandbox start") from err
    app.tell({"path": str(path), "lines": tail}, lambda: tail)
    return 0


@sandbox.group("fault", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def fault() -> None:
    """Rehearse a bad day: calls that are refused, throttled, cut off or slow."""


@fault.command("add", cls=Verb)
@_dir_option
@click.option("--service", metavar="NAME", help="rds, elasticache, s3, …; any by default.")
@click.option("--operation", metavar="NAME", help="CreateDBInstance, …; any by default.")
@click.option("--error", metavar="CODE", help="The service's own error code: AccessDenied.")
@click.option(
    "--kind", metavar="KIND", help="throttling, internal, reset-before, reset-after, slow, hang, failed, never-ready, …"
)
@click.option("--times", type=click.IntRange(0), help="How often it strikes; 0 is for ever; 1 by default.")
@click.option("--skip", type=click.IntRange(0), help="How many calls it lets pass first.")
@click.option("--match", metavar="TEXT", help="Only requests that hold this text.")
@click.option("--delay", type=float, metavar="SECONDS", help="For the kinds that wait.")
@click.option("--message", metavar="TEXT", help="What the error says.")
@click.pass_obj
def fault_add(app: App, /, directory: Path | None, **wish: Any) -> int:
    """Puts a fault in force: --service rds --operation CreateDBInstance --error AccessDenied --times 1."""
    from provisioner.cli.text.sandbox import faults_text
    from provisioner.sandbox import supervisor

    body = {name: value for name, value in wish.items() if value is not None}
    made = supervisor.admin(_directory(app, directory), "POST", "/_sandbox/faults", body)
    app.tell(made, lambda: faults_text([made]))
    return 0


@fault.command("list", cls=Verb)
@_dir_option
@click.pass_obj
def fault_list(app: App, directory: Path | None) -> int:
    """The faults, and how often each has struck."""
    from provisioner.cli.text.sandbox import faults_text
    from provisioner.sandbox import supervisor

    found = supervisor.admin(_directory(app, directory), "GET", "/_sandbox/faults")
    app.tell(found, lambda: faults_text(found["faults"]))
    return 0


@fault.command("clear", cls=Verb)
@_dir_option
@click.argument("number", type=click.IntRange(1), required=False)
@click.pass_obj
def fault_clear(app: App, directory: Path | None, number: int | None) -> int:
    """Takes away one fault, or all of them."""
    from provisioner.cli.style import plural
    from provisioner.sandbox import supervisor

    path = "/_sandbox/faults" if number is None else f"/_sandbox/faults/{number}"
    cleared = supervisor.admin(_directory(app, directory), "DELETE", path)
    app.tell(cleared, lambda: [f"cleared {plural(cleared['cleared'], 'fault')}"])
    return 0
