"""The rule of a composite alarm: ``ALARM("db-cpu") AND NOT OK("cache")``.

::

    or      = and ("OR" and)*
    and     = not ("AND" not)*
    not     = "NOT" not | "(" or ")" | TRUE | FALSE | STATE "(" name ")"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

_MOST_CHILDREN, _MOST_ELEMENTS, _LONGEST = 100, 500, 10_240
STATES: Final = ("ALARM", "OK", "INSUFFICIENT_DATA")
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>[^\"]+)\"|(?P<bare>[^\s()\"]+))\s*\)"
    r"|(?P<word>AND\b|OR\b|NOT\b|TRUE\b|FALSE\b|[()]))"
)

Tree = tuple[object, ...]


class RuleError(ValueError):
    """What is wrong with a rule."""


def parse(rule: str) -> Tree:
    """The rule as nested tuples: ``("or", …)``, ``("and", …)``, ``("not", x)``, ``("ALARM", name)``, ``("TRUE",)``.

    RuleError where it is none.

    >>> parse('NOT ALARM(a) AND OK("b c")')
    ('and', ('not', ('ALARM', 'a')), ('OK', 'b c'))
    """
    reader = _Reader(list(_tokens(rule)))
    tree = reader.either()
    if reader.rest:
        raise RuleError(f"{_shown(reader.rest[0])} is one too many")
    return tree


def names(tree: Tree) -> list[str]:
    """The alarms that a parsed rule names, in its order."""
    if tree[0] in STATES:
        return [_plain_name(str(tree[1]))]
    return [name for part in tree[1:] if isinstance(part, tuple) for name in names(part)]


def _plain_name(name: str) -> str:
    return name.partition(":alarm:")[2] if name.startswith("arn:") else name


def complaint(rule: str) -> str | None:
    """What CloudWatch would refuse.

    >>> complaint("ALARM(a) OR"), complaint("ALARM(a)")
    ('it ends where an alarm, TRUE, FALSE, NOT or ( is expected', None)
    """
    try:
        children = names(parse(rule))
        elements = sum(1 for token in _tokens(rule) if token[0] not in ("AND", "OR", "NOT"))
    except RuleError as err:
        return str(err)
    if len(set(children)) > _MOST_CHILDREN:
        return f"it names {len(set(children))} alarms; at most {_MOST_CHILDREN}"
    if elements > _MOST_ELEMENTS or len(rule) > _LONGEST:
        return f"at most {_MOST_ELEMENTS} elements and {_LONGEST} characters"
    return None


def same(wanted: str, seen: str) -> bool:
    """Whether two rules are one, but for spaces, quotes and brackets that change nothing.

    >>> same("ALARM(a)  OR (ALARM(b))", 'ALARM("a") OR ALARM("b")')
    True
    """
    try:
        return parse(wanted) == parse(seen)
    except RuleError:
        return wanted == seen


def joined(alarms: Sequence[str], word: str, state: str = "ALARM") -> str:
    """The rule that any (OR) or all (AND) of some alarms are in a state.

    >>> joined(["a", "b"], "OR")
    'ALARM("a") OR ALARM("b")'
    """
    return f" {word} ".join(f'{state}("{name}")' for name in dict.fromkeys(alarms))


def apart(rule: str, word: str) -> list[str] | None:
    """The alarms of a rule that :func:`joined` wrote; None where it is another.

    >>> apart('ALARM("a") AND ALARM("b")', "AND"), apart("OK(a)", "AND")
    (['a', 'b'], None)
    """
    try:
        tree = parse(rule)
    except RuleError:
        return None
    parts = tree[1:] if tree[0] == word.lower() else (tree,)
    if all(isinstance(part, tuple) and part[0] == "ALARM" for part in parts):
        return [str(part[1]) for part in parts if isinstance(part, tuple)]
    return None


def _tokens(rule: str) -> Iterator[tuple[str, ...]]:
    text, place = rule.rstrip(), 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise RuleError(
                f"{text[place:].strip()[:30]!r} is no part of a rule: ALARM(name), AND, OR, NOT, (, ), TRUE"
            )
        yield (found["word"],) if found["word"] else (found["state"], found["quoted"] or found["bare"])
        place = found.end()


class _Reader:
    def __init__(self, tokens: list[tuple[str, ...]]) -> None:
        self.rest = tokens

    def either(self) -> Tree:
        return self._chain("OR", self._both)

    def _both(self) -> Tree:
        return self._chain("AND", self._one)

    def _chain(self, word: str, part: object) -> Tree:
        assert callable(part)
        parts = [part()]
        while self.rest and self.rest[0] == (word,):
            self.rest.pop(0)
            parts.append(part())
        return parts[0] if len(parts) == 1 else (word.lower(), *parts)

    def _one(self) -> Tree:
        if not self.rest:
            raise RuleError("it ends where an alarm, TRUE, FALSE, NOT or ( is expected")
        token = self.rest.pop(0)
        if token == ("NOT",):
            return ("not", self._one())
        if token == ("(",):
            inner = self.either()
            if not self.rest or self.rest.pop(0) != (")",):
                raise RuleError("a bracket is not closed")
            return inner
        if token in ((")",), ("AND",), ("OR",)):
            raise RuleError(f"{_shown(token)} stands where an alarm is expected")
        return token


def _shown(token: tuple[str, ...]) -> str:
    return repr(token[0] if len(token) == 1 else f"{token[0]}({token[1]})")
