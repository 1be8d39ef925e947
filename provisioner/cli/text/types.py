"""Types and topics, for people."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Final

from provisioner.cli.style import accent, bold, dim, table, warn
from provisioner.cli.text.values import literal
from provisioner.model import format_duration
from provisioner.operations.explain import About, Field, Topic

_INDENT: Final = "      "
_WIDEST: Final = 110
_SUMMARY: Final = 76
_ROLE: Final = re.compile(r":[a-z]+:`~?([^`]*)`")
_REVERSIBLE: Final = {
    "reversible": "a create is undone by a delete",
    "delayed": "when deleted, the cloud keeps it for days before it is gone",
    "one_way": "once made it cannot be taken back",
}


def types_text(found: Sequence[About]) -> list[str]:
    """A line a type."""
    rows = [(bold(one.type), _summary(one.summary), dim(", ".join(_powers(one)))) for one in found]
    return [*table(rows), "", dim("provisioner types NAME shows every field")]


def prose(docstring: str) -> str:
    """A docstring without its markup.

    >>> prose("wait for ``rds``, see :mod:`x.y`")
    'wait for rds, see x.y'
    """
    return _ROLE.sub(r"\1", docstring).replace("``", "")


def _summary(text: str) -> str:
    return textwrap.shorten(prose(text), _SUMMARY, placeholder=" …")


def _powers(one: About) -> list[str]:
    return ([*one.powers, "holds data"] if one.holds_data else one.powers) if one.kind == "resource" else ["check"]


def type_text(one: About, columns: int) -> list[str]:
    """Everything about one type."""
    lines = [bold(one.type), *_wrapped(one.text, columns, "  "), ""]
    lines += [f"  {dim(fact)}" for fact in _facts(one)]
    required = [field for field in one.fields if field.required and not field.depth]
    lines += ["", bold("with") + dim(f"  ({len(required)} of {sum(not f.depth for f in one.fields)} required)")]
    for field in one.fields:
        lines += _field(field, columns)
    if one.outputs:
        lines += [
            "",
            bold("outputs"),
            *table([(accent(name), dim(kind)) for name, kind in one.outputs.items()], indent="  "),
        ]
    return lines


def _facts(one: About) -> list[str]:
    facts = [f"waits for {format_duration(one.timeout)} unless the plan says otherwise"]
    if one.kind == "check":
        return ["a check: it changes nothing, passes or fails, and runs again with every deploy", *facts]
    facts.append(_REVERSIBLE[one.reversibility])
    if one.holds_data:
        facts.append("holds data: never replaced unless --allow-data-loss permits it, and a delete leaves a copy")
    facts.append("changed in place" if "update" in one.powers else "every change replaces it")
    return facts


def _field(field: Field, columns: int) -> list[str]:
    edge = "  " + "  " * field.depth
    given = warn("required") if field.required else dim(f"default {literal(field.default)}")
    lines = [f"{edge}{accent(field.name)}  {field.takes}  {given}"]
    said = field.description
    if field.examples:
        said += f" For example {', '.join(literal(example) for example in field.examples)}."
    if said:
        lines += _wrapped(said.strip(), columns, edge + "    ")
    return lines + [f"{edge}    {warn('note:')} {note}" for note in field.notes]


def _wrapped(text: str, columns: int, indent: str) -> list[str]:
    lines: list[str] = []
    for paragraph in prose(text).split("\n\n"):
        lines += [
            "",
            *textwrap.wrap(
                " ".join(paragraph.split()), min(columns, _WIDEST), initial_indent=indent, subsequent_indent=indent
            ),
        ]
    return lines[1:]


def topics_text(found: Sequence[Topic]) -> list[str]:
    """A line a topic, by kind."""
    lines: list[str] = []
    for kind, title in (("topic", "in general"), ("error", "errors"), ("finding", "findings in a plan")):
        rows = [(bold(one.code), _summary(one.summary)) for one in found if one.kind == kind]
        lines += ([""] if lines else []) + [accent(title), *table(rows, indent="  ")]
    return [*lines, "", dim("provisioner explain CODE tells more; so does provisioner explain TYPE")]
