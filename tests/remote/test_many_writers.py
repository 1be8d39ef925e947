"""Several processes and one record in a bucket: no update is lost, and who was deprived of the lock writes no more.

``MANY_WRITERS=20`` runs twenty rounds on each store instead of a few.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from provisioner.errors import LockHeldError
from provisioner.state.audit import NAME as AUDIT
from provisioner.state.audit import verify_audit
from provisioner.state.lock import Owner
from provisioner.state.remote.stores import open_backend
from provisioner.state.store import Store
from tests.remote.stores import ObjectStore
from tests.remote.writer import Writers
from tests.unit.state.toys import NAME, put

_ROUNDS = int(os.environ.get("MANY_WRITERS", "2"))
_ME = Owner(user="next", command="test")
_LEASE = 1.0


def test_eight_processes_that_run_one_deployment_lose_no_update(store: ObjectStore, writers: Writers) -> None:
    place = f"{store.bucket()}/team"
    met = writers.all(store, place, "count", "", _ROUNDS)
    total = 8 * _ROUNDS
    backend = open_backend(place, NAME)
    with Store.open(backend, NAME, who=_ME, create=False) as record:
        assert record.takeover is None
        assert record.state.steps["counter"].spec == {"count": total}
        assert record.state.serial == total
    trail = backend.read(AUDIT)
    assert trail is not None
    assert verify_audit(trail) is None
    lines = [msgspec.json.decode(line) for line in trail.splitlines()]
    assert [line["count"] for line in lines] == list(range(1, total + 1))
    assert len({line["by"] for line in lines}) == 8
    assert sum(met) > 0, "nobody ever met another: the processes did not run at once"


@contextmanager
def _keeper(store: ObjectStore, place: str, clock: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the record; it is told to try again by a line, and awake when the context ends."""
    job = {"environment": dict(store.environment), "bucket": place, "lease": _LEASE, "clock": clock}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.remote.keeper"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=store.environ(),
    ) as keeper:
        assert keeper.stdin and keeper.stdout
        try:
            keeper.stdin.write(json.dumps(job) + "\n")
            keeper.stdin.flush()
            assert keeper.stdout.readline() == "held\n"
            yield keeper
        finally:
            keeper.send_signal(signal.SIGCONT)
            keeper.stdin.close()


def _take_over(place: str) -> Store:
    """The record, as soon as the lease of the one before is over: it is the store's clock that says so."""
    end = time.monotonic() + 30
    while True:
        try:
            return Store.open(open_backend(place, NAME, lease=_LEASE), NAME, who=_ME)
        except LockHeldError:
            assert time.monotonic() < end
            time.sleep(0.1)


@pytest.mark.parametrize("clock", ["goes on", "stands still"])
@pytest.mark.parametrize("ended", [True, False], ids=["gone", "at-work"])
def test_a_stopped_process_that_wakes_up_without_its_lock_can_do_nothing(
    store: ObjectStore, clock: str, ended: bool
) -> None:
    """Also where its own clock tells it nothing: then the store refuses what it writes."""
    for _ in range(_ROUNDS if "MANY_WRITERS" in os.environ else 1):
        place = f"{store.bucket()}/team"
        with _keeper(store, place, clock) as keeper:
            keeper.send_signal(signal.SIGSTOP)
            record = _take_over(place)
            assert record.takeover is not None and record.takeover.user == "keeper"
            assert list(record.state.steps) == ["kept"]
            record.commit([put("mine")])
            if ended:
                record.close()
            keeper.send_signal(signal.SIGCONT)
            called, answer = _try(keeper)
            assert called == []
            assert set(answer.values()) == {"lost"}, answer
            if not ended:
                record.commit([put("more")])
                record.close()
        with Store.open(open_backend(place, NAME), NAME, who=_ME) as after:
            assert list(after.state.steps) == (["kept", "mine"] if ended else ["kept", "mine", "more"])


def _try(keeper: subprocess.Popen[str]) -> Any:
    assert keeper.stdin and keeper.stdout
    keeper.stdin.write("try\n")
    keeper.stdin.flush()
    return json.loads(keeper.stdout.readline())
