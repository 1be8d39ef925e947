"""Azure Blob Storage: block blobs of storage accounts that are addressed by path (``/account/container/blob``).

``AzureServer.answer`` says which operation a request is, whether its sender may, and who answers. Every owner's
request is signed with the account's key (``sharedkey``); anonymous ones read what the container's level of public
access lets them. Conditions are decided with the blob locked, in one piece with what they guard.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from provisioner.sandbox.objects import batch
from provisioner.sandbox.objects.blobs import CONTENT, Blobs, listed, stamp
from provisioner.sandbox.objects.sharedkey import verify
from provisioner.sandbox.objects.shelf import Shelf, token_name
from provisioner.sandbox.objects.wire import (
    ObjectServer,
    Refused,
    Reply,
    Request,
    not_offered,
    xml_reply,
)

ACCOUNT: Final = "sandboxaccount"
KEY: Final = base64.b64encode(hashlib.sha512(b"sandbox").digest()).decode()
_NAME: Final = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_PUBLIC: Final = ("container", "blob")
_PAGE: Final = 5000
_TO_ALL: Final = {"container": {"properties", "list", "read"}, "blob": {"read"}}
_OPERATIONS: Final = {
    ("PUT", "container", ""): "create", ("GET", "container", ""): "properties", ("HEAD", "container", ""): "properties",
    ("GET", "container", "acl"): "get_acl", ("HEAD", "container", "acl"): "get_acl",
    ("PUT", "container", "acl"): "set_acl", ("GET", "container", "list"): "list",
    ("POST", "container", "batch"): "batch",
    ("PUT", "blob", ""): "write", ("GET", "blob", ""): "read", ("HEAD", "blob", ""): "read",
    ("DELETE", "blob", ""): "delete",
}  # fmt: skip
_LIST: Final = ("prefix", "delimiter", "marker", "maxresults", "startFrom")
_HEEDED: Final = {
    *CONTENT, "x-ms-date", "x-ms-version", "x-ms-client-request-id", "x-ms-blob-type", "x-ms-range",
    "x-ms-blob-public-access", "x-ms-return-client-request-id",
}  # fmt: skip


@dataclass(slots=True)
class Container:
    """One container: its blobs and who may read them (``""`` nobody, ``blob``, ``container``)."""

    name: str
    public: str
    etag: str
    modified: float
    shelf: Shelf = field(default_factory=Shelf)


class AzureServer(ObjectServer):
    """Storage accounts in memory.

    ``keys``: base64 key by account. ``public_access``: whether the accounts let a container be public at all.
    ``now`` is the server's clock in seconds since 1970.
    """

    def __init__(
        self,
        keys: Mapping[str, str] | None = None,
        *,
        public_access: bool = True,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.keys = dict(keys) if keys is not None else {ACCOUNT: KEY}
        self._public_access, self._now = public_access, now
        self._blobs = Blobs(now)
        self._lock = threading.RLock()
        self._containers: dict[tuple[str, str], Container] = {}

    def create_container(self, name: str, *, account: str = ACCOUNT, public: str = "") -> Container:
        """A new container. Refused where the name is bad or taken, or ``public`` is not allowed or no level."""
        if not _NAME.fullmatch(name):
            raise Refused(400, "InvalidResourceName", "The specified resource name contains invalid characters.")
        self._check_public(public)
        with self._lock:
            if (account, name) in self._containers:
                raise Refused(409, "ContainerAlreadyExists", "The specified container already exists.")
            made = self._containers[account, name] = Container(name, public, self._blobs.etag(), self._now())
        return made

    def answer(self, request: Request) -> Reply:
        """One request."""
        account, _, rest = request.path.removeprefix("/").partition("/")
        name, _, key = rest.partition("/")
        level = "blob" if key else request.parameter("restype")
        operation = _OPERATIONS.get((request.method, level, request.parameter("comp")))
        owner = verify(request, self.keys, self._now())
        if not owner:
            self._check_anonymous(request, account, name, operation or "")
        if operation is None or not name:
            query = ",".join(f"{k}={v}" for k, v in request.query)
            raise not_offered(f"{request.method} of a {level or 'service'} with {query or 'no parameters'}")
        _check_headers(request)
        request.only(["restype", "comp", "timeout", *(_LIST if operation == "list" else ())])
        if operation == "create":
            return self._create(request, account, name)
        container = self._find(account, name)
        if operation == "batch":
            return self._own(request, batch.answer(request, f"/{account}/{name}/", self))
        if key:
            return self._own(request, self._blobs.answer(operation, request, container.shelf, key))
        answers = {"properties": self._describe, "get_acl": self._get_acl, "set_acl": self._set_acl, "list": self._list}
        return self._own(request, answers[operation](request, container))

    def refusal(self, request: Request, refused: Refused) -> Reply:
        """An error document; its code goes in a header too, for answers without a body."""
        ident = str(uuid.uuid4())
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z", time.gmtime(self._now()))
        detail = f"<AuthenticationErrorDetail>{escape(refused.details)}</AuthenticationErrorDetail>"
        document = (
            f"<Error><Code>{refused.code}</Code><Message>{escape(refused.message)}\nRequestId:{ident}\nTime:{stamp}"
            f"</Message>{detail if refused.details else ''}</Error>"
        )
        headers = [("x-ms-error-code", refused.code), *refused.headers]
        if request.method == "HEAD" or refused.status == 304:
            return self._own(request, Reply(refused.status, headers, b""), ident)
        reply = xml_reply(refused.status, document, headers)
        return self._own(request, reply, ident)

    def _own(self, request: Request, reply: Reply, ident: str = "") -> Reply:
        reply.headers.append(("x-ms-request-id", ident or str(uuid.uuid4())))
        reply.headers.append(("x-ms-version", request.header("x-ms-version") or "2009-09-19"))
        if request.header("x-ms-client-request-id"):
            reply.headers.append(("x-ms-client-request-id", request.header("x-ms-client-request-id")))
        return reply

    def _find(self, account: str, name: str) -> Container:
        with self._lock:
            found = self._containers.get((account, name))
        if found is None:
            raise Refused(404, "ContainerNotFound", "The specified container does not exist.")
        return found

    def _check_public(self, level: str) -> None:
        if level and level not in _PUBLIC:
            message = "The value for one of the HTTP headers is not in the correct format."
            raise Refused(400, "InvalidHeaderValue", message, "x-ms-blob-public-access")
        if level and not self._public_access:
            raise Refused(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")

    def _check_anonymous(self, request: Request, account: str, name: str, operation: str) -> None:
        """Refused where the container is not as public as the request needs it to be, or is not there."""
        if self._public_access:
            with self._lock:
                container = self._containers.get((account, name))
            if container is not None and operation in _TO_ALL.get(container.public, ()):
                return
        if request.header("x-ms-version") >= "2019-12-12":  # these are told how to sign in
            raise Refused(
                401,
                "NoAuthenticationInformation",
                "Server failed to authenticate the request. Please refer to the information in the www-authenticate "
                "header.",
                headers=[
                    (
                        "WWW-Authenticate",
                        "Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize "
                        "resource_id=https://storage.azure.com",
                    )
                ],
            )
        if not self._public_access:
            raise Refused(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")
        raise Refused(404, "ResourceNotFound", "The specified resource does not exist.")

    def _create(self, request: Request, account: str, name: str) -> Reply:
        made = self.create_container(name, account=account, public=request.header("x-ms-blob-public-access").lower())
        return self._own(request, Reply(201, stamp(made), b""))

    def _describe(self, request: Request, container: Container) -> Reply:
        public = [("x-ms-blob-public-access", container.public)] if container.public else []
        fixed = [
            ("x-ms-lease-status", "unlocked"),
            ("x-ms-lease-state", "available"),
            ("x-ms-has-immutability-policy", "false"),
            ("x-ms-has-legal-hold", "false"),
            ("x-ms-default-encryption-scope", "$account-encryption-key"),
            ("x-ms-deny-encryption-scope-override", "false"),
        ]
        return Reply(200, [*stamp(container), *fixed, *public], b"")

    def _get_acl(self, request: Request, container: Container) -> Reply:
        public = [("x-ms-blob-public-access", container.public)] if container.public else []
        return xml_reply(200, "<SignedIdentifiers />", [*stamp(container), *public])

    def _set_acl(self, request: Request, container: Container) -> Reply:
        if b"<SignedIdentifier>" in request.body:
            raise not_offered("stored access policies")
        level = request.header("x-ms-blob-public-access").lower()
        self._check_public(level)
        with self._lock:
            container.public, container.etag, container.modified = level, self._blobs.etag(), self._now()
        return Reply(200, stamp(container), b"")

    def _list(self, request: Request, container: Container) -> Reply:
        given = {name: request.parameter(name) for name in _LIST}
        if given["maxresults"] and not (given["maxresults"].isdigit() and int(given["maxresults"])):
            message = "One of the query parameters specified in the request URI is outside the permissible range."
            raise Refused(400, "OutOfRangeQueryParameterValue", message)
        try:
            after = token_name(given["marker"])
        except ValueError as err:
            message = "Value for one of the query parameters specified in the request URI is invalid."
            raise Refused(400, "InvalidQueryParameterValue", message) from err
        limit = min(int(given["maxresults"] or _PAGE), _PAGE)
        page = container.shelf.page(
            prefix=given["prefix"], delimiter=given["delimiter"], after=after, start=given["startFrom"], limit=limit
        )
        where = f"{request.header('host')}{request.raw_path.rpartition('/')[0]}/"
        tags = {"prefix": "Prefix", "marker": "Marker", "maxresults": "MaxResults", "delimiter": "Delimiter"}
        asked = "".join(f"<{tag}>{escape(given[name])}</{tag}>" for name, tag in tags.items() if given[name])
        return xml_reply(
            200,
            f"<EnumerationResults ServiceEndpoint={quoteattr(f'http://{where}')} "
            f"ContainerName={quoteattr(container.name)}>{asked}<Blobs>{''.join(map(listed, page.entries))}</Blobs>"
            f"<NextMarker>{page.token}</NextMarker></EnumerationResults>",
        )


def _check_headers(request: Request) -> None:
    strange = [n for n in request.headers if n.startswith("x-ms-") and n not in _HEEDED and "-meta-" not in n]
    if strange:
        raise not_offered(f"{request.method} with the header {', '.join(sorted(strange))}")
