"""The value that each declared parameter has in one environment.

A later source wins: ``default`` < the environment < ``--param-file`` < ``--param NAME=VALUE``. A secret
comes from the environment variable that its declaration names or from a parameter file, never from the plan
or the command line, where others could read it. Every source is checked, also one that a later one
overrides.

``default: null`` makes a parameter optional: the field that it fills is then left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from provisioner.model import Finding
from provisioner.plan.findings import Findings, describe
from provisioner.plan.model import ParameterDecl
from provisioner.plan.parameters import Declared
from provisioner.plan.patterns import compiled
from provisioner.plan.read import Section, placeholder_in
from provisioner.plan.spectypes import one_of
from provisioner.plan.yamlfile import Located, TreePath
from provisioner.plan.yamlnodes import scalar
from provisioner.refs import parse_text
from provisioner.secret import Secret

_WANTED: Final = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "list": "a list",
    "secret": "text",
}


class Values(NamedTuple):
    """``unknown``: parameters without a usable value; a finding says why."""

    plain: dict[str, Any]
    secrets: dict[str, Secret]
    unknown: set[str]


class Given(NamedTuple):
    """Where values come from besides the defaults.

    ``settled`` is False where it is not known which environment is meant, so that none is missed.
    """

    environment: str | None
    settled: bool
    files: Sequence[Located]
    arguments: Mapping[str, str]


class _Source(NamedTuple):
    """One place that gives a value; ``located`` is None where that is no file, and ``label`` says what it is.

    ``applies``: it counts in this environment. ``public``: others can read it, so no secret may stand there.
    """

    value: Any
    located: Located | None = None
    path: TreePath = ()
    label: str = ""
    applies: bool = True
    public: bool = True

    def note(self, findings: Findings, id_: str, message: str, hint: str = "") -> None:
        if self.located is None:
            findings.add_unplaced(id_, message, self.label, hint)
        else:
            findings.add(id_, message, self.located, self.path, hint=hint)


def resolve(declared: Declared, root: Section, given: Given) -> Values:
    """The value of every parameter; what is wrong is noted."""
    sources: dict[str, list[_Source]] = {name: [] for name in declared.good}
    values = Values({}, {}, set(declared.broken))
    for name, source in _sources(declared, root, given):
        decl = declared.good.get(name)
        if decl is None:
            continue
        if decl.type == "secret" and source.public:
            message = f"the secret {name} must not be given where others can read it"
            source.note(root.findings, "plan.literal-secret", message, how_to_give(decl))
            values.unknown.add(name)
        elif not _usable(decl, source, root.findings):
            values.unknown.add(name)
        elif source.applies:
            sources[name].append(source)
    for name, decl in declared.good.items():
        if name not in values.unknown:
            _settle(decl, sources[name], values, given.settled, root.findings)
    return values


_Found: TypeAlias = Iterator[tuple[str, _Source]]


def _sources(declared: Declared, root: Section, given: Given) -> _Found:
    """Every value given to a declared parameter, the weakest first."""
    for name, decl in declared.good.items():
        if decl.default is not msgspec.UNSET:
            yield name, _Source(decl.default, root.source, ("parameters", name, "default"))
        elif decl.env and os.environ.get(decl.env):
            yield name, _Source(os.environ[decl.env], label=f"${decl.env}", public=False)
    environments = root.section("environments")
    for other in environments.value:
        section = environments.section(other)
        for name, value in section.value.items():
            source = _Source(value, root.source, (*section.path, name), applies=other == given.environment)
            if _is_declared(source, name, declared, root.findings, f"in the environment {other}"):
                yield name, source
    for located in given.files:
        for name, value in Section(located, (), located.value, root.findings).value.items():
            source = _Source(value, located, (name,), public=False)
            if _is_declared(source, name, declared, root.findings, "in a parameter file"):
                yield name, source
    for name, text in given.arguments.items():
        source = _Source(text, label=f"--param {name}")
        if _is_declared(source, name, declared, root.findings, "on the command line"):
            yield name, source._replace(value=_from_text(declared.good.get(name), text))


def _is_declared(source: _Source, name: str, declared: Declared, findings: Findings, where: str) -> bool:
    if name in declared.good or name in declared.broken:
        return True
    names = list(declared.good)
    hint = f"the plan declares {', '.join(names)}" if names else "the plan declares no parameters"
    message = f"unknown parameter {describe(name)} {where}{findings.near(name, names)}"
    source.note(findings, "plan.unknown-parameter", message, hint)
    return False


def _settle(decl: ParameterDecl, sources: Sequence[_Source], values: Values, settled: bool, findings: Findings) -> None:
    """Puts the value where it belongs, or the name among the unknown."""
    if not sources:
        values.unknown.add(decl.name)
        if settled:
            message, subject = f"the parameter {decl.name} has no value", f"parameters.{decl.name}"
            findings.all.append(
                Finding(
                    id="plan.no-value",
                    message=message,
                    where=decl.where,
                    subject=subject,
                    hint=how_to_give(decl),
                )
            )
        return
    last = sources[-1]
    value = last.value if last.located is None else _literal(last.value)
    unfilled = next((found for text in _texts(value) if (found := placeholder_in(text))), None)
    if unfilled:
        message = f"the parameter {decl.name} is still to be filled in: {describe(unfilled)}"
        last.note(findings, "plan.placeholder", message, how_to_give(decl))
        values.unknown.add(decl.name)
    elif decl.type == "secret":
        values.secrets[decl.name] = Secret(value)
    else:
        values.plain[decl.name] = value


def _usable(decl: ParameterDecl, source: _Source, findings: Findings) -> bool:
    complaint = _complaint(decl, source.value)
    if complaint is None and source.located is not None:
        try:
            _literal(source.value)
        except ValueError:
            complaint = "a value cannot hold a reference; write $${ for a literal ${"
    if complaint is not None:
        message = f"the parameter {decl.name}: {complaint}"
        source.note(findings, "plan.wrong-type", message, decl.description)
    return complaint is None


def _literal(value: Any) -> Any:
    """The value with ``$${`` read as ``${``; ValueError where it holds a reference."""
    if isinstance(value, list):
        return [_literal(item) for item in value]
    if not isinstance(value, str):
        return value
    text = parse_text(value)
    if not isinstance(text, str):
        raise ValueError("a reference")
    return text


def _texts(value: Any) -> list[str]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def _complaint(decl: ParameterDecl, value: Any) -> str | None:
    """What is wrong with a value, None if nothing. A secret's value is never quoted."""
    if value is None and decl.default is None:
        return None
    got = "another value" if decl.type == "secret" else describe(value)
    if not _is_type(decl.type, value):
        return f"expected {_WANTED[decl.type]}, got {got}"
    items = value if isinstance(value, list) else [value]
    if decl.allowed and not all(item in decl.allowed for item in items):
        return f"expected {one_of(decl.allowed)}, got {got}"
    if decl.pattern and (wrong := _mismatch(decl.pattern, items)):
        return f"{got} {wrong}"
    below = decl.minimum is not None and value < decl.minimum
    if below or (decl.maximum is not None and value > decl.maximum):
        limits = [f"at least {decl.minimum}"] if decl.minimum is not None else []
        limits += [f"at most {decl.maximum}"] if decl.maximum is not None else []
        return f"expected {' and '.join(limits)}, got {got}"
    return None


def _mismatch(pattern: str, items: Sequence[Any]) -> str:
    try:
        fits = all(isinstance(item, str) and compiled(pattern).matches(item) for item in items)
    except ValueError as err:
        return f"is {err}"
    return "" if fits else f"does not match {pattern}"


def _is_type(kind: str, value: Any) -> bool:
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float)
    return isinstance(value, {"integer": int, "list": list}.get(kind, str))


def _from_text(decl: ParameterDecl | None, text: str) -> Any:
    """The text of ``--param NAME=TEXT`` as the declared type, or as it is where that cannot be."""
    if decl is None or decl.type in ("string", "secret"):
        return text
    if decl.type == "list":
        inner = text.strip().removeprefix("[").removesuffix("]")
        return [scalar(part.strip()) for part in inner.split(",")] if inner.strip() else []
    return scalar(text.strip())


def how_to_give(decl: ParameterDecl) -> str:
    """How to give a parameter its value."""
    if decl.type != "secret":
        return f"give it with --param {decl.name}=VALUE, in a --param-file, or in the environment's section"
    if decl.env:
        return f"set the environment variable {decl.env}, or give it in a --param-file"
    return "give it in a --param-file, or declare where to read it: env: NAME"
