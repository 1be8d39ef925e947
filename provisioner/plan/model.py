"""What a plan file becomes once it is read, checked and its parameters are filled in: plain data.

:mod:`provisioner.plan.load` makes it; nothing in here reads a file.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec

from provisioner.model import Finding, Position
from provisioner.plan.yamlfile import Located
from provisioner.refs import Ref
from provisioner.secret import Secret

ParameterType = Literal["string", "integer", "number", "boolean", "list", "secret"]


class ParameterDecl(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of ``parameters``.

    ``default`` is UNSET where the plan gives none. ``allowed`` and ``pattern`` (a whole match) restrict
    text, and each item of a list; ``minimum`` and ``maximum`` restrict numbers, both inclusive. ``env``
    names the environment variable that a secret is read from.
    """

    name: str
    type: ParameterType
    where: Position
    default: Any = msgspec.UNSET
    description: str = ""
    allowed: tuple[Any, ...] = ()
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    env: str | None = None


class StepDecl(msgspec.Struct, frozen=True, kw_only=True):
    """One step that this environment wants.

    ``tree``: the parsed ``with``. Parameters and ``${deployment.*}`` are filled in already, but for secret
    parameters, which stay ``Ref("param", name)``: see :meth:`Plan.secret`.
    ``needs``: the names of the steps that must be ready first: what ``tree`` refers to, and ``after``; in
    the file's order.
    ``adopt``: take over what exists. ``protect``: refuse to destroy or replace it.
    ``timeout`` (and for gates ``interval``) in seconds, None where the plan does not say; see
    :meth:`Plan.timeout_of`.
    """

    name: str
    type: str
    where: Position
    tree: dict[str, Any] = {}
    stage: str = ""
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    adopt: bool = False
    protect: bool = False
    timeout: float | None = None
    interval: float | None = None
    description: str = ""
    index: int = 0
    """Where it stands in the file's list of steps, counted from 0."""


class OutputDecl(msgspec.Struct, frozen=True, kw_only=True):
    """A value that the deployment hands on. ``secret``: it is shown only where one asks for it."""

    tree: Any
    description: str = ""
    secret: bool = False


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """``settings`` of a plan: tries in all, seconds between tries, seconds to wait by type or its first part."""

    attempts: int = 10
    backoff_initial: float = 1.0
    backoff_most: float = 30.0
    timeouts: dict[str, float] = {}

    def timeout_for(self, type_name: str) -> float | None:
        """Seconds for a type, None where the plan says nothing; ``aws.rds_instance`` wins over ``aws``."""
        own = self.timeouts.get(type_name)
        return own if own is not None else self.timeouts.get(type_name.partition(".")[0])


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has looked at and leaves as it is: findings of ``rule`` about ``steps`` (None: all of them).

    It holds up to and including the day ``until``.
    """

    rule: str
    steps: tuple[str, ...] | None
    reason: str
    until: date
    where: Position


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """Something that connects to a database: each of its ``processes`` has a pool of its own.

    ``database`` is the step that it connects to; empty: the only one of the plan. ``max_overflow``: connections beyond
    the pool that a process opens when it needs them.
    """

    name: str
    where: Position
    database: str = ""
    processes: int = 1
    pool_size: int = 5
    max_overflow: int = 0

    @property
    def connections(self) -> int:
        """The most that it ever opens."""
        return self.processes * (self.pool_size + self.max_overflow)


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """``budget`` of a plan: what it may cost, in USD a month, and the percentages of it that are worth a word."""

    monthly: float
    warning: float = 50.0
    critical: float = 80.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A valid plan in one environment.

    ``deployment`` is ``base-environment``, or ``base`` where the plan declares no environments.
    ``parameters`` are resolved and hold nothing secret; ``secrets`` has the secret ones.
    ``steps`` are in the file's order, without those whose ``when`` is false: ``skipped`` names these.
    """

    path: Path
    deployment: str
    base: str
    environment: str | None
    provider: str
    region: str
    parameters: dict[str, Any] = {}
    secrets: dict[str, Secret] = {}
    steps: tuple[StepDecl, ...] = ()
    skipped: tuple[str, ...] = ()
    outputs: dict[str, OutputDecl] = {}
    settings: Settings = Settings()
    budget: Budget | None = None
    warnings: tuple[Finding, ...] = ()
    description: str = ""
    waivers: tuple[Waiver, ...] = ()
    applications: tuple[Application, ...] = ()
    state: str = ""
    """Where its record is kept (``s3://bucket/prefix/``); empty: on this machine."""
    source: Located | None = None
    """The file as it was read, for the places of what is found later."""

    def at(self, step: StepDecl, *path: str | int) -> Position:
        """Where the file has something of a step (``"with", "port"``), or the nearest thing around it."""
        return self.source.at(("steps", step.index, *path)) if self.source is not None else step.where

    def secret(self, ref: Ref) -> Secret:
        """The value of a ``Ref("param", name)``; KeyError for any other."""
        return self.secrets[ref.output]

    def timeout_of(self, step: StepDecl) -> float | None:
        """Seconds that the plan gives a step: its own, else the settings'; None leaves it to the type."""
        return step.timeout if step.timeout is not None else self.settings.timeout_for(step.type)
