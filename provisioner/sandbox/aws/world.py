"""What every part of the AWS control plane shares."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from provisioner.sandbox.aws.databases import Databases
from provisioner.sandbox.aws.jobs import Jobs
from provisioner.sandbox.aws.moto_app import Moto
from provisioner.sandbox.aws.neighbours import Neighbours
from provisioner.sandbox.settings import SandboxOptions


@dataclass(slots=True)
class World:
    """Options, clock, moto, the databases, and the jobs in which work on databases is done.

    ``now`` counts seconds for durations; ``wall`` is the time of day for timestamps, and ``today`` where it comes from.
    """

    options: SandboxOptions
    moto: Moto
    databases: Databases
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    today: Callable[[], datetime] = lambda: datetime.now(UTC)
    jobs: Jobs = field(default_factory=Jobs)
    neighbours: Neighbours = field(init=False)

    def __post_init__(self) -> None:
        self.neighbours = Neighbours(self.moto)

    def wall(self) -> datetime:
        """The time of day, UTC."""
        return self.today()
