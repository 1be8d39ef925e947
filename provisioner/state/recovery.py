"""What can be had back from a damaged record, and having it back.

Each fold keeps the snapshot before it *and* the journal that leads from there to the present, so one damaged
file costs nothing: the state is rebuilt from the other three. Where something is lost all the same, it is
named. Nothing is thrown away: files that were not good stay beside the new ones, under ``….damaged-TIME``.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from provisioner.errors import StateDamagedError, StateError, StateFormatError
from provisioner.state import journal, snapshot
from provisioner.state.audit import NAME as AUDIT
from provisioner.state.audit import Audit
from provisioner.state.backend import Backend, Location, Pen
from provisioner.state.files import Files, writing
from provisioner.state.journal import Line
from provisioner.state.ledger import Ledger
from provisioner.state.load import apply, load
from provisioner.state.local import backend_of
from provisioner.state.lock import Owner
from provisioner.state.records import State
from provisioner.state.snapshot import Snapshot
from provisioner.state.upgrade import UPGRADES, Upgrade

_SNAPSHOTS: Final = (snapshot.NAME, snapshot.BACKUP)
_JOURNALS: Final = (journal.BACKUP, journal.NAME)


class Part(NamedTuple):
    """One file. ``verdict``: good, missing, edited, damaged, newer or foreign. ``serial``: the last one in
    it."""

    name: str
    verdict: str
    detail: str = ""
    serial: int | None = None


class Examination(NamedTuple):
    """``problem``: why the state is refused, None where it is not. ``source``: the file that a recovery would
    start from, empty if from none; ``lost``: what it could not bring back."""

    problem: StateError | None
    parts: tuple[Part, ...]
    source: str
    lost: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        return self.problem is None


class Recovery(NamedTuple):
    """``changed`` is false where nothing was wrong. ``kept``: where the bad files are now."""

    changed: bool
    source: str
    lost: tuple[str, ...]
    kept: tuple[str, ...]
    state: State


class _Found(NamedTuple):
    """Everything usable in a directory."""

    parts: tuple[Part, ...]
    snapshots: dict[str, Snapshot]
    lines: dict[int, Line]
    foreign: tuple[str, ...]


def examine(location: Location, deployment: str, *, accept_edited: bool = False) -> Examination:
    """Looks, without a lock and without writing. StateError if a file cannot be read."""
    backend = backend_of(location)
    problem, _ = _problem(backend, deployment)
    found = _look(backend, deployment, UPGRADES)
    if isinstance(problem, StateFormatError):
        return Examination(problem, found.parts, "", ())
    source, _, lost = _rebuild(found, deployment, accept_edited=accept_edited)
    return Examination(problem, found.parts, source, lost)


def recover(
    location: Location,
    deployment: str,
    *,
    accept_edited: bool = False,
    who: Owner | None = None,
    clock: Callable[[], float] = time.time,
    files: Files | None = None,
) -> Recovery:
    """Makes the state usable again with the least loss; ``accept_edited`` takes an edited ``state.json`` as
    it is, or an edited backup where that is no state at all.

    LockHeldError; StateFormatError for a newer format; StateDamagedError if an edited file is all there is
    and it is not accepted; StateWriteError.
    """
    backend = backend_of(location, files)
    if not backend.exists():
        raise _nothing(backend, deployment)
    pen = backend.take(who or Owner.me("provisioner state recover"), clock)
    try:
        problem, state = _problem(backend, deployment)
        if problem is None:
            if state is None:
                raise _nothing(backend, deployment)
            return Recovery(False, snapshot.NAME, (), (), state)
        if isinstance(problem, StateFormatError):
            raise problem
        found = _look(backend, deployment, UPGRADES)
        source, state, lost = _rebuild(found, deployment, accept_edited=accept_edited)
        if not source and (edited := [part.name for part in found.parts if part.verdict == "edited"]):
            raise StateDamagedError(
                f"all that is left is {edited[0]}, and something other than provisioner changed it",
                where=backend.place(edited[0]),
                hint="look at it, and if it is right: provisioner state recover PLAN --accept-edited",
            ) from problem
        kept = _write(backend, pen, state, found, clock())
        audit = Audit(pen.audit, backend.place(AUDIT), pen.info, clock)
        facts = {"source": source or "nothing", "lost": list(lost), "problem": str(problem)}
        audit.append("state.recovered", facts)
        audit.sync()
        return Recovery(True, source, lost, kept, state)
    finally:
        pen.release()


def _nothing(backend: Backend, deployment: str) -> StateError:
    return StateError(f"nothing was ever recorded for {deployment!r} here", where=backend.where, hint="deploy it first")


def _problem(backend: Backend, deployment: str) -> tuple[StateError | None, State | None]:
    try:
        loaded = load(backend, deployment)
    except StateError as err:
        return err, None
    return None, loaded.state if loaded else None


def _look(backend: Backend, deployment: str, upgrades: Mapping[int, Upgrade]) -> _Found:
    parts: list[Part] = []
    snapshots: dict[str, Snapshot] = {}
    for name in _SNAPSHOTS:
        part, found = _look_at_snapshot(backend, name, deployment, upgrades)
        parts.append(part)
        if found is not None:
            snapshots[name] = found
    raws = {name: backend.read(name) for name in _JOURNALS}
    every = {name: _good_lines(raw) for name, raw in raws.items() if raw is not None}
    lineage = _lineage(snapshots.values(), every.values())
    lines: dict[int, Line] = {}
    foreign: list[str] = []
    for name in _JOURNALS:
        parts.append(_look_at_journal(backend.place(name), name, raws[name], every.get(name, []), lineage))
        if parts[-1].verdict == "foreign":
            foreign.append(name)
        lines.update({line.serial: line for line in every.get(name, []) if line.lineage == lineage})
    return _Found(tuple(parts), snapshots, lines, tuple(foreign))


def _look_at_snapshot(
    backend: Backend, name: str, deployment: str, upgrades: Mapping[int, Upgrade]
) -> tuple[Part, Snapshot | None]:
    raw = backend.read(name)
    if raw is None:
        return Part(name, "missing"), None
    try:
        found = snapshot.decode(raw, backend.place(name), upgrades, accept_edited=True)
    except StateFormatError as err:
        return Part(name, "newer", str(err)), None
    except StateDamagedError as err:
        written = re.search(rb'"serial":\s*(\d{1,18})\b', raw[:4096])
        return Part(name, "damaged", str(err), int(written.group(1)) if written else None), None
    state = found.state
    if state.deployment != deployment:
        return Part(name, "foreign", f"it belongs to deployment {state.deployment!r}"), None
    if found.edited:
        return Part(name, "edited", "its content does not fit its checksum", state.serial), found
    return Part(name, "good", f"{len(state.steps)} steps, {len(state.runs)} runs", state.serial), found


def _look_at_journal(place: str, name: str, raw: bytes | None, good: list[Line], lineage: str) -> Part:
    if raw is None:
        return Part(name, "missing")
    serial = good[-1].serial if good else None
    if any(line.lineage != lineage for line in good):
        return Part(name, "foreign", "it belongs to another state", serial)
    try:
        scan = journal.scan(raw, place)
    except StateDamagedError as err:
        return Part(name, "damaged", str(err), serial)
    torn = len(raw) - scan.end
    return Part(name, "good", f"{len(scan.lines)} lines{f', {torn} torn bytes' if torn else ''}", serial)


def _good_lines(raw: bytes) -> list[Line]:
    """Every line that is whole in itself, but for a commit that the end of the file cuts short."""
    lines = [found.line for found in journal.frames(raw) if found.line is not None]
    while lines and lines[-1].more:
        lines.pop()
    return lines


def _lineage(snapshots: Iterable[Snapshot], journals: Iterable[list[Line]]) -> str:
    for found in sorted(snapshots, key=lambda one: one.edited):
        return found.state.lineage
    for lines in reversed(list(journals)):
        if lines:
            return lines[-1].lineage
    return os.urandom(16).hex()


def _rebuild(found: _Found, deployment: str, *, accept_edited: bool) -> tuple[str, State, tuple[str, ...]]:
    """The file to start from (empty: none), the state, and what is lost."""
    source: str = ""
    state: State | None = None
    upgrades: tuple[Upgrade, ...] = ()
    for name in _SNAPSHOTS:
        one = found.snapshots.get(name)
        if one is not None and (not one.edited or accept_edited):
            source, state, upgrades = name, one.state, one.upgrades
            break
    lost: list[str] = []
    if state is None:
        lineage = next((line.lineage for line in found.lines.values()), os.urandom(16).hex())
        state = State(deployment=deployment, lineage=lineage, salt=os.urandom(16).hex())
        lost.append("the salt of the fingerprints: secrets that did not change will look changed once")
    lost += _replay(state, found.lines, upgrades)
    newest = max((part.serial or 0 for part in found.parts if part.verdict != "foreign"), default=0)
    if newest > state.serial:
        lost.append(f"{_span(state.serial + 1, newest)}: no good file has them")
    lost += [f"{name}: it belongs to another state, and was left out" for name in found.foreign]
    # Above everything that was ever given out, so that an old journal can never fit on the new state.
    state.serial = max(state.serial, newest)
    return source, state, tuple(lost)


def _replay(state: State, lines: Mapping[int, Line], upgrades: Iterable[Upgrade]) -> list[str]:
    """Applies every newer line that there is, over gaps too: a line says what is, not what to add."""
    ledger, lost, steps = Ledger(state), [], tuple(upgrades)
    for serial in sorted(serial for serial in lines if serial > state.serial):
        if serial > state.serial + 1:
            lost.append(f"{_span(state.serial + 1, serial - 1)}: the lines are damaged or missing")
        try:
            apply(ledger, lines[serial], steps)
        except ValueError as err:
            lost.append(f"record {serial}: {err}")
            state.serial = serial
    return lost


def _span(first: int, last: int) -> str:
    return f"record {first}" if first == last else f"records {first} to {last}"


def _write(backend: Backend, pen: Pen, state: State, found: _Found, now: float) -> tuple[str, ...]:
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    kept: list[str] = []
    with writing(backend.place(snapshot.NAME), "write the recovered state", safe="the old files are as they were"):
        for part in found.parts:
            if part.verdict not in ("good", "missing"):
                kept.append(pen.set_aside(part.name, f"{part.name}.damaged-{stamp}"))
        pen.replace(snapshot.encode(state), state.serial)
    return tuple(kept)
