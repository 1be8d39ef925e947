"""What can be had back from damaged files: everything where one file is damaged, and the rest is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.errors import LockHeldError, StateDamagedError, StateError, StateFormatError
from provisioner.state import journal, snapshot
from provisioner.state.audit import verify_audit
from provisioner.state.records import State
from provisioner.state.recovery import examine, recover
from provisioner.state.store import peek
from tests.unit.state.toys import NAME, opened, put, put_change, put_run


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Two folds and a journal with three more lines, as a killed run leaves them."""
    path = tmp_path / "d"
    with opened(path) as store:
        store.commit([put_run(1), put("vpc"), put_change(1, "vpc")])
        store.fold()
        store.commit([put("db", size=20), put_change(1, "db")])
        store.fold()
        for step in ("cache", "bucket", "topic"):
            store.commit([put(step)])
        image = {file.name: file.read_bytes() for file in path.iterdir()}
    for name, raw in image.items():
        (path / name).write_bytes(raw)
    (path / "lock").write_bytes(b"")
    return path


def good(directory: Path) -> State:
    state = peek(directory, NAME)
    assert state is not None
    return state


def mended(directory: Path) -> State:
    """What the next run opens after the recovery."""
    with opened(directory) as store:
        store.commit([put("after")])
        del store.state.steps["after"]
        store.state.serial -= 1
        return store.state


def test_a_healthy_state_is_left_alone(directory: Path) -> None:
    before = {file.name: file.read_bytes() for file in directory.iterdir()}
    assert examine(directory, NAME).healthy
    assert recover(directory, NAME).changed is False
    assert {file.name: file.read_bytes() for file in directory.iterdir()} == before


def test_examining_changes_nothing(directory: Path) -> None:
    (directory / snapshot.NAME).write_bytes(b"{")
    before = {file.name: file.read_bytes() for file in directory.iterdir()}
    seen = examine(directory, NAME)
    assert isinstance(seen.problem, StateDamagedError)
    assert [(part.name, part.verdict, part.serial) for part in seen.parts] == [
        ("state.json", "damaged", None),
        ("state.json.backup", "good", 3),
        ("journal.jsonl.backup", "good", 5),
        ("journal.jsonl", "good", 8),
    ]
    assert (seen.source, seen.lost) == ("state.json.backup", ())
    assert {file.name: file.read_bytes() for file in directory.iterdir()} == before


@pytest.mark.parametrize("damage", [b"", b"{", b"\0" * 500, None])
def test_a_damaged_or_lost_snapshot_costs_nothing(directory: Path, damage: bytes | None) -> None:
    before = good(directory)
    if damage is None:
        (directory / snapshot.NAME).unlink()
    else:
        (directory / snapshot.NAME).write_bytes(damage)
    done = recover(directory, NAME, clock=lambda: 0.0)
    assert (done.changed, done.source, done.lost) == (True, "state.json.backup", ())
    assert done.state == before
    assert [Path(place).name for place in done.kept] == (
        [] if damage is None else ["state.json.damaged-19700101T000000Z"]
    )
    assert all(Path(place).read_bytes() == damage for place in done.kept)
    assert mended(directory) == before


def test_an_edited_snapshot_is_replaced_by_what_was_recorded(directory: Path) -> None:
    before = good(directory)
    path = directory / snapshot.NAME
    path.write_bytes(path.read_bytes().replace(b'"size": 20', b'"size": 21'))
    assert recover(directory, NAME).state == before
    assert mended(directory) == before


def test_an_edited_snapshot_is_kept_if_the_edit_was_meant(directory: Path) -> None:
    path = directory / snapshot.NAME
    path.write_bytes(path.read_bytes().replace(b'"size": 20', b'"size": 21'))
    done = recover(directory, NAME, accept_edited=True)
    assert (done.source, done.lost) == ("state.json", ())
    state = mended(directory)
    assert state.steps["db"].spec == {"size": 21}
    assert list(state.steps) == ["vpc", "db", "cache", "bucket", "topic"]


def test_an_edited_snapshot_without_a_copy_is_not_thrown_away(directory: Path) -> None:
    path = directory / snapshot.NAME
    path.write_bytes(path.read_bytes().replace(b'"size": 20', b'"size": 21'))
    (directory / snapshot.BACKUP).unlink()
    with pytest.raises(StateDamagedError) as caught:
        recover(directory, NAME)
    assert "--accept-edited" in caught.value.hint
    assert recover(directory, NAME, accept_edited=True).state.steps["db"].spec == {"size": 21}


