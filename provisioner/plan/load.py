"""From a plan file to a :class:`~provisioner.plan.Plan`, or to everything that is wrong with it.

The file goes through these parts, each of which notes what it finds and hands on what it could read::

    yamlfile     bytes → values, each with its line and column
    parameters   declarations; parametervalues: defaults, environments, files, arguments → one value each
    planread     references to parameters and to the deployment are filled in
    plansteps    steps: keys, names, what is switched off
    plancheck    steps against each other and against their types (speccheck)

Nothing in a plan is executed. The first error does not end the reading: a PlanError has them all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from provisioner.errors import PlanError
from provisioner.location import FORMS, Address
from provisioner.model import Severity
from provisioner.plan.agreed import read_applications, read_waivers
from provisioner.plan.budget import read_budget
from provisioner.plan.check import Checker
from provisioner.plan.findings import Findings, describe
from provisioner.plan.model import OutputDecl, ParameterDecl, Plan, Settings, StepDecl
from provisioner.plan.parameters import Declared, declared
from provisioner.plan.read import Scope, Section
from provisioner.plan.steps import read_steps
from provisioner.plan.values import Given, Values, resolve
from provisioner.plan.yamlfile import Located, load
from provisioner.resource import NO_CLOUDS, Registry

__all__ = ["OutputDecl", "ParameterDecl", "Plan", "Settings", "StepDecl", "load_plan", "read_identity", "read_location"]

PLAN_KEYS: Final = (
    "deployment", "description", "provider", "region", "state", "parameters", "environments", "settings",
    "budget", "steps", "outputs", "waivers", "applications",
)  # fmt: skip
DEPLOYMENT_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
ENVIRONMENT_NAME: Final = re.compile(r"[a-z][a-z0-9]*")
"""Without -, so that the last part of a deployment's name is its environment, whatever the base is called."""
_LONGEST_NAME: Final = 40
_MOST_ATTEMPTS: Final = 100


class _Identity(NamedTuple):
    """``settled``: it is known which environment is meant. ``deployment`` may be empty, see there."""

    base: str
    environment: str | None
    settled: bool

    @property
    def deployment(self) -> str:
        if not self.settled:
            return ""
        return f"{self.base}-{self.environment}" if self.base and self.environment else self.base


def load_plan(
    path: Path,
    registry: Registry,
    *,
    environment: str | None = None,
    parameters: Mapping[str, str] = {},
    parameter_files: Sequence[Path] = (),
) -> Plan:
    """The plan in one environment. PlanError has every finding of every file involved.

    ``environment`` may be left out where the plan declares one or none. ``parameters`` are the texts of
    ``--param NAME=TEXT``; of ``parameter_files`` a later one wins.
    """
    source = load(path)
    findings = Findings()
    root = Section(source, (), source.value, findings)
    root.allow(PLAN_KEYS, "in a plan")
    identity = _identity(root, environment)
    decls = declared(root)
    files = _parameter_files(parameter_files, findings)
    values = resolve(decls, root, Given(identity.environment, identity.settled, files, parameters))
    root.scope = _scope(values, identity, root)
    plan = _plan(path, root, identity, values, registry)
    _unused(root, decls, root.scope)
    findings.raise_errors()
    return msgspec.structs.replace(plan, warnings=tuple(findings.sorted()))


def _plan(path: Path, root: Section, identity: _Identity, values: Values, registry: Registry) -> Plan:
    """The plan as far as it could be read; it is worth something only where nothing was found."""
    scope = root.scope
    assert scope is not None
    provider, region = _provider(root, registry), _region(root)
    scope.facts["region"] = region or None
    steps, spare = read_steps(root)
    checker = Checker(steps, spare, registry, scope, root.findings, identity.deployment, region)
    ready = [checker.declaration(step) for step in steps]
    names = [step.name for step in steps]
    return Plan(
        path=path,
        deployment=identity.deployment,
        base=identity.base,
        environment=identity.environment,
        provider=provider,
        region=region,
        parameters=values.plain,
        secrets=values.secrets,
        steps=tuple(decl for decl, step in zip(ready, steps, strict=True) if step.on),
        skipped=tuple(step.name for step in steps if not step.on),
        outputs=checker.outputs(root),
        settings=_settings(root.section("settings"), registry),
        budget=read_budget(root),
        description=root.text("description", fill=False),
        state=_location(root),
        waivers=read_waivers(root, names, identity.environment),
        applications=read_applications(root, names),
        source=root.source,
    )


def read_identity(path: Path, environment: str | None = None) -> str:
    """The deployment's name alone, however broken the steps of the plan are: enough to find its state.

    PlanError where the file is not YAML, or does not say the name, or does not know the environment.
    """
    source = load(path)
    findings = Findings()
    identity = _identity(Section(source, (), source.value, findings), environment)
    findings.raise_errors()
    return identity.deployment


def read_location(path: Path) -> str:
    """Where the plan says that its record is kept, however broken the rest of it is; empty: on this machine.

    PlanError where the file is not YAML, or what it says is no such place.
    """
    source = load(path)
    findings = Findings()
    location = _location(Section(source, (), source.value, findings))
    findings.raise_errors()
    return location


