"""A site for those who only look: the record as it is on the disk, no lock, and nothing is ever written."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from provisioner.engine.context import Drivers
from provisioner.engine.events import Events
from provisioner.errors import StateError
from provisioner.operations.site import Site
from provisioner.resource import Registry
from provisioner.state.backend import Location
from provisioner.state.records import Entry, State
from provisioner.state.store import peek


class Glance:
    """What a store shows, without its pen."""

    def __init__(self, state: State) -> None:
        self.state = state

    def commit(self, entries: Sequence[Entry]) -> None:
        """StateError: a look must not write."""
        raise StateError("a look at a deployment tried to write its record", hint="this is a defect in provisioner")

    def audit(self, event: str, /, **facts: object) -> None:
        """StateError: a look must not write."""
        self.commit([])

    def close(self) -> None:
        """Nothing is held."""


@contextmanager
def glance(location: Location, deployment: str, registry: Registry, region: str) -> Iterator[Site]:
    """The deployment as recorded, an empty one where nothing was ever recorded; errors as :func:`peek`.

    Another run may be at work meanwhile.
    """
    state = peek(location, deployment) or State(deployment=deployment, lineage="", salt="none")
    site = Site(store=Glance(state), drivers=Drivers(registry, region or state.region), events=Events(time.time))
    try:
        yield site
    finally:
        site.loop.close()
        site.drivers.close()
