"""One writer a deployment: who is told, who is taken over, who loses."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import msgspec
import pytest

from provisioner.errors import LockHeldError, LockLostError
from provisioner.state import journal, lock
from provisioner.state.files import Files
from provisioner.state.lock import Owner, break_lock, lock_info
from provisioner.state.store import Store, peek
from tests.unit.state.toys import NAME, WHO, Watched, opened, put, put_run


def test_a_held_lock_says_who_where_what_and_since_when(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([put_run(12)])
        with pytest.raises(LockHeldError) as caught:
            Store.open(tmp_path, NAME, who=Owner(user="bob", command="provisioner destroy"))
    said = str(caught.value)
    for part in ("ada", f"pid {os.getpid()} on {os.uname().nodename}", WHO.command, "run 12", "1970-01-01 00:16:40"):
        assert part in said
    assert "state unlock" in caught.value.hint
    assert caught.value.exit_code == 6


def test_a_refused_newcomer_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([put("db")])
        before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
        with pytest.raises(LockHeldError):
            Store.open(tmp_path, NAME, who=WHO)
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_lock_that_was_released_belongs_to_nobody(tmp_path: Path) -> None:
    assert lock_info(tmp_path / "none") is None
    with opened(tmp_path):
        owner = lock_info(tmp_path)
        assert owner is not None
        assert (owner.pid, owner.alive()) == (os.getpid(), True)
    assert lock_info(tmp_path) is None
    with opened(tmp_path) as store:
        assert store.takeover is None


def _die_holding(directory: Path) -> int:
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            Store.open(directory, NAME, who=Owner(user="eve", command="provisioner deploy"))
            os.write(go, b".")
            signal.pause()
        finally:
            os._exit(1)
    os.close(go)
    os.read(ready, 1)
    os.close(ready)
    with pytest.raises(LockHeldError, match=f"eve, pid {child}"):
        Store.open(directory, NAME, who=WHO)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return child


def test_a_dead_owners_lock_is_taken_over_without_asking_and_reported(tmp_path: Path) -> None:
    child = _die_holding(tmp_path)
    left = lock_info(tmp_path)
    assert left is not None
    assert left.alive() is False
    with opened(tmp_path) as store:
        assert store.takeover == left
        assert store.takeover.pid == child


def test_a_pid_that_was_given_to_another_process_is_not_taken_for_the_owner(tmp_path: Path) -> None:
    with opened(tmp_path):
        owner = lock_info(tmp_path)
    assert owner is not None
    replace = msgspec.structs.replace
    assert replace(owner, started="1").alive() is False
    assert replace(owner, boot_id="another").alive() is False
    assert replace(owner, host="elsewhere").alive() is None
    assert replace(owner, started="").alive() is True


def test_who_lost_the_lock_can_neither_commit_nor_fold_nor_audit(tmp_path: Path) -> None:
    old = Store.open(tmp_path, NAME, who=WHO)
    old.commit([put("db")])
    broken = break_lock(tmp_path)
    assert broken is not None
    assert broken.user == "ada"
    assert not old.still_ours()
    with pytest.raises(LockLostError):
        old.commit([put("early")])
    with opened(tmp_path) as new:
        with pytest.raises(LockLostError, match="taken away"):
            old.commit([put("cache")])
        with pytest.raises(LockLostError, match="taken away"):
            old.fold()
        with pytest.raises(LockLostError, match="taken away"):
            old.audit("call")
        old.close()
        assert list(new.state.steps) == ["db"]
        new.commit([put("gate")])
        assert lock_info(tmp_path) is not None
    assert list(old.state.steps) == ["db"]
    state = peek(tmp_path, NAME)
    assert state is not None
    assert list(state.steps) == ["db", "gate"]


@pytest.mark.parametrize("moment", ["write", "sync"])
def test_a_writer_that_slept_through_the_loss_of_its_lock_cannot_hurt_the_new_owner(
    tmp_path: Path, moment: str
) -> None:
    armed = False
    stores: list[Store] = []

    def usurp(operation: str, name: str) -> None:
        nonlocal armed
        if armed and (operation, name) == (moment, journal.NAME):
            armed = False
            break_lock(tmp_path)
            stores.append(Store.open(tmp_path, NAME, who=Owner(user="bob", command="provisioner deploy")))
            stores[0].commit([put("bobs")])

    old = Store.open(tmp_path, NAME, who=WHO, files=Watched(usurp))
    old.commit([put("db")])
    armed = True
    with pytest.raises(LockLostError):
        old.commit([put("late")])
    old.close()
    new = stores[0]
    assert peek(tmp_path, NAME) == new.state
    new.commit([put("more")])
    new.close()
    state = peek(tmp_path, NAME)
    assert state is not None
    # A line that was whole before the new owner looked is there; either way nothing is damaged.
    assert [step for step in state.steps if step != "late"] == ["db", "bobs", "more"]
    assert ("late" in state.steps) == (moment == "sync")


def test_a_lock_file_that_somebody_removed_counts_as_lost(tmp_path: Path) -> None:
    store = Store.open(tmp_path, NAME, who=WHO)
    (tmp_path / lock.NAME).unlink()
    with pytest.raises(LockLostError):
        store.commit([put("db")])
    store.close()


def test_a_lock_that_is_broken_while_it_is_being_taken_is_taken_again(tmp_path: Path) -> None:
    class Late(Files):
        opened = 0

        def open_kept(self, path: Path) -> int:
            fd = super().open_kept(path)
            self.opened += 1
            if self.opened == 1:
                break_lock(tmp_path)
            return fd

    files = Late()
    with opened(tmp_path, files) as store:
        assert store.still_ours()
        with pytest.raises(LockHeldError):
            Store.open(tmp_path, NAME, who=WHO)
    assert files.opened == 2


def test_breaking_a_lock_that_nobody_has_is_none(tmp_path: Path) -> None:
    assert break_lock(tmp_path) is None
    with opened(tmp_path):
        pass
    assert break_lock(tmp_path) is None
    with opened(tmp_path) as store:
        assert store.takeover is None


@pytest.mark.parametrize(
    "nonsense",
    [
        b'{"pid": 12',
        b'{"pid": "\xed\xa0\x80"}',
        b"[" * 5000,
        *(
            b'{"pid":%s,"host":"h","boot_id":"","started":"","user":"u","command":"c","since":%s}' % numbers
            for numbers in ((b"0", b"1"), (b"-1", b"1"), (b"1" * 30, b"1"), (b"1", b"1e300"), (b"1", b"-1e300"))
        ),
    ],
)
def test_a_lock_file_with_nonsense_in_it_does_not_stop_anybody(tmp_path: Path, nonsense: bytes) -> None:
    (tmp_path / lock.NAME).write_bytes(nonsense)
    assert lock_info(tmp_path) is None
    with opened(tmp_path) as store:
        assert store.takeover is None
        owner = lock_info(tmp_path)
        assert owner is not None
        assert owner.user == "ada"


def test_a_failed_open_leaves_the_lock_free(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    (tmp_path / "state.json").write_bytes(b"{")
    for _ in range(2):
        with pytest.raises(Exception, match="truncated"):
            Store.open(tmp_path, NAME, who=WHO)
    assert lock_info(tmp_path) is None
