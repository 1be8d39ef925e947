"""Where equality is not what the cloud means: the ``same(wanted, seen)`` functions that types share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provisioner.model import Key


def as_set(wanted: Iterable[str], seen: Iterable[str]) -> bool:
    """Order and repetition mean nothing.

    >>> as_set(["b", "a", "a"], ["a", "b"])
    True
    """
    return set(wanted) == set(seen)


def name(wanted: str, seen: str) -> bool:
    """Of a group of subnets or parameters, which RDS and ElastiCache store in lower case.

    >>> name("App-Settings", "app-settings")
    True
    """
    return wanted.lower() == seen.lower()


def at_least(wanted: int, seen: int) -> bool:
    """A minimum: what has grown by itself is as wanted."""
    return seen >= wanted


def by_region(keys: Sequence[Key]) -> dict[str, dict[str, Key]]:
    """Keys by region, then by name in lower case, as AWS stores the names of databases and caches."""
    found: dict[str, dict[str, Key]] = {}
    for key in keys:
        found.setdefault(key.region, {})[key.name.lower()] = key
    return found
