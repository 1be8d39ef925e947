"""Our Azure Blob server against Azurite, which other people wrote: the same requests get the same answers.

Where they differ on purpose, ``_OURS`` says what ours answers and why; the rest must agree in status, error code and
the headers that clients act on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pytest

from tests.remote.stores import Answer, ObjectStore

_BLOCK: Final = {"x-ms-blob-type": "BlockBlob"}
_FAR: Final = "Fri, 01 Jan 2100 00:00:00 GMT"
_PAST: Final = "Sat, 01 Jan 2000 00:00:00 GMT"
_HEADERS: Final = (
    "etag", "last-modified", "x-ms-blob-type", "x-ms-error-code", "content-range", "content-type", "content-md5", "www-authenticate",
    "x-ms-blob-public-access", "x-ms-lease-state", "x-ms-lease-status",
)  # fmt: skip


class Box:
    """A new container, and how requests to it are sent."""

    def __init__(self, store: ObjectStore, public: str = "") -> None:
        self.store = store
        self.path = store.at(store.bucket(public=public == "container")).removeprefix(f"/{store.account}")
        if public == "blob":
            self("PUT", "?restype=container&comp=acl", headers={"x-ms-blob-public-access": "blob"})

    def __call__(self, method: str, rest: str, data: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        return self.store.signed(method, self.path + rest, data, headers)

    def put(self, key: str = "k", data: bytes = b"0123456789", **headers: str) -> Answer:
        """Put Blob; the names of headers with ``_`` for ``-``."""
        return self("PUT", f"/{key}", data, headers=_BLOCK | {n.replace("_", "-"): v for n, v in headers.items()})

    def get(self, key: str = "k", **headers: str) -> Answer:
        """Get Blob."""
        return self("GET", f"/{key}", headers={n.replace("_", "-"): v for n, v in headers.items()})

    def head(self, key: str = "k", **headers: str) -> Answer:
        """Get Blob Properties."""
        return self("HEAD", f"/{key}", headers={n.replace("_", "-"): v for n, v in headers.items()})

    def delete(self, key: str = "k", **headers: str) -> Answer:
        """Delete Blob."""
        return self("DELETE", f"/{key}", headers={n.replace("_", "-"): v for n, v in headers.items()})

    def anonymous(self, method: str, rest: str, **headers: str) -> Answer:
        """A request that nobody signed."""
        sent = _BLOCK | {n.replace("_", "-"): v for n, v in headers.items()}
        data = b"x" if method == "PUT" else None
        return self.store.raw(method, f"/{self.store.account}{self.path}{rest}", sent, data)


def _stale(box: Box) -> str:
    tag = box.put().headers["etag"]
    box.put(data=b"other")
    return tag


def _fresh(box: Box) -> str:
    return box.put().headers["etag"]


def _some(box: Box) -> Box:
    for key in ("a", "b/1", "b/2", "c"):
        box.put(key)
    return box


_CASES: Final[dict[str, Callable[[Box], Answer]]] = {
    "create": lambda b: b.put(),
    "create only, new": lambda b: b.put(if_none_match="*"),
    "create only, there": lambda b: (b.put(), b.put(if_none_match="*"))[1],
    "put if match": lambda b: b.put(if_match=_fresh(b)),
    "put if match, no quotes": lambda b: b.put(if_match=_fresh(b).strip('"')),
    "put if match, stale": lambda b: b.put(if_match=_stale(b)),
    "put if match, nothing there": lambda b: b.put(if_match='"0x8D00000000000"'),
    "put if match any, nothing there": lambda b: b.put(if_match="*"),
    "put if match any, there": lambda b: (b.put(), b.put(if_match="*"))[1],
    "put if none match, same": lambda b: b.put(if_none_match=_fresh(b)),
    "put if none match, other": lambda b: b.put(if_none_match=_stale(b)),
    "put if match, two tags": lambda b: b.put(if_match=f'{_fresh(b)}, "0x8D0"'),
    "put if modified since, far": lambda b: (b.put(), b.put(if_modified_since=_FAR))[1],
    "put if unmodified since, past": lambda b: (b.put(), b.put(if_unmodified_since=_PAST))[1],
    "put without a type": lambda b: b("PUT", "/k", b"x"),
    "put with a wrong md5": lambda b: b.put(content_md5="1B2M2Y8AsgTpgAmY7PhCfg=="),
    "get": lambda b: (b.put(), b.get())[1],
    "get nothing": lambda b: b.get(),
    "get if match": lambda b: b.get(if_match=_fresh(b)),
    "get if match, stale": lambda b: b.get(if_match=_stale(b)),
    "get if match, nothing there": lambda b: b.get(if_match='"0x8D00000000000"'),
    "get if none match, same": lambda b: b.get(if_none_match=_fresh(b)),
    "get if none match, other": lambda b: b.get(if_none_match=_stale(b)),
    "get if none match any": lambda b: (b.put(), b.get(if_none_match="*"))[1],
    "get if modified since, far": lambda b: (b.put(), b.get(if_modified_since=_FAR))[1],
    "get if unmodified since, past": lambda b: (b.put(), b.get(if_unmodified_since=_PAST))[1],
    "get a part": lambda b: (b.put(), b.get(range="bytes=2-4"))[1],
    "get a part to the end": lambda b: (b.put(), b.get(x_ms_range="bytes=7-"))[1],
    "get a part past the end": lambda b: (b.put(), b.get(range="bytes=20-30"))[1],
    "head": lambda b: (b.put(), b.head())[1],
    "head nothing": lambda b: b.head(),
    "head if none match, same": lambda b: b.head(if_none_match=_fresh(b)),
    "delete": lambda b: (b.put(), b.delete())[1],
    "delete nothing": lambda b: b.delete(),
    "delete if match, stale": lambda b: b.delete(if_match=_stale(b)),
    "delete if match": lambda b: b.delete(if_match=_fresh(b)),
    "delete if match, nothing there": lambda b: b.delete(if_match='"0x8D00000000000"'),
    "list": lambda b: _some(b)("GET", "?restype=container&comp=list"),
    "list a prefix": lambda b: _some(b)("GET", "?restype=container&comp=list&prefix=b"),
    "list with a delimiter": lambda b: _some(b)("GET", "?restype=container&comp=list&delimiter=/"),
    "list two": lambda b: _some(b)("GET", "?restype=container&comp=list&maxresults=2"),
    "list none": lambda b: _some(b)("GET", "?restype=container&comp=list&maxresults=0"),
    "container properties": lambda b: b("GET", "?restype=container"),
    "container acl": lambda b: b("GET", "?restype=container&comp=acl"),
    "container again": lambda b: b("PUT", "?restype=container"),
    "container with a bad level": lambda b: b.store.signed(
        "PUT", "/other-box?restype=container", headers={"x-ms-blob-public-access": "everything"}
    ),
    "no such container": lambda b: b.store.signed("GET", "/nobody/k"),
    "put in no such container": lambda b: b.store.signed("PUT", "/nobody/k", b"x", headers=_BLOCK),
    "list no such container": lambda b: b.store.signed("GET", "/nobody?restype=container&comp=list"),
    "wrong key": lambda b: b.store.signed("GET", f"{b.path}/k", key="d3Jvbmc="),
    "anonymous get": lambda b: (b.put(), b.anonymous("GET", "/k"))[1],
    "anonymous list": lambda b: b.anonymous("GET", "?restype=container&comp=list"),
    "anonymous put": lambda b: b.anonymous("PUT", "/k"),
}

_PUBLIC: Final[dict[str, Callable[[Box], Answer]]] = {
    "get": lambda b: (b.put(), b.anonymous("GET", "/k"))[1],
    "head": lambda b: (b.put(), b.anonymous("HEAD", "/k"))[1],
    "list": lambda b: b.anonymous("GET", "?restype=container&comp=list"),
    "properties": lambda b: b.anonymous("GET", "?restype=container"),
    "acl": lambda b: b.anonymous("GET", "?restype=container&comp=acl"),
    "put": lambda b: b.anonymous("PUT", "/k"),
    "delete": lambda b: (b.put(), b.anonymous("DELETE", "/k"))[1],
    "owner: properties": lambda b: b("GET", "?restype=container"),
    "owner: acl": lambda b: b("GET", "?restype=container&comp=acl"),
}

_DENIED: Final = (404, "ResourceNotFound")
_OURS: Final[dict[str, tuple[int, str]]] = {
    # Azurite takes If-Match: * for no condition; the service asks that there is a blob.
    "put if match any, nothing there": (412, "ConditionNotMet"),
    # What Azurite's generated parser refuses has no error document.
    "put without a type": (400, "MissingRequiredHeader"),
    "list none": (400, "OutOfRangeQueryParameterValue"),
    "container with a bad level": (400, "InvalidHeaderValue"),
    "put with a wrong md5": (400, "Md5Mismatch"),
    # Azurite says AuthorizationFailure to all who are not let in, the service tells them apart.
    "wrong key": (403, "AuthenticationFailed"),
    "anonymous get": _DENIED,
    "anonymous list": _DENIED,
    "anonymous put": _DENIED,
    "public container: put": _DENIED,
    "public container: delete": _DENIED,
    # Only the owner may read a container's access policy; Azurite shows it to everybody.
    "public container: acl": _DENIED,
    **{f"public blob: {name}": _DENIED for name in ("list", "properties", "acl", "put", "delete")},
}
_ALL: Final = {
    **{name: ("", case) for name, case in _CASES.items()},
    **{f"public {level}: {name}": (level, case) for level in ("container", "blob") for name, case in _PUBLIC.items()},
}


def _shape(answer: Answer) -> tuple[object, ...]:
    """What of an answer must agree; prefixes stand beside names in another order, which nothing says."""
    names = re.findall(r"<(?:Name|Delimiter|Code|Etag)>[^<]*", answer.body.decode())
    return (
        answer.status,
        answer.headers.get("x-ms-error-code"),
        sorted(name for name in _HEADERS if name in answer.headers and (answer.body or name != "content-type")),
        answer.headers.get("x-ms-blob-public-access"),
        answer.headers.get("content-range"),
        sorted(re.sub(r"0x\w+", "0x…", name) for name in names),
        bool(re.search("<NextMarker>[^<]", answer.body.decode())),
    )


@pytest.mark.parametrize("name", _ALL)
def test_azurite_and_our_server_answer_alike(start: Callable[[str], ObjectStore], name: str) -> None:
    level, case = _ALL[name]
    theirs = _shape(case(Box(start("azurite"), level)))
    ours = _shape(case(Box(start("azure"), level)))
    if name in _OURS:
        assert ours[:2] == _OURS[name] != theirs[:2]
    else:
        assert ours == theirs
