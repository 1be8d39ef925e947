"""Replication groups and cache clusters as the API writes them."""

from __future__ import annotations

from typing import Any

from provisioner.sandbox.aws.databases import Address
from provisioner.sandbox.aws.elasticache.state import CacheRegion, ReplicationGroup


def group_view(region: CacheRegion, group: ReplicationGroup) -> dict[str, Any]:
    """Everything that DescribeReplicationGroups tells."""
    s = group.settings
    status = group.status
    token = bool(group.tokens)
    return {
        "ReplicationGroupId": group.ident,
        "ARN": region.arn("replicationgroup", group.ident),
        "Description": s["Description"],
        "Status": status,
        "Engine": s["Engine"],
        "CacheNodeType": s["CacheNodeType"],
        "MemberClusters": group.members,
        "NodeGroups": [_node_group(group, status)] if group.addresses is not None else [],
        "AutomaticFailover": "enabled" if s["AutomaticFailover"] else "disabled",
        "MultiAZ": "enabled" if s["MultiAZ"] else "disabled",
        "SnapshotRetentionLimit": s["SnapshotRetentionLimit"],
        "SnapshotWindow": s["SnapshotWindow"],
        "ClusterEnabled": False,
        "ClusterMode": "disabled",
        "AuthTokenEnabled": token,
        "AuthTokenLastModifiedDate": s.get("AuthTokenLastModifiedDate", group.created) if token else None,
        "TransitEncryptionEnabled": s["TransitEncryptionEnabled"],
        "TransitEncryptionMode": "required" if s["TransitEncryptionEnabled"] else None,
        "AtRestEncryptionEnabled": s["AtRestEncryptionEnabled"],
        "KmsKeyId": s["KmsKeyId"],
        "ReplicationGroupCreateTime": group.created,
        "AutoMinorVersionUpgrade": s["AutoMinorVersionUpgrade"],
        "DataTiering": "disabled",
        "NetworkType": "ipv4",
        "IpDiscovery": "ipv4",
        "PendingModifiedValues": {name: v for name, v in group.pending.items() if name.startswith(("Auto", "Auth"))},
        "LogDeliveryConfigurations": [],
        "UserGroupIds": [],
    }


def _endpoint(address: Address) -> dict[str, Any]:
    return {"Address": address.host, "Port": address.port}


def _node_group(group: ReplicationGroup, status: str) -> dict[str, Any]:
    addresses, s = group.addresses, group.settings
    if addresses is None:
        raise AssertionError("a group without addresses has no node groups")
    return {
        "NodeGroupId": "0001",
        "Status": status,
        "PrimaryEndpoint": _endpoint(addresses.primary),
        "ReaderEndpoint": _endpoint(addresses.reader),
        "NodeGroupMembers": [
            {
                "CacheClusterId": member,
                "CacheNodeId": "0001",
                "ReadEndpoint": _endpoint(addresses.nodes[number]),
                "PreferredAvailabilityZone": s["Zones"][number],
                "CurrentRole": "replica" if number else "primary",
            }
            for number, member in enumerate(group.members)
        ],
    }


def cluster_view(region: CacheRegion, group: ReplicationGroup, number: int, *, nodes: bool) -> dict[str, Any]:
    """Everything that DescribeCacheClusters tells of one member."""
    s, member, status = group.settings, group.members[number], group.status
    view: dict[str, Any] = {
        "CacheClusterId": member,
        "ARN": region.arn("cluster", member),
        "CacheClusterStatus": status,
        "CacheNodeType": s["CacheNodeType"],
        "Engine": s["Engine"],
        "EngineVersion": s["EngineVersion"],
        "NumCacheNodes": 1,
        "PreferredAvailabilityZone": s["Zones"][number],
        "CacheClusterCreateTime": group.created,
        "PreferredMaintenanceWindow": s["PreferredMaintenanceWindow"],
        "PendingModifiedValues": {n: v for n, v in group.pending.items() if n in ("CacheNodeType", "EngineVersion")},
        "CacheSecurityGroups": [],
        "CacheParameterGroup": {
            "CacheParameterGroupName": s["CacheParameterGroupName"],
            "ParameterApplyStatus": group.parameter_status,
            "CacheNodeIdsToReboot": [],
        },
        "CacheSubnetGroupName": s["CacheSubnetGroupName"],
        "AutoMinorVersionUpgrade": s["AutoMinorVersionUpgrade"],
        "SecurityGroups": [{"SecurityGroupId": g, "Status": "active"} for g in s["SecurityGroupIds"]],
        "ReplicationGroupId": group.ident,
        "SnapshotRetentionLimit": s["SnapshotRetentionLimit"] if number == len(group.members) - 1 else 0,
        "SnapshotWindow": s["SnapshotWindow"],
        "AuthTokenEnabled": bool(group.tokens),
        "TransitEncryptionEnabled": s["TransitEncryptionEnabled"],
        "TransitEncryptionMode": "required" if s["TransitEncryptionEnabled"] else None,
        "AtRestEncryptionEnabled": s["AtRestEncryptionEnabled"],
        "ReplicationGroupLogDeliveryEnabled": False,
        "NetworkType": "ipv4",
        "IpDiscovery": "ipv4",
    }
    if s.get("NotificationTopicArn"):
        view["NotificationConfiguration"] = {"TopicArn": s["NotificationTopicArn"], "TopicStatus": "active"}
    if nodes:
        view["CacheNodes"] = [_node(group, number, status)]
    return view


def _node(group: ReplicationGroup, number: int, status: str) -> dict[str, Any]:
    return {
        "CacheNodeId": "0001",
        "CacheNodeStatus": status,
        "CacheNodeCreateTime": group.created,
        "Endpoint": _endpoint(group.addresses.nodes[number]) if group.addresses is not None else None,
        "ParameterGroupStatus": group.parameter_status,
        "CustomerAvailabilityZone": group.settings["Zones"][number],
    }
