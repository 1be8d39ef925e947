"""Which versions of PostgreSQL can be had: what a plan's "15" is today, and whether its "15.4" can still be made.

RDS itself takes "15" for a default of its own choice, not for the newest minor, and says of a minor that it no longer
makes no more than "Cannot find version". So it is asked for its list before: of a family for what is made, of the
version that runs for where that can be upgraded to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from provisioner.drivers.aws.session import AwsSession
from provisioner.errors import NotOfferedError
from provisioner.model import Key

_ENGINE: Final = "postgres"


def creatable(session: AwsSession, key: Key, wish: str) -> str:
    """The version to make for ``wish`` (15, or 15.13): the newest minor, or the very one; NotOfferedError."""
    major = wish.partition(".")[0]
    offered = listed(session, key, major)
    if not offered:
        majors = sorted({version.partition(".")[0] for version in listed(session, key)}, key=int)
        raise NotOfferedError(
            f"engine_version {wish}: {key.region} offers no PostgreSQL {major}",
            where=f"rds {key.name}",
            hint=f"write one of {', '.join(majors)}" if majors else "choose another region",
        )
    return _chosen(wish, offered, key, f"cannot be made in {key.region}")


def upgradable(session: AwsSession, key: Key, wish: str, have: str) -> str:
    """The version to upgrade ``have`` (14.19) to for ``wish``; NotOfferedError where RDS has no way there."""
    answer = session.call(
        "rds",
        "describe_db_engine_versions",
        what=key.name,
        region=key.region,
        Engine=_ENGINE,
        EngineVersion=have,
        IncludeAll=True,  # what runs may be long past the day when it could be made
    )
    found: Mapping[str, Any] = next((one for one in answer["DBEngineVersions"] if one["EngineVersion"] == have), {})
    targets = [str(one["EngineVersion"]) for one in found.get("ValidUpgradeTarget", ())]
    return _chosen(wish, targets, key, f"is not what {have} can be upgraded to")


def _chosen(wish: str, offered: Sequence[str], key: Key, trouble: str) -> str:
    major, dot, _ = wish.partition(".")
    same = [version for version in offered if version.partition(".")[0] == major]
    if wish in same or (same and not dot):
        return wish if dot else newest(same)
    use = f"{newest(same)}, the newest, or {major}, which is the newest" if same else _listing(offered)
    raise NotOfferedError(f"engine_version {wish} {trouble}", where=f"rds {key.name}", hint=f"write {use}")


def _listing(offered: Sequence[str]) -> str:
    """The newest minor of every major.

    >>> _listing(["15.8", "15.13", "16.9"])
    'one of 15.13, 16.9'
    """
    best: dict[str, str] = {}
    for version in sorted(offered, key=number):
        best[version.partition(".")[0]] = version
    return f"one of {', '.join(best.values())}" if best else "the version that it has"


def newest(versions: Sequence[str]) -> str:
    """By number, not by letter.

    >>> newest(["15.8", "15.13"])
    '15.13'
    """
    return max(versions, key=number)


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())


def listed(session: AwsSession, key: Key, major: str = "") -> list[str]:
    """The versions of a major, or of all, that can be made in the region; asked once a session."""
    memory = session.memory("rds versions")
    asked = f"{key.region} {major}"
    if asked not in memory:
        family = {"DBParameterGroupFamily": f"{_ENGINE}{major}"} if major else {}
        found = session.pages(
            "rds", "describe_db_engine_versions", "DBEngineVersions", what=key.name, region=key.region,
            Engine=_ENGINE, **family,
        )  # fmt: skip
        memory[asked] = [str(one["EngineVersion"]) for one in found if _available(one)]
    versions: list[str] = memory[asked]
    return versions


def _available(version: Mapping[str, Any]) -> bool:
    return bool(version.get("Status", "available") == "available")
