"""References: ``${step.output}`` in a plan, parsed once into a tree and resolved as late as possible.

A tree is what YAML gives (None, bool, int, float, str, list, dict) with two more leaves: :class:`Ref` for a lone
reference, which keeps its type, and :class:`Text` for references inside text, which are formatted. ``$${`` is a
literal ``${``.

:func:`freeze` is the other direction, for the state: everything is resolved but secrets, which stay references.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from provisioner.secret import Secret

PARAM: Final = "param"
"""The scope of parameters; it stands where a step's name stands, so no step may be called so."""


class Ref(msgspec.Struct, frozen=True):
    """``${step.output}``; ``step`` is ``param`` for a secret parameter."""

    step: str
    output: str

    def __str__(self) -> str:
        return f"${{{self.step}.{self.output}}}"


class Text(msgspec.Struct, frozen=True):
    """Text with references in it; ``parts`` alternate freely."""

    parts: tuple[str | Ref, ...]

    def __str__(self) -> str:
        return "".join(str(p) if isinstance(p, Ref) else p.replace("${", "$${") for p in self.parts)


class UnresolvedError(Exception):
    """A reference whose value is not known yet; ``ref`` is the first such one met."""

    def __init__(self, ref: Ref) -> None:
        super().__init__(str(ref))
        self.ref = ref


Lookup = Callable[[Ref], Any]
"""Gives the value of a reference or raises :class:`UnresolvedError`."""

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"\s*([A-Za-z][A-Za-z0-9_-]*)\.([A-Za-z][A-Za-z0-9_-]*)\s*")


def parse_text(text: str) -> str | Ref | Text:
    """One string of a plan; ValueError says what is wrong with a reference.

    >>> parse_text("${db.port}")
    Ref(step='db', output='port')
    >>> parse_text("tcp:${db.port}").parts
    ('tcp:', Ref(step='db', output='port'))
    >>> parse_text("$${literal}")
    '${literal}'
    """
    if "${" not in text:
        return text
    parts: list[str | Ref] = []
    last = 0
    for token in _TOKEN.finditer(text):
        parts.append(text[last : token.start()])
        last = token.end()
        if token.group() == "$${":
            parts.append("${")
            continue
        name = _NAME.fullmatch(token.group(1) or "")
        if name is None:
            raise ValueError(
                f"{token.group()!r} is not a reference; write ${{step.output}} or ${{param.name}}, or $${{ literally"
            )
        parts.append(Ref(name.group(1), name.group(2)))
    parts.append(text[last:])
    merged = _merge(parts)
    if len(merged) == 1:
        return merged[0]
    return Text(tuple(merged)) if merged else ""


def _merge(parts: list[str | Ref]) -> list[str | Ref]:
    merged: list[str | Ref] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    return merged


def parse(tree: Any) -> Any:
    """Parses every string value of a tree (keys are left alone)."""
    if isinstance(tree, str):
        return parse_text(tree)
    if isinstance(tree, list):
        return [parse(item) for item in tree]
    if isinstance(tree, dict):
        return {key: parse(value) for key, value in tree.items()}
    return tree


def refs_in(tree: Any) -> Iterator[Ref]:
    """Every reference of a parsed tree, in order, repeats included."""
    if isinstance(tree, Ref):
        yield tree
    elif isinstance(tree, Text):
        yield from (part for part in tree.parts if isinstance(part, Ref))
    elif isinstance(tree, list):
        for item in tree:
            yield from refs_in(item)
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from refs_in(value)


def resolve(tree: Any, lookup: Lookup) -> Any:
    """The tree with every reference replaced by its value. Text that holds a secret becomes a Secret."""
    if isinstance(tree, Ref):
        return lookup(tree)
    if isinstance(tree, Text):
        values = [lookup(part) if isinstance(part, Ref) else part for part in tree.parts]
        if any(isinstance(value, Secret) for value in values):
            return Secret(lambda: "".join(v.reveal() if isinstance(v, Secret) else as_text(v) for v in values))
        return "".join(as_text(value) for value in values)
    if isinstance(tree, list):
        return [resolve(item, lookup) for item in tree]
    if isinstance(tree, dict):
        return {key: resolve(value, lookup) for key, value in tree.items()}
    return tree


def as_text(value: Any) -> str:
    """A value inside text: booleans as YAML and JSON write them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def freeze(tree: Any, lookup: Lookup) -> Any:
    """The tree as JSON for the state: values for everything that is not secret, reference text for what is.

    References that are not known yet stay references too, so a preview can be frozen.
    """
    if isinstance(tree, Ref):
        value = _known(tree, lookup)
        return str(value) if isinstance(value, Ref) else freeze(value, lookup)
    if isinstance(tree, Text):
        known = [_known(part, lookup) if isinstance(part, Ref) else part for part in tree.parts]
        parts = _merge([part if isinstance(part, Ref) else as_text(part) for part in known])
        return str(Text(tuple(parts)))
    if isinstance(tree, str):
        return tree.replace("${", "$${")
    if isinstance(tree, list):
        return [freeze(item, lookup) for item in tree]
    if isinstance(tree, dict):
        return {key: freeze(value, lookup) for key, value in tree.items()}
    return tree


def _known(ref: Ref, lookup: Lookup) -> Any:
    try:
        value = lookup(ref)
    except UnresolvedError:
        return ref
    return ref if isinstance(value, Secret) else value
