"""What applies only where something is given: a rule for optional fields, and the fields that an update may touch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from provisioner.resource import Rule, Spec

_S = TypeVar("_S", bound=Spec)


def rule(check: Callable[..., str | None], *fields: str) -> Rule:
    """The Rule that runs ``check`` on the fields' values, unless one of them is None.

    >>> rule(lambda least, most: "swapped" if least > most else None, "least", "most").check(1, None)
    """

    def checked(*values: Any) -> str | None:
        return None if any(value is None for value in values) else check(*values)

    return Rule(fields, checked)


def asked(changed: Collection[str], *fields: str) -> bool:
    """Whether an update that was told ``changed`` may touch one of the fields; told nothing, it may touch all.

    Of an adopted object the plan writes only some fields; the others are not ours to set, be it to a default.

    >>> asked(["tags"], "cors", "tags"), asked(["tags"], "cors"), asked([], "cors")
    (True, False, True)
    """
    return not changed or any(field in changed for field in fields)


def as_seen(spec: _S, seen: Mapping[str, Any], changed: Collection[str], together: Iterable[Collection[str]]) -> _S:
    """The spec with the values that are there for those fields that go along with others and are not to be touched.

    ``together``: groups of fields that the cloud judges as one. What is None in the spec, or not seen, stays as it is.
    """
    if not changed:
        return spec
    along = {field for group in together for field in group if field not in changed}
    values = {field: seen[field] for field in along if seen.get(field) is not None}
    kept = {field: value for field, value in values.items() if getattr(spec, field) is not None}
    return msgspec.structs.replace(spec, **kept)
