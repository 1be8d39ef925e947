"""A record in a bucket keeps what a record in a directory promises."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from provisioner.errors import (
    LockHeldError,
    LockLostError,
    RefusedError,
    StateDamagedError,
    StateError,
    StateWriteError,
)
from provisioner.secret import Secret
from provisioner.state import recovery, snapshot
from provisioner.state.audit import NAME as AUDIT
from provisioner.state.audit import verify_audit
from provisioner.state.records import PutFacts
from provisioner.state.remote.pen import SNAPSHOTS
from provisioner.state.store import Store, peek
from tests.unit.state.remote.shelf import Died, Moment, Place, abandon, forget_host, refuse
from tests.unit.state.toys import NAME, WHO, put, put_change, put_run


def test_what_was_committed_is_there_after_reopening_on_another_machine() -> None:
    place = Place()
    with place.open() as store:
        store.commit([put_run(1), put("db", size=20), put_change(1, "db")])
        store.commit([PutFacts(provider="aws", region="us-east-1", accounts={"aws": "123"})])
        before = store.state
    with place.open() as store:
        assert store.state == before
        assert store.state.serial == 4


def test_a_commit_is_visible_to_a_reader_before_any_fold() -> None:
    place = Place()
    with place.open() as store:
        store.commit([put("db")])
        assert peek(place.backend(), NAME) == store.state


def test_a_look_writes_nothing_and_nothing_recorded_is_none() -> None:
    place = Place()
    assert peek(place.backend(), NAME) is None
    with pytest.raises(StateError, match="nothing was ever deployed"):
        place.open(create=False)
    assert not place.backend().exists()
    assert place.bucket().names("") == []


def test_a_secret_is_refused_before_anything_is_sent() -> None:
    place = Place()
    with place.open() as store:
        with pytest.raises(TypeError, match="secret"):
            store.commit([put("db", password=Secret("hunter2"))])
        store.commit([put("db")])
    everything = b"".join(found.data for name in place.bucket().names("") if (found := place.bucket().get(name)))
    assert b"hunter2" not in everything


def test_whatever_request_a_writer_dies_at_the_next_has_every_commit_that_returned() -> None:
    number = 0
    reached = True
    while reached:
        number += 1
        place, returned, stores, count = Place(), [], [], [0]

        def moment(when: str, operation: str, name: str) -> None:
            count[0] += 1
            if count[0] == number:
                raise Died

        try:
            for turn in range(2):
                store = place.open(moment)
                stores.append(store)
                for step in range(3):
                    store.commit([put(f"{turn}-{step}"), put(f"{turn}-{step}-too")])
                    returned.append(f"{turn}-{step}")
                store.audit("run", turn=turn)
                store.fold()
                store.close()
            reached = False
        except Died:
            for store in stores:
                abandon(store)
        _take_away(place)
        with place.open() as store:
            found = list(store.state.steps)
            whole = [step for step in found if not step.endswith("too")]
            assert [f"{step}-too" for step in whole] == [step for step in found if step.endswith("too")], number
            assert whole[: len(returned)] == returned, number
            assert len(whole) <= len(returned) + 1, number
            store.commit([put("after")])
        assert verify_audit(place.backend().read(AUDIT) or b"") is None
        after = peek(place.backend(), NAME)
        assert after is not None and "after" in after.steps
    assert number > 50


def _take_away(place: Place) -> None:
    """The dead one's lease is over: its process is this one, which lives, so its host must say that it does not."""
    bucket = place.bucket()
    found = bucket.get("lock.json")
    if found is not None:
        bucket.overwrite("lock.json", found.data.replace(b'"pid":', b'"pid":999999999'))


def test_a_second_writer_is_told_who_is_at_work() -> None:
    place = Place()
    with place.open(), pytest.raises(LockHeldError, match=r"ada, pid \d+ on .*: provisioner deploy shop.yaml"):
        place.open()
    with place.open() as store:
        assert store.takeover is None


