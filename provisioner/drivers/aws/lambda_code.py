"""The code of a Lambda function: what is sent, and where earlier code comes from when a change is undone.

The plan's folder is on disk; the code before it may not be any more. So before code is replaced, what runs is published
as a version, and an undo takes the code from the version with the wanted digest. The latest :data:`KEPT` such versions
are kept; those that somebody else published are never touched.

A version keeps its network, too, and with it the security groups. A change of the network therefore lets go of the
versions in another one: what is kept then is the code that ran last, and earlier code is to be had from its folder.
"""

from __future__ import annotations

import base64
import hashlib
import urllib.error
import urllib.request
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from provisioner import folder
from provisioner.drivers.aws.session import AwsSession
from provisioner.errors import ConnectionFailedError, InvalidRequestError, NotFoundError
from provisioner.model import Key

KEPT: Final = 3
"""Versions of earlier code that are kept."""
_MARK: Final = "kept by provisioner before "
_MOST: Final = 50 * 1024 * 1024
_PATIENCE: Final = 60.0
"""Seconds for the download of earlier code."""


def hexadecimal(code_sha256: str) -> str:
    """Lambda's CodeSha256, which is in base 64, as digests are written elsewhere."""
    return base64.b64decode(code_sha256).hex()


def package(session: AwsSession, key: Key, code: str) -> bytes:
    """The zip file for a spec's ``code``: from its folder, or else from a version of the function that has it."""
    try:
        data = folder.packed(code)
    except FileNotFoundError as err:
        data = _published(session, key, folder.digest(code), str(err))
    if len(data) > _MOST:
        raise InvalidRequestError(
            f"the code has {len(data) // 1024 // 1024} MB, and Lambda takes {_MOST // 1024 // 1024} MB directly",
            where=f"lambda {key.name}",
            hint="leave out what the function does not need, or put libraries into a layer",
        )
    return data


def keep(session: AwsSession, key: Key, running: Mapping[str, Any], code: str) -> None:
    """Publishes what runs now, before ``code`` takes its place; then lets go of all but the latest."""
    _call(session, "publish_version", key, CodeSha256=running["CodeSha256"], Description=_MARK + folder.digest(code))
    kept = sorted(_kept(session, key), key=lambda version: int(version["Version"]))
    _let_go(session, key, kept[:-KEPT])


def let_go_of_other_networks(session: AwsSession, key: Key, groups: Collection[str]) -> None:
    """Deletes the versions that hold security groups which the function itself does not wear any more."""
    _let_go(session, key, [one for one in _kept(session, key) if not _groups(one) <= set(groups)])


def _groups(version: Mapping[str, Any]) -> set[str]:
    return set((version.get("VpcConfig") or {}).get("SecurityGroupIds") or ())


def _kept(session: AwsSession, key: Key) -> list[Mapping[str, Any]]:
    return [one for one in _versions(session, key) if str(one.get("Description", "")).startswith(_MARK)]


def _versions(session: AwsSession, key: Key) -> list[Mapping[str, Any]]:
    found = session.pages(
        "lambda", "list_versions_by_function", "Versions", what=key.name, region=key.region, FunctionName=key.name
    )
    return [one for one in found if one["Version"] != "$LATEST"]


def _let_go(session: AwsSession, key: Key, versions: Iterable[Mapping[str, Any]]) -> None:
    for version in versions:
        with suppress(NotFoundError):
            _call(session, "delete_function", key, Qualifier=version["Version"])


def _published(session: AwsSession, key: Key, digest: str, why: str) -> bytes:
    with suppress(NotFoundError):
        for version in _versions(session, key):
            if hexadecimal(version["CodeSha256"]) == digest:
                found = _call(session, "get_function", key, Qualifier=version["Version"])
                return _download(key, found["Code"]["Location"], digest)
    raise InvalidRequestError(
        f"{why}, and no version of the function has it",
        where=f"lambda {key.name}",
        hint="check out the code as it was and deploy from there",
    )


def _download(key: Key, location: str, digest: str) -> bytes:
    where = f"lambda {key.name}"
    try:
        with urllib.request.urlopen(location, timeout=_PATIENCE) as answer:
            data: bytes = answer.read(_MOST + 1)
    except (urllib.error.URLError, OSError) as err:  # the address is signed, so it is not told
        raise ConnectionFailedError("the code of a published version cannot be downloaded", where=where) from err
    if hashlib.sha256(data).hexdigest() != digest:
        raise InvalidRequestError("what was downloaded is not the code of that version", where=where)
    return data


def _call(session: AwsSession, operation: str, key: Key, **parameters: Any) -> Any:
    return session.call("lambda", operation, what=key.name, region=key.region, FunctionName=key.name, **parameters)
