"""What ElastiCache bills: each node by the hour, and snapshots by their size; the price list ``aws.elasticache``."""

from __future__ import annotations

from typing import Any

from provisioner.charge import Charge, Uses, hours, months


def replication_group(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """Its nodes, the primary and each replica alike, and the daily snapshots."""
    engine, kind = item.get("engine", "redis"), item.get("node_type", "")
    made = [hours(f"aws.elasticache/{engine}/{kind}", kind or "node of an unknown type", item.get("num_nodes", 1))]
    if item.get("snapshot_retention_days"):
        gb = use("snapshot_gb", "GB of snapshots kept, all together")
        made.append(months("aws.elasticache/backup", "snapshots", gb))
    return made
