"""Engines, versions and node types of ElastiCache.

Versions are those of Redis and Valkey; what runs behind every one of them is the Valkey that is installed.
"""

from __future__ import annotations

from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.elasticache.state import CacheRegion
from provisioner.sandbox.aws.strict import Params, Result, page

_VERSIONS: Final = {
    "redis": {
        "6.0": ("6.0.5", "redis6.x"),
        "6.2": ("6.2.6", "redis6.x"),
        "7.0": ("7.0.7", "redis7"),
        "7.1": ("7.1.0", "redis7"),
    },
    "valkey": {"7.2": ("7.2.6", "valkey7"), "8.0": ("8.0.1", "valkey8"), "8.1": ("8.1.0", "valkey8")},
}
FAMILIES: Final = ("redis6.x", "redis7", "valkey7", "valkey8")
_GIB: Final = 1 << 30
_MIB: Final = 1 << 20

NODE_TYPES: Final = {
    "cache.t2.micro": 555 * _MIB, "cache.t2.small": 1587 * _MIB, "cache.t2.medium": 3301 * _MIB,
    "cache.t3.micro": 512 * _MIB, "cache.t3.small": 1403 * _MIB, "cache.t3.medium": 3164 * _MIB,
    "cache.t4g.micro": 512 * _MIB, "cache.t4g.small": 1403 * _MIB, "cache.t4g.medium": 3164 * _MIB,
    **{f"cache.{family}.{size}": gib * _GIB
       for family, sizes in {
           "m5": {"large": 6, "xlarge": 13, "2xlarge": 26, "4xlarge": 52},
           "m6g": {"large": 6, "xlarge": 13, "2xlarge": 26, "4xlarge": 52},
           "m7g": {"large": 6, "xlarge": 13, "2xlarge": 26, "4xlarge": 52},
           "r5": {"large": 13, "xlarge": 26, "2xlarge": 53, "4xlarge": 106},
           "r6g": {"large": 13, "xlarge": 26, "2xlarge": 53, "4xlarge": 106},
           "r7g": {"large": 13, "xlarge": 26, "2xlarge": 53, "4xlarge": 106},
       }.items() for size, gib in sizes.items()},
}  # fmt: skip
"""Memory in bytes of every node type."""


def resolve(engine: str, wish: str | None) -> tuple[str, str]:
    """The full version and the parameter group family; AwsError for an engine or version that is not on offer."""
    if engine not in _VERSIONS:
        raise AwsError("InvalidParameterValue", f"Invalid Engine {engine}: the sandbox offers {', '.join(_VERSIONS)}")
    offered = _VERSIONS[engine]
    if not wish:
        return offered[max(offered)]
    if wish in offered:
        return offered[wish]
    if wish in ("6.x", "6") and engine == "redis":
        return offered["6.2"]
    if wish.isdigit():
        latest = [short for short in offered if short.partition(".")[0] == wish]
        if latest:
            return offered[max(latest)]
    for full, family in offered.values():
        if full == wish:
            return full, family
    raise AwsError("InvalidParameterCombination", f"Cannot find version {wish} for {engine}")


def describe_versions(region: CacheRegion, p: Params, call: Call) -> Result:
    """DescribeCacheEngineVersions."""
    found = [
        (engine, full, family)
        for engine, offered in _VERSIONS.items()
        for full, family in offered.values()
        if p.get("Engine", engine) == engine
        and full.startswith(p.get("EngineVersion", ""))
        and p.get("CacheParameterGroupFamily", family) == family
    ]
    shown, marker = page(found, p, "|".join)
    views: list[dict[str, Any]] = [
        {
            "Engine": engine,
            "EngineVersion": full,
            "CacheParameterGroupFamily": family,
            "CacheEngineDescription": engine.capitalize(),
            "CacheEngineVersionDescription": f"{engine} version {full}",
        }
        for engine, full, family in shown
    ]
    return {"CacheEngineVersions": views, "Marker": marker}
