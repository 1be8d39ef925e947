"""What RDS knows in one region: the objects, and how they hang together."""

from __future__ import annotations

import secrets
import string
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from provisioner.sandbox.aws.call import AwsError
from provisioner.sandbox.aws.lifecycle import Lifecycle
from provisioner.sandbox.aws.neighbours import Subnet
from provisioner.sandbox.aws.rds.proxy import Proxy
from provisioner.sandbox.aws.strict import Region
from provisioner.sandbox.aws.world import World

GONE = "gone"


@dataclass(slots=True)
class SubnetGroup:
    """A DB subnet group. Its subnets are looked up when it is made or changed."""

    name: str
    description: str
    vpc: str
    subnets: list[Subnet]

    @property
    def zones(self) -> set[str]:
        """The availability zones that it covers."""
        return {subnet.zone for subnet in self.subnets}


@dataclass(slots=True)
class ParameterGroup:
    """A DB parameter group. ``values`` are the user's own; ``methods`` says how each is to be applied."""

    name: str
    family: str
    description: str
    values: dict[str, str] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)


class Source(NamedTuple):
    """The instance that a replica follows."""

    region: str
    ident: str


@dataclass(slots=True)
class Instance:
    """A DB instance. ``settings`` has the API's own names and types; ``pending`` waits for the maintenance window.

    ``database`` names the PostgreSQL behind it; ``address`` and ``port`` are where that listens, once it does.
    ``in_force`` are the parameter values with which the server runs.
    """

    ident: str
    resource_id: str
    created: datetime
    settings: dict[str, Any]
    lifecycle: Lifecycle
    database: str
    pending: dict[str, Any] = field(default_factory=dict)
    parameter_status: str = "in-sync"
    in_force: dict[str, str] = field(default_factory=dict)
    address: str = ""
    port: int = 0
    source: Source | None = None
    replication: str = "replicating"
    """While it follows a source: how that goes, as StatusInfos tells it."""

    @property
    def status(self) -> str:
        """DBInstanceStatus now."""
        return self.lifecycle.status


@dataclass(slots=True)
class Snapshot:
    """A DB snapshot. ``settings`` are the instance's at that time."""

    ident: str
    source: str
    kind: str
    created: datetime
    settings: dict[str, Any]
    instance_created: datetime
    resource_id: str
    lifecycle: Lifecycle
    copy: str


@dataclass(slots=True)
class BackupCopy:
    """What a region keeps of the automated backups of an instance elsewhere; ``days``: for how long each."""

    source: Source
    resource_id: str
    days: int
    settings: dict[str, Any]
    lifecycle: Lifecycle

    @property
    def status(self) -> str:
        """pending, replicating, or retained."""
        return self.lifecycle.status


@dataclass(slots=True)
class Subscription:
    """An event subscription: which events of which sources go to which topic.

    It is active as soon as it is made, unless a fault says otherwise: that is what its ``lifecycle`` is for.
    """

    name: str
    topic: str
    source_type: str
    sources: list[str]
    categories: list[str]
    enabled: bool
    created: datetime
    lifecycle: Lifecycle


@dataclass(slots=True)
class Event:
    """Something that happened to an object."""

    source: str
    source_type: str
    categories: list[str]
    message: str
    at: datetime


