"""The entry point: the table of verbs, and the way in and out of every one of them.

Only click is imported here; a verb's module is imported when it is used.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from provisioner.cli.app import App
from provisioner.cli.boundary import guarded
from provisioner.cli.lazy import LazyGroup, Place

_VERBS: Final = "provisioner.cli.verbs"

SECTIONS: Final[Mapping[str, Mapping[str, Place]]] = {
    "Deploy": {
        "validate": Place(f"{_VERBS}.plans:validate", "Check a plan; nothing is called."),
        "preflight": Place(f"{_VERBS}.preflight:preflight", "What would go wrong, told before a cent is spent."),
        "scan": Place(f"{_VERBS}.scan:scan", "What is not as safe as it could be, in a plan or deployed."),
        "plan": Place(f"{_VERBS}.plans:plan", "Show what deploy would do."),
        "deploy": Place(f"{_VERBS}.deploy:deploy", "Bring a deployment to what its plan says."),
        "rollback": Place(f"{_VERBS}.undo:rollback", "Return to the deployment before the last run."),
        "destroy": Place(f"{_VERBS}.undo:destroy", "Remove everything that was deployed."),
    },
    "Look": {
        "status": Place(f"{_VERBS}.looks:status", "How a deployment stands, step by step."),
        "verify": Place(f"{_VERBS}.verify:verify", "Go through the checklist of everything that is deployed."),
        "drift": Place(f"{_VERBS}.drift:drift", "What was changed outside: cloud, record and plan side by side."),
        "outputs": Place(f"{_VERBS}.looks:outputs", "Endpoints and other values that a deployment hands on."),
        "export": Place(f"{_VERBS}.export:export", "All that the next module needs, without a secret."),
        "history": Place(f"{_VERBS}.looks:history", "The runs of a deployment."),
        "cost": Place(f"{_VERBS}.cost:cost", "What a plan costs a month, offline; budgets, free tier, advice."),
        "graph": Place(f"{_VERBS}.graph:graph", "The steps and what each needs, as text, Mermaid, DOT or SVG."),
        "monitor": Place(f"{_VERBS}.monitor:monitor", "Alarms, dashboards, budgets: would anybody be told? And a try."),
        "state": Place(f"{_VERBS}.state:state", "The record itself: list, show, adopt, recover, unlock, pull, push."),
    },
    "Try": {
        "sandbox": Place(f"{_VERBS}.sandbox:sandbox", "A cloud on this machine, with real databases behind it."),
    },
    "Learn": {
        "types": Place(f"{_VERBS}.learn:types", "What a plan can make, with every field and its limits."),
        "schema": Place(f"{_VERBS}.learn:schema", "The JSON Schema of plan files, for editors."),
        "explain": Place(f"{_VERBS}.learn:explain", "What an error, a finding or a type means and what to do."),
        "doctor": Place(f"{_VERBS}.doctor:doctor", "What is installed and set up, and what is missing."),
        "completion": Place(f"{_VERBS}.doctor:completion", "The completion script for bash, zsh or fish."),
        "version": Place(f"{_VERBS}.doctor:version", "The version of provisioner and what it runs on."),
    },
}


class Root(LazyGroup):
    """The top of the command line: every exception ends here as a text and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        app = extra.setdefault("obj", None) or App()
        extra["obj"] = app
        words = list(sys.argv[1:] if args is None else args)
        app.json = "--json" in words  # also when click stumbles before it gets there
        call = super().main
        name = prog_name or "provisioner"
        code = guarded(app, lambda: call(words, name, complete_var, standalone_mode=False, **extra))
        if standalone_mode:
            sys.exit(code)
        return code


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from provisioner import __version__

        ctx.ensure_object(App).printer.show([f"provisioner {__version__}"])
        ctx.exit(0)


@click.group(
    cls=Root,
    sections=SECTIONS,
    invoke_without_command=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every verb has --help and --json. Exit codes: provisioner explain exit-codes.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def root() -> None:
    """Deploys database layers through the cloud SDKs, records every step, and undoes what fails.

    Try it without an account:  provisioner deploy plans/quickstart.yaml --sandbox
    """


def main() -> None:
    """The console script ``provisioner``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    root.main()