def test_an_edited_backup_is_taken_only_if_that_is_meant(directory: Path) -> None:
    """It is all that is left, and the way to take it is named: recovering again as before would never end."""
    path = directory / snapshot.BACKUP
    path.write_bytes(path.read_bytes().replace(b'"toy.thing"', b'"toy.other"'))
    (directory / snapshot.NAME).write_bytes(b"{")
    with pytest.raises(StateDamagedError, match=r"all that is left is state\.json\.backup") as caught:
        recover(directory, NAME)
    assert "--accept-edited" in caught.value.hint
    done = recover(directory, NAME, accept_edited=True)
    assert (done.source, done.state.steps["vpc"].type) == (snapshot.BACKUP, "toy.other")
    assert mended(directory) == done.state


def test_a_damaged_line_costs_that_line_alone(directory: Path) -> None:
    path = directory / journal.NAME
    path.write_bytes(path.read_bytes().replace(b"bucket", b"buckit", 1))
    done = recover(directory, NAME)
    assert done.lost == ("record 7: the lines are damaged or missing",)
    state = mended(directory)
    assert list(state.steps) == ["vpc", "db", "cache", "topic"]
    assert state.serial == 8


def test_a_damaged_snapshot_without_copies_is_rebuilt_from_what_lines_there_are(directory: Path) -> None:
    (directory / snapshot.NAME).write_bytes(b'{\n  "format": 1,\n  "serial": 5,\n')
    (directory / snapshot.BACKUP).unlink()
    done = recover(directory, NAME)
    assert done.source == ""
    assert any("records 1 to 3" in lost for lost in done.lost)
    assert any("run 1, which does not exist" in lost for lost in done.lost)
    assert any("salt" in lost for lost in done.lost)
    assert list(mended(directory).steps) == ["db", "cache", "bucket", "topic"]


def test_records_that_no_file_has_any_more_are_counted(directory: Path) -> None:
    before = (directory / snapshot.NAME).read_bytes()
    (directory / snapshot.NAME).write_bytes(before[: len(before) // 2])
    (directory / journal.BACKUP).unlink()
    (directory / journal.NAME).unlink()
    done = recover(directory, NAME)
    assert done.lost == ("records 4 to 5: no good file has them",)
    assert mended(directory).serial == 5


def test_a_journal_of_another_state_is_set_aside(directory: Path, tmp_path: Path) -> None:
    with opened(tmp_path / "other") as store:
        store.commit([put("x")])
        raw = (tmp_path / "other" / journal.NAME).read_bytes()
    (directory / journal.NAME).write_bytes(raw)
    done = recover(directory, NAME)
    assert done.lost == ("journal.jsonl: it belongs to another state, and was left out",)
    assert [Path(place).read_bytes() for place in done.kept] == [raw]
    assert list(mended(directory).steps) == ["vpc", "db"]


def test_everything_lost_ends_in_an_empty_state_that_says_so(directory: Path) -> None:
    for name in (snapshot.NAME, snapshot.BACKUP, journal.NAME, journal.BACKUP):
        (directory / name).write_bytes(b"\0\n")
    done = recover(directory, NAME)
    assert (done.source, done.state.steps) == ("", {})
    assert len(done.kept) == 4
    assert mended(directory).steps == {}


def test_a_newer_format_is_not_recovered_from(directory: Path) -> None:
    path = directory / snapshot.NAME
    path.write_bytes(path.read_bytes().replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(StateFormatError):
        recover(directory, NAME, accept_edited=True)
    assert isinstance(examine(directory, NAME).problem, StateFormatError)


def test_a_recovery_needs_the_lock_and_is_audited(directory: Path) -> None:
    (directory / snapshot.NAME).write_bytes(b"{")
    recover(directory, NAME)
    with opened(directory), pytest.raises(LockHeldError):
        recover(directory, NAME)
    assert b"state.recovered" in (directory / "audit.jsonl").read_bytes()
    assert verify_audit((directory / "audit.jsonl").read_bytes()) is None


def test_there_is_nothing_to_recover_where_nothing_was(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="nothing was ever recorded"):
        recover(tmp_path / "d", NAME)
    assert list(tmp_path.iterdir()) == []
