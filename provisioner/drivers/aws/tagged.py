"""Tags of many objects for a few calls, where that is as good as asking for each.

Two things are known without asking the service for the tags of every single object:

1. The tags that a create of this session carried, once AWS has taken it: :func:`born` notes them, the first reads after
   it use them, and the read that shows the object ready is the last to do so.
2. What the Resource Groups Tagging API lists. It lags behind by a while that AWS does not name, so its word counts
   only while the session is glancing (a preview, a look for drift): what it shows is then believed, and what it does
   not show is asked for singly.

Weakness: tags that others changed within the lag are told as they were. An identity that may not call the API loses
nothing but calls.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from provisioner.drivers.aws import tags
from provisioner.drivers.aws.page import chunks
from provisioner.drivers.aws.session import AwsSession
from provisioner.errors import CloudError
from provisioner.model import OWNER_TAG

_BIRTHS: Final = "tags at birth"
_LISTS: Final = "tagged objects"
_PAGES: Final = 20
"""Pages of 100 of all that carries an owner's tag in a region; who has more is asked by ARN."""
_BY_ARN: Final = 100
"""ARNs that one call takes."""
_FRESH: Final = 10.0
"""Seconds for which a list is used."""


def born(session: AwsSession, arn: str, marks: Mapping[str, str]) -> None:
    """Notes the tags of an object that AWS has just made with them."""
    session.memory(_BIRTHS)[arn] = dict(marks)


def forget(session: AwsSession, arn: str) -> None:
    """The object is ready, or its tags change, or it goes: from now on they are asked for."""
    session.memory(_BIRTHS).pop(arn, None)


def known(session: AwsSession, arn: str, region: str) -> dict[str, str] | None:
    """All tags of an object, or None where its service must be asked."""
    marks: dict[str, str] | None = session.memory(_BIRTHS).get(arn)
    if marks is not None:
        return marks
    return _listed(session, region).get(arn) if session.glancing else None


def owned(session: AwsSession, region: str, prefix: str, owner: str) -> list[str]:
    """ARNs beginning with ``prefix`` of what carries this owner's tag; empty where it is not known."""
    if not session.glancing:
        return []
    listed = _listed(session, region).items()
    return sorted(arn for arn, marks in listed if arn.startswith(prefix) and tags.owner(marks) == owner)


def known_of_many(session: AwsSession, arns: Iterable[str], region: str) -> dict[str, dict[str, str]]:
    """The same for many; those that it lacks must be asked for."""
    found: dict[str, dict[str, str]] = {}
    unknown = []
    for arn in arns:
        marks = known(session, arn, region)
        if marks is None:
            unknown.append(arn)
        else:
            found[arn] = marks
    if session.glancing and len(unknown) > 1 and _allowed(session, region):
        for some in chunks(unknown, _BY_ARN):
            found |= _get(session, region, ResourceARNList=some)[0]
    return found


def _listed(session: AwsSession, region: str) -> Mapping[str, dict[str, str]]:
    """What carries anybody's ownership tag, asked for once."""
    place = _place(session, region)
    with place["lock"]:
        if "at" not in place or time.monotonic() - place["at"] > _FRESH:
            place["listed"] = _fetch(session, region)
            place["at"] = time.monotonic()
    found: Mapping[str, dict[str, str]] = place["listed"]
    return found


def _fetch(session: AwsSession, region: str) -> dict[str, dict[str, str]]:
    what: dict[str, Any] = {"TagFilters": [{"Key": OWNER_TAG}], "ResourcesPerPage": 100}
    found: dict[str, dict[str, str]] = {}
    token = ""
    for _ in range(_PAGES):
        some, token = _get(session, region, **what, **({"PaginationToken": token} if token else {}))
        found |= some
        if not token:
            break
    return found


def _get(session: AwsSession, region: str, **what: Any) -> tuple[dict[str, dict[str, str]], str]:
    """One call; nothing where it is refused: then each service is asked."""
    if not _allowed(session, region):
        return {}, ""
    try:
        answer = session.call("resourcegroupstaggingapi", "get_resources", region=region, **what)
    except CloudError:
        _place(session, region)["refused"] = True
        return {}, ""
    listed = answer.get("ResourceTagMappingList") or ()
    found = {str(item["ResourceARN"]).removesuffix(":*"): tags.from_list(item.get("Tags")) for item in listed}
    return found, str(answer.get("PaginationToken") or "")


def _allowed(session: AwsSession, region: str) -> bool:
    return "refused" not in _place(session, region)


def _place(session: AwsSession, region: str) -> dict[str, Any]:
    place: dict[str, Any] = session.memory(_LISTS).setdefault(region or session.region, {"lock": threading.Lock()})
    return place