def _location(root: Section) -> str:
    # Never a parameter: the record must be found again by somebody who has the plan and nothing else.
    url = root.text("state", fill=False)
    try:
        return str(Address.parse(url)) if url else ""
    except ValueError as err:
        root.error("plan.wrong-type", f"state: {err}", ("state",), hint=FORMS)
        return ""


def _identity(root: Section, environment: str | None) -> _Identity:
    base = root.text("deployment")
    if not base and root.raw("deployment") in (None, ""):
        root.missing("deployment", "deployment: a name for what this plan deploys")
    elif base and not _is_name(base):
        _bad_name(root, base, "deployment", ("deployment",))
    section = root.section("environments")
    for name in section.value:
        if not _is_name(name, ENVIRONMENT_NAME):
            _bad_name(root, name, "environment", ("environments", name))
    names = list(section.value)
    if environment is None and len(names) == 1:
        environment = names[0]
    settled = environment in names if names or environment is not None else True
    if not settled:
        _which_environment(root, environment, names)
    return _Identity(base, environment, settled)


def _is_name(name: str, pattern: re.Pattern[str] = DEPLOYMENT_NAME) -> bool:
    return len(name) <= _LONGEST_NAME and pattern.fullmatch(name) is not None


def _bad_name(root: Section, name: str, what: str, path: tuple[str, ...]) -> None:
    dashes = "small letters, digits and single -" if what == "deployment" else "small letters and digits"
    hint = f"{dashes}, beginning with a letter, at most {_LONGEST_NAME}"
    if what == "environment" and "-" in name:
        hint += "; no -: a-b and c would be the same deployment as a and b-c"
    root.error(
        "plan.name-invalid",
        f"{describe(name)} is not a name for {'an' if what == 'environment' else 'a'} {what}",
        path,
        hint=hint,
        key=len(path) > 1,
    )


def _which_environment(root: Section, environment: str | None, names: list[str]) -> None:
    if environment is None:
        id_, message = "plan.environment-needed", f"the plan has several environments: {', '.join(names)}"
        hint = "choose one with -e"
    else:
        near = root.findings.near(environment, names)
        id_, message = (
            "plan.unknown-environment",
            f"the plan has no environment {describe(environment)}{near}",
        )
        hint = f"it has {', '.join(names)}" if names else "it declares none: leave -e out"
    root.error(id_, message, ("environments",), hint=hint, key=True)


def _parameter_files(paths: Sequence[Path], findings: Findings) -> list[Located]:
    files: list[Located] = []
    for path in paths:
        try:
            files.append(load(path))
        except PlanError as err:
            findings.take(err)
    return files


def _scope(values: Values, identity: _Identity, root: Section) -> Scope:
    facts: dict[str, str | None] = {"name": identity.deployment or None, "base": identity.base or None}
    if root.raw("environments"):
        facts["environment"] = identity.environment if identity.settled else None
    return Scope(values.plain, values.secrets, values.unknown, facts)


def _provider(root: Section, registry: Registry) -> str:
    known = sorted({name.partition(".")[0] for name in registry.names()} - NO_CLOUDS)
    provider = root.text("provider")
    if not provider and root.raw("provider") in (None, ""):
        root.missing("provider", f"provider: one of {', '.join(known)}")
    elif provider and provider not in known:
        message = f"there is no provider {describe(provider)}{root.findings.near(provider, known)}"
        root.error("plan.unknown-provider", message, ("provider",), hint=f"there is {', '.join(known)}")
    return provider


def _region(root: Section) -> str:
    region = root.text("region")
    if not region and root.raw("region") in (None, ""):
        root.missing("region", "region: where the provider is to make things, us-east-1 for example")
    return region


def _settings(section: Section, registry: Registry) -> Settings:
    section.allow(("retry", "timeouts"), "in settings")
    retry = section.section("retry")
    retry.allow(("attempts", "initial", "most"), "in settings.retry")
    usual = Settings()
    initial = retry.duration("initial") or usual.backoff_initial
    most = retry.duration("most") or max(usual.backoff_most, initial)
    if initial > most:
        retry.error("plan.wrong-type", "retry: initial is longer than most", ("initial",))
    return Settings(
        attempts=_attempts(retry, usual.attempts),
        backoff_initial=initial,
        backoff_most=most,
        timeouts=_timeouts(section.section("timeouts"), registry),
    )


def _attempts(retry: Section, usual: int) -> int:
    value: Any = retry.filled("attempts")
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_ATTEMPTS:
        retry.wrong(("attempts",), f"an integer from 1 to {_MOST_ATTEMPTS}", value)
        return usual
    return value


def _timeouts(section: Section, registry: Registry) -> dict[str, float]:
    prefixes = {name.partition(".")[0] for name in registry.names()}
    found: dict[str, float] = {}
    for name in section.value:
        if name not in registry and name not in prefixes:
            message = f"there is no type {describe(name)}{section.findings.near(name, registry.names())}"
            section.error("plan.unknown-type", message, (name,), key=True)
        seconds = section.duration(name)
        if seconds is not None:
            found[name] = seconds
    return found


def _unused(root: Section, decls: Declared, scope: Scope) -> None:
    for name in decls.good:
        if name not in scope.used:
            message = f"nothing uses the parameter {name}"
            path = ("parameters", name)
            root.findings.add("plan.unused-parameter", message, root.source, path, key=True, severity=Severity.WARNING)
