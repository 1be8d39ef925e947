"""Maintenance and backup windows as AWS writes them: ``03:00-04:00`` a day, ``mon:04:00-mon:05:00`` a week,
in UTC.

Pure arithmetic on minutes, shared by the database and the cache: length, overlap, equality.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

DAILY: Final = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"
"""Pattern of a daily window, ``hh:mm-hh:mm``."""

_DAY = r"([Mm]on|[Tt]ue|[Ww]ed|[Tt]hu|[Ff]ri|[Ss]at|[Ss]un)"
_TIME = r"([01]\d|2[0-3]):[0-5]\d"
WEEKLY: Final = rf"^{_DAY}:{_TIME}-{_DAY}:{_TIME}$"
"""Pattern of a weekly window, ``ddd:hh:mm-ddd:hh:mm``."""

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES: Final = 24 * 60
_WEEK_MINUTES: Final = 7 * _DAY_MINUTES


def daily_span(window: str) -> tuple[int, int]:
    """(start, length) in minutes; a window may cross midnight.

    >>> daily_span("23:30-00:30")
    (1410, 60)
    """
    begin, _, end = window.partition("-")
    start = _minutes(begin)
    return start, (_minutes(end) - start) % _DAY_MINUTES


def weekly_span(window: str) -> tuple[int, int]:
    """(start, length) in minutes since Monday 00:00.

    >>> weekly_span("mon:04:00-mon:05:00")
    (240, 60)
    """
    begin, _, end = window.lower().partition("-")
    start = _week_minutes(begin)
    return start, (_week_minutes(end) - start) % _WEEK_MINUTES


def overlap(daily: str, weekly: str) -> bool:
    """Whether a daily window meets a weekly one at some moment of the week.

    >>> overlap("03:00-04:00", "mon:04:00-mon:05:00"), overlap("03:00-04:01", "mon:04:00-mon:05:00")
    (False, True)
    """
    start, length = daily_span(daily)
    other, other_length = weekly_span(weekly)
    begins = (start + day * _DAY_MINUTES for day in range(7))
    return any(_meet(begin, length, other, other_length) for begin in begins)


def same(wanted: str, seen: str) -> bool:
    """AWS stores windows in lower case."""
    return wanted.lower() == seen.lower()


def at_least(minutes: int, span: Callable[[str], tuple[int, int]]) -> Callable[[str], str | None]:
    """A check that complains of a window shorter than ``minutes``; ``span`` is one of the two above."""

    def check(window: str) -> str | None:
        if not _known(window) or span(window)[1] >= minutes:
            return None
        return f"{window} is shorter than {minutes} minutes, which is the least that AWS accepts"

    return check


def apart(daily: str, weekly: str) -> str | None:
    """A check that complains of a backup window that overlaps the maintenance window."""
    if not (_known(daily) and _known(weekly)) or not overlap(daily, weekly):
        return None
    return f"maintenance {weekly} overlaps the backup window {daily}, which AWS refuses; move one of them"


def _known(window: str) -> bool:
    # Malformed text is the pattern's complaint, not ours.
    return re.match(DAILY, window) is not None or re.match(WEEKLY, window) is not None


def _meet(begin: int, length: int, other: int, other_length: int) -> bool:
    return (other - begin) % _WEEK_MINUTES < length or (begin - other) % _WEEK_MINUTES < other_length


def _minutes(time: str) -> int:
    hours, _, minutes = time.partition(":")
    return int(hours) * 60 + int(minutes)


def _week_minutes(moment: str) -> int:
    day, _, time = moment.partition(":")
    return _DAYS.index(day) * _DAY_MINUTES + _minutes(time)
