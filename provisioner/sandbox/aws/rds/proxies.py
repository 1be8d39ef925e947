"""DB proxies: create, describe, modify, delete. What they are registered with is in ``proxy_targets``."""

from __future__ import annotations

from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.idents import database_ident
from provisioner.sandbox.aws.lifecycle import Lifecycle, Stage
from provisioner.sandbox.aws.rds import proxy_checks as checks
from provisioner.sandbox.aws.rds.proxy import Proxy, new_ident
from provisioner.sandbox.aws.rds.state import GONE, RdsRegion
from provisioner.sandbox.aws.strict import Params, Result, page

PORT: Final = 5432
_POOL: Final = {
    "MaxConnectionsPercent": 100,
    "MaxIdleConnectionsPercent": 50,
    "ConnectionBorrowTimeout": 120,
    "SessionPinningFilters": [],
    "InitQuery": "",
}
_TOLD: Final = ("EngineFamily", "Auth", "RoleArn", "RequireTLS", "IdleClientTimeout", "DebugLogging")


def create(region: RdsRegion, p: Params, call: Call) -> Result:
    """CreateDBProxy."""
    name = p["DBProxyName"]
    checks.check_name(region, name)
    checks.check_offered(p)
    subnets = checks.find_subnets(region, p["VpcSubnetIds"])
    vpc = subnets[0].vpc
    settings = {
        "EngineFamily": p["EngineFamily"],
        "Auth": _auth(p.get("Auth", [])),
        "RoleArn": p["RoleArn"],
        "RequireTLS": p.get("RequireTLS", False),
        "IdleClientTimeout": p.get("IdleClientTimeout", 1800),
        "DebugLogging": p.get("DebugLogging", False),
        "VpcSecurityGroupIds": p.get("VpcSecurityGroupIds")
        or [region.world.neighbours.default_security_group(region.name, vpc)],
    }
    checks.check_groups(region, settings["VpcSecurityGroupIds"], vpc)
    checks.check_settings(region, settings)
    ident = new_ident("prx-")
    region.tag(region.arn("db-proxy", ident), p.get("Tags", []))
    now, front = region.world.wall(), database_ident("proxy")
    proxy = Proxy(
        name=name,
        ident=ident,
        group=new_ident("prx-tg-"),
        created=now,
        updated=now,
        settings=settings,
        subnets=subnets,
        pool=dict(_POOL),
        lifecycle=Lifecycle(region.world.now, "creating"),
        front=front,
    )
    region.proxies[name.lower()] = proxy
    _launch(region, proxy, call)
    return {"DBProxy": view(region, proxy)}


def _auth(wish: list[Params]) -> list[dict[str, Any]]:
    defaults = {"AuthScheme": "SECRETS", "IAMAuth": "DISABLED", "ClientPasswordAuthType": "POSTGRES_SCRAM_SHA_256"}
    return [{**defaults, **one} for one in wish]


def _launch(region: RdsRegion, proxy: Proxy, call: Call) -> None:
    seconds = region.world.options.seconds("rds:proxy")
    if call.outcome == "failed":
        proxy.lifecycle.follow([Stage("creating", seconds)], rest="incompatible-network")
        return
    job = region.world.jobs.do(proxy.front, lambda: region.world.databases.start_proxy(proxy.front, port=PORT))

    def up() -> None:
        proxy.address = job.result().host
        region.happened(proxy.name, "db-proxy", "creation", "DB proxy created")

    stages = [Stage("creating", seconds, job, up, call.held)]
    rest = "available"
    if call.outcome == "ready-then-failed":
        stages.append(Stage("available", call.outcome_delay))
        rest = "incompatible-network"
    proxy.lifecycle.follow(stages, rest=rest, failure="insufficient-resource-limits")


def find(region: RdsRegion, name: str) -> Proxy:
    """The proxy with this name; AwsError when there is none."""
    proxy = region.proxies.get(name.lower())
    if proxy is None:
        raise AwsError("DBProxyNotFoundFault", f"DBProxy {name} not found.")
    return proxy


