"""``python -m tests.remote.keeper``: holds a record in a bucket, so that it can be stopped and deprived of it.

The first line of its stdin is a job: it opens the store and says ``held``. After the next line it tries all that a run
does, and says what became of each try.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from provisioner.errors import LockLostError
from provisioner.state.lock import Owner
from provisioner.state.remote import lease
from provisioner.state.remote.stores import open_backend
from provisioner.state.store import Store
from tests.unit.state.toys import NAME, put


def main() -> None:
    """One job."""
    job = json.loads(sys.stdin.readline())
    os.environ.update(job["environment"])
    if job["clock"] == "stands still":
        lease._clock = lambda: 0.0  # as in a virtual machine that was suspended with its clock
    store = Store.open(
        open_backend(job["bucket"], NAME, lease=job["lease"]), NAME, who=Owner(user="keeper", command="keep")
    )
    store.commit([put("kept")])
    print("held", flush=True)
    sys.stdin.readline()
    called: list[str] = []

    def call() -> None:
        store.must_be_ours()
        called.append("the cloud")

    tries: dict[str, Callable[[], None]] = {
        "call": call,
        "commit": lambda: store.commit([put("late")]),
        "commit again": lambda: store.commit([put("later")]),
        "fold": store.fold,
        "call again": call,
    }
    if job["clock"] == "stands still":
        del tries["call"]  # nothing but the store can tell it that it was deprived: the first request does
    print(json.dumps([called, {name: _told(act) for name, act in tries.items()}]), flush=True)
    store.close()


def _told(act: Callable[[], None]) -> str:
    try:
        act()
    except LockLostError:
        return "lost"
    return "done"


if __name__ == "__main__":
    main()
