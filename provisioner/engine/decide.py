"""What to do with a step: one pure table over what the record says and what the cloud says.

Everything that can be true of a step is a row here; the rest of the engine only carries rows out. The two controls that
make it crash-safe are visible in it: the record is written before the call (so CREATING with nothing in the cloud is a
row), and an object that may not be visible yet is given its grace before it is created again.
"""

from __future__ import annotations

import enum

from provisioner.model import Observed, Phase
from provisioner.state.records import Status


class Sight(enum.Enum):
    """What a read showed, seen from this deployment."""

    NOTHING = "nothing"
    READY = "ready"
    PENDING = "pending"
    FAILED = "failed"
    DELETING = "deleting"
    FOREIGN = "foreign"
    UNTAGGED = "untagged"
    """Recorded as ours, and its owner's tag is gone."""


class Gap(enum.Enum):
    """How far the object is from the plan."""

    NONE = "none"
    CHANGE = "change"
    REPLACE = "replace"


class Verdict(enum.Enum):
    """What to do next."""

    CREATE = "create"
    WAIT = "wait"
    """Wait until it shows: created a moment ago and not to be seen yet, or deleted and still to be seen."""
    SETTLE = "settle"
    """Wait until it is ready (or gone), then decide again."""
    FINISH = "finish"
    """It is what the plan asks for; write it down."""
    KEEP = "keep"
    UPDATE = "update"
    REPLACE = "replace"
    ADOPT = "adopt"
    CLAIM = "claim"
    """Put the owner's tag back, then decide again."""
    FOREIGN = "foreign"
    MISSING = "missing"
    """To be adopted, but not there."""
    BROKEN = "broken"
    """In a state that no waiting mends, and it may hold data: stop."""


_SIGHT = {
    Phase.READY: Sight.READY,
    Phase.PENDING: Sight.PENDING,
    Phase.FAILED: Sight.FAILED,
    Phase.DELETING: Sight.DELETING,
}

_V = Verdict
_TABLE: dict[tuple[Status | None, Sight], Verdict | dict[Gap, Verdict]] = {
    # Nothing recorded: a first deploy, or the state file was lost; then the tag says that it is ours.
    (None, Sight.NOTHING): _V.CREATE,
    (None, Sight.READY): {Gap.NONE: _V.FINISH, Gap.CHANGE: _V.UPDATE, Gap.REPLACE: _V.REPLACE},
    (None, Sight.PENDING): _V.SETTLE,
    (None, Sight.FAILED): _V.BROKEN,
    (None, Sight.DELETING): _V.SETTLE,
    # A create was announced and perhaps made.
    (Status.CREATING, Sight.NOTHING): _V.CREATE,
    (Status.CREATING, Sight.READY): {Gap.NONE: _V.FINISH, Gap.CHANGE: _V.UPDATE, Gap.REPLACE: _V.REPLACE},
    (Status.CREATING, Sight.PENDING): _V.SETTLE,
    # It never was usable, so it holds nothing: make it anew.
    (Status.CREATING, Sight.FAILED): _V.REPLACE,
    (Status.CREATING, Sight.DELETING): _V.SETTLE,
    # An update was announced and perhaps made: whether it was shows in the spec.
    (Status.UPDATING, Sight.NOTHING): _V.CREATE,
    (Status.UPDATING, Sight.READY): {Gap.NONE: _V.FINISH, Gap.CHANGE: _V.UPDATE, Gap.REPLACE: _V.REPLACE},
    (Status.UPDATING, Sight.PENDING): _V.SETTLE,
    (Status.UPDATING, Sight.FAILED): {Gap.NONE: _V.BROKEN, Gap.CHANGE: _V.UPDATE, Gap.REPLACE: _V.BROKEN},
    (Status.UPDATING, Sight.DELETING): _V.SETTLE,
    # It was complete.
    (Status.READY, Sight.NOTHING): _V.CREATE,  # drift: somebody deleted it
    (Status.READY, Sight.READY): {Gap.NONE: _V.KEEP, Gap.CHANGE: _V.UPDATE, Gap.REPLACE: _V.REPLACE},
    (Status.READY, Sight.PENDING): _V.SETTLE,
    (Status.READY, Sight.FAILED): {Gap.NONE: _V.BROKEN, Gap.CHANGE: _V.UPDATE, Gap.REPLACE: _V.BROKEN},
    (Status.READY, Sight.DELETING): _V.SETTLE,
    # A delete was announced, and now the plan wants the step. What is whole and as wanted was never deleted, and may
    # hold data: it stays. What is being deleted is waited for, then made anew.
    (Status.DELETING, Sight.NOTHING): _V.CREATE,
    (Status.DELETING, Sight.READY): {Gap.NONE: _V.FINISH, Gap.CHANGE: _V.UPDATE, Gap.REPLACE: _V.REPLACE},
    (Status.DELETING, Sight.PENDING): _V.SETTLE,
    (Status.DELETING, Sight.FAILED): _V.REPLACE,
    (Status.DELETING, Sight.DELETING): _V.SETTLE,
}


def sight(seen: Observed | None, owner: str, *, adopted: bool, known: bool = False) -> Sight:
    """Classifies what was read; an adopted object counts as ours whoever's tag it carries.

    ``known``: without any tag it is the recorded object all the same (:func:`provisioner.engine.lost.known`).
    """
    if seen is None:
        return Sight.NOTHING
    if seen.owner != owner and not adopted:
        return Sight.UNTAGGED if known and seen.owner is None else Sight.FOREIGN
    return _SIGHT[seen.phase]


def decide(record: Status | None, what: Sight, gap: Gap, *, adopt: bool, young: bool) -> Verdict:
    """The table, with the two words of the plan that bend it.

    ``adopt``: the plan says ``adopt: existing``. ``young``: what was sent (a create; for a DELETING record a delete)
    may not show yet.
    """
    if what is Sight.UNTAGGED:
        return Verdict.CLAIM
    if what is Sight.FOREIGN:
        return Verdict.ADOPT if adopt else Verdict.FOREIGN
    if what is Sight.NOTHING and adopt:
        return Verdict.MISSING
    if young and (what is Sight.NOTHING or (what is Sight.READY and record is Status.DELETING)):
        return Verdict.WAIT
    found = _TABLE[record, what]
    return found if isinstance(found, Verdict) else found[gap]
