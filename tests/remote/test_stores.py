"""What the record of a deployment relies on in an object store, the same for every store that it may live in."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import obstore
import pytest
from obstore.exceptions import AlreadyExistsError, NotModifiedError, PreconditionError
from obstore.store import from_url

from tests.remote.stores import ObjectStore
from tests.remote.writer import Writers

_NAMES = ("e_tag", "version")


def _version(result: Any) -> Any:
    """What obstore wants back to update exactly this version; it takes no ``version`` that is None."""
    return {name: result[name] for name in _NAMES if result[name] is not None}


def _read(place: Any, key: str) -> bytes:
    return obstore.get(place, key).bytes().to_bytes()


@pytest.fixture
def place(store: ObjectStore) -> Any:
    """A place in a new bucket, under a prefix."""
    return from_url(f"{store.bucket()}/team/states")


def test_an_object_is_created_once(place: Any) -> None:
    obstore.put(place, "lock", b"first", mode="create")
    with pytest.raises(AlreadyExistsError):
        obstore.put(place, "lock", b"second", mode="create")
    assert _read(place, "lock") == b"first"


def test_an_object_that_was_deleted_can_be_created_again(place: Any) -> None:
    obstore.put(place, "lock", b"first", mode="create")
    obstore.delete(place, "lock")
    obstore.put(place, "lock", b"second", mode="create")
    assert _read(place, "lock") == b"second"


def test_who_knows_the_last_version_may_update_it_and_learns_the_next(place: Any) -> None:
    seen = _version(obstore.put(place, "state", b"0", mode="create"))
    for number in range(1, 4):
        seen = _version(obstore.put(place, "state", str(number).encode(), mode=seen))
    assert _read(place, "state") == b"3"
    assert _version(obstore.head(place, "state")) == seen == _version(obstore.get(place, "state").meta)


def test_who_knows_an_older_version_may_not_write_and_nothing_is_changed(place: Any) -> None:
    old = _version(obstore.put(place, "state", b"one", mode="create"))
    new = _version(obstore.put(place, "state", b"two", mode=old))
    with pytest.raises(PreconditionError):
        obstore.put(place, "state", b"three", mode=old)
    assert _read(place, "state") == b"two"
    assert _version(obstore.head(place, "state")) == new


def test_a_version_that_was_deleted_cannot_be_updated(place: Any) -> None:
    old = _version(obstore.put(place, "state", b"one", mode="create"))
    obstore.delete(place, "state")
    with pytest.raises(PreconditionError):
        obstore.put(place, "state", b"two", mode=old)
    with pytest.raises(FileNotFoundError):
        obstore.head(place, "state")


def test_a_write_of_the_same_bytes_is_a_new_version_but_on_s3(store: ObjectStore, place: Any) -> None:
    """S3's ETag is the MD5 of the bytes: two writers there must not write the same ones, as a random token sees to."""
    old = _version(obstore.put(place, "state", b"same", mode="create"))
    new = _version(obstore.put(place, "state", b"same", mode=old))
    assert (old == new) == (store.kind == "s3")


def test_a_delete_of_nothing_says_so_but_on_s3(store: ObjectStore, place: Any) -> None:
    if store.kind == "s3":
        obstore.delete(place, "nothing")
        return
    with pytest.raises(FileNotFoundError):
        obstore.delete(place, "nothing")


def test_a_reader_is_told_that_it_has_the_newest_already(place: Any) -> None:
    tag = obstore.put(place, "state", b"one")["e_tag"]
    with pytest.raises(NotModifiedError):
        obstore.get(place, "state", options={"if_none_match": tag})
    obstore.put(place, "state", b"two")
    assert obstore.get(place, "state", options={"if_none_match": tag}).bytes() == b"two"
    with pytest.raises(PreconditionError):
        obstore.get(place, "state", options={"if_match": tag})


def test_names_come_back_as_they_were_given(place: Any) -> None:
    names = ["a b", "plus+and&", "per%cent", "ü/ö", "deep/er/still"]
    for name in names:
        obstore.put(place, name, name.encode())
    listed = [str(meta["path"]) for meta in obstore.list(place).collect()]
    assert sorted(listed) == sorted(names)
    assert [_read(place, name) for name in names] == [name.encode() for name in names]
    obstore.delete(place, names)
    assert obstore.list(place).collect() == []


