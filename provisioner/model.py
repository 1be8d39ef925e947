"""The nouns that every layer shares: keys, what a cloud was seen to hold, findings, durations."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

OWNER_TAG: Final = "provisioner:owner"
"""The tag (label) that says ``deployment/step`` on every object that provisioner makes."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """Says which object a step means, before the object exists and after its plan is gone.

    ``name`` is the object's name in the cloud, or the text for its Name tag where the cloud assigns ids.
    ``at`` holds the spec fields that a type lists in ``identity`` (the secret that a version belongs to, the
    id of an adopted network): plain strings, never secret, kept in the state.
    """

    deployment: str
    step: str
    name: str
    region: str = ""
    at: dict[str, str] = {}

    @property
    def owner(self) -> str:
        """The value of the ownership tag."""
        return f"{self.deployment}/{self.step}"


LATEST: Final = 253_402_300_799
"""The last second of the year 9999, since the epoch: beyond it no calendar goes."""

Moment = Annotated[float, msgspec.Meta(ge=0, le=LATEST)]
"""Seconds since the epoch, in what is read from files."""

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A number that counts up, in what is read from files: JSON's other readers are exact up to there."""


Pid = Annotated[int, msgspec.Meta(gt=0, le=2**53)]
"""A process's number, in what is read from files: 0 and -1 would be everybody's."""


class Phase(enum.Enum):
    """Where an object stands, in the engine's words; each driver translates its cloud's states."""

    READY = "ready"
    PENDING = "pending"
    FAILED = "failed"
    DELETING = "deleting"


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What one ``read`` saw.

    ``owner``: value of the ownership tag, None where there is none.
    ``spec``: those spec fields that the cloud reports, in the spec's own names and canonical form.
    ``outputs``: values of the type's declared outputs, as far as they exist yet.
    ``detail``: the cloud's own word for the state, and its reason when it failed.
    ``protected``: the cloud refuses to delete it until a protection is switched off.
    ``made``: when the cloud says that it was made, in seconds since the epoch; None where a type does not tell.
    """

    phase: Phase
    owner: str | None
    spec: Mapping[str, Any] = {}
    outputs: Mapping[str, Any] = {}
    detail: str = ""
    protected: bool = False
    made: float | None = None


class Severity(enum.Enum):
    """How bad a finding is: an ERROR stops, a WARNING does not."""

    ERROR = "error"
    WARNING = "warning"


class Position(msgspec.Struct, frozen=True):
    """A place in a plan file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a check. ``id`` is stable, ``subject`` a path like ``steps.db.with.port``."""

    id: str
    message: str
    severity: Severity = Severity.ERROR
    where: Position | None = None
    subject: str = ""
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.severity.value}: {self.message} [{self.id}]"


_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|s|m|h|d))")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str | int | float) -> float:
    """Seconds in ``"90"``, ``90``, ``"1m30s"``, ``"250ms"``, ``"2h"`` or ``"7d"``; ValueError otherwise.

    >>> parse_duration("1m30s"), parse_duration(90), parse_duration("250ms")
    (90.0, 90.0, 0.25)
    """
    if isinstance(text, bool):
        raise ValueError("a duration is a number of seconds or text like 1m30s")
    if isinstance(text, int | float) or re.fullmatch(r"\d+(\.\d+)?", text.strip()):
        seconds = float(text)
    else:
        stripped = text.strip()
        parts = _DURATION.findall(stripped)
        if not parts or "".join(f"{n}{u}" for n, u in parts) != stripped:
            raise ValueError(f"{text!r} is not a duration; write seconds or text like 90s, 1m30s, 2h")
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 <= seconds < 10 * 365 * 86400:
        raise ValueError(f"{text!r} is not a sensible duration")
    return seconds


def format_duration(seconds: float) -> str:
    """A duration as people say it.

    >>> format_duration(0.1234), format_duration(75), format_duration(3720)
    ('0.12s', '1m15s', '1h02m')
    """
    if seconds < 10:
        return f"{seconds:.2f}s"
    if seconds < 60:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
