"""Caches: what must fit together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provisioner.preflight.book import CACHE_GUIDE, rule
from provisioner.preflight.rds import number
from provisioner.rules.facts import size_of
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, on

GROUPS: Final = ("aws.cache_replication_group",)
_FAMILIES: Final = {"redis": {6: "redis6.x", 7: "redis7"}, "valkey": {7: "valkey7", 8: "valkey8"}}


@rule(
    "cache.family",
    Level.ERROR,
    source=f"{CACHE_GUIDE}/ParameterGroups.Engine.html",
    hint="the family must be that of the engine and its version",
)
def family(look: Look) -> Iterator[Hit]:
    """A cache and its parameter group are of different versions."""
    for item in look.outline.of(*GROUPS):
        group = look.outline.link(item, "parameter_group", "aws.cache_parameter_group")
        version = number(item.get("engine_version", ""))
        wanted = _FAMILIES.get(item.get("engine", ""), {}).get(version[0]) if version else None
        if group is not None and wanted and group.get("family") not in (None, wanted):
            message = f"{group.step.name} is of {group.get('family')}, the cache takes {wanted}"
            yield on(item, "parameter_group", message)


@rule(
    "cache.node-unknown",
    Level.WARNING,
    source=f"{CACHE_GUIDE}/CacheNodes.SupportedTypes.html",
    hint="check its spelling",
)
def node_unknown(look: Look) -> Iterator[Hit]:
    """A node type is not in the table, so that its memory cannot be judged."""
    for item in look.outline.of(*GROUPS):
        name = item.get("node_type", "")
        if name and size_of(name) is None:
            yield on(item, "node_type", f"{name} is not among the node types that are known here")


@rule(
    "cache.same-window",
    Level.WARNING,
    source=f"{CACHE_GUIDE}/backups-automatic.html",
    hint="give the database and the cache windows of their own",
)
def together(look: Look) -> Iterator[Hit]:
    """Database and cache are maintained in the same hour, so that both may be away at once."""
    databases = {item.get("maintenance_window"): item for item in look.outline.of("aws.rds_instance")}
    for item in look.outline.of(*GROUPS):
        window = item.get("maintenance_window")
        other = databases.get(window) if window else None
        if other is not None:
            yield on(item, "maintenance_window", f"{window} is the window of {other.step.name} too")


@rule(
    "cache.node-previous",
    Level.WARNING,
    source=f"{CACHE_GUIDE}/CacheNodes.SupportedTypes.html",
    hint="take cache.t4g or cache.t3, which cost less",
)
def previous(look: Look) -> Iterator[Hit]:
    """A cache runs on nodes of a previous generation."""
    for item in look.outline.of(*GROUPS):
        name = item.get("node_type", "")
        if name and name.split(".")[1] in ("t1", "t2", "m3", "m4", "r3", "r4"):
            yield on(item, "node_type", f"{name} is of a previous generation")


@rule(
    "cache.evicts-nothing",
    Level.WARNING,
    source=f"{CACHE_GUIDE}/ParameterGroups.Engine.html",
    hint="maxmemory-policy: allkeys-lru for a cache; noeviction is for a store whose size you watch",
)
def evicts_nothing(look: Look) -> Iterator[Hit]:
    """A full cache refuses writes instead of dropping what was not used for long."""
    for group in look.outline.of("aws.cache_parameter_group"):
        values = group.values.get("parameters") or {}
        if isinstance(values, dict) and values.get("maxmemory-policy") == "noeviction":
            yield Hit(group, ("parameters", "maxmemory-policy"), "noeviction: writes fail once its memory is full")
