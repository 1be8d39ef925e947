"""A rule for optional fields: it has an opinion only where all of them are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from provisioner.resource import Rule


def rule(check: Callable[..., str | None], *fields: str) -> Rule:
    """The Rule that runs ``check`` on the fields' values, unless one of them is None.

    >>> rule(lambda least, most: "swapped" if least > most else None, "least", "most").check(1, None)
    """

    def checked(*values: Any) -> str | None:
        return None if any(value is None for value in values) else check(*values)

    return Rule(fields, checked)
