"""The ``parameters`` section: what a plan declares. Their values are :mod:`provisioner.plan.values`."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple, get_args

import msgspec

from provisioner.plan.findings import describe
from provisioner.plan.model import ParameterDecl, ParameterType
from provisioner.plan.patterns import compiled
from provisioner.plan.read import Section

_TYPES: Final = get_args(ParameterType)
_KEYS: Final = ("type", "default", "description", "allowed", "pattern", "minimum", "maximum", "env")
_FITS: Final = {
    "default": tuple(kind for kind in _TYPES if kind != "secret"),
    "allowed": tuple(kind for kind in _TYPES if kind != "boolean"),
    "pattern": ("string", "list", "secret"),
    "minimum": ("integer", "number"),
    "maximum": ("integer", "number"),
    "env": ("secret",),
}
"""Which types a key of a declaration is for."""

PARAMETER_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Declared(NamedTuple):
    """``broken``: names whose declaration has an error, so that nothing more is said of them."""

    good: dict[str, ParameterDecl]
    broken: set[str]


def declared(root: Section) -> Declared:
    """Every declaration; what is wrong with one is noted."""
    section = root.section("parameters")
    found = Declared({}, set())
    for name, value in section.value.items():
        before = len(section.findings.all)
        if not PARAMETER_NAME.fullmatch(name):
            message = f"{describe(name)} is not a name for a parameter"
            hint = "letters, digits, - and _, beginning with a letter"
            section.error("plan.name-invalid", message, (name,), hint=hint, key=True)
        decl = _declaration(name, Section(section.source, (*section.path, name), value, section.findings))
        if len(section.findings.all) > before:
            found.broken.add(name)
        else:
            found.good[name] = decl
    return found


def _declaration(name: str, entry: Section) -> ParameterDecl:
    entry.allow(_KEYS, "in a parameter")
    kind = _type(entry)
    for key, kinds in _FITS.items():
        if key in entry.value and kind not in kinds:
            if key == "default":
                message = f"the secret {name} must not have a default in a plan"
                entry.error("plan.literal-secret", message, (key,), hint="name an environment variable: env: NAME")
            else:
                entry.error("plan.unknown-key", f"{key} is not for a parameter of type {kind}", (key,), key=True)
    return ParameterDecl(
        name=name,
        type=kind,
        where=entry.source.key(entry.path),
        default=entry.value.get("default", msgspec.UNSET),
        description=entry.text("description"),
        allowed=tuple(item for _, item in entry.items("allowed")),
        pattern=_pattern(entry),
        minimum=_bound(entry, "minimum"),
        maximum=_bound(entry, "maximum"),
        env=_variable(entry),
    )


def _type(entry: Section) -> Any:
    kind = entry.raw("type")
    if kind is None:
        entry.missing("type", f"type: one of {', '.join(_TYPES)}")
    elif kind not in _TYPES:
        near = entry.findings.near(kind, _TYPES) if isinstance(kind, str) else ""
        entry.wrong(("type",), f"one of {', '.join(_TYPES)}", kind, near.lstrip("; "))
    return kind if kind in _TYPES else "string"


def _pattern(entry: Section) -> str | None:
    pattern = entry.text("pattern")
    if not pattern:
        return None
    try:
        compiled(pattern)
    except ValueError as err:
        entry.error("plan.wrong-type", f"pattern: not a regular expression: {err}", ("pattern",))
        return None
    return pattern


def _bound(entry: Section, key: str) -> float | None:
    value = entry.raw(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if value is not None:
        entry.wrong((key,), "a number", value)
    return None


def _variable(entry: Section) -> str | None:
    name = entry.text("env")
    if name and not _VARIABLE.fullmatch(name):
        entry.wrong(("env",), "the name of an environment variable", name)
    return name or None
