"""One object three ways: as the plan wants it, as the record has it (what was written last), as the cloud shows it.

What the cloud and the record disagree about was changed outside: that is drift. What they agree about and the plan
wants otherwise is a change of the plan, and no drift. A field that nobody manages is not compared.

From the record alone everything can be said but the plan's own column; a secret parameter is then not known, and what
depends on it is listed as not checked.
"""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from provisioner.engine.context import Context
from provisioner.engine.fields import Cause, Field, Fields
from provisioner.engine.loop import Task
from provisioner.engine.lost import known, other_object
from provisioner.engine.sides import Sides
from provisioner.model import Observed, Phase
from provisioner.plan.model import StepDecl
from provisioner.resource import Resource
from provisioner.state.records import Record, Status


class Kind(enum.Enum):
    """What can be said of an object; all but SAME and PLANNED are drift."""

    SAME = "same"
    PLANNED = "planned"
    """As recorded; the plan wants it otherwise by now."""
    CHANGED = "changed"
    GONE = "gone"
    REPLACED = "replaced"
    """Another object stands in its place: of somebody else, or one with another identity."""
    UNTAGGED = "untagged"
    """It has lost its owner's tag."""
    DOUBLED = "doubled"
    """More than one object carries its tag: somebody copied one, tags and all."""
    UNSETTLED = "unsettled"
    """Recorded as ready, and the cloud says that it is not."""
    UNFINISHED = "unfinished"
    """A run never came to the end of this step."""
    UNRECORDED = "unrecorded"
    """It carries our tag and is in no record."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said of one object. ``unchecked``: field → why it could not be compared.

    ``ours``: it carries our tag, or was adopted. ``claimable``: its tag is gone, and a deploy puts it back.
    """

    step: str
    type: str
    name: str
    kind: Kind
    stage: str = ""
    detail: str = ""
    fields: list[Field] = []
    unchecked: dict[str, str] = {}
    ours: bool = True
    claimable: bool = False

    @property
    def drifted(self) -> bool:
        return self.kind not in (Kind.SAME, Kind.PLANNED)


def examine(ctx: Context, record: Record, seen: Observed | None, decl: StepDecl | None) -> Task:
    """The :class:`Finding` of a recorded object; ``decl`` is its step in the plan, None where it has none."""
    resource = ctx.drivers.resource(record.type)
    kind, detail = _kind(resource, record, seen)
    ours = record.adopted or (seen is not None and seen.owner == record.key.owner)
    untagged = kind is Kind.UNTAGGED
    facts: dict[str, Any] = {"step": record.step, "type": record.type, "name": record.key.name, "stage": record.stage}
    facts |= {"detail": detail, "ours": ours, "claimable": untagged and known(resource, record, seen)}
    settled = seen is not None and seen.phase in (Phase.READY, Phase.FAILED) and kind is not Kind.UNFINISHED
    if seen is None or not settled or not (ours or untagged):
        return Finding(kind=kind, **facts)
    # The plan may mean another object by this name.
    sides = Sides(ctx, resource, record, decl if decl is not None and decl.type == record.type else None)
    yield from sides.learn(seen)
    fields = Fields(sides, seen, ctx.state.salt).listed()
    if kind is Kind.SAME and fields:
        kind = Kind.PLANNED if all(field.cause is Cause.PLAN for field in fields) else Kind.CHANGED
    return Finding(kind=kind, fields=fields, unchecked=sides.unchecked, **facts)


def _kind(resource: Resource, record: Record, seen: Observed | None) -> tuple[Kind, str]:
    """What can be said before any field is compared, and why."""
    if record.status is not Status.READY:
        shown = "nothing is there" if seen is None else f"the cloud says {seen.detail or seen.phase.value}"
        return Kind.UNFINISHED, f"recorded as {record.status.value}; {shown}"
    if seen is None:
        return Kind.GONE, ""
    if whose := _stranger(resource, record, seen):
        return Kind.REPLACED, whose
    if not record.adopted and seen.owner is None:
        return Kind.UNTAGGED, ""
    return (Kind.SAME, "") if seen.phase is Phase.READY else (Kind.UNSETTLED, seen.detail or seen.phase.value)


def _stranger(resource: Resource, record: Record, seen: Observed) -> str:
    """Why it is not the recorded object; empty where it is, as far as anybody can tell."""
    if not record.adopted and seen.owner not in (None, record.key.owner):
        return f"what stands there belongs to {seen.owner}"
    if not other_object(resource, record, seen):
        return ""
    word = resource.identifier
    tag = "" if record.adopted or seen.owner else ", and it carries no owner's tag"
    return f"{word} was {record.outputs[word]} and is {seen.outputs[word]}{tag}"
