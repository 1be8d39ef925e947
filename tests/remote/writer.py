"""Processes that write to one object store at the same time: ``python -m tests.remote.writer`` is one of them.

Each takes a job a line from its stdin, does it and answers with a number: 1 where it was the one that created the
object, or how often it met another and had to begin again.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from tests.remote.stores import FOREIGN, ObjectStore


class Writers:
    """So many processes. Use as a context."""

    def __init__(self, count: int) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.remote.writer"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(count)
        ]

    def all(self, store: ObjectStore, bucket: str, do: str, key: str, times: int = 1) -> list[int]:
        """Every process does the same job; their answers."""
        job = {"environment": dict(store.environment), "bucket": bucket, "do": do, "key": key, "times": times}
        for process in self._processes:
            assert process.stdin
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
        return [json.loads(process.stdout.readline()) for process in self._processes if process.stdout]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self._processes:
            with process:
                assert process.stdin
                process.stdin.close()


def _create(store: Any, key: str) -> int:
    import obstore
    from obstore.exceptions import AlreadyExistsError

    try:
        obstore.put(store, key, str(os.getpid()).encode(), mode="create")
    except AlreadyExistsError:
        return 0
    return 1


def _add(store: Any, key: str, times: int) -> int:
    import obstore
    from obstore.exceptions import PreconditionError

    done = again = 0
    while done < times:
        found = obstore.get(store, key)
        seen: Any = {name: value for name in ("e_tag", "version") if (value := found.meta[name]) is not None}
        try:
            obstore.put(store, key, str(int(found.bytes().to_bytes()) + 1).encode(), mode=seen)
            done += 1
        except PreconditionError:
            again += 1
    return again


def _count(url: str, times: int) -> int:
    """So many runs of a deployment, each of which records one more than the run before."""
    from provisioner.errors import LockHeldError
    from provisioner.state.lock import Owner
    from provisioner.state.remote.stores import open_backend
    from provisioner.state.store import Store
    from tests.unit.state.toys import NAME, put

    backend = open_backend(url, NAME)
    done = again = 0
    while done < times:
        try:
            with Store.open(backend, NAME, who=Owner(user=f"writer-{os.getpid()}", command="count")) as store:
                seen = store.state.steps.get("counter")
                count = (seen.spec["count"] if seen else 0) + 1
                store.commit([put("counter", count=count)])
                store.audit("counted", count=count)
            done += 1
        except LockHeldError:
            again += 1
            time.sleep(random.uniform(0.01, 0.1))
    return again


def _work(job: Mapping[str, Any]) -> int:
    from obstore.store import from_url

    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    os.environ.update(job["environment"])
    if job["do"] == "count":
        return _count(job["bucket"], job["times"])
    store = from_url(job["bucket"])
    return _create(store, job["key"]) if job["do"] == "create" else _add(store, job["key"], job["times"])


if __name__ == "__main__":
    for line in sys.stdin:
        print(_work(json.loads(line)), flush=True)