def test_a_part_of_an_object_can_be_read(place: Any) -> None:
    obstore.put(place, "journal", b"0123456789")
    assert obstore.get_range(place, "journal", start=2, end=5) == b"234"
    assert obstore.get(place, "journal", options={"range": {"offset": 7}}).bytes() == b"789"
    assert obstore.head(place, "journal")["size"] == 10


def test_a_long_listing_has_every_object_once(store: ObjectStore, place: Any) -> None:
    """More than a page of S3 and Cloud Storage (1,000), all under one prefix and beside others."""
    names = [f"history/{number:05d}" for number in range(1100)]
    for number in range(0, 1100, 100):
        for name in names[number : number + 100]:
            obstore.put(place, name, b"")
    obstore.put(place, "historic", b"")
    listed = [str(meta["path"]) for meta in obstore.list(place, "history").collect()]
    assert sorted(listed) == names
    assert len(listed) == 1100
    after = [str(meta["path"]) for meta in obstore.list(place, "history", offset="history/01089").collect()]
    assert after == names[1090:] or store.kind == "azurite"  # which does not know startFrom
    near = obstore.list_with_delimiter(place)
    assert [list(near["common_prefixes"]), [o["path"] for o in near["objects"]]] == [["history"], ["historic"]]


def test_the_time_of_a_change_is_the_servers(place: Any) -> None:
    before = int(time.time())
    obstore.put(place, "lock", b"")
    assert before <= obstore.head(place, "lock")["last_modified"].timestamp() <= time.time() + 1


def test_of_eight_processes_that_create_one_object_exactly_one_does(store: ObjectStore, writers: Writers) -> None:
    bucket = store.bucket()
    winners = [sum(writers.all(store, bucket, "create", f"lock-{number}")) for number in range(20)]
    assert winners == [1] * 20


def test_eight_processes_that_count_in_one_object_lose_no_step(store: ObjectStore, writers: Writers) -> None:
    bucket = store.bucket()
    obstore.put(from_url(bucket), "counter", b"0")
    again = writers.all(store, bucket, "add", "counter", 25)
    assert _read(from_url(bucket), "counter") == b"200"
    assert sum(again) > 0, "nobody ever met another: the processes did not run at once"


def test_a_private_bucket_tells_nobody_anonymous_anything(store: ObjectStore) -> None:
    bucket = store.bucket()
    obstore.put(from_url(bucket), "state", b"secret")
    there, nowhere = store.at(bucket, "state"), store.at(bucket, "nothing")
    listing = {"s3": "?list-type=2", "gcs": "?list-type=2"}.get(store.kind, "?restype=container&comp=list")
    answers = [
        store.raw("GET", there),
        store.raw("HEAD", there),
        store.raw("GET", nowhere),
        store.raw("GET", store.at(bucket) + listing),
        store.raw("PUT", there, {"x-ms-blob-type": "BlockBlob"}, b"mine"),
        store.raw("DELETE", there),
    ]
    # Azure tells those who name no version of its API that there is nothing; Azurite says 403 to all.
    assert {answer.status for answer in answers} == ({404} if store.kind == "azure" else {403})
    assert not any(b"secret" in answer.body for answer in answers)
    assert _read(from_url(bucket), "state") == b"secret"


def test_a_public_bucket_is_read_by_everybody_and_written_by_its_owner(store: ObjectStore) -> None:
    bucket = store.bucket(public=True)
    obstore.put(from_url(bucket), "state", b"for all")
    anonymous = from_url(bucket, skip_signature=True)
    assert _read(anonymous, "state") == b"for all"
    assert [meta["path"] for meta in obstore.list(anonymous).collect()] == ["state"]
    put = partial(store.raw, "PUT", store.at(bucket, "state"), {"x-ms-blob-type": "BlockBlob"}, b"mine")
    assert put().status in (401, 403, 404)
    assert _read(anonymous, "state") == b"for all"
