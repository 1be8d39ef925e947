"""Backup and maintenance windows: read, bounded, compared. All times UTC."""

from __future__ import annotations

import re
from typing import Final

from provisioner.sandbox.aws.call import AwsError

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY
_CLOCK: Final = r"([01]\d|2[0-3]):([0-5]\d)"
_DAILY: Final = re.compile(f"{_CLOCK}-{_CLOCK}")
_WEEKLY: Final = re.compile(f"({'|'.join(_DAYS)}):{_CLOCK}-({'|'.join(_DAYS)}):{_CLOCK}")
Span = tuple[int, int]


def daily(text: str, *, least: int, what: str) -> Span:
    """Start and length in minutes of ``hh:mm-hh:mm``; AwsError where it is none or shorter than ``least``."""
    found = _DAILY.fullmatch(text)
    if not found:
        raise AwsError("InvalidParameterValue", f"Invalid {what} format: {text}. Specify hh24:mi-hh24:mi.")
    h1, m1, h2, m2 = map(int, found.groups())
    start, length = h1 * 60 + m1, (h2 * 60 + m2 - h1 * 60 - m1) % _DAY
    if length < least:
        raise AwsError("InvalidParameterValue", f"The {what} must be at least {least} minutes: {text}")
    return start, length


def weekly(text: str, *, least: int, what: str) -> Span:
    """Start (minutes from Monday) and length of ``ddd:hh:mm-ddd:hh:mm``; AwsError as ``daily``; at most a day."""
    found = _WEEKLY.fullmatch(text.lower())
    if not found:
        raise AwsError("InvalidParameterValue", f"Invalid {what} format: {text}. Specify ddd:hh24:mi-ddd:hh24:mi.")
    d1, h1, m1, d2, h2, m2 = found.groups()
    start = _DAYS.index(d1) * _DAY + int(h1) * 60 + int(m1)
    length = (_DAYS.index(d2) * _DAY + int(h2) * 60 + int(m2) - start) % _WEEK
    if not least <= length <= _DAY:
        raise AwsError("InvalidParameterValue", f"The {what} must be from {least} minutes to 24 hours: {text}")
    return start, length


def overlap(backup: Span, maintenance: Span) -> bool:
    """Whether a daily window meets a weekly one on any day.

    >>> overlap(daily("03:00-04:00", least=30, what=""), weekly("mon:04:00-mon:05:00", least=30, what=""))
    False
    """
    start, length = maintenance
    for day in range(-1, 8):
        begin = day * _DAY + backup[0]
        for shift in (-_WEEK, 0, _WEEK):
            if begin < start + shift + length and start + shift < begin + backup[1]:
                return True
    return False


def away_from(span: Span) -> str:
    """A weekly window of half an hour, on a Sunday, that cannot meet the daily ``span``."""
    minute = (span[0] + span[1] + 120) % _DAY
    minute = min(minute, _DAY - 30)
    end = (minute + 30) % _DAY
    day = "sun" if minute + 30 < _DAY else "mon"
    return f"sun:{minute // 60:02d}:{minute % 60:02d}-{day}:{end // 60:02d}:{end % 60:02d}"
