"""What RDS refuses in the settings of a DB proxy: each function looks at one thing and knows one rule."""

from __future__ import annotations

import re
from typing import Any, Final

from provisioner.sandbox.aws.access import Access
from provisioner.sandbox.aws.call import AwsError
from provisioner.sandbox.aws.neighbours import Subnet
from provisioner.sandbox.aws.rds.checks import combination, value
from provisioner.sandbox.aws.rds.state import RdsRegion
from provisioner.sandbox.aws.strict import Params

MOST: Final = 20
"""Proxies of an account in a region, unless AWS grants more."""
_NAME: Final = re.compile(r"[a-zA-Z](?:-?[a-zA-Z0-9]+)*")
_FAMILIES: Final = ("MYSQL", "POSTGRESQL", "SQLSERVER")
_CLIENTS: Final = ("POSTGRES_SCRAM_SHA_256", "POSTGRES_MD5")
_LONGEST_IDLE: Final = 28_800
_MOST_SECRETS: Final = 200


def check_name(region: RdsRegion, name: str) -> None:
    """A good name that nobody has, and not one proxy too many."""
    if not _NAME.fullmatch(name) or len(name) > 63:
        raise value(
            f"The parameter DBProxyName is not a valid identifier: {name}. Identifiers must begin with a letter; must "
            "contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two "
            "consecutive hyphens."
        )
    if name.lower() in region.proxies:
        raise AwsError("DBProxyAlreadyExistsFault", f"DBProxy {name} already exists.")
    if len(region.proxies) >= MOST:
        raise AwsError("DBProxyQuotaExceededFault", f"You already have {MOST} DB proxies in {region.name}.")


def check_offered(p: Params) -> None:
    """The sandbox plays proxies for PostgreSQL that log in with secrets, over IPv4."""
    family = p.get("EngineFamily", "POSTGRESQL")
    if family not in _FAMILIES:
        raise value(f"Invalid EngineFamily: {family}. Valid values are {', '.join(_FAMILIES)}.")
    other = {
        "EngineFamily": family != "POSTGRESQL",
        "DefaultAuthScheme": p.get("DefaultAuthScheme", "NONE") != "NONE",
        "EndpointNetworkType": p.get("EndpointNetworkType", "IPV4") != "IPV4",
        "TargetConnectionNetworkType": p.get("TargetConnectionNetworkType", "IPV4") != "IPV4",
        "NewDBProxyName": bool(p.get("NewDBProxyName")),
    }
    wished = [f"{name} {p[name]}" for name, missing in other.items() if missing]
    if wished:
        raise AwsError("NotImplemented", f"the sandbox does not offer {', '.join(wished)}", 501)


def check_settings(region: RdsRegion, s: dict[str, Any]) -> None:
    """Everything that has to hold of a proxy, as it is made and as it is changed."""
    if not 1 <= s["IdleClientTimeout"] <= _LONGEST_IDLE:
        raise value(f"IdleClientTimeout is from 1 to {_LONGEST_IDLE} seconds, not {s['IdleClientTimeout']}")
    if not region.world.neighbours.role_exists(s["RoleArn"]):
        raise value(f"IAM role ARN value is invalid or does not include the required permissions: {s['RoleArn']}")
    _check_auth(region, s)


def _check_auth(region: RdsRegion, s: dict[str, Any]) -> None:
    auth = s["Auth"]
    if not auth:
        raise combination("Auth must be specified unless DefaultAuthScheme is IAM_AUTH.")
    if len(auth) > _MOST_SECRETS:
        raise value(f"Auth has at most {_MOST_SECRETS} entries")
    arns = [one.get("SecretArn", "") for one in auth]
    for one, arn in zip(auth, arns, strict=True):
        if one.get("AuthScheme", "SECRETS") != "SECRETS":
            raise value(f"Invalid AuthScheme: {one['AuthScheme']}")
        if one.get("UserName"):
            raise combination("UserName cannot be specified together with a secret, which has the user's name.")
        if one["IAMAuth"] not in ("DISABLED", "REQUIRED"):
            raise combination(f"IAMAuth {one['IAMAuth']} is not valid for engine family POSTGRESQL")
        if one["IAMAuth"] == "REQUIRED" and not s["RequireTLS"]:
            raise combination("RequireTLS must be enabled when IAMAuth is REQUIRED")
        if one["ClientPasswordAuthType"] not in _CLIENTS:
            raise combination(
                f"ClientPasswordAuthType {one['ClientPasswordAuthType']} is not valid for engine family POSTGRESQL"
            )
        if arns.count(arn) > 1:
            raise value(f"The secret {arn} is given twice")
        if not Access(region.world.moto).secret_exists(region.name, arn):
            raise value(f"The secret {arn or '(none)'} does not exist in {region.name}")


def find_subnets(region: RdsRegion, ids: list[str]) -> list[Subnet]:
    """The subnets: of one VPC, in two zones at least."""
    found: list[Subnet] = []
    for subnet_id in dict.fromkeys(ids):
        subnet = region.world.neighbours.subnet(region.name, subnet_id)
        if subnet is None:
            raise AwsError("InvalidSubnet", f"Some input subnets are invalid. Subnet {subnet_id} does not exist.")
        found.append(subnet)
    if len({subnet.vpc for subnet in found}) > 1:
        raise AwsError("InvalidSubnet", "The subnets of a DB proxy must all be in the same VPC.")
    zones = sorted({subnet.zone for subnet in found})
    if len(zones) < 2:
        raise AwsError(
            "InvalidSubnet", f"A DB proxy needs subnets in at least 2 AZs. Current AZ coverage: {', '.join(zones)}."
        )
    return found


def check_groups(region: RdsRegion, groups: list[str], vpc: str) -> None:
    """Security groups that exist, in the proxy's VPC."""
    for group in groups:
        found = region.world.neighbours.security_group(region.name, group)
        if found is None or found.vpc != vpc:
            raise value(f"Invalid security group {group}: it does not exist in {vpc}")
    if not groups:
        raise value("A DB proxy has at least one security group")


def checked_pool(wish: Params, before: dict[str, Any]) -> dict[str, Any]:
    """A pool's settings after a change."""
    if wish.get("SessionPinningFilters"):
        raise combination("SessionPinningFilters are valid for engine family MYSQL alone")
    if "MaxIdleConnectionsPercent" in wish and "MaxConnectionsPercent" not in wish:
        raise combination("MaxIdleConnectionsPercent needs MaxConnectionsPercent")
    most = wish.get("MaxConnectionsPercent", before["MaxConnectionsPercent"])
    idle = wish.get("MaxIdleConnectionsPercent")
    if idle is None:
        idle = most // 2 if "MaxConnectionsPercent" in wish else before["MaxIdleConnectionsPercent"]
    borrow = wish.get("ConnectionBorrowTimeout", before["ConnectionBorrowTimeout"])
    if not 1 <= most <= 100:
        raise value(f"MaxConnectionsPercent is from 1 to 100, not {most}")
    if not 0 <= idle <= most:
        raise value(f"MaxIdleConnectionsPercent is from 0 to MaxConnectionsPercent ({most}), not {idle}")
    if not 0 <= borrow <= 300:
        raise value(f"ConnectionBorrowTimeout is from 0 to 300 seconds, not {borrow}")
    return {
        "MaxConnectionsPercent": most,
        "MaxIdleConnectionsPercent": idle,
        "ConnectionBorrowTimeout": borrow,
        "SessionPinningFilters": [],
        "InitQuery": wish.get("InitQuery", before.get("InitQuery", "")),
    }
