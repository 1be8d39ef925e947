"""Times as people say them."""

from __future__ import annotations

import time

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


def age(seconds: float) -> str:
    """How long something has lasted, in one unit.

    >>> age(5), age(90), age(7200), age(200000)
    ('5s', '1m', '2h', '2d')
    """
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(int(seconds), 0)}s"


def ago(seconds: float) -> str:
    """How long ago something was."""
    return f"{age(seconds)} ago"


def moment(at: float) -> str:
    """Local date and time, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def iso(at: float | None) -> str | None:
    """UTC for programs."""
    return None if at is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
