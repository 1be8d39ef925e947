"""Tags on RDS objects, which are named by ARN."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.rds.backups import ident_of
from provisioner.sandbox.aws.rds.state import RdsRegion
from provisioner.sandbox.aws.strict import Params, Result

_NOT_FOUND: Final = {
    "db": "DBInstanceNotFound",
    "snapshot": "DBSnapshotNotFound",
    "subgrp": "DBSubnetGroupNotFoundFault",
    "pg": "DBParameterGroupNotFound",
    "es": "SubscriptionNotFound",
    "db-proxy": "DBProxyNotFoundFault",
    "auto-backup": "DBInstanceAutomatedBackupNotFound",
}


def _known(region: RdsRegion, arn: str) -> str:
    """The ARN, when it names an object of this region."""
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[:3] != ["arn", "aws", "rds"] or parts[5] not in _NOT_FOUND:
        raise AwsError("InvalidParameterValue", f"Invalid resource name: {arn}")
    kind, name = parts[5], parts[6]
    homes: dict[str, Container[str]] = {
        "db": region.instances,
        "snapshot": region.snapshots,
        "subgrp": region.subnet_groups,
        "pg": region.parameter_groups,
        "es": region.subscriptions,
        "db-proxy": {proxy.ident for proxy in region.proxies.values()},
        "auto-backup": {ident_of(region, one) for one in region.backups},
    }
    if parts[3] != region.name or name not in homes[kind]:
        raise AwsError(_NOT_FOUND[kind], f"{name} not found in {region.name}")
    return arn


def add(region: RdsRegion, p: Params, call: Call) -> Result:
    """AddTagsToResource."""
    region.tag(_known(region, p["ResourceName"]), p["Tags"])
    return {}


def remove(region: RdsRegion, p: Params, call: Call) -> Result:
    """RemoveTagsFromResource."""
    tags = region.tags.get(_known(region, p["ResourceName"]), {})
    for key in p["TagKeys"]:
        tags.pop(key, None)
    return {}


def list_tags(region: RdsRegion, p: Params, call: Call) -> Result:
    """ListTagsForResource."""
    return {"TagList": region.tag_list(_known(region, p["ResourceName"]))}
