"""A snapshot before an update that nothing takes back: of the engine's version, or of the kind of storage.

It is taken by a call of its own and found again by its tag, so a run that dies meanwhile takes no second one; until it
is there the update says that the instance is busy with it, and the engine comes back. It is kept: when it is no longer
wanted is for a person to say.

Weakness: one that was taken for the same change within the last hour counts, whatever was written since.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from provisioner.drivers.aws import tags
from provisioner.drivers.aws.session import AwsSession
from provisioner.errors import BusyError, InvalidRequestError
from provisioner.model import Key

MARK: Final = "provisioner:before"
"""Tag of such a snapshot: what was to be changed, from what to what."""
_RISKY: Final = {"EngineVersion": "engine-version", "StorageType": "storage-type"}
"""Request field → word in the snapshot's name."""
_FRESH: Final = timedelta(hours=1)


def risky(changes: Mapping[str, Any], instance: Mapping[str, Any]) -> dict[str, str]:
    """Word → ``from > to`` of those changes that a snapshot goes before; empty where none does.

    >>> risky({"EngineVersion": "15.8", "MultiAZ": True}, {"EngineVersion": "15.7", "MultiAZ": False})
    {'engine-version': '15.7 > 15.8'}
    """
    found = {word: (instance.get(field), changes[field]) for field, word in _RISKY.items() if field in changes}
    return {word: f"{have} > {want}" for word, (have, want) in found.items() if have != want}


def guard(session: AwsSession, key: Key, reasons: Mapping[str, str]) -> None:
    """Returns once there is a snapshot of before these changes; BusyError while it is being taken."""
    mark = ", ".join(f"{word} {change}" for word, change in reasons.items())
    place: dict[str, Any] = {"what": key.name, "region": key.region}
    found = _taken(session, key, mark, place)
    if found is None:
        name = f"{key.name}-before-{'-'.join(reasons)}-{datetime.now(UTC):%Y%m%d%H%M%S}"
        session.call(
            "rds",
            "create_db_snapshot",
            DBInstanceIdentifier=key.name,
            DBSnapshotIdentifier=name,
            Tags=tags.to_list({**tags.mark(key), MARK: mark}),
            **place,
        )
        raise BusyError(f"snapshot {name} is taken first, and kept", where=f"rds {key.name}")
    name, status = found["DBSnapshotIdentifier"], found["Status"]
    if status == "failed":
        raise InvalidRequestError(
            f"snapshot {name}, which was to be taken before {mark}, has failed",
            where=f"rds {key.name}",
            hint="delete it and deploy again, or say snapshot_before_update: false",
        )
    if status != "available":
        raise BusyError(f"snapshot {name} is taken first, and kept", where=f"rds {key.name}")


def _taken(session: AwsSession, key: Key, mark: str, place: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The newest one that was begun for this very change, and is being made or was a moment ago."""
    pages = session.pages(
        "rds", "describe_db_snapshots", "DBSnapshots", DBInstanceIdentifier=key.name, SnapshotType="manual", **place
    )
    ours = [one for one in pages if tags.from_list(one.get("TagList")).get(MARK) == mark]
    now = datetime.now(UTC)
    usable = [one for one in ours if one["Status"] != "available" or now - one["SnapshotCreateTime"] < _FRESH]
    return max(usable, key=lambda one: one.get("SnapshotCreateTime") or now, default=None)
