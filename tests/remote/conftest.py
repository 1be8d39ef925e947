"""A store of each kind for the whole run, started by the first test that needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.remote.stores import KINDS, ObjectStore, lead_to, missing, running
from tests.remote.writer import Writers


@pytest.fixture(scope="session")
def start() -> Iterator[Callable[[str], ObjectStore]]:
    """Start a store of a kind, or give the one that runs; skips where the machine has none."""
    started: dict[str, ObjectStore] = {}
    with ExitStack() as stack:

        def give(kind: str) -> ObjectStore:
            if missing(kind):
                pytest.skip(missing(kind))
            if kind not in started:
                started[kind] = stack.enter_context(running(kind))
            return started[kind]

        yield give


@pytest.fixture(params=KINDS)
def store(
    request: pytest.FixtureRequest, start: Callable[[str], ObjectStore], monkeypatch: pytest.MonkeyPatch
) -> ObjectStore:
    """Each store in turn, with this process's environment leading to it."""
    found = start(request.param)
    lead_to(found, monkeypatch)
    return found


@pytest.fixture(scope="session")
def writers() -> Iterator[Writers]:
    """Eight processes that write at once when they are told to."""
    with Writers(8) as crowd:
        yield crowd
