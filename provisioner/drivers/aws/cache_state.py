"""How a replication group and its nodes read in the engine's words.

ElastiCache tells half of a group's settings only of its nodes, which share them; the first node speaks for
all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from provisioner.drivers.aws import tags
from provisioner.model import Key, Observed, Phase

DEFAULT_PORT: Final = 6379
_WORKING: Final = frozenset({"enabling", "disabling"})


def described(text: str, owner: str) -> str:
    """The description on the wire. It names the owner, because tags cannot be listed while a group is being
    made."""
    return f"{text} [{owner}]" if owner else text


def description(group: Mapping[str, Any]) -> tuple[str, str]:
    """(the plan's text, the owner or nothing) of a description.

    >>> description({"Description": "sessions [app/redis]"}), description({"Description": "by hand"})
    (('sessions', 'app/redis'), ('by hand', ''))
    """
    told = str(group.get("Description", ""))
    found = re.fullmatch(r"(.*) \[([^\[\]]+/[^\[\]]+)\]", told, re.DOTALL)
    return (found[1], found[2]) if found else (told, "")


def phase(group: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> Phase:
    """Ready only when the group, its nodes and every change on its way are."""
    status = group["Status"]
    if status == "deleting":
        return Phase.DELETING
    if status in ("create-failed", "restore-failed") or status.startswith("incompatible-"):
        return Phase.FAILED
    return Phase.PENDING if status != "available" or _pending(group, nodes) else Phase.READY


def on_its_way(group: Mapping[str, Any], owner: str) -> bool:
    """Being made, changed or deleted, and the owner's by its description: then nothing else of it matters yet."""
    busy = group["Status"] in ("creating", "modifying", "deleting", "snapshotting")
    return busy and description(group)[1] == owner


def observed(
    group: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], seen: Mapping[str, str], key: Key
) -> Observed:
    """``seen``: the group's tags."""
    pending = ", ".join(_pending(group, nodes))
    return Observed(
        phase=phase(group, nodes),
        owner=tags.owner(seen),
        spec={**settings(group, nodes), "tags": tags.visible(key, seen)},
        outputs=_outputs(group, nodes),
        detail=group["Status"] + (f" (pending: {pending})" if pending else ""),
    )


def settings(group: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The descriptions under the Spec's field names; what no node tells yet is left out."""
    found: dict[str, Any] = {
        "engine": group.get("Engine", "redis"),
        "node_type": group.get("CacheNodeType"),
        "num_nodes": len(group.get("MemberClusters", ())),
        "automatic_failover": group.get("AutomaticFailover") in ("enabled", "enabling"),
        "multi_az": group.get("MultiAZ") == "enabled",
        "at_rest_encryption": bool(group.get("AtRestEncryptionEnabled")),
        "kms_key": group.get("KmsKeyId"),
        "transit_encryption": bool(group.get("TransitEncryptionEnabled")),
        "snapshot_retention_days": group.get("SnapshotRetentionLimit") or 0,
        "description": description(group)[0],
    }
    if found["transit_encryption"]:
        found["transit_encryption_mode"] = group.get("TransitEncryptionMode") or "required"
    if found["snapshot_retention_days"]:
        found["snapshot_window"] = group.get("SnapshotWindow")
    return found | (_node_settings(nodes[0]) if nodes else {})


def _node_settings(node: Mapping[str, Any]) -> dict[str, Any]:
    topic = node.get("NotificationConfiguration", {})
    port = _port(node)
    told = {
        "engine": node.get("Engine"),
        "engine_version": node.get("EngineVersion"),
        "maintenance_window": node.get("PreferredMaintenanceWindow"),
        "parameter_group": node.get("CacheParameterGroup", {}).get("CacheParameterGroupName"),
        "subnet_group": node.get("CacheSubnetGroupName"),
        "security_groups": sorted(group["SecurityGroupId"] for group in node.get("SecurityGroups", ())),
        "notification_topic_arn": topic.get("TopicArn", "") if topic.get("TopicStatus") == "active" else "",
        "auto_minor_version_upgrade": node.get("AutoMinorVersionUpgrade"),
    }
    return {**told, "port": port} if port else told


def _port(node: Mapping[str, Any]) -> int | None:
    for cache_node in node.get("CacheNodes", ()):
        port = cache_node.get("Endpoint", {}).get("Port")
        if port:
            return int(port)
    return None


def _pending(group: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> list[str]:
    names = [name for name, value in group.get("PendingModifiedValues", {}).items() if value not in (None, {}, [])]
    if group.get("AutomaticFailover") in _WORKING:
        names.append("automatic failover")
    for node in nodes:
        waiting = node.get("PendingModifiedValues", {})
        names += [name for name, value in waiting.items() if value not in (None, {}, []) and name not in names]
        if node.get("CacheClusterStatus") != "available":
            names.append(f"node {node['CacheClusterId']}")
        if node.get("CacheParameterGroup", {}).get("ParameterApplyStatus") == "applying":
            names.append(f"parameters of {node['CacheClusterId']}")
    return names


def _outputs(group: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    shard = (group.get("NodeGroups") or [{}])[0]
    primary, reader = shard.get("PrimaryEndpoint", {}), shard.get("ReaderEndpoint", {})
    found = {
        "name": group["ReplicationGroupId"],
        "arn": group.get("ARN"),
        "primary_endpoint": primary.get("Address"),
        # A group of one node has no replicas to read from; AWS then names none.
        "reader_endpoint": reader.get("Address") or primary.get("Address"),
        "port": primary.get("Port"),
        "engine_version": nodes[0].get("EngineVersion") if nodes else None,
        "status": group["Status"],
    }
    return {name: value for name, value in found.items() if value is not None}