def test_an_owner_that_died_on_this_host_is_taken_over_at_once() -> None:
    place = Place()
    store = place.open()
    store.commit([put("db")])
    abandon(store)
    _take_away(place)
    with place.open() as heir:
        assert heir.takeover is not None and heir.takeover.user == "ada"
        assert list(heir.state.steps) == ["db"]


def test_an_owner_on_another_host_is_taken_over_when_its_lease_is_over_and_not_before() -> None:
    place = Place(lease=0.2)
    store = place.open()
    abandon(store)
    forget_host(place)
    with pytest.raises(LockHeldError, match=r"its lease runs out in|another run"):
        place.open()
    while True:
        try:
            heir = place.open()
            break
        except LockHeldError:
            continue
    with heir:
        assert heir.takeover is not None and heir.takeover.host == "elsewhere"


def test_a_lease_is_renewed_as_long_as_its_owner_lives() -> None:
    place = Place(lease=0.2)
    with place.open() as store:
        lease: Any = store._pen._lease  # type: ignore[attr-defined]
        while lease._body.beats < 12:  # three leases
            assert store.still_ours()
        store.commit([put("db")])


def test_an_owner_that_slept_through_its_lease_goes_on_if_nobody_took_it() -> None:
    place = Place()
    store = place.open()
    abandon(store)
    store._pen._lease._renewed -= 3600  # type: ignore[attr-defined]
    store.commit([put("db")])
    store.close()


def test_an_owner_that_cannot_renew_its_lease_stops_before_others_may_take_it() -> None:
    place = Place()
    cut: list[bool] = []

    def moment(when: str, operation: str, name: str) -> None:
        if cut and when == "before":
            raise StateWriteError("cannot write it: no route to host", where=name)

    store = place.open(moment)
    abandon(store)
    cut.append(True)
    assert store.still_ours(), "the lease is fresh: the network may come back"
    store._pen._lease._renewed -= 26  # type: ignore[attr-defined]
    with pytest.raises(LockLostError, match="could not be renewed"):
        store.must_be_ours()
    cut.clear()
    store.must_be_ours()
    store.close()


def test_an_owner_whose_lock_was_taken_can_neither_record_nor_fold_nor_audit() -> None:
    place = Place(lease=0.2)
    paused = place.open()
    paused.commit([put("db")])
    abandon(paused)  # SIGSTOP: its heart stands still, its memory does not know
    heir = _heir(place)
    heir.commit([put("cache")])
    with pytest.raises(LockLostError):
        paused.commit([put("late")])
    with pytest.raises(LockLostError):
        paused.fold()
    with pytest.raises(LockLostError):
        paused.audit("late")
    paused.close()
    heir.close()
    seen = peek(place.backend(), NAME)
    assert seen is not None and list(seen.steps) == ["db", "cache"]


def _heir(place: Place) -> Store:
    assert place.backend().break_lock() is not None
    while True:
        try:
            return place.open()
        except LockHeldError:
            continue


@pytest.mark.parametrize("folds", [0, 1, 2, 3])
def test_a_paused_writer_that_believes_in_its_lease_is_refused_by_the_bucket_itself(folds: int) -> None:
    """Its clock stood still, so it asks nobody: the serial that it would write is taken all the same."""
    place = Place(lease=0.2)
    paused = place.open()
    paused.commit([put("db")])
    abandon(paused)
    heir = _heir(place)
    for turn in range(folds):
        heir.commit([put(f"heir-{turn}")])
        heir.fold()
    lease = paused._pen._lease  # type: ignore[attr-defined]
    lease._renewed += 3600
    if folds < 2:  # later its serials are folded and dropped, and what it writes there nobody reads
        with pytest.raises(LockLostError):
            paused.commit([put("late")])
    else:
        lease._renewed -= 7200
        with pytest.raises(LockLostError):
            paused.commit([put("late")])
    heir.commit([put("end")])
    heir.close()
    seen = peek(place.backend(), NAME)
    assert seen is not None
    assert list(seen.steps) == ["db", *(f"heir-{turn}" for turn in range(folds)), "end"]


