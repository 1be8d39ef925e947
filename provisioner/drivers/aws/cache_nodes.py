"""The nodes of a replication group, which tell half of its settings: one call for one, the account's list for more."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from provisioner.drivers.aws.session import AwsSession
from provisioner.errors import NotFoundError
from provisioner.model import Key


def of(session: AwsSession, key: Key, group: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The description of each that is there; of several the list of all is asked, page by page until all are told."""
    missing = set(group.get("MemberClusters", ()))
    found: list[Mapping[str, Any]] = []
    if not missing:
        return found
    only = {"CacheClusterId": next(iter(missing))} if len(missing) == 1 else {}
    place: dict[str, Any] = {"what": key.name, "region": key.region, "ShowCacheNodeInfo": True}
    with suppress(NotFoundError):  # it goes, or comes
        for node in session.pages("elasticache", "describe_cache_clusters", "CacheClusters", **place, **only):
            if node["CacheClusterId"] in missing:
                found.append(node)
                missing.remove(node["CacheClusterId"])
            if not missing:
                break
    return found
