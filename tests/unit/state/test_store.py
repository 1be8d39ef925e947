"""What a run may rely on when it records what it does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from provisioner.errors import StateError, StateLineageError
from provisioner.secret import Secret
from provisioner.state import journal, snapshot
from provisioner.state.load import load
from provisioner.state.local import LocalBackend
from provisioner.state.records import DropRecord, PutFacts, Status
from provisioner.state.store import Store, peek
from tests.unit.state.toys import NAME, WHO, Watched, opened, put, put_change, put_run


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    with opened(tmp_path / "d") as store:
        store.commit([put_run(1), put("db", size=20), put_change(1, "db")])
        store.commit([PutFacts(provider="aws", region="us-east-1", accounts={"aws": "123"})])
        before = store.state
    with opened(tmp_path / "d") as store:
        assert store.state == before
        assert store.state.serial == 4
        assert store.state.steps["db"].spec == {"size": 20}
        assert store.state.region == "us-east-1"


def test_a_commit_is_visible_to_a_reader_before_any_fold(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([put("db")])
        assert peek(tmp_path, NAME) == store.state


def test_nothing_recorded_is_none_and_makes_no_file(tmp_path: Path) -> None:
    assert peek(tmp_path / "d", NAME) is None
    with pytest.raises(StateError, match="nothing was ever deployed"):
        Store.open(tmp_path / "d", NAME, who=WHO, create=False)
    assert list(tmp_path.iterdir()) == []


def test_the_directory_and_its_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    directory = tmp_path / "home" / "deployments" / NAME
    with opened(directory) as store:
        store.commit([put("db")])
        store.audit("run.started", run=1)
        store.fold()
        assert directory.stat().st_mode & 0o777 == 0o700
        assert directory.parent.stat().st_mode & 0o777 == 0o700
        modes = {file.name: file.stat().st_mode & 0o777 for file in directory.iterdir()}
    assert modes == dict.fromkeys(
        ["state.json", "state.json.backup", "journal.jsonl", "journal.jsonl.backup", "lock", "audit.jsonl"], 0o600
    )


def test_steps_keep_the_order_in_which_they_were_first_recorded(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([put("vpc"), put("db"), put("gate")])
        store.commit([put("vpc", Status.READY), DropRecord(step="db")])
        store.commit([put("db")])
    state = peek(tmp_path, NAME)
    assert state is not None
    assert list(state.steps) == ["vpc", "gate", "db"]


def test_recording_a_run_again_leaves_its_changes_as_they_are(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([put_run(1), put_change(1, "a"), put_change(1, "b"), put_change(1, "c")])
        store.commit([put_change(1, "b", undone=True)])
        store.commit([put_run(1, attempts=2)])
        run = store.state.runs[0]
        assert run.attempts == 2
        assert [(change.step, change.undone) for change in run.changes] == [("a", False), ("b", True), ("c", False)]
        assert peek(tmp_path, NAME) == store.state


def test_later_changes_to_the_callers_objects_do_not_reach_the_state(tmp_path: Path) -> None:
    entry = put("db", tags=["one"])
    with opened(tmp_path) as store:
        store.commit([entry])
        entry.record.spec["tags"].append("two")
        assert store.state.steps["db"].spec == {"tags": ["one"]}


def test_a_secret_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for spec in ({"password": Secret("hunter2")}, {"deep": [{"er": Secret("hunter2")}]}):
            with pytest.raises(TypeError, match="secret") as caught:
                store.commit([put("ok"), put("db", **spec)])
            assert "hunter2" not in str(caught.value)
        with pytest.raises(TypeError, match="secret"):
            store.audit("call", body={"password": Secret("hunter2")})
        assert store.state.serial == 0
    assert all(b"hunter2" not in file.read_bytes() for file in tmp_path.iterdir())


def test_entries_that_could_not_be_read_again_are_refused_before_they_are_written(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        with pytest.raises(ValueError, match="run 7, which does not exist"):
            store.commit([put("db"), put_change(7, "db")])
        with pytest.raises(TypeError, match="read again"):
            store.commit([put_run("one")])  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="object cannot be recorded"):
            store.commit([put("db", what=object())])
        assert store.state.serial == 0
        assert (tmp_path / journal.NAME).read_bytes() == b""


def test_the_cost_of_a_commit_is_the_same_at_ten_thousand_steps_and_forty_runs(tmp_path: Path) -> None:
    calls: list[tuple[str, str]] = []
    files = Watched(lambda operation, name: calls.append((operation, name)))
    with opened(tmp_path, files) as store:
        store.commit([put_run(100), put_change(100, "s0")])
        calls.clear()
        store.commit([put("s0000", Status.READY), put_run(100, attempts=2), put_change(100, "s0")])
        few, size = list(calls), (tmp_path / journal.NAME).stat().st_size
        store.commit([put(f"s{number:04}") for number in range(10_000)])
        for number in range(101, 140):
            store.commit([put_run(number), *(put_change(number, f"s{step}") for step in range(50))])
        at = (tmp_path / journal.NAME).stat().st_size
        calls.clear()
        store.commit([put("s9999", Status.READY), put_run(139, attempts=2), put_change(139, "s49")])
        grown = (tmp_path / journal.NAME).stat().st_size - at
    assert calls[:2] == few[:2] == [("write", "journal.jsonl"), ("sync", "journal.jsonl")]
    assert grown < size


def test_folding_leaves_an_empty_journal_and_the_copy_before(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([put("db")])
        store.fold()
        assert (tmp_path / journal.NAME).read_bytes() == b""
        store.commit([put("cache")])
        store.fold()
        backup = msgspec.json.decode((tmp_path / snapshot.BACKUP).read_bytes())
        assert (backup["serial"], store.state.serial) == (1, 2)
        assert peek(tmp_path, NAME) == store.state


def test_opening_and_closing_without_a_commit_leaves_the_snapshot_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([put("db")])
    before = (tmp_path / snapshot.NAME).stat()
    with opened(tmp_path):
        pass
    assert (tmp_path / snapshot.NAME).stat().st_ino == before.st_ino


def test_the_state_of_another_deployment_is_refused_by_name(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    with pytest.raises(StateLineageError, match=r"shop-production.*not of 'shop-staging'"):
        Store.open(tmp_path, "shop-staging", who=WHO)
    with pytest.raises(StateLineageError):
        peek(tmp_path, "shop-staging")


def test_a_closed_store_refuses_to_record(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        pass
    store.close()
    with pytest.raises(ValueError, match="closed"):
        store.commit([put("db")])


def test_a_reader_sees_whole_commits_only_while_a_writer_commits_and_folds(tmp_path: Path) -> None:
    acknowledged = 0
    end = threading.Event()
    complaints: list[str] = []

    def watch() -> None:
        while not end.is_set():
            least = acknowledged
            state = peek(tmp_path, NAME)
            if state is None or state.serial < least or len(state.steps) % 2:
                complaints.append(f"{state and state.serial} after {least}")

    with opened(tmp_path) as store:
        reader = threading.Thread(target=watch)
        reader.start()
        try:
            for number in range(150):
                store.commit([put(f"{number}a"), put(f"{number}b")])
                acknowledged = store.state.serial
                if number % 7 == 0:
                    store.fold()
        finally:
            end.set()
            reader.join()
    assert complaints == []


class Nosy(LocalBackend):
    """A backend that lets the test act just before a file is read."""

    before_read: Callable[[str], None]

    def read(self, part: str) -> bytes | None:
        self.before_read(part)
        return super().read(part)


@pytest.mark.parametrize("moment", [journal.NAME, snapshot.NAME])
@pytest.mark.parametrize("more", [0, 1])
def test_a_fold_between_the_two_reads_of_a_reader_hides_nothing_from_it(tmp_path: Path, moment: str, more: int) -> None:
    with opened(tmp_path) as store:
        store.commit([put("db")])

        def act(name: str) -> None:
            if name == moment and len(store.state.steps) == 1:
                store.commit([put("cache")])
                store.fold()
                if more:
                    store.commit([put("later")])

        backend = Nosy(tmp_path)
        backend.before_read = act
        seen = load(backend, NAME)
        assert seen is not None
        assert list(seen.state.steps)[:2] == ["db", "cache"]


def test_several_threads_may_commit(tmp_path: Path) -> None:
    with opened(tmp_path) as store:

        def work(thread: int) -> None:
            for number in range(20):
                store.commit([put(f"{thread}-{number}")])

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.state.steps) == 80
        assert peek(tmp_path, NAME) == store.state


def test_an_interrupted_commit_does_not_confuse_the_next_one(tmp_path: Path) -> None:
    armed: list[str] = []

    def strike(operation: str, name: str) -> None:
        if armed and armed[0] == f"{operation} {name}":
            armed.clear()
            raise KeyboardInterrupt

    with opened(tmp_path, Watched(strike)) as store:
        for place in ("write journal.jsonl", "sync journal.jsonl"):
            armed.append(place)
            with pytest.raises(KeyboardInterrupt):
                store.commit([put(place)])
            store.commit([put(f"after {place}")])
            assert peek(tmp_path, NAME) == store.state
        for place in ("rename journal.jsonl", "rename state.json", "link journal.jsonl.backup"):
            store.commit([put(f"before {place}")])
            armed.append(place)
            with pytest.raises(KeyboardInterrupt):
                store.fold()
            store.commit([put(f"after {place}")])
            assert peek(tmp_path, NAME) == store.state
        assert sum(step.startswith("after") for step in store.state.steps) == 5
