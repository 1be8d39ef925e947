"""Azure's block blobs: what reading, writing and deleting one of a container answers, and how a listing shows it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Final, Protocol
from xml.sax.saxutils import escape

from provisioner.sandbox.objects.conditions import check_read, check_write
from provisioner.sandbox.objects.shelf import Item, Shelf, Ticks
from provisioner.sandbox.objects.wire import Refused, Reply, Request, http_date, not_offered, span

_TICKS_TO_1970: Final = 621_355_968_000_000_000
CONTENT: Final = {
    "x-ms-blob-content-type": "Content-Type", "x-ms-blob-content-encoding": "Content-Encoding",
    "x-ms-blob-content-language": "Content-Language", "x-ms-blob-content-disposition": "Content-Disposition",
    "x-ms-blob-cache-control": "Cache-Control",
}  # fmt: skip


class Stamped(Protocol):
    """Whatever has an ETag and a time of its last change."""

    @property
    def etag(self) -> str:
        """The ETag, without quotes."""

    @property
    def modified(self) -> float:
        """Seconds since 1970."""


class Blobs:
    """Reads and changes blobs. ``now`` is the server's clock; ETags are its ticks and never repeat."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._ticks = Ticks(now, 10_000_000)

    def etag(self) -> str:
        """A new ETag."""
        return f"0x{self._ticks.next() + _TICKS_TO_1970:X}"

    def answer(self, operation: str, request: Request, shelf: Shelf, key: str) -> Reply:
        """``read``, ``write`` or ``delete`` a blob. Raises Refused."""
        answers = {"read": self._read, "write": self._write, "delete": self._delete}
        return answers[operation](request, shelf, key)

    def _read(self, request: Request, shelf: Shelf, key: str) -> Reply:
        item = check_read(request, shelf.get(key))
        asked = request.header("x-ms-range") or request.header("range")
        if asked.replace(" ", "").startswith("bytes=-"):
            raise not_offered("the last bytes of a blob: Azure has no such ranges")
        try:
            part = span(asked, len(item.data)) if request.method == "GET" else None
        except ValueError as err:
            whole = [("Content-Range", f"bytes */{len(item.data)}")]
            message = "The range specified is invalid for the current size of the resource."
            raise Refused(416, "InvalidRange", message, headers=whole) from err
        data = item.data if part is None else item.data[part[0] : part[1]]
        headers = [*stamp(item), *item.headers, ("Content-Length", str(len(data))), ("Accept-Ranges", "bytes")]
        headers += [
            ("x-ms-blob-type", "BlockBlob"),
            ("x-ms-creation-time", http_date(item.created)),
            ("x-ms-lease-status", "unlocked"),
            ("x-ms-lease-state", "available"),
            ("x-ms-server-encrypted", "true"),
        ]
        if part is not None:
            headers.append(("Content-Range", f"bytes {part[0]}-{part[1] - 1}/{len(item.data)}"))
        else:
            headers.append(("Content-MD5", _md5(item.data)))
        return Reply(200 if part is None else 206, headers, data)

    def _write(self, request: Request, shelf: Shelf, key: str) -> Reply:
        kind = request.header("x-ms-blob-type")
        if not kind:
            message = "An HTTP header that's mandatory for this request is not specified."
            raise Refused(400, "MissingRequiredHeader", message, "x-ms-blob-type")
        if kind != "BlockBlob":
            raise not_offered(f"blobs of type {kind}")
        if request.header("content-md5") not in ("", _md5(request.body)):
            message = (
                "The MD5 value specified in the request did not match with the MD5 value calculated by the server."
            )
            raise Refused(400, "Md5Mismatch", message)
        content = {"Content-Type": request.header("content-type") or "application/octet-stream"}
        content |= {name: request.header(given) for given, name in CONTENT.items() if request.header(given)}
        meta = [(name, value) for name, value in request.headers.items() if name.startswith("x-ms-meta-")]

        def decide(current: Item | None) -> Item:
            check_write(request, current, creates=True)
            etag, now = self.etag(), self._now()
            created = current.created if current else now
            return Item(key, request.body, etag, 0, now, created, (*content.items(), *meta))

        item = shelf.change(key, decide)
        assert item is not None
        done = [("Content-MD5", _md5(item.data)), ("x-ms-request-server-encrypted", "true")]
        return Reply(201, [*stamp(item), *done], b"")

    def _delete(self, request: Request, shelf: Shelf, key: str) -> Reply:
        shelf.change(key, lambda current: check_write(request, current, creates=False))
        return Reply(202, [("x-ms-delete-type-permanent", "true")], b"")


def stamp(thing: Stamped) -> list[tuple[str, str]]:
    """The headers that tell the version of a thing."""
    return [("ETag", f'"{thing.etag}"'), ("Last-Modified", http_date(thing.modified))]


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def listed(entry: Item | str) -> str:
    """A blob or a common prefix in a listing. The ETag has no quotes there, unlike everywhere else."""
    if isinstance(entry, str):
        return f"<BlobPrefix><Name>{escape(entry)}</Name></BlobPrefix>"
    kind = dict(entry.headers)["Content-Type"]
    return (
        f"<Blob><Name>{escape(entry.key)}</Name><Properties><Creation-Time>{http_date(entry.created)}</Creation-Time>"
        f"<Last-Modified>{http_date(entry.modified)}</Last-Modified><Etag>{entry.etag}</Etag>"
        f"<Content-Length>{len(entry.data)}</Content-Length><Content-Type>{escape(kind)}</Content-Type>"
        f"<Content-MD5>{_md5(entry.data)}</Content-MD5><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier>"
        "<AccessTierInferred>true</AccessTierInferred><LeaseStatus>unlocked</LeaseStatus>"
        "<LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties></Blob>"
    )
