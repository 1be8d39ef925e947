"""``doctor``, ``version`` and ``completion``: this installation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb

if TYPE_CHECKING:
    from provisioner.operations.doctor import Check

_BAD = 3


@click.command("doctor", cls=Verb)
@click.option("--online", is_flag=True, help="Also ask the cloud whose credentials these are.")
@click.pass_obj
def doctor(app: App, online: bool) -> int:
    """What is installed and set up, and what is missing. Without --online nothing leaves this machine."""
    from provisioner.cli.text.doctor import doctor_text
    from provisioner.operations.doctor import examine, verdict

    checks = examine(app.home.root, app.registry, online=online)
    checks += [_sandbox(app), _terminal(app)]
    worst = verdict(checks)
    exit_code = _BAD if worst == "fail" else 0
    result = {
        "verdict": worst,
        "checks": [{"name": c.name, "status": c.status, "detail": c.detail, "hint": c.hint} for c in checks],
        "exit_code": exit_code,
    }
    app.tell(result, lambda: doctor_text(checks))
    return exit_code


def _sandbox(app: App) -> Check:
    from provisioner.operations.doctor import Check
    from provisioner.sandbox import supervisor

    info = supervisor.running(app.home.sandbox)
    if info is None:
        return Check("sandbox", "ok", f"does not run in {app.home.sandbox}; --sandbox starts it")
    return Check("sandbox", "ok", f"runs in {app.home.sandbox} at {info.aws_url}")


def _terminal(app: App) -> Check:
    from provisioner.operations.doctor import Check

    err, out = app.printer.err, app.printer.out
    if not err.terminal:
        return Check("terminal", "ok", "none: progress is plain lines, and changes need --yes")
    encoding = getattr(err.file, "encoding", None) or "unknown"
    shown = f"{out.width} columns, {encoding}, {'colours' if err.colour else 'no colours'}"
    if encoding.lower().replace("-", "") != "utf8":
        return Check("terminal", "warn", shown, "set LANG=C.UTF-8, or signs are shown as ?")
    return Check("terminal", "ok", shown)


@click.command("version", cls=Verb)
@click.pass_obj
def version(app: App) -> int:
    """The version of provisioner and what it runs on."""
    import platform

    from provisioner import __version__
    from provisioner.engine.events import FORMAT as EVENTS
    from provisioner.state.records import FORMAT as STATE

    facts = {"version": __version__, "python": platform.python_version(), "platform": platform.platform()}
    formats = {"state_format": STATE, "events_format": EVENTS}
    app.tell(
        {**facts, **formats}, lambda: [f"provisioner {__version__} (Python {facts['python']}, {facts['platform']})"]
    )
    return 0


@click.command("completion", cls=Verb)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Prints the completion script of a shell.

    \b
    bash   eval "$(provisioner completion bash)"         in ~/.bashrc
    zsh    eval "$(provisioner completion zsh)"          in ~/.zshrc
    fish   provisioner completion fish | source          in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    from provisioner.cli.completers import VARIABLE, ZSH_SETUP

    cls = get_completion_class(shell)
    assert cls is not None, shell
    source = cls(ctx.find_root().command, {}, "provisioner", VARIABLE).source()
    app = ctx.ensure_object(App)
    if shell == "zsh":
        source = ZSH_SETUP + source
    app.tell({"shell": shell, "script": source}, lambda: [source])
    return 0
