"""Patterns of parameters, matched in time that grows with the text alone.

Python's matcher tries one way after the other, and ``(a+)+b`` has more ways through thirty letters than anybody can
wait for. So Python's parser reads the pattern, and what it means is carried out here with all ways at once.

Weakness: what needs memory of the way (back references, look-around, atomic groups) and inline flags are refused.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

MAX_STATES: Final = 500
MAX_TEXT: Final = 4096
"""Characters of the longest text that is held against a pattern."""

_Test = Callable[[str], bool]
_Place = Callable[[str, int], bool]
_CATEGORIES: Final[dict[str, _Test]] = {
    "DIGIT": str.isdecimal,
    "SPACE": str.isspace,
    "WORD": lambda char: char.isalnum() or char == "_",
}


class _State(NamedTuple):
    """Reads one character that passes ``test``, or stands where ``place`` holds, or is free; then goes ``on``."""

    on: list[int]
    test: _Test | None = None
    place: _Place | None = None


class Pattern:
    """One compiled pattern. ValueError says why it cannot be one."""

    def __init__(self, text: str) -> None:
        parser: Any = importlib.import_module("re._parser")
        try:
            tree = parser.parse(text)
        except (re.error, RecursionError, OverflowError) as err:
            raise ValueError(str(err) or type(err).__name__) from err
        if tree.state.flags & ~re.UNICODE:
            raise ValueError("inline flags are not supported; write both cases out: [Aa]")
        self._states = [_State([])]
        try:
            self._start = self._sequence(tree, 0)
        except RecursionError as err:
            raise ValueError("it is nested too deep") from err

    def matches(self, text: str) -> bool:
        """The whole text fits. ValueError where it is longer than MAX_TEXT."""
        if len(text) > MAX_TEXT:
            raise ValueError(f"longer than {MAX_TEXT:,} characters, too long to be held against a pattern")
        now = self._reach([self._start], text, 0)
        for index, char in enumerate(text):
            passed = [on for number in now if (test := self._states[number].test) and test(char)
                      for on in self._states[number].on]  # fmt: skip
            now = self._reach(passed, text, index + 1)
        return 0 in now

    def _reach(self, numbers: Sequence[int], text: str, index: int) -> set[int]:
        """The states that these lead to without reading."""
        found: set[int] = set()
        waiting = list(numbers)
        while waiting:
            number = waiting.pop()
            if number in found:
                continue
            found.add(number)
            state = self._states[number]
            if state.test is None and (state.place is None or state.place(text, index)):
                waiting.extend(state.on)
        return found

    # -- from the parser's tree, back to front ----------------------------------------------------------------

    def _state(self, *on: int, test: _Test | None = None, place: _Place | None = None) -> int:
        if len(self._states) >= MAX_STATES:
            raise ValueError(f"it is too large: more than {MAX_STATES} states")
        self._states.append(_State(list(on), test, place))
        return len(self._states) - 1

    def _sequence(self, items: Any, then: int) -> int:
        for operation, argument in reversed(list(items)):
            then = self._item(str(operation), argument, then)
        return then

    def _item(self, operation: str, argument: Any, then: int) -> int:
        if operation in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            return self._state(then, test=_test(operation, argument))
        if operation == "AT":
            return self._state(then, place=_place(str(argument)))
        if operation == "BRANCH":
            return self._state(*[self._sequence(branch, then) for branch in argument[1]])
        if operation == "SUBPATTERN" and not (argument[1] or argument[2]):
            return self._sequence(argument[3], then)
        if operation in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, body = argument
            return self._repeat(least, most, body, then)
        raise ValueError("back references, look-around, atomic groups and inline flags are not supported")

    def _repeat(self, least: int, most: Any, body: Any, then: int) -> int:
        if str(most) == "MAXREPEAT":
            loop = self._state(then)
            self._states[loop].on.append(self._sequence(body, loop))
            then = loop
        else:
            end = then
            for _ in range(most - least):
                then = self._state(self._sequence(body, then), end)
        for _ in range(least):
            then = self._once_more(body, then)
        return then

    def _once_more(self, body: Any, then: int) -> int:
        return self._state(self._sequence(body, then))


def _test(operation: str, argument: Any) -> _Test:
    if operation == "ANY":
        return lambda char: char != "\n"
    if operation == "LITERAL":
        return lambda char: ord(char) == argument
    if operation == "NOT_LITERAL":
        return lambda char: ord(char) != argument
    negated = str(argument[0][0]) == "NEGATE"
    tests = [_member(str(kind), value) for kind, value in argument[negated:]]
    return lambda char: any(test(char) for test in tests) is not negated


def _member(kind: str, value: Any) -> _Test:
    if kind == "LITERAL":
        return lambda char: ord(char) == value
    if kind == "RANGE":
        return lambda char: bool(value[0] <= ord(char) <= value[1])
    name = str(value).removeprefix("CATEGORY_")
    test = _CATEGORIES[name.removeprefix("NOT_")]
    return (lambda char: not test(char)) if name.startswith("NOT_") else test


def _place(name: str) -> _Place:
    word = _CATEGORIES["WORD"]

    def boundary(text: str, index: int) -> bool:
        return any(map(word, text[max(index - 1, 0) : index])) is not any(map(word, text[index : index + 1]))

    places: dict[str, _Place] = {
        "AT_BEGINNING": lambda text, index: index == 0,
        "AT_BEGINNING_STRING": lambda text, index: index == 0,
        "AT_END": lambda text, index: text[index:] in ("", "\n"),
        "AT_END_STRING": lambda text, index: index == len(text),
        "AT_BOUNDARY": boundary,
        "AT_NON_BOUNDARY": lambda text, index: bool(text) and not boundary(text, index),
    }
    return places[name]


@lru_cache(maxsize=256)
def compiled(text: str) -> Pattern:
    """The pattern of that text. ValueError says why it cannot be one."""
    return Pattern(text)
