"""Which operation of which service a request is, told from its signature, its protocol and botocore's models."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, parse_qsl, unquote_plus

from provisioner.sandbox.aws.call import Call, Environ
from provisioner.sandbox.aws.models import BY_SIGNING_NAME, known_services, service_model
from provisioner.sandbox.settings import REGION

_SCOPE: Final = re.compile(r"Credential=[^/,\s]*/[^/]*/([^/]*)/([^/]*)/")
_CBOR: Final = re.compile(r"^/service/[^/]+/operation/([^/]+)$")
_BUCKET_HOST: Final = re.compile(r"^(.+?)\.(?:localhost|s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com)(:\d+)?$")


def identify(environ: Environ, body: bytes) -> Call:
    """The call that a request makes. A request without a signature counts as S3's, as AWS has it for public objects."""
    service, region = _signed_for(environ)
    content = str(environ.get("CONTENT_TYPE", ""))
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    query = str(environ.get("QUERY_STRING", ""))
    call = Call(service, "", region, "", environ, body)
    cbor = _CBOR.match(call.path)
    if cbor:
        call.protocol, call.operation = "cbor", cbor.group(1)
    elif target:
        call.protocol, call.operation = "json", target.rpartition(".")[2]
    elif content.startswith("application/x-www-form-urlencoded") or "Action=" in query:
        form = parse_qsl(query, keep_blank_values=True) + parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True
        )
        call.form = dict(form)
        call.protocol = "ec2" if service == "ec2" else "query"
        call.operation = call.form.get("Action", "")
    if call.operation == "ConfirmSubscription":
        call.service = "sns"  # a link in a letter has no signature
    if not call.operation:
        _identify_rest(call, query)
    return call


def signed(environ: Environ) -> bool:
    """Whether the request carries a signature of version 4, in its header or (presigned) in its query."""
    return _SCOPE.search(_credential_text(environ)) is not None


def _credential_text(environ: Environ) -> str:
    header = str(environ.get("HTTP_AUTHORIZATION", ""))
    if header:
        return header
    query = str(environ.get("QUERY_STRING", ""))
    return unquote_plus(query).replace("X-Amz-Credential=", "Credential=") if "X-Amz-Credential" in query else ""


def _signed_for(environ: Environ) -> tuple[str, str]:
    found = _SCOPE.search(_credential_text(environ))
    if not found:
        return "s3", REGION
    region, service = found.group(1) or REGION, found.group(2).lower()
    return BY_SIGNING_NAME.get(service, service), region


def to_path_style(environ: Environ) -> None:
    """Rewrite an S3 request that names its bucket in the host (``bucket.localhost``) so that the path names it."""
    found = _BUCKET_HOST.match(str(environ.get("HTTP_HOST", "")))
    if not found or found.group(1).startswith("s3."):
        return
    bucket, port = found.group(1), found.group(2) or ""
    environ["HTTP_HOST"] = f"localhost{port}"
    for key in ("PATH_INFO", "REQUEST_URI", "RAW_URI"):
        if key in environ:
            environ[key] = (
                f"/{bucket}{environ[key]}".removesuffix("/") if environ[key] == "/" else f"/{bucket}{environ[key]}"
            )


@dataclass(frozen=True, slots=True)
class _Route:
    """One REST operation: how its path looks, and what else must be there for the request to be it."""

    operation: str
    path: re.Pattern[str]
    query: frozenset[tuple[str, str]]
    needs_query: frozenset[str]
    needs_header: frozenset[str]
    literal: int


@functools.cache
def _routes(service: str) -> dict[str, list[_Route]]:
    by_method: dict[str, list[_Route]] = {}
    model = service_model(service)
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.deprecated and service == "s3":
            continue  # the older spelling of an operation that has the same path
        uri, _, literal_query = operation.http["requestUri"].partition("?")
        pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(uri).replace(r"\+\}", "\0"))
        pattern = re.sub(r"\\\{[^\0]+\0", ".+", pattern)
        members = operation.input_shape.members if operation.input_shape else {}
        required = operation.input_shape.required_members if operation.input_shape else []
        places = [(members[m].serialization.get("location"), members[m].serialization.get("name", m)) for m in required]
        route = _Route(
            operation=name,
            path=re.compile(f"^{pattern}/?$"),
            query=frozenset(parse_qsl(literal_query, keep_blank_values=True)),
            needs_query=frozenset(n for place, n in places if place == "querystring"),
            needs_header=frozenset(n for place, n in places if place == "header"),
            literal=len(re.sub(r"\{[^}]+\}", "", uri)),
        )
        by_method.setdefault(operation.http["method"], []).append(route)
    return by_method


def _identify_rest(call: Call, query: str) -> None:
    method = str(call.environ.get("REQUEST_METHOD", "GET"))
    call.operation = f"{method} {call.path}"
    call.protocol = "rest-xml"
    if call.service not in known_services():
        return
    call.protocol = str(service_model(call.service).metadata["protocol"])
    given = parse_qs(query, keep_blank_values=True)
    named = given.get("x-id", [""])[0]  # some SDKs say it themselves
    if named in service_model(call.service).operation_names:
        call.operation = named
        return
    best = max(
        (r for r in _routes(call.service).get(method, []) if _fits(r, call, given)),
        key=lambda r: (len(r.query) + len(r.needs_query) + len(r.needs_header), r.literal, -len(r.operation)),
        default=None,
    )
    if best:
        call.operation = best.operation


def _fits(route: _Route, call: Call, given: dict[str, list[str]]) -> bool:
    return (
        route.path.match(call.path) is not None
        and all(name in given and (not value or value in given[name]) for name, value in route.query)
        and all(name in given for name in route.needs_query)
        and all(f"HTTP_{name.upper().replace('-', '_')}" in call.environ for name in route.needs_header)
    )
