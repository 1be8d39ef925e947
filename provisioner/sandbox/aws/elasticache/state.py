"""What ElastiCache knows in one region."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from provisioner.sandbox.aws.call import AwsError
from provisioner.sandbox.aws.databases import CacheAddresses
from provisioner.sandbox.aws.lifecycle import Lifecycle
from provisioner.sandbox.aws.neighbours import Subnet
from provisioner.sandbox.aws.strict import Region
from provisioner.sandbox.aws.world import World

GONE = "gone"


@dataclass(slots=True)
class CacheSubnetGroup:
    """A cache subnet group."""

    name: str
    description: str
    vpc: str
    subnets: list[Subnet]

    @property
    def zones(self) -> list[str]:
        """The availability zones that it covers."""
        return sorted({subnet.zone for subnet in self.subnets})


@dataclass(slots=True)
class CacheParameterGroup:
    """A cache parameter group; ``values`` are the user's own."""

    name: str
    family: str
    description: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ReplicationGroup:
    """A replication group. ``settings`` has the API's own names; ``database`` names the Valkey behind it.

    ``has_token`` and ``rotating``: whether clients authenticate, and whether two tokens are valid at the moment.
    The tokens themselves are kept in ``tokens`` only as long as the group lives, and never shown.
    """

    ident: str
    created: datetime
    settings: dict[str, Any]
    lifecycle: Lifecycle
    database: str
    tokens: list[str] = field(default_factory=list, repr=False)
    pending: dict[str, Any] = field(default_factory=dict)
    addresses: CacheAddresses | None = None
    parameter_status: str = "in-sync"

    @property
    def status(self) -> str:
        """Status now."""
        return self.lifecycle.status

    @property
    def members(self) -> list[str]:
        """The ids of its cache clusters; the first is the primary."""
        return [f"{self.ident}-{number:03d}" for number in range(1, self.settings["NumCacheClusters"] + 1)]


@dataclass(slots=True)
class CacheSnapshot:
    """A snapshot: a record without data."""

    name: str
    source: str
    created: datetime
    settings: dict[str, Any]
    lifecycle: Lifecycle


class CacheRegion(Region):
    """ElastiCache in one region."""

    service = "elasticache"

    def __init__(self, name: str, world: World) -> None:
        super().__init__(name, world)
        self.groups: dict[str, ReplicationGroup] = {}
        self.subnet_groups: dict[str, CacheSubnetGroup] = {}
        self.parameter_groups: dict[str, CacheParameterGroup] = {}
        self.snapshots: dict[str, CacheSnapshot] = {}

    def settle(self) -> None:
        """Take every group to where it should be by now; those that are gone lose their tags too."""
        for ident, group in list(self.groups.items()):
            if group.status == GONE:
                del self.groups[ident]
                for arn in (self.arn("replicationgroup", ident), *(self.arn("cluster", m) for m in group.members)):
                    self.tags.pop(arn, None)

    def group(self, ident: str) -> ReplicationGroup:
        """The replication group with this name; AwsError when there is none."""
        group = self.groups.get(ident.lower())
        if group is None:
            raise AwsError("ReplicationGroupNotFoundFault", f"ReplicationGroup {ident} not found.")
        return group

    def subnet_group(self, name: str) -> CacheSubnetGroup:
        """The subnet group with this name (``default``: the default VPC's, made at first use)."""
        key = name.lower()
        if key == "default" and key not in self.subnet_groups:
            subnets = self.world.neighbours.default_subnets(self.name)
            if subnets:
                self.subnet_groups[key] = CacheSubnetGroup(key, "default", subnets[0].vpc, subnets)
        if key not in self.subnet_groups:
            raise AwsError("CacheSubnetGroupNotFoundFault", f"Cache Subnet Group {name} does not exist.")
        return self.subnet_groups[key]

    def using_parameter_group(self, name: str) -> Iterator[ReplicationGroup]:
        """The replication groups that a parameter group is for."""
        return (g for g in self.groups.values() if g.settings["CacheParameterGroupName"] == name)
