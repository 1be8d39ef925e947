"""What an entry does to the state in memory; replay after a crash and a live commit go through the same
lines.

Each entry costs the same however many steps and runs there are: runs and their changes are found by index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from provisioner.state.records import (
    Change,
    DropRecord,
    Entry,
    PutChange,
    PutFacts,
    PutRecord,
    PutRun,
    Run,
    State,
)

WHOLE_RUNS: Final = 20
"""So many of the last runs keep their changes, so that rollback can go that far back. Open ones keep them
anyway."""

LISTED_RUNS: Final = 1000
"""So many of the last runs are listed at all; the audit file has every one."""


class Ledger:
    """A state and the indexes that make changing it cheap."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._runs = {run.id: run for run in state.runs}
        self._places: dict[int, dict[str, int]] = {}

    def complaint(self, entries: Sequence[Entry]) -> str:
        """Why these entries cannot be applied in this order; empty where they can."""
        new: set[int] = set()
        for entry in entries:
            if isinstance(entry, PutRun):
                new.add(entry.run.id)
            elif isinstance(entry, PutChange) and entry.run not in self._runs and entry.run not in new:
                return _no_run(entry.run, entry.change)
        return ""

    def apply(self, serial: int, entry: Entry) -> None:
        """``entry`` belongs to the state afterwards. ValueError for a change of a run that does not exist."""
        state = self.state
        match entry:
            case PutRecord(record=record):
                state.steps[record.step] = record
            case DropRecord(step=step):
                state.steps.pop(step, None)
            case PutRun(run=run):
                self._put_run(run)
            case PutChange(run=number, change=change):
                self._put_change(number, change)
            case PutFacts():
                state.provider, state.region, state.accounts = entry.provider, entry.region, entry.accounts
        state.serial = serial

    def _put_run(self, run: Run) -> None:
        known = self._runs.get(run.id)
        if known is None:
            run.changes = []
            self._runs[run.id] = run
            self.state.runs.append(run)
            self._grow_old()
            return
        for name in run.__struct_fields__:
            if name != "changes":
                setattr(known, name, getattr(run, name))
        if known.changes and all(known is not recent for recent in self.state.runs[-WHOLE_RUNS:]):
            self._strip(known)

    def _put_change(self, number: int, change: Change) -> None:
        run = self._runs.get(number)
        if run is None:
            raise ValueError(_no_run(number, change))
        places = self._places.get(number)
        if places is None:
            places = self._places[number] = {known.step: place for place, known in enumerate(run.changes)}
        place = places.setdefault(change.step, len(run.changes))
        run.changes[place : place + 1] = [change]

    def _grow_old(self) -> None:
        runs = self.state.runs
        if len(runs) > WHOLE_RUNS:
            self._strip(runs[-WHOLE_RUNS - 1])
        if len(runs) > LISTED_RUNS and not runs[0].open:
            del self._runs[runs.pop(0).id]

    def _strip(self, run: Run) -> None:
        # The changes of an open run are the only way back: they stay however old it is.
        if not run.open:
            run.changes = []
            self._places.pop(run.id, None)


def _no_run(number: int, change: Change) -> str:
    return f"a change of step {change.step} belongs to run {number}, which does not exist"
