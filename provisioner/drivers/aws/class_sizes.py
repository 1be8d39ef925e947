"""How many vCPUs and how much memory the classes of databases and nodes of caches have, as far as names tell.

AWS's families follow a rule: a size has its number of vCPUs, a family its memory for each. What does not (the burstable
small ones) stands in a table.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Size(NamedTuple):
    """``memory`` in GiB."""

    vcpus: int
    memory: float


_SMALL: Final = {
    "db.t2.micro": Size(1, 1), "db.t2.small": Size(1, 2), "db.t2.medium": Size(2, 4), "db.t2.large": Size(2, 8),
    "cache.t2.micro": Size(1, 0.555), "cache.t2.small": Size(1, 1.55), "cache.t2.medium": Size(2, 3.22),
    "cache.t3.micro": Size(2, 0.5), "cache.t3.small": Size(2, 1.37), "cache.t3.medium": Size(2, 3.09),
    "cache.t4g.micro": Size(2, 0.5), "cache.t4g.small": Size(2, 1.37), "cache.t4g.medium": Size(2, 3.09),
}  # fmt: skip
_BURSTABLE: Final = {"micro": 1.0, "small": 2.0, "medium": 4.0, "large": 8.0, "xlarge": 16.0, "2xlarge": 32.0}
_BURSTABLE_VCPUS: Final = {"xlarge": 4, "2xlarge": 8}
_PER_VCPU: Final = {"c": 2.0, "m": 4.0, "r": 8.0, "x": 16.0}
"""GiB of memory for each vCPU, by the family's first letter."""


def size_of(name: str) -> Size | None:
    """Of a class (``db.r6g.xlarge``) or node type (``cache.t3.small``); None where the name is of no known family.

    >>> size_of("db.t3.small"), size_of("db.r6g.xlarge"), size_of("cache.t2.micro"), size_of("db.huge")
    (Size(vcpus=2, memory=2.0), Size(vcpus=4, memory=32.0), Size(vcpus=1, memory=0.555), None)
    """
    if name in _SMALL:
        return _SMALL[name]
    service, _, rest = name.partition(".")
    family, _, size = rest.partition(".")
    if service == "db" and family in ("t3", "t4g") and size in _BURSTABLE:
        return Size(_BURSTABLE_VCPUS.get(size, 2), _BURSTABLE[size])
    vcpus = 2 if size == "large" else 4 * int(size.removesuffix("xlarge") or 1) if _is_xlarge(size) else 0
    per = _PER_VCPU.get(family[:1])
    return Size(vcpus, vcpus * per) if vcpus and per and family[1:2].isdigit() else None


def _is_xlarge(size: str) -> bool:
    number = size.removesuffix("xlarge")
    return size.endswith("xlarge") and (not number or number.isdigit())
