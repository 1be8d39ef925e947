"""Azure's Blob Batch: several deletes in one request, each signed and answered on its own (multipart/mixed)."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

from provisioner.sandbox.objects.wire import ObjectServer, Refused, Reply, Request, not_offered

_MOST: Final = 256


def answer(request: Request, prefix: str, server: ObjectServer) -> Reply:
    """Ask ``server`` each part of a batch whose blobs must be under ``prefix``. Refused where it is malformed."""
    boundary = request.header("content-type").partition("boundary=")[2].strip('"')
    if not request.header("content-type").startswith("multipart/mixed") or not boundary:
        raise _malformed("a batch is multipart/mixed with a boundary")
    parts = [_part(text, request) for text in _split(request.body, boundary)]
    if not 0 < len(parts) <= _MOST:
        raise _malformed(f"a batch has 1 to {_MOST} parts, not {len(parts)}")
    if any(part.method != "DELETE" or part.query for _, part in parts):
        raise not_offered("anything but deletes in a batch")
    if not all(part.path.startswith(prefix) for _, part in parts):
        raise _malformed(f"every part is of {prefix}")
    mark = f"batchresponse_{uuid.uuid4()}"
    lines = b"".join(
        f"--{mark}\r\nContent-Type: application/http\r\nContent-ID: {ident}\r\n\r\n".encode()
        + _text(server.respond(part))
        for ident, part in parts
    )
    kind = ("Content-Type", f"multipart/mixed; boundary={mark}")
    return Reply(202, [kind], lines + f"--{mark}--\r\n".encode())


def _split(body: bytes, boundary: str) -> list[str]:
    pieces = body.decode("utf-8", "replace").split(f"--{boundary}")
    if len(pieces) < 2 or not pieces[-1].startswith("--"):
        raise _malformed("the batch does not end")
    return [piece.removeprefix("\r\n") for piece in pieces[1:-1]]


def _part(text: str, outer: Request) -> tuple[str, Request]:
    about, _, inner = text.partition("\r\n\r\n")
    ident = _headers(about).get("content-id", "")
    line, _, rest = inner.partition("\r\n")
    words = line.split(" ")
    if len(words) != 3 or not ident:
        raise _malformed("a part has a Content-ID and an HTTP request")
    raw, _, query = words[1].partition("?")
    raw = raw if raw.startswith("/") else f"/{raw}"
    headers = _headers(rest.partition("\r\n\r\n")[0])
    headers.setdefault("x-ms-version", outer.header("x-ms-version"))
    return ident, Request(words[0], unquote(raw), raw, ((query, ""),) if query else (), headers)


def _headers(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.split("\r\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _text(reply: Reply) -> bytes:
    headers = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
    length = f"Content-Length: {len(reply.body)}\r\n" if reply.body else ""
    head = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n{headers}{length}\r\n"
    return head.encode() + reply.body + b"\r\n"


def _malformed(why: str) -> Refused:
    return Refused(400, "InvalidInput", f"One of the request inputs is not valid: {why}.")
