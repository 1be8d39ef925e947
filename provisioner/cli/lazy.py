"""Commands that are imported when they are used, and the two options that every one of them has."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import click

from provisioner.cli.app import App


class Place(NamedTuple):
    """Where a command is, ``module:attribute``, and its line in the list of commands."""

    where: str
    summary: str


class LazyGroup(click.Group):
    """A group that knows its commands' names and summaries, and imports no command before it is asked for it."""

    def __init__(self, *args: Any, sections: Mapping[str, Mapping[str, Place]], **kwargs: Any) -> None:
        """``sections``: heading → command → place; the order is that of ``--help``."""
        super().__init__(*args, **kwargs)
        self.sections = sections
        self.places = {name: place for section in sections.values() for name, place in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = self.places.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.where.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command), place.where
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        longest = max(len(name) for name in self.places)
        for heading, section in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(longest), place.summary) for name, place in section.items()])


def _want_json(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(App).json = True


def _want_debug(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(App).debug = True


class Verb(click.Command):
    """A command with ``--json`` and ``--debug``. Its function returns the exit code."""

    def __init__(self, name: str | None, *, params: Sequence[click.Parameter] | None = None, **kwargs: Any) -> None:
        common: list[click.Parameter] = [
            click.Option(
                ["--json"], is_flag=True, expose_value=False, callback=_want_json, is_eager=True,
                help="The result as one JSON object on stdout.",
            ),
            click.Option(
                ["--debug"], is_flag=True, expose_value=False, callback=_want_debug, is_eager=True,
                help="Show the trace of an unexpected error.",
            ),
        ]  # fmt: skip
        kwargs.setdefault("context_settings", {"help_option_names": ["-h", "--help"], "max_content_width": 110})
        super().__init__(name, params=[*(params or ()), *common], **kwargs)
