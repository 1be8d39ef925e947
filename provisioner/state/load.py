"""From snapshot and journal to the state: snapshot, then every journal line that is newer. Reads only.

The journal is read *before* the snapshot. A writer folds in the opposite order (first the new snapshot, then
the new journal), so whatever a reader without a lock meets in between, its lines are either in the snapshot
or still to apply.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from provisioner.errors import StateError, StateLineageError
from provisioner.state import journal, snapshot
from provisioner.state.backend import Backend, Location
from provisioner.state.journal import Line
from provisioner.state.ledger import Ledger
from provisioner.state.local import backend_of
from provisioner.state.records import FORMAT, State
from provisioner.state.upgrade import UPGRADES, Upgrade

_LOOKS: Final = 2


class Loaded(NamedTuple):
    """A deployment's state as the files have it.

    ``folded``: the serial that the snapshot has reached. ``format``: the snapshot's. ``lines``: whole lines
    in the journal, old ones included; ``end``: the offset after them.
    """

    state: State
    folded: int
    format: int
    lines: int
    end: int


def load(backend: Backend, deployment: str, upgrades: Mapping[int, Upgrade] = UPGRADES) -> Loaded | None:
    """None where nothing was ever recorded. StateDamagedError, StateFormatError, StateLineageError,
    StateError."""
    journal_place, place = backend.place(journal.NAME), backend.place(snapshot.NAME)
    journal_raw = backend.read(journal.NAME) or b""
    raw = backend.read(snapshot.NAME)
    if raw is None:
        _nothing_there(backend, journal_raw)
        return None
    found = snapshot.decode(raw, place, upgrades)
    state = found.state
    if state.deployment != deployment:
        raise StateLineageError(
            f"it is the state of deployment {state.deployment!r}, not of {deployment!r}",
            where=place,
            hint="every deployment has a place of its own: put the right files back; nothing was changed",
        )
    scan = journal.scan(journal_raw, journal_place)
    folded = state.serial
    replay(state, scan.lines, found.upgrades, journal_place)
    return Loaded(state, folded, found.format, len(scan.lines), scan.end)


def _nothing_there(backend: Backend, journal_raw: bytes) -> None:
    if not journal_raw and backend.read(snapshot.BACKUP) is None:
        return
    witness = journal.NAME if journal_raw else snapshot.BACKUP
    raise snapshot.damaged(
        f"it is missing, but {witness} is there, so it did exist; it is not taken for a new deployment",
        backend.place(snapshot.NAME),
    )


def replay(state: State, lines: Sequence[Line], upgrades: Sequence[Upgrade], where: str) -> None:
    """Applies what is newer than the state."""
    ledger = Ledger(state)
    for number, line in enumerate(lines, 1):
        place = f"{where}:{number}"
        if line.lineage != state.lineage:
            raise StateLineageError(
                f"the journal is of another state ({line.lineage}) than {snapshot.NAME} ({state.lineage})",
                where=place,
                hint=f"put the right pair of files back, or: {snapshot.RECOVER}",
            )
        if line.serial <= state.serial:
            continue  # a crash came between the new snapshot and the new journal
        if line.serial != state.serial + 1:
            raise snapshot.damaged(f"serial {line.serial} follows {state.serial}: lines are missing", place)
        try:
            apply(ledger, line, upgrades)
        except ValueError as err:
            raise snapshot.damaged(f"line {number} does not fit what is before it: {err}", place) from err


def apply(ledger: Ledger, line: Line, upgrades: Sequence[Upgrade]) -> None:
    """One line, upgraded. ValueError where it is no entry or does not fit."""
    if upgrades:
        tree = msgspec.json.decode(line.entry)
        for step in upgrades:
            tree = step.entry(tree)
        line = msgspec.structs.replace(line, entry=msgspec.Raw(msgspec.json.encode(tree)))
    ledger.apply(line.serial, journal.entry_of(line))


def peek(location: Location, deployment: str, *, upgrades: Mapping[int, Upgrade] = UPGRADES) -> State | None:
    """The state as it is now, without a lock and without writing; None where nothing was ever recorded.

    Another run may be writing meanwhile. What it has not finished writing is not seen. Errors as
    :func:`load`.
    """
    backend = backend_of(location)
    for _ in range(_LOOKS):
        # A recovery or an upgrade may exchange both files between our two reads: look again.
        with contextlib.suppress(StateError):
            return _state(load(backend, deployment, upgrades))
    return _state(load(backend, deployment, upgrades))


def _state(loaded: Loaded | None) -> State | None:
    return loaded.state if loaded else None


def is_current(loaded: Loaded) -> bool:
    """The snapshot says everything, in the present format."""
    return loaded.folded == loaded.state.serial and loaded.format == FORMAT
