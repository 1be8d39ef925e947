"""The options that verbs share, each group handed to the verb as one object."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeVar

import click

from provisioner.cli import completers

Function = TypeVar("Function", bound=Callable[..., Any])


class Chosen(NamedTuple):
    """Which deployment: the plan, its environment and parameters, and whether the real thing or a rehearsal."""

    path: Path
    environment: str | None = None
    sandbox: bool = False
    parameters: Mapping[str, str] = {}
    files: tuple[Path, ...] = ()
    state: str | None = None
    deployment: str | None = None
    """Its name, where it was named by that and there is no plan."""

    @property
    def words(self) -> str:
        """The options that name the deployment again, for hints and for the lock; values of parameters stay out."""
        environment = f" -e {self.environment}" if self.environment else ""
        state = f" --state {self.state}" if self.state else ""
        plan = f"--deployment {self.deployment}" if self.deployment else self.path
        return f"{plan}{environment}{' --sandbox' if self.sandbox else ''}{state}"


class Wishes(NamedTuple):
    """How a run is to be carried out. ``timeouts``: seconds by step."""

    yes: bool = False
    events: str | None = None
    on_failure: str = "reverse"
    targets: tuple[str, ...] = ()
    parallelism: int | None = None
    timeouts: Mapping[str, float] = {}
    allow_data_loss: bool = False


class Assignment(click.ParamType[Any]):
    """``NAME=VALUE`` as a pair."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not name:
            # The value is not repeated: somebody may have typed a password here.
            self.fail("write NAME=VALUE", param, ctx)
        return name, text


class Timeout(Assignment):
    """``STEP=DURATION`` as a step and its seconds."""

    name = "STEP=DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from provisioner.model import parse_duration

        step, text = super().convert(value, param, ctx)
        try:
            return step, parse_duration(text)
        except ValueError as err:
            self.fail(f"{step}: {err}", param, ctx)


PLAN_FILE: Final = click.Path(path_type=Path)

_DEPLOYMENT: Final = (
    click.option(
        "-e", "--environment", metavar="ENV", shell_complete=completers.environments, help="The plan's environment."
    ),
    click.option("--sandbox", is_flag=True, help="Against the sandbox on this machine instead of the cloud."),
    click.option(
        "--state", "state_url", metavar="URL",
        help="Where the record is: s3://, gs:// or az://BUCKET/PREFIX; without it the plan's word, or the home.",
    ),
)  # fmt: skip
_PARAMETERS: Final = (
    click.option("--param", "params", type=Assignment(), multiple=True, help="Sets a parameter; repeatable."),
    click.option(
        "--param-file", "param_files", type=PLAN_FILE, multiple=True, metavar="FILE",
        help="Parameters from a YAML file; a later one wins; repeatable.",
    ),
)  # fmt: skip
_TARGET: Final = click.option(
    "--target", "targets", multiple=True, metavar="STEP", shell_complete=completers.steps,
    help="Only this step and what it needs (destroy: what needs it); repeatable.",
)  # fmt: skip
_RUN: Final = (
    click.option("-y", "--yes", is_flag=True, help="Do not ask."),
    click.option("--events", metavar="FILE", help="One JSON object a line, to a file or to stdout (-)."),
    click.option("--parallelism", type=click.IntRange(1, 256), metavar="N", help="Calls at once (16)."),
    click.option(
        "--timeout", "timeouts", type=Timeout(), multiple=True, help="How long to wait for a step; repeatable."
    ),
    click.option("--allow-data-loss", is_flag=True, help="Delete and replace what holds data, without keeping a copy."),
)
_ON_FAILURE: Final = click.option(
    "--on-failure", type=click.Choice(["reverse", "keep", "ask"]), default="reverse", show_default=True,
    help="What to do with what was made when a step fails.",
)  # fmt: skip


def _stack(function: Any, options: Any) -> Any:
    for option in reversed(options):
        function = option(function)
    return function


