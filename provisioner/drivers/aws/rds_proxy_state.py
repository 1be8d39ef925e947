"""How a proxy, its target group and its target read in the engine's words: phase, settings, outputs; and its rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from provisioner.model import Phase
from provisioner.spec import plain

PORT: Final = 5432
"""A proxy for PostgreSQL listens there, whatever the database's own port is."""
_SCRAM: Final = "POSTGRES_SCRAM_SHA_256"
_FAILED: Final = frozenset({"incompatible-network", "insufficient-resource-limits", "suspended"})
"""No waiting mends these."""
_COMING: Final = ("creating", "modifying")
_STARTING: Final = "PENDING_PROXY_CAPACITY"


class ProxyAuth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One database user that clients may log in as."""

    secret_arn: Annotated[
        str,
        Meta(
            pattern=r"^arn:[a-z-]+:secretsmanager:",
            description="ARN of the secret whose JSON has the user's username and password.",
            examples=["${db-secret.arn}"],
        ),
    ]
    iam_auth: Annotated[
        Literal["DISABLED", "REQUIRED"], Meta(description="REQUIRED: clients log in with an IAM token, not a password.")
    ] = "DISABLED"
    client_auth: Annotated[
        Literal["POSTGRES_SCRAM_SHA_256", "POSTGRES_MD5"], Meta(description="How clients prove the password.")
    ] = "POSTGRES_SCRAM_SHA_256"
    description: Annotated[
        Annotated[str, Meta(min_length=1, max_length=1000)] | None, Meta(description="What the user is for.")
    ] = None


# -- rules ----------------------------------------------------------------------------------------------------


def one_each(auth: Iterable[Any] | None) -> str | None:
    """A secret is named once."""
    arns = [plain(one).get("secret_arn") for one in auth or ()]
    twice = sorted({str(arn) for arn in arns if arns.count(arn) > 1})
    return f"{', '.join(twice)} is there twice" if twice else None


def tokens_need_tls(auth: Iterable[Any], require_tls: bool) -> str | None:
    """RDS Proxy takes IAM tokens over TLS alone."""
    if not require_tls and any(plain(one).get("iam_auth") == "REQUIRED" for one in auth):
        return "iam_auth REQUIRED needs require_tls: tokens are taken over TLS alone"
    return None


def idle_within(idle: int, most: int) -> str | None:
    """Idle connections are connections."""
    return f"max_idle_connections_percent {idle} is more than max_connections_percent {most}" if idle > most else None


# -- auth -----------------------------------------------------------------------------------------------------


def to_cloud(auth: Iterable[ProxyAuth]) -> list[dict[str, Any]]:
    """As CreateDBProxy and ModifyDBProxy take it."""
    return [
        {
            "AuthScheme": "SECRETS",
            "SecretArn": one.secret_arn,
            "IAMAuth": one.iam_auth,
            "ClientPasswordAuthType": one.client_auth,
            **({"Description": one.description} if one.description else {}),
        }
        for one in auth
    ]


def _to_plan(auth: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = [
        {
            "secret_arn": one.get("SecretArn"),
            "iam_auth": one.get("IAMAuth") or "DISABLED",
            "client_auth": one.get("ClientPasswordAuthType") or _SCRAM,
            "description": one.get("Description") or None,
        }
        for one in auth
    ]
    kept = [{name: value for name, value in one.items() if value is not None} for one in found]
    return sorted(kept, key=lambda one: str(one.get("secret_arn")))


def same_auth(wanted: Iterable[Any], seen: Iterable[Any]) -> bool:
    """``matches``: order means nothing."""
    return _by_secret(wanted) == _by_secret(seen)


def _by_secret(auth: Iterable[Any]) -> dict[str, Any]:
    defaults = {"iam_auth": "DISABLED", "client_auth": _SCRAM}
    return {str(plain(one).get("secret_arn")): {**defaults, **plain(one)} for one in auth}


# -- what a read shows ----------------------------------------------------------------------------------------


def phase(
    proxy: Mapping[str, Any], group: Mapping[str, Any] | None = None, target: Mapping[str, Any] | None = None
) -> Phase:
    """Ready when it and its group are available; a database that it does not reach is the gate's affair.

    But as long as AWS still registers the database, or still sets the proxy's own capacity up, it is not made yet.
    """
    status = str(proxy["Status"])
    if status == "deleting":
        return Phase.DELETING
    if status in _FAILED:
        return Phase.FAILED
    health = health_of(target or {})
    starting = health.get("State") == "REGISTERING" or health.get("Reason") == _STARTING
    busy = group is not None and (not group or group.get("Status") in _COMING)
    return Phase.PENDING if status != "available" or busy or starting else Phase.READY


def settings(
    proxy: Mapping[str, Any], group: Mapping[str, Any] | None, target: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The descriptions under the Spec's field names; without the group's where that was not asked for."""
    found: dict[str, Any] = {
        "name": proxy["DBProxyName"],
        "engine_family": proxy.get("EngineFamily"),
        "auth": _to_plan(proxy.get("Auth", ())),
        "role_arn": proxy.get("RoleArn"),
        "subnets": sorted(proxy.get("VpcSubnetIds", ())),
        "security_groups": sorted(proxy.get("VpcSecurityGroupIds", ())),
        "require_tls": bool(proxy.get("RequireTLS")),
        "idle_client_timeout": proxy.get("IdleClientTimeout"),
        "debug_logging": bool(proxy.get("DebugLogging")),
    }
    if group is None:
        return found
    pool = group.get("ConnectionPoolConfig", {})
    return found | {
        "max_connections_percent": pool.get("MaxConnectionsPercent"),
        "max_idle_connections_percent": pool.get("MaxIdleConnectionsPercent"),
        "connection_borrow_timeout": pool.get("ConnectionBorrowTimeout"),
        "init_query": pool.get("InitQuery") or "",
        "db_instance": (target or {}).get("RdsResourceId", ""),
    }


def outputs(proxy: Mapping[str, Any], target: Mapping[str, Any] | None) -> dict[str, Any]:
    """``target_state`` is AWS's word for the database's health, empty without a database."""
    found = {
        "name": proxy["DBProxyName"],
        "arn": proxy.get("DBProxyArn"),
        "endpoint": proxy.get("Endpoint"),
        "port": PORT,
        "vpc_id": proxy.get("VpcId"),
        "target_state": None if target is None else str(health_of(target).get("State", "")),
    }
    return {name: value for name, value in found.items() if value is not None}


def detail(proxy: Mapping[str, Any], target: Mapping[str, Any] | None) -> str:
    """The proxy's status, and its target's where it is not as it should be."""
    status = str(proxy["Status"])
    if target is None or health_of(target).get("State") == "AVAILABLE":
        return status
    return f"{status}; {told(target)}" if target else f"{status}; no database is registered"


def told(target: Mapping[str, Any]) -> str:
    """What AWS says of a target's health, in one line."""
    health = health_of(target)
    reason = f" ({health['Reason']})" if health.get("Reason") else ""
    words = f": {health['Description']}" if health.get("Description") else ""
    return f"target {target.get('RdsResourceId', '')} is {health.get('State', 'of unknown state')}{reason}{words}"


def health_of(target: Mapping[str, Any]) -> Mapping[str, Any]:
    """A target's health, empty where AWS does not tell."""
    found: Mapping[str, Any] = target.get("TargetHealth") or {}
    return found
