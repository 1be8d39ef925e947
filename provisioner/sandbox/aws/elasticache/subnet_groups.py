"""Cache subnet groups."""

from __future__ import annotations

import re
from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.elasticache.state import CacheRegion, CacheSubnetGroup
from provisioner.sandbox.aws.neighbours import Subnet
from provisioner.sandbox.aws.strict import Params, Result, page

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,253}[a-z0-9])?")


def create(region: CacheRegion, p: Params, call: Call) -> Result:
    """CreateCacheSubnetGroup."""
    name = p["CacheSubnetGroupName"].lower()
    if not _NAME.fullmatch(name) or name == "default":
        raise AwsError(
            "InvalidParameterValue", f"The parameter CacheSubnetGroupName must be provided and must be valid: {name}"
        )
    if name in region.subnet_groups:
        raise AwsError("CacheSubnetGroupAlreadyExists", f"Cache subnet group {name} already exists.")
    subnets = _subnets(region, p["SubnetIds"])
    region.tag(region.arn("subnetgroup", name), p.get("Tags", []))
    group = CacheSubnetGroup(name, p["CacheSubnetGroupDescription"], subnets[0].vpc, subnets)
    region.subnet_groups[name] = group
    return {"CacheSubnetGroup": view(region, group)}


def _subnets(region: CacheRegion, ids: list[str]) -> list[Subnet]:
    found: list[Subnet] = []
    for subnet_id in ids:
        subnet = region.world.neighbours.subnet(region.name, subnet_id)
        if subnet is None:
            raise AwsError("InvalidSubnet", f"The subnet ID '{subnet_id}' does not exist.")
        found.append(subnet)
    if not found:
        raise AwsError("InvalidParameterValue", "SubnetIds must name at least one subnet.")
    if len({subnet.vpc for subnet in found}) > 1:
        raise AwsError("InvalidSubnet", "The subnets of a cache subnet group must all be in the same VPC.")
    return found


def view(region: CacheRegion, group: CacheSubnetGroup) -> dict[str, Any]:
    """A group as the API writes it."""
    return {
        "CacheSubnetGroupName": group.name,
        "CacheSubnetGroupDescription": group.description,
        "VpcId": group.vpc,
        "Subnets": [
            {
                "SubnetIdentifier": subnet.id,
                "SubnetAvailabilityZone": {"Name": subnet.zone},
                "SupportedNetworkTypes": ["ipv4"],
            }
            for subnet in group.subnets
        ],
        "ARN": region.arn("subnetgroup", group.name),
        "SupportedNetworkTypes": ["ipv4"],
    }


def describe(region: CacheRegion, p: Params, call: Call) -> Result:
    """DescribeCacheSubnetGroups."""
    if p.get("CacheSubnetGroupName"):
        return {"CacheSubnetGroups": [view(region, region.subnet_group(p["CacheSubnetGroupName"]))]}
    shown, marker = page(list(region.subnet_groups.values()), p, lambda g: g.name)
    return {"CacheSubnetGroups": [view(region, g) for g in shown], "Marker": marker}


def _users(region: CacheRegion, name: str) -> list[str]:
    return [g.ident for g in region.groups.values() if g.settings["CacheSubnetGroupName"] == name]


def modify(region: CacheRegion, p: Params, call: Call) -> Result:
    """ModifyCacheSubnetGroup: a subnet in whose zone a node lives must stay."""
    group = region.subnet_group(p["CacheSubnetGroupName"])
    if p.get("SubnetIds"):
        subnets = _subnets(region, p["SubnetIds"])
        zones = {subnet.zone for subnet in subnets}
        for ident in _users(region, group.name):
            if subnets[0].vpc != group.vpc or not set(region.groups[ident].settings["Zones"]) <= zones:
                raise AwsError("SubnetInUse", f"A subnet of {group.name} is in use by {ident}.")
        group.subnets, group.vpc = subnets, subnets[0].vpc
    group.description = p.get("CacheSubnetGroupDescription", group.description)
    return {"CacheSubnetGroup": view(region, group)}


def delete(region: CacheRegion, p: Params, call: Call) -> Result:
    """DeleteCacheSubnetGroup: refused while a replication group uses it."""
    group = region.subnet_group(p["CacheSubnetGroupName"])
    users = _users(region, group.name)
    if users or group.name == "default":
        raise AwsError(
            "CacheSubnetGroupInUse",
            f"Cache subnet group {group.name} is currently in use by {users[0] if users else 'the account'}.",
        )
    del region.subnet_groups[group.name]
    region.tags.pop(region.arn("subnetgroup", group.name), None)
    return {}
