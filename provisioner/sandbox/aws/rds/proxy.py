"""What RDS knows of a DB proxy: itself, its one target group, and the one database registered there."""

from __future__ import annotations

import secrets
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from provisioner.sandbox.aws.lifecycle import Lifecycle
from provisioner.sandbox.aws.neighbours import Subnet

DEFAULT_GROUP: Final = "default"


class Health(NamedTuple):
    """A target's health in the API's words; ``because``: what the proxy's own log says of it."""

    state: str
    reason: str = ""
    description: str = ""
    because: str = ""


@dataclass(slots=True)
class Target:
    """A registered DB instance: ``instance`` is its name, ``database`` the PostgreSQL that it was when registered.

    ``look`` is the last look at its health, ``looked`` when that was begun.
    """

    instance: str
    database: str
    health: Health = field(default_factory=lambda: Health("REGISTERING"))
    look: Future[None] | None = None
    looked: float = 0.0


@dataclass(slots=True)
class Proxy:
    """A DB proxy. ``settings`` and ``pool`` have the API's own names; ``front`` names its endpoint among the databases.

    ``ident`` and ``group`` (``prx-…``, ``prx-tg-…``) are unique for good, unlike the name.
    """

    name: str
    ident: str
    group: str
    created: datetime
    updated: datetime
    settings: dict[str, Any]
    subnets: list[Subnet]
    pool: dict[str, Any]
    lifecycle: Lifecycle
    front: str
    address: str = ""
    target: Target | None = None

    @property
    def status(self) -> str:
        """Its status now."""
        return self.lifecycle.status


def new_ident(prefix: str) -> str:
    """The part of an ARN that no other object ever has."""
    return prefix + secrets.token_hex(8) + "0"
