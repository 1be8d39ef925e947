"""Metric maths: expressions over time series, as far as alarms on databases use them.

::

    compare = sum (("<" | "<=" | ">" | ">=" | "==" | "!=") sum)?
    sum     = product (("+" | "-") product)*
    product = power (("*" | "/") power)*
    power   = unary ("^" unary)*
    unary   = "-" unary | number | id | NAME "(" arguments ")" | "(" compare ")"

A series is a value by point in time. Where either side has no value, or a division is by zero, there is none.

Weakness: of CloudWatch's functions those in ``_FUNCTIONS`` are here. ``DB_PERF_INSIGHTS`` is known and has no data, for
there is no Performance Insights behind a sandbox; ``SEARCH`` and anomaly bands are refused.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Series = dict[int, float]
"""Values by the start of their period, Unix time in seconds."""
Value = Series | float | str
_TOKEN: Final = re.compile(
    r"""\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|('[^']*'|"[^"]*")|(<=|>=|==|!=|[-+*/^(),<>]))"""
)


class ExpressionError(ValueError):
    """What is wrong with an expression."""


def _divided(left: float, right: float) -> float:
    return left / right if right else math.nan


def _power(left: float, right: float) -> float:
    try:
        return float(left**right)
    except (OverflowError, ZeroDivisionError, TypeError):
        return math.nan


_OPERATORS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divided, "^": _power,
    "<": lambda a, b: float(a < b), "<=": lambda a, b: float(a <= b), ">": lambda a, b: float(a > b),
    ">=": lambda a, b: float(a >= b), "==": lambda a, b: float(a == b), "!=": lambda a, b: float(a != b),
}  # fmt: skip
_LEVELS: Final = (("<", "<=", ">", ">=", "==", "!="), ("+", "-"), ("*", "/"), ("^",))


def names_in(expression: str) -> list[str]:
    """The ids that an expression names; ExpressionError where it is none."""
    reader = _Reader(expression, None, ())
    reader.whole()
    return reader.names


def evaluate(expression: str, series: Mapping[str, Series], points: tuple[int, ...]) -> Series:
    """The expression's values at ``points``."""
    return _as_series(_Reader(expression, series, points).whole(), points)


def _as_series(value: Value, points: tuple[int, ...]) -> Series:
    if isinstance(value, dict):
        return value
    return {point: float(value) for point in points} if isinstance(value, float) else {}


class _Reader:
    """Reads and evaluates in one go; without ``series`` it only reads."""

    def __init__(self, expression: str, series: Mapping[str, Series] | None, points: tuple[int, ...]) -> None:
        self._parts = list(_parts(expression))
        self._series, self._points = series, points
        self.names: list[str] = []

    def whole(self) -> Value:
        value = self._level(0)
        if self._parts:
            raise ExpressionError(f"Unexpected '{self._parts[0]}'")
        return value

    def _level(self, level: int) -> Value:
        if level == len(_LEVELS):
            return self._unary()
        value = self._level(level + 1)
        while self._parts and self._parts[0] in _LEVELS[level]:
            sign = self._parts.pop(0)
            value = self._both(_OPERATORS[sign], value, self._level(level + 1))
        return value

    def _unary(self) -> Value:
        part = self._next()
        if part == "-":
            return self._both(operator.sub, 0.0, self._unary())
        if part == "(":
            value = self._level(0)
            self._expect(")")
            return value
        if part[0] in "'\"":
            return part[1:-1]
        if part[0].isdigit() or part[0] == ".":
            return float(part)
        if not (part[0].isalpha() or part[0] == "_"):
            raise ExpressionError(f"Unexpected '{part}'")
        if self._parts[:1] == ["("]:
            return self._function(part)
        self.names.append(part)
        return {} if self._series is None else self._series.get(part, {})

    def _function(self, name: str) -> Value:
        function = _FUNCTIONS.get(name)
        if function is None:
            raise ExpressionError(f"Unsupported function {name}")
        self._expect("(")
        arguments: list[Value] = []
        while self._parts[:1] != [")"]:
            arguments.append(self._level(0))
            if self._parts[:1] != [")"]:
                self._expect(",")
        self._expect(")")
        return {} if self._series is None else function(arguments, self._points)

    def _both(self, act: Callable[[float, float], float], left: Value, right: Value) -> Value:
        if isinstance(left, str) or isinstance(right, str):
            raise ExpressionError("a text is no number")
        if isinstance(left, float) and isinstance(right, float):
            return act(left, right)
        return joined(act, left, right, self._points)

    def _next(self) -> str:
        if not self._parts:
            raise ExpressionError("Unexpected end")
        return self._parts.pop(0)

    def _expect(self, part: str) -> None:
        if (found := self._next()) != part:
            raise ExpressionError(f"'{part}' expected, not '{found}'")


