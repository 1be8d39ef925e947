"""Forgets a step for good: its object stays as it is, and no rollback takes anything of it back any more.

The way out where an undo can never come to its end: what holds the object stays, or what should come back cannot.
"""

from __future__ import annotations

import msgspec

from provisioner.engine.context import Journal
from provisioner.errors import UsageError
from provisioner.state.records import DropRecord, Entry, PutChange, State


def forgettable(state: State, step: str) -> str:
    """What would be forgotten: ``type name``, or the type alone where only a change is left to be taken back.

    UsageError where nothing is known of the step.
    """
    record = state.steps.get(step)
    if record is not None:
        return f"{record.type} {record.key.name}"
    change = next((c for run in reversed(state.runs) for c in run.changes if c.step == step and not c.undone), None)
    if change is None:
        known = f"recorded: {', '.join(state.steps) or 'nothing'}"
        raise UsageError(f"nothing is recorded for step {step!r}", hint=known)
    before = change.undo.before
    return f"{change.type} {before.key.name}" if before is not None else change.type


def let_go(store: Journal, step: str) -> None:
    """One durable write: the record goes, and every change of the step counts as settled."""
    what = forgettable(store.state, step)
    entries: list[Entry] = [DropRecord(step=step)] if step in store.state.steps else []
    for run in store.state.runs:
        for change in run.changes:
            if change.step == step and not change.undone:
                settled = msgspec.structs.replace(change, undone=True, failed="")
                entries.append(PutChange(run=run.id, change=settled))
    kind, _, name = what.partition(" ")
    store.audit("state.removed", step=step, type=kind, name=name)
    store.commit(entries)
