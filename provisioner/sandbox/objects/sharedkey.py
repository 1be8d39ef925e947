"""Azure Storage's Shared Key: a request is signed with the account's key, and the signature is checked here.

The string to sign is that of service versions from 2015-02-21 on:
https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-shared-key
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

from provisioner.sandbox.objects.wire import Refused, Request, not_offered, parse_date

_SIGNED: Final = (
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
    "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
)  # fmt: skip
_SKEW: Final = 15 * 60
_VERSION: Final = re.compile(r"20\d\d-\d\d-\d\d")
_OLDEST: Final = "2019-12-12"


def string_to_sign(request: Request, account: str) -> str:
    """What the signature of a request covers."""
    values = {name: request.header(name) for name in _SIGNED}
    if values["content-length"] == "0":
        values["content-length"] = ""
    if request.header("x-ms-date"):
        values["date"] = ""
    own = sorted((n, " ".join(v.split())) for n, v in request.headers.items() if n.startswith("x-ms-"))
    parameters: dict[str, list[str]] = {}
    for name, value in request.query:
        parameters.setdefault(name.lower(), []).append(value)
    return "\n".join(
        [
            request.method,
            *values.values(),
            *(f"{name}:{value}" for name, value in own),
            f"/{account}{request.raw_path}",
            *(f"{name}:{','.join(sorted(given))}" for name, given in sorted(parameters.items())),
        ]
    )


def sign(request: Request, account: str, key: str) -> str:
    """The ``Authorization`` header of a request; ``key`` is in base64, as the portal shows it."""
    text = string_to_sign(request, account).encode()
    mac = hmac.new(base64.b64decode(key), text, hashlib.sha256).digest()
    return f"SharedKey {account}:{base64.b64encode(mac).decode()}"


def verify(request: Request, keys: Mapping[str, str], now: float) -> bool:
    """Whether the owner of the account sent this; False where the request is anonymous.

    Refused where it is signed and the signature, its date or the service version is wrong. ``now`` in seconds.
    """
    given = request.header("authorization")
    if not given:
        return False
    scheme, _, credential = given.partition(" ")
    account, _, signature = credential.partition(":")
    if scheme in ("Bearer", "SharedKeyLite"):
        raise not_offered(f"{scheme}: sign with the account's key (Shared Key)")
    if scheme != "SharedKey" or not account or not signature:
        raise _failed(
            "InvalidAuthenticationInfo", "Authentication information is not given in the correct format.", 400
        )
    _check_version(request)
    date = parse_date(request.header("x-ms-date") or request.header("date"))
    if date is None or abs(date - now) > _SKEW:
        raise _failed("AuthenticationFailed", detail="The Date header in the request is incorrect.")
    if account not in keys:
        raise Refused(404, "ResourceNotFound", "The specified resource does not exist.")
    if not hmac.compare_digest(given.encode(), sign(request, account, keys[account]).encode()):
        text = string_to_sign(request, account)
        raise _failed(
            "AuthenticationFailed",
            detail=f"The MAC signature found in the HTTP request '{signature}' is not the same as any computed "
            f"signature. Server used following string to sign: '{text}'.",
        )
    return True


def _check_version(request: Request) -> None:
    version = request.header("x-ms-version")
    if not version:
        raise Refused(
            400, "MissingRequiredHeader", "An HTTP header that's mandatory for this request is not specified."
        )
    if not _VERSION.fullmatch(version):
        message = "The value for one of the HTTP headers is not in the correct format."
        raise Refused(400, "InvalidHeaderValue", message, "x-ms-version")
    if version < _OLDEST:
        raise not_offered(f"service versions before {_OLDEST}")


def _failed(code: str, message: str = "", status: int = 403, detail: str = "") -> Refused:
    message = message or (
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly "
        "including the signature."
    )
    return Refused(status, code, message, detail)
