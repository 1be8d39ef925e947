"""A disk that refuses: the run stops before its next call, says why, and what was recorded stays."""

from __future__ import annotations

import errno
from pathlib import Path

import msgspec
import pytest

from provisioner.errors import LockHeldError, StateWriteError
from provisioner.state import journal
from provisioner.state.store import Store, peek
from tests.unit.state.toys import NAME, WHO, Broken, opened, put


@pytest.mark.parametrize("operation", ["write", "sync"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
def test_a_failed_commit_records_nothing_and_carries_the_records(tmp_path: Path, operation: str, number: int) -> None:
    failing = False
    files = Broken(lambda op, name: failing and (op, name) == (operation, journal.NAME), number)
    with opened(tmp_path, files) as store:
        store.commit([put("db")])
        content = (tmp_path / journal.NAME).read_bytes()
        failing = True
        with pytest.raises(StateWriteError) as caught:
            store.commit([put("cache"), put("gate")])
        failing = False
        assert (tmp_path / journal.NAME).read_bytes() == content
        assert list(store.state.steps) == ["db"]
        assert [msgspec.json.decode(line)["entry"]["record"]["step"] for line in caught.value.unwritten] == [
            "cache",
            "gate",
        ]
        assert str(tmp_path / journal.NAME) in str(caught.value)
        assert caught.value.hint
        assert isinstance(caught.value.__cause__, OSError)
        store.commit([put("later")])
        assert peek(tmp_path, NAME) == store.state
    with opened(tmp_path) as store:
        assert list(store.state.steps) == ["db", "later"]


def test_a_later_commit_is_never_behind_garbage_even_if_cutting_failed_too(tmp_path: Path) -> None:
    failing: set[str] = set()
    files = Broken(lambda op, name: name == journal.NAME and op in failing, errno.EIO)
    with opened(tmp_path, files) as store:
        store.commit([put("db")])
        failing.update(("write", "truncate"))
        with pytest.raises(StateWriteError):
            store.commit([put("x", text="long" * 100)])
        failing.remove("write")
        with pytest.raises(StateWriteError):
            store.commit([put("y")])
        failing.clear()
        store.commit([put("z")])
        assert peek(tmp_path, NAME) == store.state
    with opened(tmp_path) as store:
        assert list(store.state.steps) == ["db", "z"]


@pytest.mark.parametrize("operation", ["open", "write", "sync", "link", "rename", "sync_directory", "unlink"])
def test_a_fold_that_fails_loses_nothing_and_does_not_stop_commits(tmp_path: Path, operation: str) -> None:
    failing = False
    spared = (journal.NAME, "lock")
    files = Broken(lambda op, name: failing and op == operation and (name not in spared or op == "rename"))
    with opened(tmp_path, files) as store:
        store.commit([put("a")])
        failing = True
        with pytest.raises(StateWriteError, match="is safe in journal"):
            store.fold()
        store.commit([put("b")])
        assert peek(tmp_path, NAME) == store.state
        failing = False
        store.fold()
        store.commit([put("c")])
    with opened(tmp_path) as store:
        assert list(store.state.steps) == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["state.json", "journal.jsonl"])
def test_a_fold_that_stopped_between_its_renames_leaves_no_litter_behind(tmp_path: Path, name: str) -> None:
    failing = False
    with opened(tmp_path, Broken(lambda op, at: failing and (op, at) == ("rename", name), errno.EIO)) as store:
        store.commit([put("a")])
        failing = True
        with pytest.raises(StateWriteError):
            store.fold()
        failing = False
    assert not list(tmp_path.glob("*.tmp"))


def test_closing_frees_the_lock_even_when_the_fold_fails(tmp_path: Path) -> None:
    failing = False
    store = Store.open(tmp_path, NAME, who=WHO, files=Broken(lambda op, name: failing and name == "state.json.tmp"))
    store.commit([put("db")])
    failing = True
    with pytest.raises(StateWriteError):
        store.close()
    with opened(tmp_path) as again:
        assert list(again.state.steps) == ["db"]
        assert again.takeover is None


def test_an_error_of_the_run_is_not_hidden_by_an_error_of_closing(tmp_path: Path) -> None:
    failing = False
    files = Broken(lambda op, name: failing and name == "state.json.tmp")
    with pytest.raises(ZeroDivisionError) as caught, Store.open(tmp_path, NAME, who=WHO, files=files) as store:
        store.commit([put("db")])
        failing = True
        raise ZeroDivisionError
    assert "could not be folded" in caught.value.__notes__[0]


@pytest.mark.parametrize("operation", ["open", "write", "sync", "rename", "sync_directory", "mkdir"])
def test_a_directory_that_cannot_be_written_is_an_error_that_leaves_no_lock(tmp_path: Path, operation: str) -> None:
    directory = tmp_path / "home" / NAME
    with pytest.raises(StateWriteError) as caught:
        Store.open(directory, NAME, who=WHO, files=Broken(lambda op, _: op == operation, errno.EACCES))
    assert "PROVISIONER_HOME" in caught.value.hint
    with opened(directory) as store:
        assert store.state.serial == 0


def test_a_file_where_the_directory_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for directory in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(StateWriteError, match=r"(file|deeper): cannot make the directory"):
            Store.open(directory, NAME, who=WHO)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_failing_audit_stops_the_run_and_leaves_a_whole_chain(tmp_path: Path) -> None:
    failing = False
    with opened(tmp_path, Broken(lambda op, name: failing and op == "write" and name == "audit.jsonl")) as store:
        store.audit("one")
        failing = True
        with pytest.raises(StateWriteError, match="audit"):
            store.audit("two", text="long" * 50)
        failing = False
        store.audit("three")
    lines = (tmp_path / "audit.jsonl").read_bytes().split(b"\n")
    assert [msgspec.json.decode(line)["event"] for line in lines[:2]] == ["one", "three"]


def test_a_live_lock_wins_over_everything(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(LockHeldError):
        Store.open(tmp_path, NAME, who=WHO)
