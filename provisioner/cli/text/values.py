"""Values in texts and in JSON; secrets are ``***`` unless the user asked to see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.cli.style import cut
from provisioner.secret import MASK, Secret

_LONGEST = 60


def plain(value: Any, *, reveal: bool = False) -> Any:
    """What JSON can hold: secrets masked or revealed, everything unknown as text."""
    if isinstance(value, Secret):
        return value.reveal() if reveal else MASK
    if isinstance(value, Mapping):
        return {str(key): plain(item, reveal=reveal) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, reveal=reveal) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)


def has_secret(value: Any) -> bool:
    """There is something to reveal in it."""
    if isinstance(value, Mapping):
        return any(has_secret(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(has_secret(item) for item in value)
    return isinstance(value, Secret) or (isinstance(value, str) and value == MASK)


def as_text(value: Any) -> str:
    """A plain value for people: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else _json(value)


def literal(value: Any) -> str:
    """A value inside a line, short: text in quotes.

    >>> literal("db.t3.micro"), literal(None), literal(True)
    ('"db.t3.micro"', 'none', 'true')
    """
    if value is None:
        return "none"
    return cut(_json(plain(value)), _LONGEST)


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
