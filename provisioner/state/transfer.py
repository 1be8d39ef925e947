"""A record as one file that can be carried: out of a backend, and into another."""

from __future__ import annotations

from typing import NamedTuple

from provisioner.errors import RefusedError, StateError, StateLineageError
from provisioner.state import snapshot
from provisioner.state.backend import Backend
from provisioner.state.ledger import LISTED_RUNS
from provisioner.state.load import peek
from provisioner.state.records import State
from provisioner.state.store import Store
from provisioner.state.upgrade import UPGRADES


class Pushed(NamedTuple):
    """``kept``: where the record that was there before is now; empty where there was none."""

    state: State
    kept: str


def pull(backend: Backend, deployment: str, serial: int | None = None) -> bytes:
    """The record as it is now, journal included, or as a kept snapshot has it; what ``state.json`` holds.

    StateError where there is none.
    """
    if serial is not None:
        raw = backend.snapshot(serial)
        if raw is None:
            kept = ", ".join(map(str, backend.snapshots())) or "none"
            raise StateError(f"there is no snapshot {serial}", where=backend.where, hint=f"kept are: {kept}")
        return raw
    state = peek(backend, deployment)
    if state is None:
        raise StateError(f"nothing was ever recorded for {deployment!r}", where=backend.where, hint="deploy it first")
    return snapshot.encode(state)


def read_file(raw: bytes, deployment: str, where: str) -> State:
    """The state in a file. StateDamagedError, StateFormatError; StateLineageError where it is another deployment's."""
    state = snapshot.decode(raw, where, UPGRADES).state
    if state.deployment != deployment:
        raise StateLineageError(
            f"it is the state of deployment {state.deployment!r}, not of {deployment!r}",
            where=where,
            hint="push it with the plan that it belongs to; nothing was changed",
        )
    return state


def push(store: Store, new: State, *, force: bool = False) -> Pushed:
    """Makes ``new`` the record of an open store.

    RefusedError, unless ``force``, where the record there is of another origin, or newer, or knows of steps that the
    new one does not: their objects would be forgotten.
    """
    old = store.state
    blank = not old.steps and not old.runs
    if not force and not blank and (complaint := _complaint(old, new)):
        raise RefusedError(
            complaint,
            where=store.backend.where,
            hint="look at both (provisioner state pull, state show); --force pushes it all the same",
        )
    store.audit("state.pushed", lineage=new.lineage, from_serial=old.serial, pushed_serial=new.serial, force=force)
    kept = store.replace(new)
    return Pushed(store.state, "" if blank else kept)


def _complaint(old: State, new: State) -> str:
    if old.lineage != new.lineage:
        return "the record there is of another origin: the two deployments only share their name"
    if new.serial < old.serial:
        return f"the record there is newer (serial {old.serial}) than the one to push ({new.serial})"
    runs = {(run.id, run.started) for run in new.runs}
    forked = new.serial == old.serial and new != old
    if forked or any((run.id, run.started) not in runs for run in old.runs[-LISTED_RUNS // 2 :]):
        return "the two records went different ways: the one there has runs that the one to push knows nothing of"
    if lost := [step for step in old.steps if step not in new.steps]:
        return f"the record there has steps that the one to push has not: {', '.join(lost)}"
    return ""