def test_what_a_paused_writer_left_under_a_dropped_serial_is_not_read() -> None:
    place = Place()
    for turn in range(4):
        with place.open() as store:
            store.commit([put(f"step-{turn}")])
    place.bucket().create("journal/0000000000000001", b"token\nrubbish that is no line\n")
    with place.open() as store:
        assert list(store.state.steps) == [f"step-{turn}" for turn in range(4)]


def test_a_lost_answer_of_a_write_is_no_conflict_with_oneself() -> None:
    """The client repeats what got no answer, and meets what it wrote."""
    place = Place()
    bucket = place.bucket()
    assert bucket.create("x", b"token one") == bucket.create("x", b"token one")
    first = bucket.create("y", b"token one")
    assert first is not None
    second = bucket.update("y", b"token two", first)
    assert bucket.update("y", b"token two", first) == second
    assert bucket.create("x", b"token two") is None
    assert bucket.update("y", b"token three", first) is None


def test_a_refused_commit_says_what_was_not_recorded_and_the_next_one_works() -> None:
    place = Place()
    store = place.open(refuse("journal/0000000000000002"))
    store.commit([put("one")])
    with pytest.raises(StateWriteError) as caught:
        store.commit([put("two")])
    assert '"two"' in caught.value.unwritten[0]
    store.commit([put("three")])
    store.close()
    seen = peek(place.backend(), NAME)
    assert seen is not None and list(seen.steps) == ["one", "three"]


def _deaf(names: str) -> Moment:
    """The next write of a name that begins so has its effect, and its answer is lost."""
    left = [1]

    def moment(when: str, operation: str, name: str) -> None:
        if when == "after" and operation == "put" and name.startswith(names) and left[0]:
            left[0] -= 1
            raise StateWriteError("cannot write it: timed out", where=name)

    return moment


def test_a_commit_that_was_reported_as_failed_and_had_its_effect_does_not_end_the_run() -> None:
    place = Place()
    with place.open() as store:
        store._pen._bucket.moment = _deaf("journal/0000000000000002")  # type: ignore[attr-defined]
        store.commit([put("one")])
        with pytest.raises(StateWriteError):
            store.commit([put("two")])
        store.commit([put("three")])
    seen = peek(place.backend(), NAME)
    assert seen is not None and list(seen.steps) == ["one", "three"]


def test_a_beat_whose_answer_was_lost_does_not_cost_the_lock() -> None:
    place = Place()
    with place.open() as store:
        abandon(store)
        lease = store._pen._lease  # type: ignore[attr-defined]
        lease._bucket.moment = _deaf("lock.json")
        assert lease._renew(), "the lease before it is fresh"
        lease.note_run(7)
        assert lease._renew()
        holder = place.backend().holder()
        assert holder is not None and holder.info.run == 7


def test_a_host_of_the_same_name_is_not_taken_for_this_one() -> None:
    """Cloned machines and containers share names: only a process of this very boot can be seen to be dead."""
    place = Place()
    store = place.open()
    abandon(store)
    bucket = place.bucket()
    found = bucket.get("lock.json")
    assert found is not None
    boot = store._pen.info.boot_id.encode()
    for other in (b"another-boot", b""):
        bucket.overwrite("lock.json", found.data.replace(boot, other).replace(b'"pid":', b'"pid":999999999'))
        with pytest.raises(LockHeldError, match="another run is at work"):
            place.open()


def test_a_beat_of_which_nobody_knew_does_not_pass_for_one_of_this_moment() -> None:
    place = Place()
    with place.open() as store:
        abandon(store)
        lease = store._pen._lease  # type: ignore[attr-defined]
        lease._bucket.moment = _deaf("lock.json")
        lease._renew()
        lost = place.bucket().get("lock.json")
        assert lease._renew()
        now = place.bucket().get("lock.json")
        assert lost is not None and now is not None and lost.version != now.version, "it was written anew"


def test_audit_lines_whose_answer_was_lost_are_there_once() -> None:
    place = Place()
    with place.open() as store:
        store._pen._bucket.moment = _deaf("audit/")  # type: ignore[attr-defined]
        with pytest.raises(StateWriteError):
            store.audit("run", number=1)
        store.audit("run", number=2)
    raw = place.backend().read(AUDIT) or b""
    assert raw.count(b"\n") == 2 and verify_audit(raw) is None


