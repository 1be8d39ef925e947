"""The table: what becomes of a step when a fault strikes a call of a verb, and what the next command does about it.

Rows are faults, columns are verbs: ``deploy`` (the call that makes the object), ``update`` (the one that changes it),
``back`` (the one that takes such a change back, in a rollback) and ``undo`` (the one that takes a made object away, in
a rollback). A cell that makes no sense is a :class:`Senseless` with its reason. Nothing here is "some error".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.crash.matrix.steps import HANDLING

VERBS = ("deploy", "update", "back", "undo")
PATIENCE = 1.5
"""Seconds for which a client of the matrix waits for an answer."""
LAG = 5.0
"""Seconds for which a read shows nothing of what was done."""

FAULTS: Mapping[str, Mapping[str, Any]] = {
    "access denied": {"error": "AccessDenied", "times": 0},
    "validation error": {"kind": "invalid", "times": 0},
    "throttling": {"kind": "throttling", "times": 3},
    "500": {"kind": "internal", "times": 2},
    "reset before the effect": {"kind": "reset-before", "times": 1},
    "reset after the effect": {"kind": "reset-after", "times": 1},
    "answer past the timeout": {"kind": "slow", "delay": PATIENCE + 0.8, "times": 1},
    "ready, then failed": {"kind": "ready-then-failed", "delay": 3.0, "times": 1},
    "never ready": {"kind": "never-ready", "times": 1},
    "not seen for 5 s": {"kind": "unseen", "delay": LAG, "times": 1},
}
"""The rows, as the sandbox is told of them. ``times`` 0: until the fault is taken away."""

REFUSALS = {"access denied": "cloud.access-denied", "validation error": "cloud.invalid"}
OUTCOMES = ("ready, then failed", "never ready")
"""Faults of the object, not of the call: only the main call has these, and only where there is something to wait for."""

START = {"deploy": "absent", "update": "before", "back": "after", "undo": "before"}
"""How the step's object stands when the verb begins: not there, as the plan says, or as the changed plan says."""
GOAL = {"deploy": "before", "update": "after", "back": "before", "undo": "absent"}


@dataclass(frozen=True)
class Told:
    """One command, and what must come of it.

    ``error``: the code of the step's failure, empty where it must have none. ``stands``: how the object stands then:
    ``absent``, ``before``, ``after``, ``in part`` (neither), ``on its way`` or ``failed``.
    """

    command: str
    exit_code: int
    result: str
    stands: str
    error: str = ""


@dataclass(frozen=True)
class Expected:
    """What the struck command comes to, and the commands that follow once the fault is gone."""

    struck: Told
    then: tuple[Told, ...]


@dataclass(frozen=True)
class Senseless:
    """A cell that cannot be."""

    reason: str


def command(verb: str) -> str:
    """What a user types to get there: ``back`` and ``undo`` are rollbacks."""
    return "deploy" if verb in ("deploy", "update") else "rollback"


def expected(fault: str, verb: str, type_: str) -> Expected | Senseless:
    """The cell."""
    why = senseless(fault, verb, type_)
    if why:
        return Senseless(why)
    if fault in REFUSALS:
        return _refused(verb, REFUSALS[fault], "in part" if verb == "undo" and type_ in _PIECEMEAL else START[verb])
    if fault == "never ready":
        return _never_ready(verb, type_)
    return _failed_later(verb, type_) if fault == "ready, then failed" else _survived(verb)


def senseless(fault: str, verb: str, type_: str) -> str:
    """Why a cell cannot be; empty where it can."""
    handling = HANDLING[type_]
    if verb in ("update", "back") and not handling.changes:
        return "every field is fixed: there is no update"
    if fault in OUTCOMES and verb not in handling.waits:
        return "it is ready (or gone) when the call returns: there is nothing to wait for"
    if fault == "ready, then failed" and verb == "undo":
        return "what is being deleted does not become ready"
    if fault == "ready, then failed" and handling.service == "ec2":
        return "EC2 knows no failed state of a network"
    return ""


def _survived(verb: str) -> Expected:
    """The command gets there all the same, and the same again has nothing to do."""
    there = Told(command(verb), 0, "succeeded", GOAL[verb])
    return Expected(there, ())


_PIECEMEAL = ("aws.iam_role",)
"""Types of which something is taken away (policies) before the call that deletes them."""


def _refused(verb: str, code: str, stands: str) -> Expected:
    """A deploy reverses what it did; a rollback says what remains; the next one gets there."""
    finish = Told(command(verb), 0, "succeeded", GOAL[verb])
    if command(verb) == "deploy":
        return Expected(Told("deploy", 4, "reversed", START[verb], code), (finish,))
    return Expected(Told("rollback", 5, "failed", stands, code), (finish,))


_DELETED_WHILE_MADE = ("aws.vpc", "aws.subnet", "aws.rds_instance")
"""Types whose object can be deleted while it is being made; the others must be waited for."""


def _never_ready(verb: str, type_: str) -> Expected:
    """The step's time runs out. What cannot be reversed before it is ready remains, until the cloud lets it be."""
    finish = Told(command(verb), 0, "succeeded", GOAL[verb])
    if verb == "deploy" and type_ in _DELETED_WHILE_MADE:
        return Expected(Told("deploy", 4, "reversed", "absent", "step.timeout"), (finish,))
    return Expected(Told(command(verb), 5, "failed", "on its way", "step.timeout"), (finish,))


_CHANGED_ALTHOUGH_FAILED = ("aws.rds_event_subscription",)
"""Types whose object a modification brings back to life; the others take none any more."""


def _failed_later(verb: str, type_: str) -> Expected:
    """Nobody was looking any more: the command succeeded. The next deploy says what is wrong and changes nothing.

    What failed cannot be changed, only replaced: a rollback of what made it, or a destroy, takes it away. After a
    ``back`` the deploy comes with the changed plan again, so it finds something to change, and is told that it cannot.
    """
    told = Told("deploy", 3, "refused", "failed", "refused")
    if verb == "back" and type_ in _CHANGED_ALTHOUGH_FAILED:
        return Expected(Told("rollback", 0, "succeeded", "failed"), (Told("deploy", 0, "succeeded", "after"),))
    if verb == "back":
        told = Told("deploy", 4, "reversed", "failed", "cloud.invalid")
    away = Told("rollback" if verb == "deploy" else "destroy", 0, "succeeded", "absent")
    return Expected(Told(command(verb), 0, "succeeded", "failed"), (told, away))
