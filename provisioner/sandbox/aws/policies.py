"""What IAM policies allow: the part of AWS's evaluation that roles of a database layer need.

Statements with Action, Resource and Principal (and their Not… forms), wildcards, and conditions on plain values. As at
AWS nothing is allowed unless a statement allows it, and one that denies wins. An operator that is not known here never
lets an Allow apply and never keeps a Deny from it: whoever relies on it finds out here and not in production.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, Literal

Decision = Literal["allowed", "explicitDeny", "implicitDeny"]
Document = Mapping[str, Any]


def decide(
    documents: Iterable[Document],
    action: str,
    resource: str,
    context: Mapping[str, str],
    principals: Iterable[str] | None = None,
) -> Decision:
    """What the documents together say. ``context``: condition keys and their values.

    ``principals``: names of who asks, for documents that name principals; None: they are the asker's own.
    """
    known = {key.lower(): value for key, value in context.items()}
    names = None if principals is None else set(principals)
    decision: Decision = "implicitDeny"
    for statement in (one for document in documents for one in statements(document)):
        denies = statement.get("Effect") == "Deny"
        if not _about(statement, action, resource, names):
            continue
        met = _conditions(statement.get("Condition") or {}, known)
        if denies and met is not False:
            return "explicitDeny"
        if met and statement.get("Effect") == "Allow":
            decision = "allowed"
    return decision


def read(text: str | None) -> Document:
    """A document from its JSON, without any statement where there is none."""
    found: Document = json.loads(text) if text else {}
    return found


def statements(document: Document) -> Iterator[Mapping[str, Any]]:
    """The statements of a document, which may be one alone."""
    found = document.get("Statement", [])
    yield from [found] if isinstance(found, Mapping) else found


def _about(statement: Mapping[str, Any], action: str, resource: str, names: set[str] | None) -> bool:
    return (
        _element(statement, "Action", lambda pattern: like(pattern.lower(), action.lower()))
        and _element(statement, "Resource", lambda pattern: like(pattern, resource))
        and (names is None or _element(statement, "Principal", lambda name: name in names))
    )


def _element(statement: Mapping[str, Any], name: str, fits: Callable[[str], bool]) -> bool:
    """Whether an element fits; one that is there in neither form does (a trust policy names no resource)."""
    if f"Not{name}" in statement:
        return not any(map(fits, _texts(statement[f"Not{name}"])))
    return name not in statement or any(map(fits, _texts(statement[name])))


def _texts(value: Any) -> list[str]:
    """One or many; principals are under the word for their kind."""
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(letter) or re.escape(letter) for letter in text), re.DOTALL)


def like(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern with ``*`` and ``?``."""
    return _pattern(pattern).fullmatch(text) is not None


_OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "stringequals": lambda wish, value: wish == value,
    "stringequalsignorecase": lambda wish, value: wish.lower() == value.lower(),
    "stringlike": like,
    "arnequals": like,
    "arnlike": like,
    "bool": lambda wish, value: wish.lower() == value.lower(),
}


def _conditions(conditions: Mapping[str, Any], context: Mapping[str, str]) -> bool | None:
    """Whether all are met; None where that is not known here."""
    found = [
        _met(operator, _texts(wishes), context.get(key.lower()))
        for operator, keys in conditions.items()
        for key, wishes in keys.items()
    ]
    return False if False in found else None if None in found else True


def _met(operator: str, wishes: list[str], value: str | None) -> bool | None:
    name = operator.rpartition(":")[2].lower()  # ForAnyValue and ForAllValues mean the same of one value
    if name == "null":
        return any((value is None) == (wish.lower() == "true") for wish in wishes)
    optional, name = name.endswith("ifexists"), name.removesuffix("ifexists")
    negated = "not" in name
    compare = _OPERATORS.get(name.replace("not", "", 1))
    if compare is None:
        return None
    if value is None:
        return optional or negated
    return any(compare(wish, value) for wish in wishes) != negated