def test_an_audit_that_could_not_be_written_for_a_while_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioner.state.remote.pen._MANY", 2)
    place = Place()
    with place.open() as store:
        store._pen._bucket.moment = refuse("audit/")  # type: ignore[attr-defined]
        store.audit("call", number=1)
        with pytest.raises(StateWriteError):
            store.audit("call", number=2)
        store.audit("call", number=3)
    raw = place.backend().read(AUDIT) or b""
    assert verify_audit(raw) is None and raw.count(b"\n") == 2


def test_objects_of_others_among_ours_are_left_alone() -> None:
    place = Place()
    for name in ("audit/readme.txt", "history/readme.txt", "journal/readme.txt"):
        place.bucket().create(name, b"hello")
    for step in ("one", "two", "three"):
        with place.open() as store:
            store.commit([put(step)])
            store.audit("run", step=step)
    assert verify_audit(place.backend().read(AUDIT) or b"") is None
    place.bucket().overwrite("state.json", b"{")
    assert list(recovery.recover(place.backend(), NAME, who=WHO).state.steps) == ["one", "two", "three"]


def test_the_last_snapshots_are_kept_and_no_more() -> None:
    place = Place()
    for turn in range(SNAPSHOTS + 5):
        with place.open() as store:
            store.commit([put(f"step-{turn}")])
    serials = place.backend().snapshots()
    assert len(serials) == SNAPSHOTS
    raw = place.backend().snapshot(serials[0])
    assert raw is not None
    assert snapshot.decode(raw, "there", {}).state.serial == serials[0]
    assert len(place.bucket().names("journal/")) <= 3, "what two snapshots have is dropped"


def test_a_damaged_snapshot_costs_nothing() -> None:
    place = Place()
    for step in ("one", "two", "three"):
        with place.open() as store:
            store.commit([put(step)])
    place.bucket().overwrite("state.json", b"{")
    with pytest.raises(StateDamagedError):
        peek(place.backend(), NAME)
    assert not recovery.examine(place.backend(), NAME).healthy
    done = recovery.recover(place.backend(), NAME, who=WHO)
    assert (done.changed, done.lost) == (True, ())
    assert list(done.state.steps) == ["one", "two", "three"]
    found = place.bucket().get(done.kept[0].removeprefix("mem://shelf/"))
    assert found is not None and found.data == b"{"
    with place.open() as store:
        store.commit([put("four")])
    seen = peek(place.backend(), NAME)
    assert seen is not None and list(seen.steps) == ["one", "two", "three", "four"]


def test_a_missing_journal_object_is_damage_that_is_told() -> None:
    place = Place()
    store = place.open()
    for step in ("one", "two", "three"):
        store.commit([put(step)])
    abandon(store)
    place.bucket().delete(["journal/0000000000000002"])
    with pytest.raises(StateDamagedError, match="lines are missing"):
        peek(place.backend(), NAME)


def test_the_audit_is_one_chain_over_all_its_objects() -> None:
    place = Place()
    for turn in range(3):
        with place.open() as store:
            for line in range(5):
                store.audit("call", turn=turn, line=line)
    raw = place.backend().read(AUDIT) or b""
    assert raw.count(b"\n") == 15
    assert verify_audit(raw) is None
    assert hashlib.sha256(raw.splitlines()[13]).hexdigest().encode() in raw.splitlines()[14]


def test_a_place_that_must_not_hold_a_record_gets_none() -> None:
    place = Place()

    def public() -> None:
        raise RefusedError("the bucket is open to the public")

    with pytest.raises(RefusedError):
        Store.open(place.backend(check=public), NAME, who=WHO)
    assert place.bucket().names("") == ["lock.json"]
    with place.open():
        pass


def test_unlock_says_whose_the_lock_was() -> None:
    place = Place()
    assert place.backend().break_lock() is None
    store = place.open()
    owner = place.backend().break_lock()
    assert owner is not None and owner.user == "ada"
    with pytest.raises(LockHeldError, match="was taken away from ada"):
        place.open()
    abandon(store)
