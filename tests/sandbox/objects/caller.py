"""Requests to a store without a socket in between, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import parse_qsl, quote

from provisioner.sandbox.objects.azure import ACCOUNT, KEY
from provisioner.sandbox.objects.sharedkey import sign
from provisioner.sandbox.objects.wire import ObjectServer, Reply, Request

NOW = 1_800_000_000.25


@dataclass
class Clock:
    """Seconds since 1970 that pass only when a test says so."""

    seconds: float = NOW

    def __call__(self) -> float:
        return self.seconds


def request(method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Request:
    """A request as the HTTP server hands it on."""
    path, _, query = target.partition("?")
    given = {name.lower(): value for name, value in (headers or {}).items()}
    if body:
        given.setdefault("content-length", str(len(body)))
    return Request(method, path, quote(path), tuple(parse_qsl(query, keep_blank_values=True)), given, body)


def ask(
    server: ObjectServer, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Reply:
    """The answer to a request."""
    return server.respond(request(method, target, headers, body))


def signed(
    server: ObjectServer, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Reply:
    """The answer to a request of the owner of an Azure account, sent when the clock began."""
    sent = {"x-ms-date": formatdate(NOW, usegmt=True), "x-ms-version": "2023-11-03", **(headers or {})}
    plain = request(method, target, sent, body)
    return ask(server, method, target, {**plain.headers, "authorization": sign(plain, ACCOUNT, KEY)}, body)


def header(reply: Reply, name: str) -> str:
    """A header of an answer, empty where it is not there."""
    return next((value for key, value in reply.headers if key.lower() == name), "")


def code(reply: Reply) -> tuple[int, str]:
    """The status of an answer and the error code in its document."""
    text = reply.body.decode()
    return reply.status, text.partition("<Code>")[2].partition("</Code>")[0]
