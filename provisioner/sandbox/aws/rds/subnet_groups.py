"""DB subnet groups: two zones at least, one VPC, and never deleted under an instance."""

from __future__ import annotations

import re
from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.neighbours import Subnet
from provisioner.sandbox.aws.rds.state import RdsRegion, SubnetGroup
from provisioner.sandbox.aws.strict import Params, Result, page

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9 ._-]{0,254}")


def create(region: RdsRegion, p: Params, call: Call) -> Result:
    """CreateDBSubnetGroup."""
    name = p["DBSubnetGroupName"].lower()
    if not _NAME.fullmatch(name) or name == "default":
        raise AwsError("InvalidParameterValue", f"The parameter DBSubnetGroupName is not a valid identifier: {name}")
    if not p["DBSubnetGroupDescription"]:
        raise AwsError("InvalidParameterValue", "DBSubnetGroupDescription must not be empty")
    if name in region.subnet_groups:
        raise AwsError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")
    subnets = _subnets(region, p["SubnetIds"])
    region.tag(region.arn("subgrp", name), p.get("Tags", []))
    group = SubnetGroup(name, p["DBSubnetGroupDescription"], subnets[0].vpc, subnets)
    region.subnet_groups[name] = group
    return {"DBSubnetGroup": view(region, group)}


def _subnets(region: RdsRegion, ids: list[str]) -> list[Subnet]:
    found: list[Subnet] = []
    for subnet_id in ids:
        subnet = region.world.neighbours.subnet(region.name, subnet_id)
        if subnet is None:
            raise AwsError("InvalidSubnet", f"Some input subnets are invalid. Subnet {subnet_id} does not exist.")
        found.append(subnet)
    if len({subnet.zone for subnet in found}) < 2:
        raise AwsError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
            f"{', '.join(sorted({s.zone for s in found})) or 'none'}. Add subnets to cover at least 2 AZs.",
        )
    if len({subnet.vpc for subnet in found}) > 1:
        raise AwsError("InvalidSubnet", "The subnets of a DB subnet group must all be in the same VPC.")
    return found


def view(region: RdsRegion, group: SubnetGroup) -> dict[str, Any]:
    """A group as the API writes it."""
    return {
        "DBSubnetGroupName": group.name,
        "DBSubnetGroupDescription": group.description,
        "VpcId": group.vpc,
        "SubnetGroupStatus": "Complete",
        "Subnets": [
            {
                "SubnetIdentifier": subnet.id,
                "SubnetAvailabilityZone": {"Name": subnet.zone},
                "SubnetOutpost": {},
                "SubnetStatus": "Active",
            }
            for subnet in group.subnets
        ],
        "DBSubnetGroupArn": region.arn("subgrp", group.name),
        "SupportedNetworkTypes": ["IPV4"],
    }


def describe(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeDBSubnetGroups."""
    if p.get("DBSubnetGroupName"):
        return {"DBSubnetGroups": [view(region, region.subnet_group(p["DBSubnetGroupName"]))]}
    shown, marker = page(list(region.subnet_groups.values()), p, lambda g: g.name)
    return {"DBSubnetGroups": [view(region, g) for g in shown], "Marker": marker}


def modify(region: RdsRegion, p: Params, call: Call) -> Result:
    """ModifyDBSubnetGroup: the subnets replace those before; one that an instance's zone needs must stay."""
    group = region.subnet_group(p["DBSubnetGroupName"])
    subnets = _subnets(region, p["SubnetIds"])
    users = _users(region, group.name)
    if users and subnets[0].vpc != group.vpc:
        raise AwsError("InvalidSubnet", f"The DB subnet group is in use by {users[0]} and cannot move to another VPC.")
    zones = {subnet.zone for subnet in subnets}
    for ident in users:
        zone = region.instances[ident].settings["AvailabilityZone"]
        if zone not in zones:
            raise AwsError("SubnetAlreadyInUse", f"The subnet in {zone} is in use by DB instance {ident}.")
    group.subnets, group.vpc = subnets, subnets[0].vpc
    group.description = p.get("DBSubnetGroupDescription", group.description)
    return {"DBSubnetGroup": view(region, group)}


def _users(region: RdsRegion, name: str) -> list[str]:
    return [i.ident for i in region.instances.values() if i.settings["DBSubnetGroupName"] == name]


def delete(region: RdsRegion, p: Params, call: Call) -> Result:
    """DeleteDBSubnetGroup: refused while an instance uses it."""
    group = region.subnet_group(p["DBSubnetGroupName"])
    if group.name == "default":
        raise AwsError("InvalidDBSubnetGroupStateFault", "The default DB subnet group cannot be deleted.")
    users = _users(region, group.name)
    if users:
        raise AwsError(
            "InvalidDBSubnetGroupStateFault",
            f"Cannot delete the subnet group '{group.name}' because at least one database instance: {users[0]} "
            "is still using it.",
        )
    del region.subnet_groups[group.name]
    region.tags.pop(region.arn("subgrp", group.name), None)
    return {}
