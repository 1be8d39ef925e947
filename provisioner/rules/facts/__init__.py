"""Facts that rules measure plans by, as dated tables with their source: read when a rule first needs them.

``classes``               vCPUs and memory of instance classes and cache nodes
``postgres_parameters``   names, units and ranges; ``redis_parameters`` likewise
``versions``              what can still be created, and until when it is supported
``metrics``               unit, bad side, bounds and conditions of CloudWatch's metrics
``weak_passwords``        words that a password must not be made of

Weakness: a table is as old as its date. Where a cloud can be asked, rules that are ``online`` ask it.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

GIB = 1 << 30


@functools.cache
def table(name: str) -> Any:
    """A table by its name; for reading only."""
    return msgspec.json.decode(Path(__file__).with_name(f"{name}.json").read_bytes())


class Size(NamedTuple):
    """``memory`` in bytes."""

    vcpus: int
    memory: int


def size_of(instance_class: str) -> Size | None:
    """Of ``db.t3.micro`` or ``cache.t3.micro``; None for one that is not in the table.

    >>> size_of("db.t3.micro")
    Size(vcpus=2, memory=1073741824)
    """
    kind, _, rest = instance_class.partition(".")
    family, _, size = rest.partition(".")
    found = table("classes").get(kind, {}).get("families", {}).get(family, {}).get(size)
    return Size(int(found[0]), int(found[1] * GIB)) if found else None


class Parameter(NamedTuple):
    """``allowed``: ``low-high``, words with commas, or nothing where any text goes. ``unit``: kB, 8kB, MB, ms, s …"""

    name: str
    apply: str
    kind: str
    allowed: str
    unit: str = ""


def parameters_of(family: str) -> dict[str, Parameter]:
    """Those of ``postgres15`` or ``redis7`` that are known, by name; nothing for a family that is not."""
    if family.startswith("postgres"):
        major = int(family.removeprefix("postgres"))
        rows = table("postgres_parameters")["parameters"].items()
        return {
            name: Parameter(name, row["apply"], row["kind"], row["allowed"], row["unit"])
            for name, row in rows
            if row["since"] <= major
        }
    rows = table("redis_parameters")["parameters"].items()
    return {
        name: Parameter(name, row["apply"], row["kind"], row["allowed"])
        for name, row in rows
        if family.removesuffix(".x") in row["families"]
    }
