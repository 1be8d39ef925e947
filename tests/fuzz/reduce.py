"""Makes a case that fails smaller for as long as it fails the same way, and writes it down so that it can be pasted.

Hypothesis shrinks too, but not within minutes where an example has some hundred choices and takes some milliseconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

_T = TypeVar("_T")

MOST = 2000
SECONDS = 30.0
"""So many tries, and so much processor time, at most: a case that fails slowly is told as it is."""


def failure(work: Callable[[_T], None], case: _T) -> tuple[str, BaseException] | None:
    """What kind of failure the case is (its type, and where it came out), and the failure; None where it is none."""
    try:
        work(case)
    except Exception as error:
        places = []
        trace = error.__traceback__
        while trace is not None:
            places.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
            trace = trace.tb_next
        return f"{type(error).__name__} at {places[-1]}", error
    return None


def reduced(work: Callable[[_T], None], case: _T) -> _T:
    """The smallest case found that fails in the same way as ``case`` does."""
    first = failure(work, case)
    assert first is not None
    left, until = MOST, time.process_time() + SECONDS
    best: Any = case
    progress = True
    while progress:
        progress = False
        for smaller in _smaller(best):
            left -= 1
            if left < 0 or time.process_time() > until:
                return best  # type: ignore[no-any-return]
            found = failure(work, smaller)
            if found is not None and found[0] == first[0]:
                best, progress = smaller, True
                break
    return best  # type: ignore[no-any-return]


def _smaller(value: Any) -> Iterator[Any]:
    """The same with one thing less: a field as it is by default, an item left out, a part made smaller."""
    if _is_named(value):
        usual = value._field_defaults
        for name in value._fields:
            now = getattr(value, name)
            if name in usual and now != usual[name]:
                yield value._replace(**{name: usual[name]})
        for name in value._fields:
            for part in _smaller(getattr(value, name)):
                yield value._replace(**{name: part})
    elif isinstance(value, tuple):
        if len(value) > 1:
            for index in reversed(range(len(value))):
                yield (*value[:index], *value[index + 1 :])
        for index, item in enumerate(value):
            for part in _smaller(item):
                yield (*value[:index], part, *value[index + 1 :])


def _is_named(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def literal(value: Any) -> str:
    """Python for the value; fields that are as by default are left out."""
    if _is_named(value):
        usual = value._field_defaults
        fields = {name: getattr(value, name) for name in value._fields}
        told = [f"{name}={literal(now)}" for name, now in fields.items() if name not in usual or now != usual[name]]
        return f"{type(value).__name__}({', '.join(told)})"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    return repr(value)
