"""Powers of types that watch: whether what they made would tell somebody, a try of it, and what is to be measured.

Found by ``isinstance``, like the powers in :mod:`provisioner.resource`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from provisioner.model import Key


class Standing(enum.Enum):
    """A WARNING is something to know; a FAILED one means that nobody would be told, or nothing shown."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Proof(NamedTuple):
    """One thing that was looked at: ``subject`` names it (``alarm app-db-cpu``), ``detail`` says what was seen."""

    standing: Standing
    subject: str
    detail: str
    hint: str = ""


@runtime_checkable
class CanProve(Protocol):
    """Looks whether the object would do what it is for. It changes nothing."""

    def prove(self, key: Key) -> Sequence[Proof]: ...


@runtime_checkable
class CanRing(Protocol):
    """Tries the object: ``ring`` makes it tell whoever it tells, ``heard`` looks whether that was done.

    ``ring`` returns what it rang. ``heard`` has one proof for each that was told or could not be, and none as long as
    nothing is known.
    """

    def ring(self, key: Key, reason: str) -> Sequence[str]: ...

    def heard(self, key: Key) -> Sequence[Proof]: ...


@runtime_checkable
class CanMeasure(Protocol):
    """A gate that can also tell how busy what it asks is, and with what. It reads alone.

    ``slowest``: statements, the one that took the most time in all first. ``sample``: counters by name, of one moment;
    ``baseline`` makes of some of them what is worth keeping.
    """

    def slowest(self, spec: Any, limit: int) -> Sequence[Mapping[str, Any]]: ...

    def sample(self, spec: Any) -> Mapping[str, float]: ...

    def baseline(self, samples: Sequence[Mapping[str, float]]) -> Mapping[str, Any]: ...
