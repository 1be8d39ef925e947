"""Cloud Storage takes about one change a second of each object, and answers 429 to more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioner.state.audit import NAME as AUDIT
from provisioner.state.audit import verify_audit
from provisioner.state.lock import Owner
from provisioner.state.remote.stores import open_backend
from provisioner.state.store import Store
from tests.remote.stores import ObjectStore, lead_to, running
from tests.unit.state.toys import NAME, put


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """Cloud Storage with its limit, to which this process's environment leads."""
    with running("gcs", "--object-rate", "1") as store:
        lead_to(store, monkeypatch)
        yield store


def test_a_store_that_takes_one_change_a_second_of_each_object_is_waited_for(slow: ObjectStore) -> None:
    """The lock is taken and released, and the first commit fills the object that claimed its serial."""
    backend = open_backend(f"{slow.bucket()}/team", NAME)
    for count in range(2):
        with Store.open(backend, NAME, who=Owner(user="ada", command="test")) as store:
            store.commit([put("counter", count=count)])
            store.audit("counted", count=count)
    with Store.open(backend, NAME, who=Owner(user="ada", command="test")) as store:
        assert store.takeover is None, "the lock was released both times"
        assert store.state.steps["counter"].spec == {"count": 1}
    trail = backend.read(AUDIT)
    assert trail is not None and trail.count(b"\n") == 2
    assert verify_audit(trail) is None