def at_rest(region: RdsRegion, name: str) -> Proxy:
    """The proxy with this name; AwsError unless it is available."""
    proxy = find(region, name)
    if proxy.status != "available" or proxy.lifecycle.busy:
        raise AwsError("InvalidDBProxyStateFault", f"DBProxy {name} is in an invalid state: {proxy.status}.")
    return proxy


def describe(region: RdsRegion, p: Params, call: Call) -> Result:
    """DescribeDBProxies."""
    if p.get("Filters"):
        raise AwsError("InvalidParameterValue", "Filters are not supported")
    if p.get("DBProxyName"):
        return {"DBProxies": [view(region, find(region, p["DBProxyName"]))]}
    shown, marker = page(list(region.proxies.values()), p, lambda proxy: proxy.name.lower())
    return {"DBProxies": [view(region, proxy) for proxy in shown], "Marker": marker}


def modify(region: RdsRegion, p: Params, call: Call) -> Result:
    """ModifyDBProxy."""
    proxy = at_rest(region, p["DBProxyName"])
    checks.check_offered(p)
    names = ("RoleArn", "RequireTLS", "IdleClientTimeout", "DebugLogging")
    settings = proxy.settings | {name: p[name] for name in names if name in p}
    if "Auth" in p:
        settings["Auth"] = _auth(p["Auth"])
    if "SecurityGroups" in p:
        settings["VpcSecurityGroupIds"] = p["SecurityGroups"]
        checks.check_groups(region, p["SecurityGroups"], proxy.subnets[0].vpc)
    checks.check_settings(region, settings)

    def done() -> None:
        proxy.settings, proxy.updated = settings, region.world.wall()
        if proxy.target is not None:
            proxy.target.looked = 0.0  # whoever asks next has it looked at anew
        region.happened(proxy.name, "db-proxy", "configuration change", "DB proxy modified")

    stage = Stage("modifying", region.world.options.seconds("rds:modify"), None, done, call.held)
    proxy.lifecycle.follow([stage], rest="available" if call.outcome != "failed" else "incompatible-network")
    return {"DBProxy": view(region, proxy)}


def delete(region: RdsRegion, p: Params, call: Call) -> Result:
    """DeleteDBProxy: its group and its registration go with it."""
    proxy = find(region, p["DBProxyName"])
    if proxy.status in ("creating", "modifying", "deleting"):
        raise AwsError("InvalidDBProxyStateFault", f"DBProxy {proxy.name} is in an invalid state: {proxy.status}.")
    job = region.world.jobs.do(proxy.front, lambda: region.world.databases.remove(proxy.front))
    region.happened(proxy.name, "db-proxy", "deletion", "DB proxy deleted")
    proxy.target = None
    proxy.lifecycle = Lifecycle(region.world.now, "deleting")
    rest = [Stage("deleting", region.world.options.seconds("rds:delete"), job, held=call.held)]
    proxy.lifecycle.follow(rest, rest="suspended" if call.outcome == "failed" else GONE)
    return {"DBProxy": view(region, proxy)}


def view(region: RdsRegion, proxy: Proxy) -> dict[str, Any]:
    """A proxy as the API writes it."""
    return {
        **{name: proxy.settings[name] for name in _TOLD},
        "DBProxyName": proxy.name,
        "DBProxyArn": region.arn("db-proxy", proxy.ident),
        "Status": proxy.status,
        "VpcId": proxy.subnets[0].vpc,
        "VpcSecurityGroupIds": proxy.settings["VpcSecurityGroupIds"],
        "VpcSubnetIds": [subnet.id for subnet in proxy.subnets],
        "DefaultAuthScheme": "NONE",
        "Endpoint": proxy.address or None,
        "EndpointNetworkType": "IPV4",
        "TargetConnectionNetworkType": "IPV4",
        "CreatedDate": proxy.created,
        "UpdatedDate": proxy.updated,
    }
