"""What CloudWatch asks of an alarm on one metric."""

from __future__ import annotations

from typing import Final, Literal

_HOUR, _DAY, _WEEK = 3600, 86_400, 604_800
_HIGH_RESOLUTION: Final = (10, 20, 30)
_PERCENT: Final = r"(100(\.0+)?|\d{1,2}(\.\d{1,10})?)"
EXTENDED: Final = rf"^(p{_PERCENT}|(tm|tc|ts|wm){_PERCENT}|IQM|(PR|TC|TM|TS|WM)\([\d.]*%?:[\d.]*%?\))$"
"""How an extended statistic is written: ``p99.9``, ``tm90``, ``PR(:300)``."""

Unit = Literal[
    "Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits",
    "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count", "Bytes/Second", "Kilobytes/Second",
    "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second", "Bits/Second", "Kilobits/Second", "Megabits/Second",
    "Gigabits/Second", "Terabits/Second", "Count/Second", "None",
]  # fmt: skip


def one_statistic(statistic: str | None, extended: str | None) -> str | None:
    """Exactly one of the two."""
    return None if (statistic is None) != (extended is None) else "give exactly one of statistic, extended_statistic"


def period(seconds: int) -> str | None:
    """High resolution, or whole minutes.

    >>> period(90)
    'is 90 s; CloudWatch takes 10, 20, 30 and multiples of 60'
    """
    if seconds in _HIGH_RESOLUTION or seconds % 60 == 0:
        return None
    return f"is {seconds} s; CloudWatch takes 10, 20, 30 and multiples of 60"


def reach(seconds: int, periods: int) -> str | None:
    """How far back an alarm may look.

    >>> reach(300, 289)
    '289 periods of 300 s are more than a day; only periods of an hour or more may reach back for a week'
    """
    if seconds < _HOUR and seconds * periods > _DAY:
        return (
            f"{periods} periods of {seconds} s are more than a day; only periods of an hour or more may reach back "
            "for a week"
        )
    return f"{periods} periods of {seconds} s are more than a week" if seconds * periods > _WEEK else None


def datapoints(needed: int, periods: int) -> str | None:
    """M out of N.

    >>> datapoints(3, 2)
    'cannot be more than evaluation_periods (2)'
    """
    return f"cannot be more than evaluation_periods ({periods})" if needed > periods else None