def plan_options(function: Function) -> Function:
    """PLAN, -e, --sandbox, --state, --param and --param-file, as one argument ``chosen``."""

    @functools.wraps(function)
    def gathered(
        *args: Any, plan: Path, environment: str | None, sandbox: bool, state_url: str | None, **words: Any
    ) -> Any:
        pairs: tuple[tuple[str, str], ...] = words.pop("params")
        files: tuple[Path, ...] = words.pop("param_files")
        return function(*args, chosen=Chosen(plan, environment, sandbox, dict(pairs), files, state_url), **words)

    argument = click.argument("plan", type=PLAN_FILE, shell_complete=completers.plans)
    made: Function = _stack(gathered, (argument, *_DEPLOYMENT, *_PARAMETERS))
    return made


def target_option(function: Function) -> Function:
    """--target, as ``targets``."""
    made: Function = _TARGET(function)
    return made


def run_options(*, on_failure: bool = False, targets: bool = True) -> Callable[[Function], Function]:
    """What every run can be told, as one argument ``wishes``; --on-failure and --target where they mean something."""

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def gathered(*args: Any, **words: Any) -> Any:
            fields = {name: words.pop(name) for name in Wishes._fields if name in words}
            fields["timeouts"] = dict(fields["timeouts"])
            return function(*args, wishes=Wishes(**fields), **words)

        extra = [option for option, wanted in ((_ON_FAILURE, on_failure), (_TARGET, targets)) if wanted]
        made: Function = _stack(gathered, (*_RUN, *extra))
        return made

    return decorate


class Named(NamedTuple):
    """Which record: by its plan or by its deployment's name; and of it perhaps some steps."""

    plan: Path | None
    environment: str | None
    sandbox: bool
    deployment: str | None
    step: str | None = None
    state: str | None = None
    steps: tuple[str, ...] = ()
    parameters: Mapping[str, str] = {}
    files: tuple[Path, ...] = ()

    @property
    def chosen(self) -> Chosen:
        """The same in the words of the verbs that want a plan."""
        path = self.plan or Path()
        return Chosen(path, self.environment, self.sandbox, self.parameters, self.files, self.state, self.deployment)


_NAME: Final = click.option(
    "--deployment", metavar="NAME", shell_complete=completers.deployments,
    help="The deployment's name, where its plan is not at hand.",
)  # fmt: skip


Steps = Literal["no", "optional", "required", "many"]
"""How many words after the plan a verb takes."""


def record_options(
    *, step: Steps = "no", what: str = "STEP", parameters: bool = False
) -> Callable[[Function], Function]:
    """PLAN and -e, or --deployment NAME; --sandbox, --state; and a STEP (``what``) after them: as one ``named``.

    With ``parameters`` also --param and --param-file.
    """
    metavar = "[PLAN]" + {"no": "", "optional": f" [{what}]", "required": f" {what}", "many": f" [{what}]..."}[step]

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def gathered(
            *args: Any,
            words: tuple[str, ...],
            environment: str | None,
            sandbox: bool,
            deployment: str | None,
            state_url: str | None,
            params: tuple[tuple[str, str], ...] = (),
            param_files: tuple[Path, ...] = (),
            **rest: Any,
        ) -> Any:
            plan, steps = _sorted_out(words, deployment is not None, step, what)
            named = Named(plan, environment, sandbox, deployment, next(iter(steps), None), state_url, steps)
            return function(*args, named=named._replace(parameters=dict(params), files=param_files), **rest)

        argument = click.argument("words", nargs=-1, metavar=metavar, shell_complete=completers.plan_then_step)
        more = _PARAMETERS if parameters else ()
        made: Function = _stack(gathered, (argument, *_DEPLOYMENT, _NAME, *more))
        return made

    return decorate


def _sorted_out(words: tuple[str, ...], by_name: bool, step: Steps, what: str) -> tuple[Path | None, tuple[str, ...]]:
    """Which word is the plan and which are the steps."""
    plan, rest = (None, words) if by_name or not words else (Path(words[0]), words[1:])
    if plan is None and not by_name:
        raise click.UsageError("name the deployment by its PLAN or by --deployment NAME")
    if step != "many" and len(rest) > (step != "no"):
        raise click.UsageError(f"too many words: {' '.join(rest)!r}")
    if step == "required" and not rest:
        raise click.UsageError(f"which {what}?")
    return plan, rest