def _parts(expression: str) -> list[str]:
    text, place, parts = expression.rstrip(), 0, []
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise ExpressionError(f"Unexpected '{text[place : place + 10].strip()}'")
        parts.append(next(group for group in found.groups() if group is not None))
        place = found.end()
    return parts


def joined(act: Callable[[float, float], float], left: Value, right: Value, points: tuple[int, ...]) -> Series:
    """Point by point; a number counts at every point, and what is no number is no value."""
    ours, theirs = _as_series(left, points), _as_series(right, points)
    made = {point: act(ours[point], theirs[point]) for point in ours.keys() & theirs.keys()}
    return {point: value for point, value in made.items() if math.isfinite(value)}


Arguments = list[Value]


def _fill(arguments: Arguments, points: tuple[int, ...]) -> Series:
    series = _as_series(arguments[0], points)
    if arguments[1:] and isinstance(arguments[1], float):
        return {point: series.get(point, arguments[1]) for point in points}
    other = _as_series(arguments[1], points)
    return {**other, **series}


def _if(arguments: Arguments, points: tuple[int, ...]) -> Series:
    condition = _as_series(arguments[0], points)
    yes = _as_series(arguments[1], points)
    no = _as_series(arguments[2], points) if len(arguments) > 2 else {}
    chosen = {point: (yes if value else no).get(point, math.nan) for point, value in condition.items()}
    return {point: value for point, value in chosen.items() if math.isfinite(value)}


def _over(act: Callable[[list[float]], float]) -> Callable[[Arguments, tuple[int, ...]], Value]:
    """Of one series a number; of several a series, point by point."""

    def over(arguments: Arguments, points: tuple[int, ...]) -> Value:
        if len(arguments) == 1:
            values = list(_as_series(arguments[0], points).values())
            return act(values) if values else {}
        several = [_as_series(one, points) for one in arguments]
        at = {point: [one[point] for one in several if point in one] for point in points}
        return {point: act(values) for point, values in at.items() if values}

    return over


def _each(act: Callable[[float], float]) -> Callable[[Arguments, tuple[int, ...]], Value]:
    return lambda arguments, points: {point: act(value) for point, value in _as_series(arguments[0], points).items()}


def _per_second(arguments: Arguments, points: tuple[int, ...]) -> Value:
    step = float(points[1] - points[0]) if len(points) > 1 else 60.0
    return dict.fromkeys(_as_series(arguments[0], points), step)


_FUNCTIONS: Final[Mapping[str, Callable[[Arguments, tuple[int, ...]], Any]]] = {
    "FILL": _fill,
    "IF": _if,
    "SUM": _over(sum),
    "AVG": _over(lambda values: sum(values) / len(values)),
    "MIN": _over(min),
    "MAX": _over(max),
    "ABS": _each(abs),
    "CEIL": _each(math.ceil),
    "FLOOR": _each(math.floor),
    "PERIOD": _per_second,
    "DB_PERF_INSIGHTS": lambda arguments, points: {},
}
