"""The services of the control plane that answer for themselves, and what they share with the rules over moto."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from provisioner.sandbox.aws.elasticache.service import ElastiCache
from provisioner.sandbox.aws.functions.service import Lambda
from provisioner.sandbox.aws.inbox import Inbox
from provisioner.sandbox.aws.rds.service import Rds
from provisioner.sandbox.aws.rules.tagging import Pictures
from provisioner.sandbox.aws.strict import StrictService
from provisioner.sandbox.aws.world import World


class Services:
    """RDS, ElastiCache and Lambda, by boto3's names in ``strict``; ``reset`` forgets every object of every service."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rds = Rds(world)
        self.elasticache = ElastiCache(world)
        self.functions = Lambda(world)
        self.strict: dict[str, StrictService[Any]] = {
            "rds": self.rds,
            "elasticache": self.elasticache,
            "lambda": self.functions,
        }
        self.reserved_until: dict[tuple[str, str, str], float] = {}
        """Names that deleted objects still hold: (service, region, name) to the time of release."""
        self.held: dict[str, Callable[[], bool]] = {}
        """Objects of EC2, by id, that are pending for as long as this is true."""
        self.pictures = Pictures()
        self.inbox = Inbox()

    def reset(self) -> None:
        """Forget every object; databases are removed too."""
        self.world.jobs.settle()
        for service in self.strict.values():
            service.reset()
        self.reserved_until.clear()
        self.held.clear()
        self.pictures = Pictures()
        self.inbox.clear()
        self.world.moto.reset()
