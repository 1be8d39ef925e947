"""What ElastiCache accepts, as pure functions that run when a plan is validated."""

from __future__ import annotations

import re
from typing import Any, Final

from provisioner.drivers.aws import windows
from provisioner.drivers.aws.given import rule
from provisioner.secret import Secret

LEAST_TOKEN: Final = 16
MOST_TOKEN: Final = 128


def same_version(wanted: str, seen: str) -> bool:
    """``7.0`` stands for each of its patches.

    >>> same_version("7.0", "7.0.7"), same_version("7", "7.1.0"), same_version("7.1", "7.0.7")
    (True, True, False)
    """
    return seen == wanted or seen.startswith(f"{wanted}.")


def _failover(nodes: int, failover: bool) -> str | None:
    if failover and nodes < 2:
        return "automatic failover needs num_nodes of 2 or more: a replica that takes over"
    return None


def _failover_node(node_type: str, failover: bool) -> str | None:
    return f"{node_type} cannot fail over automatically" if failover and node_type.startswith("cache.t1.") else None


def _multi_az(failover: bool, multi_az: bool) -> str | None:
    return "multi_az needs automatic_failover" if multi_az and not failover else None


def _token_needs_tls(tls: bool, _token: Secret) -> str | None:
    return None if tls else "an auth token needs transit_encryption: without it the token crosses the network in clear"


def auth_token(token: Secret) -> str | None:
    """What ElastiCache will not take as a token, without showing it."""
    value = token.reveal()
    if not LEAST_TOKEN <= len(value) <= MOST_TOKEN:
        return f"ElastiCache takes {LEAST_TOKEN} to {MOST_TOKEN} characters, this has {len(value)}"
    if re.fullmatch(r"[A-Za-z0-9!&#$^<>-]+", value) is None:
        return "ElastiCache takes letters, digits and ! & # $ ^ < > -"
    return None


def _snapshots(retention: int, window: str) -> str | None:
    return None if retention else f"a snapshot window ({window}) without snapshot_retention_days does nothing"


def _encrypted(at_rest: bool, _key: str) -> str | None:
    return None if at_rest else "a KMS key needs at_rest_encryption"


RULES: Final = (
    rule(_failover, "num_nodes", "automatic_failover"),
    rule(_failover_node, "node_type", "automatic_failover"),
    rule(_multi_az, "automatic_failover", "multi_az"),
    rule(_token_needs_tls, "transit_encryption", "auth_token"),
    rule(auth_token, "auth_token"),
    rule(_snapshots, "snapshot_retention_days", "snapshot_window"),
    rule(_encrypted, "at_rest_encryption", "kms_key"),
    rule(windows.at_least(60, windows.daily_span), "snapshot_window"),
    rule(windows.at_least(60, windows.weekly_span), "maintenance_window"),
    rule(windows.apart, "snapshot_window", "maintenance_window"),
)
"""Every cross-field rule of ``aws.cache_replication_group``."""


def tls_change(wanted: str | None, mode: str | None) -> dict[str, Any]:
    """What brings TLS nearer to the mode ``wanted``, None without: it comes and goes by way of ``preferred``, one step
    a call.

    >>> tls_change(None, "required"), tls_change(None, "preferred"), tls_change("required", "required")
    ({'TransitEncryptionMode': 'preferred'}, {'TransitEncryptionEnabled': False}, {})
    """
    if wanted is not None and mode is None:
        return {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "preferred"}
    if wanted is not None and mode != wanted:
        return {"TransitEncryptionMode": wanted}
    if wanted is None and mode == "required":
        return {"TransitEncryptionMode": "preferred"}
    if wanted is None and mode == "preferred":
        return {"TransitEncryptionEnabled": False}
    return {}
