"""IAM policy documents: when two mean the same, and when one allows everything.

AWS gives a document back in other words than it took: single values become lists and the reverse, an
account number becomes the ARN of its root, order is lost. So documents are compared in one canonical form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any


def same(wanted: Any, seen: Any) -> bool:
    """Whether two documents allow and deny the same, as far as form goes.

    >>> same({"Action": "s3:Get*", "Principal": {"AWS": "123456789012"}},
    ...      {"Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}, "Action": ["s3:Get*"]})
    True
    """
    return bool(_canonical(wanted) == _canonical(seen))


def same_by_name(wanted: Mapping[str, Any], seen: Mapping[str, Any]) -> bool:
    """:func:`same` for name → document."""
    return wanted.keys() == seen.keys() and all(same(wanted[name], seen[name]) for name in wanted)


def allows_everything(document: Mapping[str, Any]) -> bool:
    """Whether a statement allows every action on every resource."""
    statements = document.get("Statement", [])
    return any(
        statement.get("Effect") == "Allow"
        and "*" in _texts(statement, "Action")
        and "*" in _texts(statement, "Resource")
        for statement in ([statements] if isinstance(statements, Mapping) else statements)
        if isinstance(statement, Mapping)
    )


def to_text(document: Mapping[str, Any]) -> str:
    """As APIs take it."""
    return json.dumps(document, separators=(",", ":"))


def _texts(statement: Mapping[str, Any], name: str) -> list[str]:
    value = statement.get(name, [])
    return [value] if isinstance(value, str) else [str(item) for item in value]


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _canonical(item) if key in ("Version", "Id", "Sid", "Effect") else _many(item)
            for key, item in value.items()
        }
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        account = re.fullmatch(r"(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?", str(value))
        return f"account {account[1]}" if account else str(value)
    return value


def _many(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return sorted((_canonical(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return _canonical(value) if isinstance(value, Mapping) and "Effect" not in value else [_canonical(value)]
