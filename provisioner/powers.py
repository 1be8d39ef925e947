"""What a type may know beside making its objects: what they cost, what would cost less, what to look at afterwards.

Like the powers in :mod:`provisioner.resource` these are small protocols that nobody needs to list. They are asked of
the class, by ``issubclass``: no session is opened for an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from provisioner.charge import Alternative, Charge, Uses
from provisioner.resource import Verdict


@runtime_checkable
class CanPrice(Protocol):
    """Says what of an object is billed, before it exists; a type without it has no price that is known.

    Asked of the class: ``item`` and ``outline`` are a step and its plan as :mod:`provisioner.plan.outline` knows them,
    ``use`` has what only its users can say. A type that is free has :func:`provisioner.charge.nothing`.
    """

    @staticmethod
    def charges(item: Any, outline: Any, use: Uses) -> Sequence[Charge]: ...


@runtime_checkable
class CanSave(Protocol):
    """Knows ways to have an object for less; asked of the class, as :class:`CanPrice` is."""

    @staticmethod
    def savings(item: Any, outline: Any, use: Uses) -> Sequence[Alternative]: ...


class Point(NamedTuple):
    """One point of a type's checklist, in words that somebody can tick off.

    ``fields``: those of the Spec that must be as planned; none of them set means that the plan does not ask for it.
    ``walls``: the field that refers to the steps which decide who gets in; they must be as planned, too.
    ``gate``: a ``check.*`` step that refers to the object proves it. ``fetches``: this secret output can be had.
    ``unseen``: why no machine that only reads can tell. A point with none of these is that the object is there.
    """

    title: str
    fields: tuple[str, ...] = ()
    walls: str = ""
    gate: bool = False
    fetches: str = ""
    unseen: str = ""


@runtime_checkable
class CanVerify(Protocol):
    """Has a checklist for its objects, to be gone through after a deployment; asked of the class."""

    @staticmethod
    def points() -> Sequence[Point]: ...


@runtime_checkable
class CanLook(Protocol):
    """A gate whose ``check`` takes its time, or does something: ``look`` only says how it stands at this moment."""

    def look(self, spec: Any) -> Verdict: ...
