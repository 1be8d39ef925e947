"""A rule and where rules are gathered."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from provisioner.model import Position, Severity
from provisioner.plan.outline import Item
from provisioner.rules.look import Look


class Level(enum.Enum):
    """How much a finding matters. ``error`` and ``warning`` say whether a deploy can go well; the others, how safe."""

    ERROR = "error"
    WARNING = "warning"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def severity(self) -> Severity:
        return Severity.ERROR if self in (Level.ERROR, Level.HIGH) else Severity.WARNING

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return _RANKS[self]


_RANKS: Final = {Level.ERROR: 0, Level.HIGH: 0, Level.MEDIUM: 1, Level.WARNING: 2, Level.LOW: 2}


class Hit(NamedTuple):
    """Where a rule found what it looks for. ``path``: a field of the item's step, or deeper (``"ingress", 0, "cidr"``).

    ``subject`` and ``where``: for what is in no step's ``with``; ``item`` None where it is about no step at all.
    ``hint`` and ``level``: where they are not the rule's own.
    """

    item: Item | None
    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    level: Level | None = None
    subject: str = ""
    where: Position | None = None


Check = Callable[[Look], Iterable[Hit]]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """``meaning``: what is wrong, in one line. ``source``: the page, or the API's model, that says so.

    ``online``: the rule asks the cloud.
    """

    id: str
    level: Level
    family: str
    meaning: str
    hint: str
    source: str
    check: Check
    online: bool = False


class Book:
    """The rules of a package, in the order in which their families were read."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules.values())

    def rule(
        self, id_: str, level: Level, *, source: str, hint: str = "", family: str = "", online: bool = False
    ) -> Callable[[Check], Check]:
        """Decorator: the function is the rule's check, its docstring's first line the meaning.

        The family is what the id begins with, unless it is given.
        """

        def register(check: Check) -> Check:
            assert id_ not in self.rules, id_
            meaning = inspect.cleandoc(check.__doc__ or "").partition("\n")[0]
            assert meaning, id_
            self.rules[id_] = Rule(
                id=id_,
                level=level,
                family=family or id_.partition(".")[0],
                meaning=meaning,
                hint=hint,
                source=source,
                check=check,
                online=online,
            )
            return check

        return register


def on(item: Item, field: str, message: str, *, hint: str = "", level: Level | None = None) -> Hit:
    """A hit on a field of a step; on the step itself where ``field`` is empty."""
    return Hit(item, (field,) if field else (), message, hint, level)


def at(item: Item, path: tuple[str | int, ...], message: str, *, hint: str = "", level: Level | None = None) -> Hit:
    """A hit on something inside a field of a step."""
    return Hit(item, path, message, hint, level)
