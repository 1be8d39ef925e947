"""A DB proxy's target group and the database registered there. Each proxy has one group, and that one database."""

from __future__ import annotations

from typing import Any

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.rds import proxy_checks, proxy_health
from provisioner.sandbox.aws.rds.checks import combination
from provisioner.sandbox.aws.rds.proxies import at_rest, find
from provisioner.sandbox.aws.rds.proxy import DEFAULT_GROUP, Proxy, Target
from provisioner.sandbox.aws.rds.state import RdsRegion
from provisioner.sandbox.aws.strict import Params, Result


def _need_group(p: Params) -> None:
    name = p.get("TargetGroupName", DEFAULT_GROUP)
    if name != DEFAULT_GROUP:
        raise AwsError("DBProxyTargetGroupNotFoundFault", f"DBProxyTargetGroup {name} not found.")


def describe_groups(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeDBProxyTargetGroups."""
    proxy = find(region, p["DBProxyName"])
    _need_group(p)
    return {"TargetGroups": [_group_view(region, proxy)]}


def modify_group(region: RdsRegion, p: Params, call: Call) -> Result:
    """ModifyDBProxyTargetGroup."""
    proxy = at_rest(region, p["DBProxyName"])
    _need_group(p)
    if p.get("NewName"):
        raise combination("The default target group cannot be renamed.")
    proxy.pool = proxy_checks.checked_pool(p.get("ConnectionPoolConfig", {}), proxy.pool)
    proxy.updated = region.world.wall()
    return {"DBProxyTargetGroup": _group_view(region, proxy)}


def register(region: RdsRegion, p: Params, call: Call) -> Result:
    """RegisterDBProxyTargets: one instance of the proxy's VPC that is up."""
    proxy = at_rest(region, p["DBProxyName"])
    _need_group(p)
    if p.get("DBClusterIdentifiers"):
        raise AwsError("NotImplemented", "the sandbox does not offer DB clusters", 501)
    names = p.get("DBInstanceIdentifiers", [])
    if len(names) != 1:
        raise combination("Specify one DB instance or one DB cluster.")
    instance = region.instance(names[0])
    if proxy.target is not None:
        raise AwsError(
            "DBProxyTargetAlreadyRegisteredFault",
            f"The target group default of {proxy.name} has the target {proxy.target.instance} already.",
        )
    if instance.status in ("creating", "deleting", "failed"):
        raise AwsError("InvalidDBInstanceState", f"DB instance {instance.ident} is in an invalid state: "
                       f"{instance.status.upper()}")  # fmt: skip
    if region.subnet_group(instance.settings["DBSubnetGroupName"]).vpc != proxy.subnets[0].vpc:
        raise combination(f"DB instance {instance.ident} and DB proxy {proxy.name} are in different VPCs.")
    proxy.target = Target(instance.ident, instance.database)
    proxy_health.look(region, proxy)
    return {"DBProxyTargets": [_target_view(region, proxy.target)]}


def deregister(region: RdsRegion, p: Params, call: Call) -> Result:
    """DeregisterDBProxyTargets."""
    proxy = at_rest(region, p["DBProxyName"])
    _need_group(p)
    there = proxy.target.instance if proxy.target else ""
    for name in p.get("DBInstanceIdentifiers", []):
        if name.lower() != there:
            raise AwsError("DBProxyTargetNotFoundFault", f"{name} is no target of {proxy.name}.")
    if p.get("DBInstanceIdentifiers"):
        proxy.target = None
        proxy_health.shut(region, proxy)
    return {}


def describe(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeDBProxyTargets: their health as it was found last; a new look is begun where that is a while ago."""
    proxy = find(region, p["DBProxyName"])
    _need_group(p)
    if proxy.target is None:
        return {"Targets": []}
    if proxy.status == "available":
        proxy_health.look(region, proxy)
    return {"Targets": [_target_view(region, proxy.target)]}


def _group_view(region: RdsRegion, proxy: Proxy) -> dict[str, Any]:
    return {
        "DBProxyName": proxy.name,
        "TargetGroupName": DEFAULT_GROUP,
        "TargetGroupArn": region.arn("target-group", proxy.group),
        "IsDefault": True,
        "Status": "available" if proxy.status != "creating" else "creating",
        "ConnectionPoolConfig": {**proxy.pool, "InitQuery": proxy.pool["InitQuery"] or None},
        "CreatedDate": proxy.created,
        "UpdatedDate": proxy.updated,
    }


def _target_view(region: RdsRegion, target: Target) -> dict[str, Any]:
    instance = region.instances.get(target.instance)
    health = target.health
    return {
        "TargetArn": region.arn("db", target.instance),
        "Endpoint": (instance.address or None) if instance else None,
        "RdsResourceId": target.instance,
        "Port": (instance.port if instance else 0) or None,
        "Type": "RDS_INSTANCE",
        "Role": "READ_WRITE" if health.state == "AVAILABLE" else "UNKNOWN",
        "TargetHealth": {
            "State": health.state,
            "Reason": health.reason or None,
            "Description": health.description or None,
        },
    }
