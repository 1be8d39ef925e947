"""What a state holds: one record a step, the runs, and for every change how to undo it.

A record's ``spec`` is *frozen*: every value is literal but secrets, which stay ``${step.output}`` text, with a salted
fingerprint beside them. So the state alone, without the plan, can undo and destroy, and holds nothing secret.
"""

from __future__ import annotations

import enum
from typing import Any, Final

import msgspec

from provisioner.model import Count, Key, Moment

FORMAT: Final = 1
"""The newest format that this version reads and the only one that it writes."""


class Status(enum.Enum):
    """Where a step stands; written before the call that it announces, but for READY."""

    CREATING = "creating"
    UPDATING = "updating"
    READY = "ready"
    DELETING = "deleting"


class Record(msgspec.Struct, kw_only=True):
    """One step of a deployment, as it is or as it is becoming.

    ``needs``: the steps that this one refers to; enough to order a destroy without the plan.
    ``fingerprints``: path → fingerprint of each secret in the spec.
    ``since``: seconds since the epoch of the last change of status (the grace period counts from it).
    ``adopted``: the object was there before us; it is never deleted.
    """

    step: str
    type: str
    status: Status
    key: Key
    spec: dict[str, Any] = {}
    fingerprints: dict[str, str] = {}
    needs: list[str] = []
    outputs: dict[str, Any] = {}
    stage: str = ""
    since: Moment = 0.0
    adopted: bool = False
    protect: bool = False
    discard: bool = False
    """While DELETING: for good, without a snapshot or recovery window."""


class UndoKind(enum.Enum):
    """What returns a step to where it was before a run."""

    DELETE = "delete"
    RESTORE = "restore"
    RECREATE = "recreate"
    NOTHING = "nothing"


class Undo(msgspec.Struct, kw_only=True):
    """Data, not code. RESTORE and RECREATE carry the record as it was before."""

    kind: UndoKind
    before: Record | None = None
    note: str = ""
    """What the undo cannot bring back (storage that only grows, data of a deleted database)."""


class Action(enum.Enum):
    """What a run does to a step."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    RESUME = "resume"
    FORGET = "forget"
    ACCEPT = "accept"
    """What the cloud has was taken into the record; nothing was done to the object."""
    RECOVER = "recover"
    """A lost record was written anew; nothing was done to the object."""
    KEEP = "keep"


class Change(msgspec.Struct, kw_only=True):
    """One step's change in a run, in the order of intents. ``undone``: the undo has been carried out."""

    step: str
    type: str
    action: Action
    undo: Undo
    at: Moment
    undone: bool = False
    failed: str = ""
    """Why the last try to undo it failed; empty where none did."""
    seconds: float | None = None


class RunResult(enum.Enum):
    """How a run ended. RUNNING in a state that nobody holds a lock on means that it was killed."""

    RUNNING = "running"
    REVERSING = "reversing"
    SUCCEEDED = "succeeded"
    REVERSED = "reversed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    ROLLED_BACK = "rolled_back"


class Run(msgspec.Struct, kw_only=True):
    """One ``deploy``, ``rollback`` or ``destroy``; and one ``adopt`` or ``recover``, which change the record alone.

    FAILED: something of it remains. ROLLED_BACK: a later rollback undid it. ``attempts`` counts how often it was
    taken up again after a crash or an interruption.
    """

    id: Count
    kind: str
    started: Moment
    by: str = ""
    result: RunResult = RunResult.RUNNING
    finished: Moment | None = None
    exit_code: int | None = None
    attempts: Count = 1
    error: str = ""
    version: str = ""
    kept: bool = False
    """It failed and was left standing on purpose (``--on-failure keep``), so somebody may rely on it by now."""
    succeeded: bool = False
    """It came to a good end once, so what it made may hold data by now, even while it is being rolled back."""
    of: Count | None = None
    """For a rollback: the run that it undoes."""
    changes: list[Change] = []

    @property
    def open(self) -> bool:
        """It changed something, never came to an end, and the next run takes it up."""
        return self.result in (RunResult.RUNNING, RunResult.REVERSING, RunResult.INTERRUPTED, RunResult.FAILED)


class State(msgspec.Struct, kw_only=True):
    """A deployment's whole record. ``serial`` grows by one with every journal line, ``lineage`` never changes.

    ``accounts``: cloud → account that the objects were made in. ``salt`` keys the fingerprints.
    """

    deployment: str
    lineage: str
    salt: str
    format: int = FORMAT
    serial: Count = 0
    provider: str = ""
    region: str = ""
    accounts: dict[str, str] = {}
    steps: dict[str, Record] = {}
    runs: list[Run] = []


class PutRecord(msgspec.Struct, kw_only=True, tag="record"):
    """Journal line: a step's record is now this."""

    record: Record


class DropRecord(msgspec.Struct, kw_only=True, tag="drop"):
    """Journal line: a step's object is gone."""

    step: str


class PutRun(msgspec.Struct, kw_only=True, tag="run"):
    """Journal line: a run's header is now this (its changes stay as they are)."""

    run: Run


class PutChange(msgspec.Struct, kw_only=True, tag="change"):
    """Journal line: a run's change of a step is now this; it keeps its place, or comes last if it is new."""

    run: Count
    change: Change


class PutFacts(msgspec.Struct, kw_only=True, tag="facts"):
    """Journal line: facts about the deployment as a whole."""

    provider: str
    region: str
    accounts: dict[str, str]


Entry = PutRecord | DropRecord | PutRun | PutChange | PutFacts