class RdsRegion(Region):
    """RDS in one region."""

    service = "rds"

    def __init__(self, name: str, world: World) -> None:
        super().__init__(name, world)
        self.instances: dict[str, Instance] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.backups: dict[str, BackupCopy] = {}
        """By the resource id of their instance."""
        self.subnet_groups: dict[str, SubnetGroup] = {}
        self.parameter_groups: dict[str, ParameterGroup] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.proxies: dict[str, Proxy] = {}
        self.events: list[Event] = []
        self.elsewhere: Callable[[str], RdsRegion] = lambda other: self
        """Another region; all of them share one lock."""
        self.everywhere: Callable[[], list[RdsRegion]] = lambda: [self]

    def join(
        self, lock: threading.RLock, elsewhere: Callable[[str], RdsRegion], everywhere: Callable[[], list[RdsRegion]]
    ) -> None:
        """Let the region see the others."""
        self.lock, self.elsewhere, self.everywhere = lock, elsewhere, everywhere

    def settle(self) -> None:
        """Take every object to where it should be by now; one that is gone loses its tags too."""
        for ident, instance in list(self.instances.items()):
            if instance.status == GONE:
                del self.instances[ident]
                self.tags.pop(self.arn("db", ident), None)
        for name, proxy in list(self.proxies.items()):
            if proxy.status == GONE:
                del self.proxies[name]
                self.tags.pop(self.arn("db-proxy", proxy.ident), None)
        for name, subscription in list(self.subscriptions.items()):
            if subscription.lifecycle.status == GONE:
                del self.subscriptions[name]
                self.tags.pop(self.arn("es", name), None)

    def instance(self, ident: str) -> Instance:
        """The instance with this name; AwsError when there is none."""
        instance = self.instances.get(ident.lower())
        if instance is None:
            raise AwsError("DBInstanceNotFound", f"DBInstance {ident} not found.")
        return instance

    def named(self, wish: str) -> tuple[RdsRegion, Instance]:
        """The instance with this name in the region, or with this ARN in any; AwsError when there is none."""
        if not wish.startswith("arn:"):
            return self, self.instance(wish)
        parts = wish.split(":")
        if len(parts) != 7 or parts[5] != "db":
            raise AwsError("InvalidParameterValue", f"Invalid source identifier: {wish}")
        home = self.elsewhere(parts[3])
        home.settle()
        return home, home.instance(parts[6])

    def replicas(self, ident: str) -> list[tuple[RdsRegion, Instance]]:
        """What follows an instance of this region, anywhere."""
        mine = Source(self.name, ident)
        return [(r, i) for r in self.everywhere() for i in r.instances.values() if i.source == mine]

    def snapshot(self, ident: str) -> Snapshot:
        """The snapshot with this name; AwsError when there is none."""
        snapshot = self.snapshots.get(ident.lower())
        if snapshot is None:
            raise AwsError("DBSnapshotNotFound", f"DBSnapshot {ident} not found.")
        return snapshot

    def subnet_group(self, name: str) -> SubnetGroup:
        """The subnet group with this name (``default``: the default VPC's, made at first use)."""
        key = name.lower()
        if key == "default" and key not in self.subnet_groups:
            subnets = self.world.neighbours.default_subnets(self.name)
            if subnets:
                self.subnet_groups[key] = SubnetGroup(key, "default", subnets[0].vpc, subnets)
        if key not in self.subnet_groups:
            raise AwsError("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.")
        return self.subnet_groups[key]

    def using_parameter_group(self, name: str) -> Iterator[Instance]:
        """The instances that a parameter group is for."""
        return (i for i in self.instances.values() if i.settings["DBParameterGroupName"] == name)

    def happened(self, source: str, source_type: str, category: str, message: str) -> None:
        """Record an event and tell the topics that subscribed to it."""
        self.events.append(Event(source, source_type, [category], message, self.world.wall()))
        for subscription in self.subscriptions.values():
            if (
                subscription.enabled
                and subscription.source_type in ("", source_type)
                and (not subscription.sources or source in subscription.sources)
                and (not subscription.categories or category in subscription.categories)
            ):
                tell = partial(self.world.neighbours.publish, subscription.topic, "RDS Notification Message", message)
                self.world.jobs.do(subscription.topic, tell)


_RESOURCE_LETTERS = string.ascii_uppercase + string.digits


def new_resource_id() -> str:
    """A DbiResourceId: unique for good, unlike the name."""
    return "db-" + "".join(secrets.choice(_RESOURCE_LETTERS) for _ in range(26))
