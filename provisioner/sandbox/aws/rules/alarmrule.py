"""The rule of a composite alarm, read and evaluated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from provisioner.sandbox.aws.call import AwsError

STATES: Final = ("ALARM", "OK", "INSUFFICIENT_DATA")
_PART: Final = re.compile(r'\s*([()]|"[^"]*"|[^\s()"]+)')
_MOST_CHILDREN, _MOST_ELEMENTS = 100, 500
Node = tuple[str, tuple["Node", ...], str]
"""(operator, operands, alarm): AND, OR, NOT, a state with the alarm's name, TRUE or FALSE."""


def parsed(rule: str) -> Node:
    """The rule as a tree; AwsError where it is none that CloudWatch takes."""
    parts = [found[1] for found in _PART.finditer(rule)]
    if "".join(parts) != re.sub(r'\s+(?=(?:[^"]*"[^"]*")*[^"]*$)', "", rule):
        raise _invalid("unbalanced quotes")
    tree, rest = _either(parts)
    if rest:
        raise _invalid(f"unexpected '{rest[0]}'")
    children = set(named(tree))
    if len(children) > _MOST_CHILDREN or sum(part not in ("AND", "OR", "NOT") for part in parts) > _MOST_ELEMENTS * 4:
        raise _invalid("too many elements")
    return tree


def _invalid(what: str) -> AwsError:
    return AwsError("ValidationError", f"AlarmRule must not contain leading or trailing errors: {what}")


Step = Callable[[list[str]], tuple[Node, list[str]]]


def _either(parts: list[str]) -> tuple[Node, list[str]]:
    return _joined(parts, "OR", _both)


def _both(parts: list[str]) -> tuple[Node, list[str]]:
    return _joined(parts, "AND", _one)


def _joined(parts: list[str], word: str, step: Step) -> tuple[Node, list[str]]:
    first, rest = step(parts)
    operands = [first]
    while rest and rest[0] == word:
        operand, rest = step(rest[1:])
        operands.append(operand)
    return (first if len(operands) == 1 else (word, tuple(operands), "")), rest


def _one(parts: list[str]) -> tuple[Node, list[str]]:
    match parts:
        case ["NOT", *rest]:
            operand, rest = _one(rest)
            return ("NOT", (operand,), ""), rest
        case ["(", *rest]:
            inner, rest = _either(rest)
            if rest[:1] != [")"]:
                raise _invalid("a bracket is not closed")
            return inner, rest[1:]
        case [("TRUE" | "FALSE") as value, *rest]:
            return (value, (), ""), rest
        case [("ALARM" | "OK" | "INSUFFICIENT_DATA") as state, "(", name, ")", *rest] if name not in "()":
            bare = name.strip('"')
            return (state, (), bare.partition(":alarm:")[2] if bare.startswith("arn:") else bare), rest
    raise _invalid(f"unexpected '{parts[0]}'" if parts else "unexpected end")


def named(tree: Node) -> Iterator[str]:
    """The names of the alarms in a rule."""
    if tree[0] in STATES:
        yield tree[2]
    for operand in tree[1]:
        yield from named(operand)


def holds(tree: Node, state: Callable[[str], str]) -> bool:
    """Whether the rule is true where ``state(name)`` tells each alarm's."""
    word, operands, name = tree
    if word in STATES:
        return state(name) == word
    if word in ("TRUE", "FALSE"):
        return word == "TRUE"
    values = [holds(operand, state) for operand in operands]
    return not values[0] if word == "NOT" else any(values) if word == "OR" else all(values)
