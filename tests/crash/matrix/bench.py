"""Runs cells of the matrix for one step, one after another, over a sandbox that keeps what the step needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

from provisioner.model import Phase
from provisioner.operations.site import Outcome
from tests.crash.matrix.rig import MatrixRig, impatient
from tests.crash.matrix.steps import HANDLING, Handling
from tests.crash.matrix.table import (
    FAULTS,
    GOAL,
    OUTCOMES,
    START,
    VERBS,
    Senseless,
    Told,
    command,
    expected,
)

_SHORT = 2.0
"""Seconds after which a step that is never ready is given up."""


class Cell(NamedTuple):
    """One fault on one call of one verb of one step."""

    step: str
    type: str
    fault: str
    verb: str
    call: str

    def __str__(self) -> str:
        return f"{self.step} / {self.verb} / {self.call} / {self.fault}"


@dataclass(frozen=True)
class Verdict:
    """What a cell came to: nothing wrong, or a line for each thing that was."""

    cell: Cell
    wrong: tuple[str, ...]


def cells_of(step: str, type_: str, *, every_call: bool = False) -> Iterator[Cell]:
    """The cells of a step, in the order in which a bench goes through them with the least detours.

    Those of its main calls are the matrix; ``every_call`` adds those of the other writes that a verb takes.
    """
    for fault in FAULTS:
        for verb in VERBS:
            calls = HANDLING[type_].calls(verb) or ("",)
            for place, call in enumerate(calls):
                if place == 0 or (every_call and fault not in OUTCOMES):
                    yield Cell(step, type_, fault, verb, call)


class Bench:
    """A step with everything that it needs deployed, and its object where a cell wants it."""

    def __init__(self, rig: MatrixRig, step: str) -> None:
        self.rig = rig
        self.rig.step = step
        self.handling: Handling = HANDLING[rig.decl.type]
        self.pictures: dict[str, dict[str, Any]] = {}
        self.stands = ""
        """How the object stands, and that the last run in force brought it there; empty where that is not known."""

    def begin(self) -> list[str]:
        """An empty cloud, then what the step needs, then a clean round that learns; what was wrong with that."""
        self.pictures = {}
        wrong = self._empty()
        for verb in VERBS:
            if verb in ("update", "back") and not self.handling.changes:
                continue
            wrong += self._learn(verb)
        return wrong

    def run(self, cell: Cell) -> Verdict:
        """One cell. Whatever comes of it, the next one finds what it needs."""
        plan = expected(cell.fault, cell.verb, cell.type)
        assert not isinstance(plan, Senseless), plan.reason
        self._bring(cell.verb)
        self.rig.fault(service=self.handling.service, operation=cell.call, **FAULTS[cell.fault])
        timeout = _SHORT if cell.fault == "never ready" else None
        with impatient() if cell.fault == "answer past the timeout" else nullcontext():
            wrong = self._tell(cell, plan.struck, timeout, first=True)
        for told in plan.then:
            wrong += self._tell(cell, told, None, first=False)
        if not wrong:
            wrong += self._again()
        last = (plan.then or (plan.struck,))[-1]
        self.stands = "" if wrong or last.stands != GOAL[cell.verb] or last.command == "destroy" else last.stands
        self.rig.remember_secrets()
        wrong += [f"a secret leaked: {place}" for place in self.rig.leaks()]
        return Verdict(cell, tuple(wrong))

    def _empty(self) -> list[str]:
        """An empty cloud, and then what the step needs."""
        self.rig.fresh()
        self.rig.changed = False
        self.stands = "absent"
        needs = self.rig.decl.needs
        outcome = self.rig.deploy(targets=needs) if needs else None
        return [f"what it needs: {outcome.failures}"] if outcome is not None and outcome.exit_code else []

    # -- parts ----------------------------------------------------------------------------------------------

    def _learn(self, verb: str) -> list[str]:
        """Runs a verb without any fault: how the object looks afterwards, and which writes it took."""
        before = len(self.rig.requests())
        self.rig.changed = verb in ("update", "back")
        outcome = self.rig.command(command(verb))
        writes = [entry["operation"] for entry in self.rig.requests()[before:] if entry["write"]]
        wrong = [] if outcome.exit_code == 0 else [f"a clean {verb}: {outcome.failures} {outcome.remains}"]
        listed = set(self.handling.calls(verb))
        if set(writes) != listed:
            wrong.append(f"a clean {verb} sends {sorted(set(writes))}, listed are {sorted(listed)}")
        seen = self.rig.seen()
        if (seen is None) != (GOAL[verb] == "absent"):
            wrong.append(f"after a clean {verb} there is {seen}")
        elif seen is not None and self.pictures.setdefault(GOAL[verb], self.rig.picture(seen)) != self.rig.picture(
            seen
        ):
            wrong.append(f"after a clean {verb} it is not as it was: {self.rig.picture(seen)}")
        self.stands = GOAL[verb]
        return wrong

    def _bring(self, verb: str) -> None:
        """The object as the verb finds it, and the last run the one that a rollback would take back."""
        wanted = START[verb]
        self.rig.changed = verb == "back"
        if wanted == "absent" and self.handling.comes_back:
            self._empty()
        elif self.stands != wanted:
            self.rig.changed = False
            if self.rig.seen() is not None:
                _must(self.rig.command("destroy"))
            if wanted != "absent":
                _must(self.rig.command("deploy"))
            if wanted == "after":
                self.rig.changed = True
                _must(self.rig.command("deploy"))
        self.rig.changed = verb in ("update", "back")

    def _tell(self, cell: Cell, told: Told, timeout: float | None, *, first: bool) -> list[str]:
        """Runs a command, and says what came of it that should not have."""
        outcome = self.rig.command(told.command, timeout=timeout)
        what = f"{'struck' if first else 'then'} {told.command}"
        wrong = []
        self.rig.land()
        if first and not self.rig.struck():
            wrong.append("the fault never struck")
        if (outcome.exit_code, outcome.result) != (told.exit_code, told.result):
            wrong.append(f"{what}: {outcome.exit_code} {outcome.result}, not {told.exit_code} {told.result}")
        if told.exit_code and self.rig.failure() != told.error:
            wrong.append(f"{what}: fails with {self.rig.failure() or 'nothing'}, not {told.error}")
        remains = {remain.step: remain for remain in outcome.remains}
        if told.exit_code == 5 and not (
            cell.step in remains and remains[cell.step].reason and remains[cell.step].command
        ):
            wrong.append(f"{what}: {cell.step} is not among what remains: {outcome.remains}")
        if told.stands == "failed":
            self.rig.until(lambda: self._standing() in ("failed", "absent"), "it should have failed by now")
        if self._standing() != told.stands:
            wrong.append(f"{what}: stands {self._standing()}, not {told.stands}")
        wrong += [f"{what}: {line}" for line in self._disagreement()]
        if first:
            self.rig.lift()
        if wrong:
            wrong += [f"{what}: {failure.step}: {failure.error}" for failure in outcome.failures]
            wrong += [f"{what}: remains {remain.step}: {remain.reason}" for remain in outcome.remains]
        return wrong

    def _standing(self) -> str:
        seen = self.rig.seen()
        if seen is None:
            return "absent"
        if seen.phase is not Phase.READY:
            return "failed" if seen.phase is Phase.FAILED else "on its way"
        picture = self.rig.picture(seen)
        known = next((name for name, values in self.pictures.items() if values == picture), "")
        return known or "in part"

    def _again(self) -> list[str]:
        """A deploy of what stands has nothing to do."""
        if self._standing() not in ("before", "after"):
            return []
        self.rig.changed = self._standing() == "after"
        outcome = self.rig.command("deploy")
        idle = outcome.exit_code == 0 and not outcome.changes
        return [] if idle else [f"the same again: {outcome.exit_code}, changes {outcome.changes}"]

    def _disagreement(self) -> list[str]:
        """Where state and cloud differ. A subscription that waits for its address belongs to nobody once given up."""
        things = [thing for thing in self.rig.inventory() if thing["owner"] or thing["type"] != "subscription"]
        try:
            self.rig.assert_state_equals(things, self.rig.plan().deployment)
        except AssertionError as error:
            return [f"state and cloud differ: {error}"]
        return []


def _must(outcome: Outcome) -> None:
    assert outcome.exit_code == 0, (outcome.failures, outcome.remains)
