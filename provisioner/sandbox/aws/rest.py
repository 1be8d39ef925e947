"""REST with JSON by the book of botocore's models: parameters from path, query, headers and body; JSON out."""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.wire import check

if TYPE_CHECKING:
    from botocore.model import OperationModel


def parse(operation: OperationModel, call: Call, code: str) -> dict[str, Any]:
    """The parameters of a call, typed. AwsError with ``code`` where one is none that the model knows."""
    shape: Any = operation.input_shape
    if shape is None:
        return {}
    found = _of_body(shape, call)
    path = _path(operation, call)
    query = parse_qs(str(call.environ.get("QUERY_STRING", "")), keep_blank_values=True)
    for name, member in shape.members.items():
        place, key = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "uri":
            found[name] = path[key]
        elif place == "querystring" and key in query:
            found[name] = _of_text(member, query[key], code)
        elif place == "header" and f"HTTP_{key.upper().replace('-', '_')}" in call.environ:
            found[name] = str(call.environ[f"HTTP_{key.upper().replace('-', '_')}"])
    check(shape, found, "", code)
    return found


def _path(operation: OperationModel, call: Call) -> dict[str, str]:
    uri = operation.http["requestUri"].partition("?")[0]
    pattern = re.sub(r"\\\{(\w+)(?:\\\+)?\\\}", r"(?P<\1>.+)", re.escape(uri))
    match = re.fullmatch(f"{pattern}/?", call.path)
    return match.groupdict() if match else {}


def _of_text(shape: Any, values: list[str], code: str) -> Any:
    if shape.type_name == "list":
        return values
    if shape.type_name == "boolean":
        return values[0].lower() == "true"
    if shape.type_name in ("integer", "long"):
        try:
            return int(values[0])
        except ValueError:
            raise AwsError(code, f"{values[0]!r} is not a number") from None
    return values[0]


def _of_body(shape: Any, call: Call) -> dict[str, Any]:
    payload = shape.serialization.get("payload")
    if payload:
        return {payload: call.body}
    inside = {name: m for name, m in shape.members.items() if "location" not in m.serialization}
    if not inside:
        return {}
    try:
        raw = json.loads(call.body or b"{}")
    except ValueError as err:
        raise AwsError("InvalidRequestContentException", f"Could not parse request body into json: {err}") from err
    if not isinstance(raw, dict):
        raise AwsError("SerializationException", "the body is not a structure")
    return {name: _with_bytes(inside[name], value) for name, value in raw.items() if name in inside}


def _with_bytes(shape: Any, value: Any) -> Any:
    """Blobs are base 64 in JSON."""
    if shape.type_name == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as err:
            raise AwsError("SerializationException", "a blob is not in base 64") from err
    if shape.type_name == "structure" and isinstance(value, dict):
        return {n: _with_bytes(shape.members[n], v) if n in shape.members else v for n, v in value.items()}
    return value


def render(operation: OperationModel, result: Mapping[str, Any]) -> Reply:
    """The answer to a call that succeeded: ``result`` has the members of the operation's output; None is left out."""
    status = int(operation.http.get("responseCode", 200))
    headers = [("Content-Type", "application/json"), ("x-amzn-RequestId", str(uuid.uuid4()))]
    shape: Any = operation.output_shape
    body = b""
    if shape is not None:
        given = {name: value for name, value in result.items() if value is not None and name in shape.members}
        plain: dict[str, Any] = {}
        for name, value in given.items():
            serialization = shape.members[name].serialization
            place = serialization.get("location")
            if place == "header":
                headers.append((serialization.get("name", name), str(value)))
            elif place == "statusCode":
                status = int(value)
            elif name != shape.serialization.get("payload"):
                plain[name] = value
        payload = shape.serialization.get("payload")
        body = given.get(payload, b"") if payload else json.dumps(plain).encode()
    return Reply(status, headers, b"" if status == 204 else body)
