"""Ways to have the same for less, type by type. Whoever asks prices each; here is only what could be otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from provisioner.charge import Alternative, Uses

_GRAVITON: Final = {"t3": "t4g", "m5": "m6g", "m6i": "m6g", "r5": "r6g", "r6i": "r6g"}
"""Families of x86 processors, and those that do the same work on AWS's own."""
_SHORT_LOGS: Final = 14
"""Days that are enough to look into what happened."""
_OBJECTS_PER_GB: Final = Decimal(1000)
_REHEARSALS: Final = ("dev", "test", "stag", "sandbox", "preview")
"""How the names of environments begin that may be down for a while."""


def graviton(class_: str) -> str | None:
    """The Graviton class of the same size.

    >>> graviton("db.t3.micro"), graviton("cache.r5.large"), graviton("db.t4g.small")
    ('db.t4g.micro', 'cache.r6g.large', None)
    """
    kind, _, rest = class_.partition(".")
    family, _, size = rest.partition(".")
    return f"{kind}.{_GRAVITON[family]}.{size}" if family in _GRAVITON else None


def _rehearsal(outline: Any) -> bool:
    return (outline.plan.environment or "").startswith(_REHEARSALS)


def _chips(item: Any, field: str) -> Iterator[Alternative]:
    other = graviton(item.get(field, ""))
    if other:
        yield Alternative(
            id="cost.graviton",
            text=f"{other} instead of {item.get(field)}: the same size on Graviton",
            caution="a change of class restarts it",
            changes={field: other},
        )


def instance(item: Any, outline: Any, use: Uses) -> list[Alternative]:
    """A database: processors, kind of storage, a standby where nobody needs one."""
    made = list(_chips(item, "instance_class"))
    if item.get("storage_type") == "gp2":
        text = "gp3 instead of gp2: RDS asks the same for both, and gp3 has 3,000 IOPS at any size"
        made.append(Alternative(id="cost.gp3", text=text, changes={"storage_type": "gp3"}))
    elif item.get("storage_type") in ("io1", "io2") and (item.get("iops") or 0) <= 3000:
        text = f"gp3 instead of {item.get('storage_type')}: up to 3,000 IOPS are included"
        caution = "latency is less even"
        made.append(
            Alternative(id="cost.gp3", text=text, caution=caution, changes={"storage_type": "gp3", "iops": None})
        )
    if item.get("multi_az") and _rehearsal(outline):
        text = f"no standby in {outline.plan.environment}"
        made.append(
            Alternative(id="cost.standby", text=text, caution="down while AWS repairs", changes={"multi_az": False})
        )
    if item.get("performance_insights") and (item.get("performance_insights_retention_days") or 7) > 7:
        text = "7 days of Performance Insights, which are free"
        made.append(Alternative(id="cost.insights", text=text, changes={"performance_insights_retention_days": 7}))
    return made


def replication_group(item: Any, outline: Any, use: Uses) -> list[Alternative]:
    """A cache: processors, engine, replicas where nobody needs them."""
    made = list(_chips(item, "node_type"))
    if item.get("engine") == "redis" and str(item.get("engine_version", "")).startswith("7"):
        text = "Valkey instead of Redis: the same protocol for a fifth less"
        made.append(
            Alternative(
                id="cost.valkey", text=text, caution="another engine is another group", changes={"engine": "valkey"}
            )
        )
    if (item.get("num_nodes") or 1) > 1 and _rehearsal(outline):
        text = f"one node in {outline.plan.environment}"
        made.append(
            Alternative(id="cost.standby", text=text, caution="empty after a failure", changes={"num_nodes": 1})
        )
    return made


def log_group(item: Any, outline: Any, use: Uses) -> list[Alternative]:
    """Logs that are kept for longer than anybody looks at them."""
    days = item.get("retention_days")
    if days is None or 0 < days <= _SHORT_LOGS:
        return []
    said = f"{days} days" if days else "for ever"
    text = f"keep logs {_SHORT_LOGS} days instead of {said}"
    return [Alternative(id="cost.log-retention", text=text, changes={"retention_days": _SHORT_LOGS})]


def bucket(item: Any, outline: Any, use: Uses) -> list[Alternative]:
    """Objects that nobody reads any more: S3 finds them by itself."""
    rules = item.get("lifecycle") or []
    if any(
        move.get("storage_class") == "INTELLIGENT_TIERING" for rule in rules for move in rule.get("transitions", [])
    ):
        return []
    stored = use("storage_gb", "GB stored, old versions included")
    cold = use("infrequent_gb", "GB in the infrequent-access tiers") + stored / 2
    tiered = {"storage_gb": stored / 2, "infrequent_gb": cold, "tiered_objects": stored * _OBJECTS_PER_GB}
    return [
        Alternative(
            id="cost.intelligent-tiering",
            text="Intelligent-Tiering from the first day on, where half of it is not read for a month",
            caution="counted with objects of 1 MB; those below 128 kB stay where they are",
            assumed=tiered,
        )
    ]


def nat_gateway(item: Any, outline: Any, use: Uses) -> list[Alternative]:
    """One way out is enough where a zone may fail."""
    all_ = list(outline.of(item.type))
    if len(all_) < 2 or all_[0] is item:
        return []
    text = f"one NAT gateway instead of {len(all_)}: {item.step.name} is not needed"
    caution = f"all zones are cut off when the zone of {all_[0].step.name} fails, and traffic crosses zones"
    return [Alternative(id="cost.single-nat", text=text, caution=caution, drop=True)]
