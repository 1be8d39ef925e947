"""aws.cache_replication_group: a Redis or Valkey primary with its replicas.

Rules are in :mod:`cache_rules`, reading in :mod:`cache_state`; here are the Spec and the calls.

ElastiCache takes one kind of change at a time, so ``update`` makes the first that is due and the engine asks
again: nodes are added, then settings changed, then nodes removed, then the token exchanged.

A token is never reported; that it changed is known from the engine's record alone, which compares fingerprints.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import (
    arn_tags,
    bill_cache,
    cache_nodes,
    cache_rules,
    cache_state,
    checklists,
    failed,
    given,
    rds_rules,
    same,
    tagged,
    tags,
    thrift,
    windows,
)
from provisioner.drivers.aws.final import leave_snapshot
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.kms_alias import same_key
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import BusyError, NotFoundError
from provisioner.model import OWNER_TAG, Key, Observed, Phase
from provisioner.resource import outright
from provisioner.secret import Secret


@resource.resource("aws.cache_replication_group")
class CacheReplicationGroup(resource.Resource):
    """One ElastiCache replication group without sharding. Changes are applied at once."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A cache. What is left out takes the safe side: two nodes in two zones, encrypted at rest and in
        transit."""

        name: Annotated[
            Annotated[str, Meta(max_length=40)] | None,
            Meta(description="Identifier, 40 characters at most. Left out: deployment-step."),
        ] = None
        description: Annotated[
            str,
            Meta(min_length=1, max_length=120, description="What it is for; the owner's name is added to it."),
        ] = "made by provisioner"
        engine: Annotated[Literal["redis", "valkey"], Meta(description="The cache engine.")] = "redis"
        engine_version: Annotated[
            str,
            Meta(
                pattern=r"^\d+(\.\d+){0,2}$",
                description="Version; a shorter one stands for each of its patches.",
                examples=["7.0", "7.1"],
            ),
        ]
        node_type: Annotated[
            str,
            Meta(pattern=r"^cache\.[a-z0-9-]+\.[a-z0-9-]+$", description="Compute and memory of each node.",
                 examples=["cache.t3.micro"]),
        ]  # fmt: skip
        num_nodes: Annotated[int, Meta(ge=1, le=6, description="Nodes: one primary, the others replicas.")] = 2
        automatic_failover: Annotated[
            bool, Meta(description="Promote a replica when the primary fails; needs 2 nodes or more.")
        ] = True
        multi_az: Annotated[bool, Meta(description="Spread the nodes over zones; needs automatic_failover.")] = True
        at_rest_encryption: Annotated[bool, Meta(description="Encrypt what is on disk; fixed for good.")] = True
        kms_key: Annotated[
            Annotated[str, Meta(pattern=r"^(?!.*alias/)")] | None,
            Meta(description="ARN or id (no alias: AWS reports ARNs) of the KMS key; left out: the one AWS manages."),
        ] = None
        transit_encryption: Annotated[bool, Meta(description="Speak TLS.")] = True
        transit_encryption_mode: Annotated[
            Literal["required", "preferred"],
            Meta(description="With preferred, clients without TLS are let in too: a step on the way to required."),
        ] = "required"
        auth_token: Annotated[
            Secret | None,
            Meta(description="Password of the default user, 16 to 128 of letters, digits and ! & # $ ^ < > -"),
        ] = None
        token_exchanged: Annotated[
            bool, Meta(description="Shut the old token out once a changed one is let in; false lets both in.")
        ] = True
        snapshot_retention_days: Annotated[
            int,
            Meta(ge=0, le=35, description="Days that daily snapshots are kept; 0: none, nor a final one."),
        ] = 1
        snapshot_window: Annotated[
            Annotated[str, Meta(pattern=windows.DAILY)] | None,
            Meta(description="Daily snapshot window in UTC, 60 minutes or more.", examples=["03:00-05:00"]),
        ] = None
        maintenance_window: Annotated[
            Annotated[str, Meta(pattern=windows.WEEKLY)] | None,
            Meta(
                description="Weekly maintenance window in UTC, 60 minutes or more.",
                examples=["mon:05:00-mon:07:00"],
            ),
        ] = None
        notification_topic_arn: Annotated[str, Meta(description="ARN of an SNS topic for events; empty: none.")] = ""
        parameter_group: Annotated[str | None, Meta(description="Name of a cache parameter group.")] = None
        subnet_group: Annotated[
            str | None, Meta(description="Name of a cache subnet group; left out: the default VPC.")
        ] = None
        security_groups: Annotated[
            list[str] | None, Meta(description="Ids of security groups; left out: the VPC's default one.")
        ] = None
        port: Annotated[int, Meta(ge=1, le=65535, description="TCP port.")] = cache_state.DEFAULT_PORT
        auto_minor_version_upgrade: Annotated[
            bool, Meta(description="Take minor versions in the maintenance window.")
        ] = True
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {
        "name": str, "arn": str, "primary_endpoint": str, "reader_endpoint": str, "port": int, "engine_version": str,
        "status": str,
    }  # fmt: skip
    charges, savings = staticmethod(bill_cache.replication_group), staticmethod(thrift.replication_group)
    points = staticmethod(checklists.redis)
    rules = cache_rules.RULES
    service = "elasticache"
    timeout = 600.0
    name_pattern = r"(?=.{1,40}$)[a-z](?:[a-z0-9]|-(?=[a-z0-9]))*"
    immutable = frozenset({"name", "engine", "at_rest_encryption", "kms_key", "subnet_group", "port"})
    one_way = frozenset({"engine_version"})
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "engine_version": cache_rules.same_version,
        "snapshot_window": windows.same,
        "maintenance_window": windows.same,
        "kms_key": same_key,
        "token_exchanged": rds_rules.in_force,
        "security_groups": same.as_set,
        "subnet_group": same.name,
        "parameter_group": same.name,
        "tags": tags.same,
    }

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        # Between ROTATE and SET both tokens work and ElastiCache does not say which; a crash in between leaves both.
        self._rotated: dict[str, Secret] = {}

    def read(self, key: Key) -> Observed | None:
        """The group of the key's name; its nodes and tags take calls of their own, but for one that is on its way."""
        group = self._group(key)
        if group is None:
            return None
        try:
            if cache_state.on_its_way(group, key.owner):
                return cache_state.observed(group, [], {OWNER_TAG: key.owner}, key)
            return self._seen(key, group, cache_nodes.of(self.session, key, group))
        except NotFoundError:
            return None

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed]:
        """One list of groups and one of nodes a region; tags of those asked for."""
        seen: dict[str, Observed] = {}
        for region, wanted in same.by_region(keys).items():
            groups = list(self._pages("describe_replication_groups", "ReplicationGroups", region))
            nodes: dict[str, list[Mapping[str, Any]]] = {}
            for node in self._pages("describe_cache_clusters", "CacheClusters", region, ShowCacheNodeInfo=True):
                nodes.setdefault(node.get("ReplicationGroupId", ""), []).append(node)
            for group in groups:
                key = wanted.get(group["ReplicationGroupId"])
                if key is not None:
                    with suppress(NotFoundError):  # deleted since it was listed
                        seen[key.owner] = self._seen(key, group, nodes.get(key.name, []))
        return seen

    def create(self, key: Key, spec: Spec) -> None:
        """Starts the creation, with tags and every setting."""
        marks = tags.wanted(key, spec.tags)
        with outright():
            made = self._call(
                "create_replication_group",
                key,
                ReplicationGroupDescription=cache_state.described(spec.description, key.owner),
                Engine=spec.engine,
                NumCacheClusters=spec.num_nodes,
                AtRestEncryptionEnabled=spec.at_rest_encryption,
                KmsKeyId=spec.kms_key,
                TransitEncryptionEnabled=spec.transit_encryption,
                TransitEncryptionMode=spec.transit_encryption_mode if spec.transit_encryption else None,
                AuthToken=spec.auth_token,
                CacheSubnetGroupName=spec.subnet_group,
                Port=spec.port,
                Tags=tags.to_list(marks),
                **_request(spec, _FIELDS),
            )
        tagged.born(self.session, made["ReplicationGroup"]["ARN"], marks)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Makes the next change that is due; see the module's text for the order."""
        found = self._find(key)
        if found is None:
            raise NotFoundError("it is gone", where=f"elasticache {key.name}")
        group, nodes = found
        if cache_state.phase(group, nodes) is Phase.FAILED:
            failed.refuse(f"elasticache {key.name}", group["Status"])
        if cache_state.phase(group, nodes) is not Phase.READY:
            raise BusyError(f"it is {group['Status']}", where=f"elasticache {key.name}")
        plan = spec.tags if asked(changed, "tags") else None
        tagged = arn_tags.write(self.session, "elasticache", group["ARN"], key, plan)
        seen = cache_state.settings(group, nodes)
        changes = _changes(spec, seen, changed)
        if asked(changed, "description") and spec.description != seen["description"]:
            owner = cache_state.description(group)[1]
            changes["ReplicationGroupDescription"] = cache_state.described(spec.description, owner)
        due = bool({"auth_token", "token_exchanged"}.intersection(changed)) if changed else not tagged
        nodes_wanted = spec.num_nodes if asked(changed, "num_nodes") else seen["num_nodes"]
        if changes or nodes_wanted != seen["num_nodes"]:
            with nullcontext() if tagged else outright():
                self._next(key, changes, nodes_wanted, seen["num_nodes"])
        elif spec.auth_token is not None and due:
            self._exchange_token(key, spec.auth_token, finish=spec.token_exchanged)
            return
        if spec.auth_token is not None and "auth_token" in changed:
            raise BusyError("other changes come first, then the token", where=f"elasticache {key.name}")

    def _next(self, key: Key, changes: Mapping[str, Any], wanted: int, nodes: int) -> None:
        count = {"NewReplicaCount": wanted - 1, "ApplyImmediately": True}
        if wanted > nodes:
            self._call("increase_replica_count", key, **count)
        elif changes:
            self._modify(key, **changes)
        else:
            self._call("decrease_replica_count", key, **count)

    def delete(self, key: Key) -> None:
        """Starts the deletion; where daily snapshots are kept it leaves a final one, ``<name>-final-<UTC
        time>``."""
        found = self._find(key)
        if found is None:
            return
        group, nodes = found
        keeps = group.get("SnapshotRetentionLimit") and cache_state.phase(group, nodes) is not Phase.FAILED
        if keeps:
            leave_snapshot(key.name, lambda name: self._delete(key, group, FinalSnapshotIdentifier=name))
        else:
            self._delete(key, group)

    def discard(self, key: Key) -> None:
        """Starts the deletion without a snapshot."""
        found = self._find(key)
        if found is not None:
            self._delete(key, found[0])

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """One list, and the tags of each."""
        for group in self._pages("describe_replication_groups", "ReplicationGroups", region):
            name = str(group["ReplicationGroupId"])
            place = Key(deployment=deployment, step="", name=name, region=region)
            with suppress(BusyError, NotFoundError):  # made by others just now, or deleted since it was listed
                if key := tags.found(self._tags(place, group), deployment, region, name):
                    yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        found = self._find(key)
        if found is not None:
            arn_tags.claim(self.session, "elasticache", found[0]["ARN"], key)

    def _delete(self, key: Key, group: Mapping[str, Any], **how: Any) -> None:
        if group["Status"] != "deleting":
            with suppress(NotFoundError):
                self._call("delete_replication_group", key, **how)

    def _exchange_token(self, key: Key, token: Secret, *, finish: bool) -> None:
        """ROTATE lets the new token in beside the old one, SET then shuts the old one out."""
        if self._rotated.get(key.owner) == token:
            self._modify(key, AuthToken=token, AuthTokenUpdateStrategy="SET")
            del self._rotated[key.owner]
            return
        self._modify(key, AuthToken=token, AuthTokenUpdateStrategy="ROTATE")
        if finish:
            self._rotated[key.owner] = token
            raise BusyError("the new token is let in; the old one goes next", where=f"elasticache {key.name}")

    def _find(self, key: Key) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
        group = self._group(key)
        return None if group is None else (group, cache_nodes.of(self.session, key, group))

    def _group(self, key: Key) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._call("describe_replication_groups", key)["ReplicationGroups"][0]
        except NotFoundError:
            return None
        return found

    def _seen(self, key: Key, group: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> Observed:
        order = {name: place for place, name in enumerate(group.get("MemberClusters", ()))}
        members = sorted(
            (node for node in nodes if node["CacheClusterId"] in order),
            key=lambda node: order[node["CacheClusterId"]],
        )
        seen = cache_state.observed(group, members, self._tags(key, group), key)
        exchanged = {"token_exchanged": key.owner not in self._rotated}
        return msgspec.structs.replace(seen, spec={**seen.spec, **exchanged})

    def _tags(self, key: Key, group: Mapping[str, Any]) -> dict[str, str]:
        try:
            return arn_tags.known(self.session, "elasticache", group["ARN"], key)
        except (BusyError, NotFoundError):
            # Until the group is up its tags cannot be listed; the description says whose it is, too.
            owner = cache_state.description(group)[1]
            if group["Status"] == "available" or not owner:
                raise
            return {OWNER_TAG: owner}

    def _modify(self, key: Key, **changes: Any) -> None:
        self._call("modify_replication_group", key, ApplyImmediately=True, **changes)

    def _pages(self, operation: str, field: str, region: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        listed: Iterator[Mapping[str, Any]] = self.session.pages(
            "elasticache", operation, field, region=region, **parameters
        )
        return listed

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call(
            "elasticache",
            operation,
            what=key.name,
            region=key.region,
            ReplicationGroupId=key.name,
            **parameters,
        )


_FIELDS = {
    "engine_version": "EngineVersion",
    "node_type": "CacheNodeType",
    "automatic_failover": "AutomaticFailoverEnabled",
    "multi_az": "MultiAZEnabled",
    "snapshot_retention_days": "SnapshotRetentionLimit",
    "snapshot_window": "SnapshotWindow",
    "maintenance_window": "PreferredMaintenanceWindow",
    "notification_topic_arn": "NotificationTopicArn",
    "parameter_group": "CacheParameterGroupName",
    "security_groups": "SecurityGroupIds",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
}
"""Spec field → request field, of those that create and modify spell alike."""

_TOGETHER = (
    ("automatic_failover", "multi_az"),
    ("snapshot_window", "maintenance_window"),
    ("engine_version", "parameter_group"),
)
"""ElastiCache judges these as one, so when one of them changes all are sent."""


def _request(spec: CacheReplicationGroup.Spec, names: Sequence[str] | Mapping[str, str]) -> dict[str, Any]:
    """Request fields for those spec fields that are set."""
    found = {_FIELDS[name]: getattr(spec, name) for name in names}
    return {field: value for field, value in found.items() if value not in (None, "")}


def _changes(spec: CacheReplicationGroup.Spec, seen: Mapping[str, Any], changed: Collection[str]) -> dict[str, Any]:
    """What ``modify_replication_group`` must be sent to bring ``seen`` to the spec, as far as ``changed`` allows; the
    next step of TLS included."""
    spec = given.as_seen(spec, seen, changed, _TOGETHER)
    names = [name for name in _FIELDS if asked(changed, name) and name in seen and _differs(spec, seen, name)]
    differing = set(names).union(*(group for group in _TOGETHER if set(group) & set(names)))
    if not _differs(spec, seen, "engine_version"):
        differing.discard("engine_version")
    changes = _request(spec, sorted(differing))
    if "notification_topic_arn" in differing:
        changes["NotificationTopicStatus"] = "active" if spec.notification_topic_arn else "inactive"
    tls = asked(changed, "transit_encryption", "transit_encryption_mode")
    if changes or not tls:
        return changes
    mode = spec.transit_encryption_mode if spec.transit_encryption else None
    return cache_rules.tls_change(mode, seen.get("transit_encryption_mode"))


def _differs(spec: CacheReplicationGroup.Spec, seen: Mapping[str, Any], name: str) -> bool:
    wanted, found = getattr(spec, name), seen.get(name)
    if wanted is None or name not in seen:
        return False
    equal = CacheReplicationGroup.matches.get(name)
    return not (equal(wanted, found) if equal and found is not None else wanted == found)
