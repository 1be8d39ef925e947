"""Error documents in the five ways that AWS services write them, and the names that common errors have in each."""

from __future__ import annotations

import json
import uuid
from typing import Final
from xml.sax.saxutils import escape

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.models import error_statuses, known_services, service_model

_THROTTLING: Final = {
    "ec2": ("RequestLimitExceeded", 503),
    "s3": ("SlowDown", 503),
    "lambda": ("TooManyRequestsException", 429),
    "resourcegroupstaggingapi": ("ThrottledException", 400),
}
_INTERNAL: Final = {
    "ec2": ("InternalError", 500),
    "s3": ("InternalError", 500),
    "secretsmanager": ("InternalServiceError", 500),
    "kms": ("KMSInternalException", 500),
    "lambda": ("ServiceException", 500),
    "logs": ("ServiceUnavailableException", 500),
    "iam": ("ServiceFailure", 500),
}
_INVALID: Final = {
    "kms": "ValidationException",
    "secretsmanager": "InvalidParameterException",
    "logs": "InvalidParameterException",
    "iam": "ValidationError",
    "sns": "InvalidParameter",
    "s3": "InvalidArgument",
    "cloudwatch": "ValidationError",
    "resourcegroupstaggingapi": "InvalidParameterException",
}
_DENIED: Final = {"ec2": ("UnauthorizedOperation", 403), "sns": ("AuthorizationError", 403)}


def throttling(call: Call) -> AwsError:
    """The service's own way to ask for fewer calls."""
    plain = ("ThrottlingException" if call.protocol in ("json", "rest-json", "cbor") else "Throttling", 400)
    code, status = _THROTTLING.get(call.service, plain)
    return AwsError(code, "Rate exceeded", status)


def internal(call: Call) -> AwsError:
    """The service's own way to say that it failed."""
    code, status = _INTERNAL.get(call.service, ("InternalFailure", 500))
    return AwsError(code, "An internal error occurred", status)


def invalid(call: Call) -> AwsError:
    """The service's own way to say that a value is none that it takes."""
    plain = "ValidationException" if call.protocol in ("json", "rest-json", "cbor") else "InvalidParameterValue"
    return AwsError(_INVALID.get(call.service, plain), "a value is not valid (asked for by a fault)", 400)


def denied(call: Call) -> AwsError:
    """The service's own way to say that the caller may not."""
    plain = ("AccessDeniedException", 400) if call.protocol in ("json", "rest-json", "cbor") else ("AccessDenied", 403)
    code, status = _DENIED.get(call.service, plain)
    who = "User: arn:aws:iam::123456789012:user/sandbox"
    return AwsError(code, f"{who} is not authorized to perform: {call.service}:{call.operation}", status)


def named(call: Call, code: str, message: str) -> AwsError:
    """An error by the code that somebody asked for."""
    if code in ("AccessDenied", "AccessDeniedException"):
        return denied(call)
    return AwsError(code, message or f"{code} (asked for by a fault)")


def status_of(error: AwsError, service: str) -> int:
    """The HTTP status of an error: its own, or the one in the service's model, or 400."""
    if error.status:
        return error.status
    return error_statuses(service).get(error.code, 400) if service in known_services() else 400


def error_reply(call: Call, error: AwsError) -> Reply:
    """The error as the protocol that the caller speaks has it."""
    request_id = str(uuid.uuid4())
    status = status_of(error, call.service)
    headers = [("x-amzn-RequestId", request_id)]
    if call.protocol in ("json", "rest-json"):
        body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message}).encode()
        version = "1.1" if call.service != "sqs" else "1.0"
        headers += [("Content-Type", f"application/x-amz-json-{version}"), ("x-amzn-ErrorType", error.code)]
        headers += _query_error(call, error, status)
    elif call.protocol == "cbor":
        body = _cbor({"__type": error.code, "message": error.message})
        headers += [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        headers += _query_error(call, error, status)
    else:
        body = _error_xml(call, error, status, request_id).encode()
        headers.append(("Content-Type", "text/xml" if call.protocol != "rest-xml" else "application/xml"))
    if call.environ.get("REQUEST_METHOD") == "HEAD":
        body = b""
    return Reply(status, headers, body)


def _query_error(call: Call, error: AwsError, status: int) -> list[tuple[str, str]]:
    """The code that an error had in the query protocol, for callers that ask for it: a service spoke it once."""
    if "HTTP_X_AMZN_QUERY_MODE" not in call.environ:
        return []
    return [("x-amzn-query-error", f"{error.code};{'Sender' if status < 500 else 'Receiver'}")]


def _error_xml(call: Call, error: AwsError, status: int, request_id: str) -> str:
    code, message = escape(error.code), escape(error.message)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    if call.protocol == "ec2":
        return (
            f"{head}<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    if call.service == "s3":
        return (
            f"{head}<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
        )
    namespace = service_model(call.service).metadata.get("xmlNamespace", "") if call.service in known_services() else ""
    fault = "Sender" if status < 500 else "Receiver"
    return (
        f'{head}<ErrorResponse xmlns="{namespace}"><Error><Type>{fault}</Type><Code>{code}</Code>'
        f"<Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _cbor(pairs: dict[str, str]) -> bytes:
    """A map of text to text in CBOR (RFC 8949)."""

    def head(major: int, length: int) -> bytes:
        if length < 24:
            return bytes([major << 5 | length])
        size = 1 if length < 1 << 8 else 2 if length < 1 << 16 else 4
        return bytes([major << 5 | {1: 24, 2: 25, 4: 26}[size]]) + length.to_bytes(size, "big")

    out = head(5, len(pairs))
    for pair in pairs.items():
        for text in pair:
            data = text.encode()
            out += head(3, len(data)) + data
    return out
