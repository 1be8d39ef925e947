"""What the shell offers after TAB: plans, environments, steps, deployments, types, error codes.

A completer must never fail or speak: what cannot be read is not offered.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem, split_arg_string

if TYPE_CHECKING:
    from provisioner.resource import Registry

VARIABLE: Final = "_PROVISIONER_COMPLETE"
"""Set by the completion script when it wants suggestions."""

ZSH_SETUP: Final = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n"


def _matching(words: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def plans(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """YAML files, and directories to look further in."""
    folder, _, start = incomplete.rpartition("/")
    here = Path(f"{folder}/" if "/" in incomplete else ".").expanduser()
    found: list[CompletionItem] = []
    with contextlib.suppress(OSError):
        for path in sorted(here.iterdir()):
            hidden = path.name.startswith(".") and not start.startswith(".")
            if hidden or not path.name.startswith(start):
                continue
            shown = f"{folder}/{path.name}" if "/" in incomplete else path.name
            if path.is_dir():
                found.append(CompletionItem(f"{shown}/"))
            elif path.suffix in (".yaml", ".yml"):
                found.append(CompletionItem(shown))
    return found


def _plan(ctx: click.Context) -> str | None:
    """The plan on the command line. click parses nothing where the last word is an option that waits for its value."""
    given = ctx.params.get("plan") or next(iter(ctx.params.get("words") or ()), None)
    if given:
        return str(given)
    words = split_arg_string(os.environ.get("COMP_WORDS", ""))
    return next((word for word in words if word.endswith((".yaml", ".yml"))), None)


def _tree(ctx: click.Context) -> dict[str, Any]:
    """The plan on the command line as plain values, empty where it cannot be read."""
    from provisioner.errors import PlanError
    from provisioner.plan.yamlfile import load

    path = _plan(ctx)
    with contextlib.suppress(PlanError, OSError):
        value = load(Path(path)).value if path else None
        return value if isinstance(value, dict) else {}
    return {}


def environments(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The environments of the plan."""
    declared = _tree(ctx).get("environments")
    return _matching(map(str, declared) if isinstance(declared, dict) else (), incomplete)


def steps(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the plan's steps."""
    declared = _tree(ctx).get("steps")
    names = (step.get("name") for step in declared if isinstance(step, dict)) if isinstance(declared, list) else ()
    return _matching([name for name in names if isinstance(name, str)], incomplete)


def deployments(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The deployments that have a record."""
    from provisioner.operations.home import Home

    folder = Home.find().deployments(sandbox=bool(ctx.params.get("sandbox")))
    with contextlib.suppress(OSError):
        return _matching(sorted(path.name for path in folder.iterdir() if path.is_dir()), incomplete)
    return []


def recorded_steps(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The steps in the record."""
    from provisioner.errors import ProvisionerError
    from provisioner.operations.home import Home
    from provisioner.plan.load import read_identity
    from provisioner.state.store import peek

    with contextlib.suppress(ProvisionerError, OSError):
        plan = _plan(ctx)
        name = ctx.params.get("deployment") or (plan and read_identity(Path(plan), ctx.params.get("environment")))
        if name:
            found = peek(Home.find().deployment(name, sandbox=bool(ctx.params.get("sandbox"))), name)
            return _matching(found.steps if found else (), incomplete)
    return []


def plan_then_step(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """A plan first, unless the deployment is named; then a recorded step."""
    words = list(ctx.params.get("words") or ())
    if not words and not ctx.params.get("deployment"):
        return plans(ctx, param, incomplete)
    return recorded_steps(ctx, param, incomplete)


def _registry(ctx: click.Context) -> Registry:
    from provisioner.cli.app import App

    return ctx.ensure_object(App).registry


def types(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the types."""
    return _matching(_registry(ctx).names(), incomplete)


def _codes() -> Iterator[str]:
    from provisioner.operations.meanings import error_classes

    for cls in error_classes():
        yield cls.code


def codes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Error codes and types: what ``explain`` knows."""
    return _matching([*sorted(set(_codes())), *_registry(ctx).names()], incomplete)
