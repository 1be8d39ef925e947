"""Cloud Storage: objects through the XML API, as a client in Rust or Go reads and writes them.

``GcsServer.answer`` tells the two APIs apart; ``buckets`` has the JSON one. Whoever writes an object says which
generation it must have (``x-goog-if-generation-match``, 0 for none); If-Match and If-None-Match are there for reads
alone, as with the real one: its ETag is the MD5 of the content, so a write of the same bytes would not change it.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape

from provisioner.sandbox.objects.access import Caller, denial, identify
from provisioner.sandbox.objects.buckets import Bucket, BucketApi
from provisioner.sandbox.objects.shelf import Item, Ticks, token_name
from provisioner.sandbox.objects.wire import (
    ObjectServer,
    Refused,
    Reply,
    Request,
    etags,
    http_date,
    not_offered,
    parse_date,
    span,
    xml_reply,
)

BEARER: Final = "sandbox-token"
_STORED: Final = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language")
_GOOG: Final = {"x-goog-if-generation-match", "x-goog-if-metageneration-match", "x-goog-storage-class"}
_LIST: Final = ("list-type", "prefix", "delimiter", "continuation-token", "start-after", "max-keys")
_READ_CONDITIONS: Final = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
_MAX_KEYS: Final = 1000
_METADATA: Final = "/computeMetadata/v1/instance/service-accounts/default/token"


class GcsServer(ObjectServer):
    """Buckets in memory.

    ``tokens``: the bearer tokens that count, each with the role that the project gives its owner (keys of
    ``access.ROLES``). ``object_rate``: changes a second that one object takes, more are answered 429; the real one
    takes about 1; 0 counts none. ``now`` is the server's clock in seconds since 1970.
    """

    def __init__(
        self,
        tokens: Mapping[str, str] | None = None,
        *,
        object_rate: float = 0.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.tokens = dict(tokens) if tokens is not None else {BEARER: "roles/storage.admin"}
        self._now, self._rate = now, object_rate
        self._generations = Ticks(now, 1_000_000)
        self._buckets = BucketApi(now)

    def create_bucket(self, name: str) -> Bucket:
        """A new private bucket, as ``storage.buckets.insert`` makes it."""
        return self._buckets.create({"name": name})

    def answer(self, request: Request) -> Reply:
        """One request of either API, or for a token of the machine (the metadata server)."""
        if request.path == _METADATA:
            return self._machine_token(request)
        caller = identify(request, self.tokens)
        if request.path.startswith("/storage/v1/"):
            return self._buckets.answer(request, caller)
        bucket_name, _, key = request.path.removeprefix("/").partition("/")
        if not bucket_name or bucket_name in ("upload", "download", "batch", "resumable"):
            raise not_offered(f"{request.method} {request.path}")
        bucket = self._buckets.find(bucket_name)
        if not key:
            return self._list(request, caller, bucket)
        if request.method in ("GET", "HEAD"):
            return self._read(request, caller, bucket, key)
        if request.method == "PUT":
            return self._write(request, caller, bucket, key)
        if request.method == "DELETE":
            return self._delete(request, caller, bucket, key)
        raise not_offered(f"{request.method} of an object")

    def refusal(self, request: Request, refused: Refused) -> Reply:
        """An error document in XML, in JSON for the JSON API."""
        if request.path.startswith("/storage/v1/"):
            return self._buckets.refusal(refused)
        if refused.status == 304:
            return Reply(304, refused.headers, b"")
        details = f"<Details>{escape(refused.details)}</Details>" if refused.details else ""
        message = f"<Code>{refused.code}</Code><Message>{escape(refused.message)}</Message>"
        return xml_reply(refused.status, f"<Error>{message}{details}</Error>", refused.headers)

    def _machine_token(self, request: Request) -> Reply:
        if request.header("metadata-flavor") != "Google":
            raise Refused(403, "Forbidden", "Missing Metadata-Flavor:Google header.")
        token = next(iter(self.tokens))
        body = f'{{"access_token":"{token}","expires_in":3599,"token_type":"Bearer"}}'
        return Reply(200, [("Content-Type", "application/json"), ("Metadata-Flavor", "Google")], body.encode())

    def _read(self, request: Request, caller: Caller, bucket: Bucket, key: str) -> Reply:
        request.only(["generation"])
        _need(caller, bucket, "storage.objects.get")
        item = bucket.shelf.get(key)
        generation = request.parameter("generation")
        if item is None or (generation and generation != str(item.generation)):
            # Who may not list may not learn what is not there either.
            _need(caller, bucket, "storage.objects.list")
            raise _no_object(bucket, key)
        _check_generation(request, item)
        _check_read(request, item)
        headers = [*_describe(item), *item.headers, ("Accept-Ranges", "bytes")]
        try:
            part = span(request.header("range"), len(item.data))
        except ValueError as err:
            whole = [("Content-Range", f"bytes */{len(item.data)}")]
            raise Refused(416, "InvalidRange", "The requested range cannot be satisfied.", str(err), whole) from err
        data = item.data if part is None else item.data[part[0] : part[1]]
        headers.append(("Content-Length", str(len(data))))
        if part is not None:
            headers.append(("Content-Range", f"bytes {part[0]}-{part[1] - 1}/{len(item.data)}"))
        return Reply(200 if part is None else 206, headers, data)

    def _write(self, request: Request, caller: Caller, bucket: Bucket, key: str) -> Reply:
        request.only([])
        _check_offered(request)
        _need(caller, bucket, "storage.objects.create")
        if len(key.encode()) > 1024:
            raise Refused(400, "KeyTooLong", "The object name is too long.")
        digest = hashlib.md5(request.body, usedforsecurity=False)
        if request.header("content-md5") not in ("", base64.b64encode(digest.digest()).decode()):
            raise Refused(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")

        def decide(current: Item | None) -> Item:
            if current is not None:
                _need(caller, bucket, "storage.objects.delete")  # which an overwrite is
            _check_generation(request, current)
            self._check_rate(bucket, key, current)
            stored = tuple((n.title(), v) for n, v in request.headers.items() if n in _STORED)
            meta = tuple((n, v) for n, v in request.headers.items() if n.startswith("x-goog-meta-"))
            now = self._now()
            return Item(key, request.body, digest.hexdigest(), self._generations.next(), now, now, stored + meta)

        item = bucket.shelf.change(key, decide)
        assert item is not None
        return Reply(200, _describe(item), b"")

    def _delete(self, request: Request, caller: Caller, bucket: Bucket, key: str) -> Reply:
        request.only(["generation"])
        _check_offered(request)
        _need(caller, bucket, "storage.objects.delete")
        generation = request.parameter("generation")

        def decide(current: Item | None) -> None:
            if current is None or (generation and generation != str(current.generation)):
                raise _no_object(bucket, key)
            _check_generation(request, current)
            self._check_rate(bucket, key, current)

        bucket.shelf.change(key, decide)
        return Reply(204, [], b"")

    def _list(self, request: Request, caller: Caller, bucket: Bucket) -> Reply:
        if request.method != "GET" or request.parameter("list-type") != "2":
            raise not_offered(f"{request.method} of a bucket but for its list of type 2")
        request.only(_LIST)
        _need(caller, bucket, "storage.objects.list")
        limit = _limit(request.parameter("max-keys"))
        prefix, token, start = (request.parameter(n) for n in ("prefix", "continuation-token", "start-after"))
        try:
            after = token_name(token)
        except ValueError as err:
            raise Refused(400, "InvalidArgument", "Invalid argument.", "continuation-token") from err
        page = bucket.shelf.page(
            prefix=prefix,
            delimiter=request.parameter("delimiter"),
            after=after,
            start=f"{start}\0" if start else "",
            limit=limit,
        )
        entries = "".join(map(_listed, page.entries))
        more = f"<NextContinuationToken>{page.token}</NextContinuationToken>" if page.token else ""
        return xml_reply(
            200,
            "<ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>"
            f"<Name>{escape(bucket.name)}</Name><Prefix>{escape(prefix)}</Prefix><MaxKeys>{limit}</MaxKeys>"
            f"<KeyCount>{len(page.entries)}</KeyCount><IsTruncated>{str(bool(page.token)).lower()}</IsTruncated>"
            f"{more}{entries}</ListBucketResult>",
        )

    def _check_rate(self, bucket: Bucket, key: str, current: Item | None) -> None:
        if self._rate and current is not None and self._now() < current.modified + 1 / self._rate:
            limit = "exceeded the rate limit for object mutation operations (create, update, and delete)."
            advice = "Please reduce your request rate. See https://cloud.google.com/storage/docs/gcs429."
            raise Refused(
                429, "SlowDown", f"The object {limit} {advice}", f"The object {bucket.name}/{key} {limit} {advice}"
            )


def _need(caller: Caller, bucket: Bucket, permission: str) -> None:
    if not caller.has(permission, bucket.grants):
        raise Refused(403, "AccessDenied", "Access denied.", denial(caller, permission))


def _no_object(bucket: Bucket, key: str) -> Refused:
    return Refused(404, "NoSuchKey", "The specified key does not exist.", f"No such object: {bucket.name}/{key}")


def _check_offered(request: Request) -> None:
    """Refused where a change says something that the sandbox, or the real one, would not heed."""
    strange = [n for n in request.headers if n.startswith("x-goog-") and n not in _GOOG and "-meta-" not in n]
    strange += [n for n in _READ_CONDITIONS if n in request.headers]
    if request.header("x-goog-storage-class").upper() not in ("", "STANDARD"):
        strange.append("x-goog-storage-class")
    if strange:
        raise not_offered(f"{request.method} of an object with the header {', '.join(sorted(strange))}")


def _check_generation(request: Request, current: Item | None) -> None:
    actual = {
        "x-goog-if-generation-match": current.generation if current else 0,
        "x-goog-if-metageneration-match": 1 if current else 0,
    }
    for name, value in actual.items():
        wanted = request.header(name)
        if wanted and not wanted.isdigit():
            raise Refused(400, "InvalidArgument", "Invalid argument.", f"{name}: {wanted}")
        if wanted and int(wanted) != value:
            raise _unmet(name)


def _unmet(name: str) -> Refused:
    return Refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.", name)


def _check_read(request: Request, item: Item) -> None:
    match, none_match = request.header("if-match"), request.header("if-none-match")
    since, until = (parse_date(request.header(n)) for n in ("if-modified-since", "if-unmodified-since"))
    if match and not {"*", item.etag} & set(etags(match)):
        raise _unmet("If-Match")
    if not match and until is not None and int(item.modified) > until:
        raise _unmet("If-Unmodified-Since")
    same = bool({"*", item.etag} & set(etags(none_match)))
    if same or (not none_match and since is not None and int(item.modified) <= since):
        raise Refused(304, "NotModified", "Not modified.", headers=_describe(item))


def _describe(item: Item) -> list[tuple[str, str]]:
    return [
        ("ETag", f'"{item.etag}"'),
        ("Last-Modified", http_date(item.modified)),
        ("x-goog-generation", str(item.generation)),
        ("x-goog-metageneration", "1"),
        ("x-goog-hash", f"md5={base64.b64encode(bytes.fromhex(item.etag)).decode()}"),
        ("x-goog-stored-content-length", str(len(item.data))),
        ("x-goog-storage-class", "STANDARD"),
    ]


def _listed(entry: Item | str) -> str:
    if isinstance(entry, str):
        return f"<CommonPrefixes><Prefix>{escape(entry)}</Prefix></CommonPrefixes>"
    modified = datetime.fromtimestamp(entry.modified, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return (
        f"<Contents><Key>{escape(entry.key)}</Key><Generation>{entry.generation}</Generation>"
        f"<MetaGeneration>1</MetaGeneration><LastModified>{modified}</LastModified>"
        f'<ETag>"{entry.etag}"</ETag><Size>{len(entry.data)}</Size></Contents>'
    )


def _limit(text: str) -> int:
    if text and not text.isdigit():
        raise Refused(400, "InvalidArgument", "Invalid argument.", f"max-keys: {text}")
    return min(int(text), _MAX_KEYS) if text else _MAX_KEYS
