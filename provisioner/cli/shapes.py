"""How values leave for other programs: ``--format``, to stdout or, with ``--file``, into a file of mode 0600."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from provisioner.cli.app import App

Function = TypeVar("Function", bound=Callable[..., Any])

_FORMATS: Final = ("json", "env", "dotenv", "tfvars", "shell")
_USUAL: Final = "dotenv"


class Shape(NamedTuple):
    """``format``: None where nobody asked for one. ``path``: where to, None for stdout."""

    format: str | None
    path: Path | None
    force: bool


def format_options(function: Function) -> Function:
    """--format, --file and --force, as one argument ``shape``."""

    @click.option("--format", "format_", type=click.Choice(_FORMATS), help="For a program; names become VARIABLES.")
    @click.option(
        "--file",
        "path",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help=f"Into a file that only you can read, whole or not at all ({_USUAL} unless --format).",
    )
    @click.option("--force", is_flag=True, help="Replace a file that something else wrote.")
    @functools.wraps(function)
    def gathered(*args: Any, format_: str | None, path: Path | None, force: bool, **words: Any) -> Any:
        return function(*args, shape=Shape(format_, path, force), **words)

    made: Function = gathered  # type: ignore[assignment]
    return made


def hand_over(app: App, deployment: str, values: Mapping[str, Any], shape: Shape, *, reveal: bool) -> int:
    """The values in their format; what is secret is left out unless ``reveal``, and its names are told."""
    from provisioner.cli.text.formats import COMMENTED, FORMATS, without_secrets
    from provisioner.cli.text.values import plain

    kept, left = (dict(values), []) if reveal else without_secrets(values)
    format_ = shape.format or _USUAL
    text = FORMATS[format_](plain(kept, reveal=reveal)) + "\n"
    if shape.path is None:
        app.printer.raw(text)
    else:
        from provisioner.operations.privatefile import MARK, write_private

        head = f"{MARK}: {deployment}\n" if format_ in COMMENTED else ""
        write_private(shape.path, head + text, force=shape.force)
        app.note(f"wrote {shape.path}, which only you can read")
    if left:
        app.warn(f"left out, for they are secret: {', '.join(left)} (--reveal puts them in)")
    return 0
