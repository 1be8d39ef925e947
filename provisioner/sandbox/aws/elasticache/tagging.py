"""Tags on ElastiCache objects, which are named by ARN."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.elasticache.state import CacheRegion
from provisioner.sandbox.aws.strict import Params, Result

_NOT_FOUND: Final = {
    "replicationgroup": "ReplicationGroupNotFoundFault",
    "cluster": "CacheClusterNotFound",
    "subnetgroup": "CacheSubnetGroupNotFoundFault",
    "parametergroup": "CacheParameterGroupNotFound",
    "snapshot": "SnapshotNotFoundFault",
}


def _known(region: CacheRegion, arn: str) -> str:
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[:3] != ["arn", "aws", "elasticache"] or parts[5] not in _NOT_FOUND:
        raise AwsError("InvalidARN", f"Invalid ARN: {arn}")
    kind, name = parts[5], parts[6]
    homes: dict[str, Container[str]] = {
        "replicationgroup": set(region.groups),
        "cluster": {member for group in region.groups.values() for member in group.members},
        "subnetgroup": set(region.subnet_groups),
        "parametergroup": set(region.parameter_groups),
        "snapshot": set(region.snapshots),
    }
    if parts[3] != region.name or name not in homes[kind]:
        raise AwsError(_NOT_FOUND[kind], f"{name} not found in {region.name}.")
    owner = name.rpartition("-")[0] if kind == "cluster" else name
    if kind in ("replicationgroup", "cluster") and region.groups[owner].status not in ("available", "create-failed"):
        raise AwsError("InvalidReplicationGroupState", "Cluster not in available state to perform tagging operations.")
    return arn


def add(region: CacheRegion, p: Params, call: Call) -> Result:
    """AddTagsToResource."""
    arn = _known(region, p["ResourceName"])
    region.tag(arn, p["Tags"])
    return {"TagList": region.tag_list(arn)}


def remove(region: CacheRegion, p: Params, call: Call) -> Result:
    """RemoveTagsFromResource."""
    arn = _known(region, p["ResourceName"])
    tags = region.tags.get(arn, {})
    for key in p["TagKeys"]:
        if key not in tags:
            raise AwsError("TagNotFound", f"The tag {key} does not exist.")
    for key in p["TagKeys"]:
        del tags[key]
    return {"TagList": region.tag_list(arn)}


def list_tags(region: CacheRegion, p: Params, call: Call) -> Result:
    """ListTagsForResource."""
    return {"TagList": region.tag_list(_known(region, p["ResourceName"]))}
