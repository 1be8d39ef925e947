"""The engine versions and instance classes on offer.

Versions are PostgreSQL's numbers; what runs behind every one of them is the PostgreSQL that is installed, so
``SHOW server_version`` tells another. Minors that AWS no longer lets anybody create are known but refused.
"""

from __future__ import annotations

from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError

_MINORS: Final = {
    13: (21, 22, 23),
    14: (18, 19, 20, 21, 22, 23),
    15: (13, 14, 15, 16, 17, 18),
    16: (9, 10, 11, 12, 13, 14),
    17: (5, 6, 7, 8, 9, 10),
}
_OUT_OF_STANDARD_SUPPORT: Final = {13}
_GIB: Final = 1 << 30

_SIZES: Final = {
    "t3": {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32},
    "t4g": {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32},
    "m5": {"large": 8, "xlarge": 16, "2xlarge": 32, "4xlarge": 64, "8xlarge": 128, "12xlarge": 192},
    "m6i": {"large": 8, "xlarge": 16, "2xlarge": 32, "4xlarge": 64, "8xlarge": 128, "12xlarge": 192},
    "m6g": {"large": 8, "xlarge": 16, "2xlarge": 32, "4xlarge": 64, "8xlarge": 128, "12xlarge": 192},
    "m7g": {"large": 8, "xlarge": 16, "2xlarge": 32, "4xlarge": 64, "8xlarge": 128, "12xlarge": 192},
    "m7i": {"large": 8, "xlarge": 16, "2xlarge": 32, "4xlarge": 64, "8xlarge": 128, "12xlarge": 192},
    "r5": {"large": 16, "xlarge": 32, "2xlarge": 64, "4xlarge": 128, "8xlarge": 256, "12xlarge": 384},
    "r6g": {"large": 16, "xlarge": 32, "2xlarge": 64, "4xlarge": 128, "8xlarge": 256, "12xlarge": 384},
    "r6i": {"large": 16, "xlarge": 32, "2xlarge": 64, "4xlarge": 128, "8xlarge": 256, "12xlarge": 384},
    "r7g": {"large": 16, "xlarge": 32, "2xlarge": 64, "4xlarge": 128, "8xlarge": 256, "12xlarge": 384},
}
CLASSES: Final = {f"db.{family}.{size}": gib * _GIB for family, sizes in _SIZES.items() for size, gib in sizes.items()}
"""Memory in bytes of every instance class."""

GP3_FREE_FROM: Final = 400
"""GiB from which gp3 of PostgreSQL has four times the baseline, and IOPS and throughput of one's choice."""

STORAGE_TYPES: Final = ("gp2", "gp3", "io1", "io2")


def versions() -> list[str]:
    """Every version that can be created, oldest first."""
    return [f"{major}.{minor}" for major, minors in _MINORS.items() for minor in minors]


def majors() -> list[int]:
    """Every major version on offer."""
    return list(_MINORS)


def family(version: str) -> str:
    """The parameter group family of a version."""
    return f"postgres{version.partition('.')[0]}"


def families() -> list[str]:
    """Every parameter group family."""
    return [f"postgres{major}" for major in _MINORS]


def default_version(major: int | None = None) -> str:
    """The version that AWS takes when none, or the major alone, is given."""
    chosen = major if major is not None else max(_MINORS)
    return f"{chosen}.{_MINORS[chosen][-1]}"


def resolve(wish: str | None, *, extended_support: bool) -> str:
    """The full version for what a caller asked for; AwsError when it cannot be created."""
    if not wish:
        return default_version()
    major_text, dot, _ = wish.partition(".")
    major = int(major_text) if major_text.isdigit() else 0
    version = wish if dot else default_version(major) if major in _MINORS else wish
    if version not in versions():
        raise AwsError("InvalidParameterCombination", f"Cannot find version {wish} for postgres")
    if major in _OUT_OF_STANDARD_SUPPORT and not extended_support:
        raise AwsError(
            "InvalidParameterCombination",
            f"PostgreSQL {major} has reached the end of standard support; it needs EngineLifecycleSupport "
            "open-source-rds-extended-support",
        )
    return version


def upgrade_targets(version: str) -> list[dict[str, Any]]:
    """ValidUpgradeTarget of a version: later minors of its major, and the minors of later majors."""
    key = _number(version)
    later = [v for v in versions() if _number(v) > key]
    return [
        {
            "Engine": "postgres",
            "EngineVersion": v,
            "Description": f"PostgreSQL {v}-R1",
            "AutoUpgrade": v == default_version(_number(v)[0]) and _number(v)[0] == key[0],
            "IsMajorVersionUpgrade": _number(v)[0] != key[0],
        }
        for v in later
    ]


def _number(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def is_downgrade(old: str, new: str) -> bool:
    """Whether ``new`` is older than ``old``."""
    return _number(new) < _number(old)


def is_major_upgrade(old: str, new: str) -> bool:
    """Whether ``new`` is of a later major than ``old``."""
    return _number(new)[0] > _number(old)[0]
