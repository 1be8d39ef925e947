"""What both object stores have in common on the wire: a request, a refusal, dates, ranges and lists of ETags."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from provisioner.sandbox.aws.call import Reply

__all__ = ["ObjectServer", "Refused", "Reply", "Request", "etags", "http_date", "parse_date", "span"]

_log = logging.getLogger(__name__)
_XML_HEAD: Final = '<?xml version="1.0" encoding="utf-8"?>'


class Refused(Exception):
    """The answer is an error document. ``details`` is what the service adds, ``headers`` go with the answer."""

    def __init__(
        self, status: int, code: str, message: str, details: str = "", headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.details = status, code, message, details
        self.headers = list(headers)


def not_offered(what: str) -> Refused:
    """What the real service has and this one has not: better refused than half done."""
    return Refused(501, "NotImplemented", f"the sandbox does not offer {what}")


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``path`` is decoded, ``raw_path`` as it was sent; header names are in lower case."""

    method: str
    path: str
    raw_path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes = b""

    @classmethod
    def of(cls, environ: Mapping[str, Any]) -> Request:
        """The request in a WSGI environment."""
        headers = {
            name[5:].replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_") and isinstance(value, str)
        }
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if environ.get(name):
                headers[name.replace("_", "-").lower()] = str(environ[name])
        path = str(environ.get("PATH_INFO", "/")).encode("latin-1").decode("utf-8", "replace")
        raw = str(environ.get("REQUEST_URI") or environ.get("RAW_URI") or path).partition("?")[0]
        query = tuple(parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True))
        return cls(str(environ["REQUEST_METHOD"]), path, raw, query, headers, environ["wsgi.input"].read())

    def header(self, name: str) -> str:
        """A header's value, empty where it was not sent."""
        return self.headers.get(name, "")

    def parameter(self, name: str) -> str:
        """A query parameter's value, empty where it was not sent."""
        return next((value for key, value in self.query if key == name), "")

    def only(self, known: Iterable[str]) -> None:
        """Refused where the query has a parameter that is none of ``known``: it would change the answer."""
        strange = sorted({name for name, _ in self.query} - set(known))
        if strange:
            raise not_offered(f"{self.method} with the parameter {', '.join(strange)}")


class ObjectServer(ABC):
    """A WSGI application that answers whole requests and never fails without a document that says so."""

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI."""
        reply = self.respond(Request.of(environ))
        start_response(f"{reply.status} {'OK' if reply.status < 400 else 'Error'}", reply.headers)
        return [reply.body]

    def respond(self, request: Request) -> Reply:
        """The answer to one request, an error document where it is refused."""
        try:
            return self.answer(request)
        except Refused as refused:
            return self.refusal(request, refused)
        except Exception:
            # The server must outlive a bug in one request; the caller learns that it was one, the log what it was.
            _log.exception("%s %s failed inside the sandbox", request.method, request.path)
            return self.refusal(request, Refused(500, "InternalError", "We encountered an internal error."))

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """What the service says. Raises Refused."""

    @abstractmethod
    def refusal(self, request: Request, refused: Refused) -> Reply:
        """The service's own error document."""


def xml_reply(status: int, document: str, headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """An XML document as an answer."""
    return Reply(status, [("Content-Type", "application/xml"), *headers], f"{_XML_HEAD}{document}".encode())


def http_date(seconds: float) -> str:
    """A time as HTTP writes it: whole seconds."""
    return formatdate(int(seconds), usegmt=True)


def parse_date(text: str) -> float | None:
    """Seconds since 1970, None where ``text`` is no date: HTTP says that such a condition is not there."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError):
        return None


def etags(text: str) -> list[str]:
    """The tags in an ``If-Match`` or ``If-None-Match``, without quotes; ``*`` stands for any."""
    return [part.strip().removeprefix("W/").strip('"') for part in text.split(",") if part.strip()]


def span(text: str, size: int) -> tuple[int, int] | None:
    """The bytes, first and one past the last, that a ``Range`` asks for of ``size``; None where it asks for all.

    ValueError where none of them is there. A header that cannot be read counts as none (RFC 9110).
    """
    unit, _, wanted = text.partition("=")
    if unit.strip() != "bytes":
        return None
    if "," in wanted:
        raise not_offered("several ranges in one request")
    first, dash, last = wanted.strip().partition("-")
    if not dash or not (first + last).isdigit():
        return None
    if not first:
        if int(last) == 0 or size == 0:
            raise ValueError(text)
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise ValueError(text)
    return int(first), min(size, int(last) + 1) if last else size
