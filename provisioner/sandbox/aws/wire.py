"""Parameters of a call and results of ours, in whichever protocol the caller speaks, by the book of botocore's models.

``query`` is the whole story for RDS and ElastiCache, which speak nothing else. Rules over moto, and services that were
moved from the query protocol to JSON, read their calls here: the same members with the same types either way.
"""

from __future__ import annotations

import functools
import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from provisioner.sandbox.aws import query
from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.models import service_model

_PYTHON: Final = {
    "structure": dict, "map": dict, "list": list, "string": str, "boolean": bool, "integer": int, "long": int,
    "float": (int, float), "double": (int, float),
}  # fmt: skip


def parameters(call: Call, code: str) -> dict[str, Any]:
    """The call's parameters; AwsError with ``code`` where a value is none that the service's model knows.

    Members that the model does not know are passed over in JSON, as AWS does, and refused in a form.
    """
    operation = service_model(call.service).operation_model(call.operation)
    if call.protocol != "json":
        try:
            return query.parse(operation, call.form)
        except AwsError as refused:
            raise AwsError(code if refused.code != "MalformedInput" else refused.code, refused.message) from refused
    try:
        raw = json.loads(call.body or b"{}")
    except ValueError as err:
        raise AwsError("SerializationException", f"the body is not JSON: {err}") from err
    if operation.input_shape is not None:
        check(operation.input_shape, raw, "", code)
    return dict(raw)


def check(shape: Any, value: Any, path: str, code: str) -> None:
    """AwsError with ``code`` where a value is none that the model knows; ``path`` is what it is called."""
    kind = shape.type_name
    wanted: Any = _PYTHON.get(kind, object)
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean"):
        raise AwsError("SerializationException", f"{path or 'the body'} is not a {kind}")
    if kind == "structure":
        _check_members(shape, value, path, code)
    elif kind == "map":
        for key, item in value.items():
            check(shape.key, key, f"{path}.key", code)
            check(shape.value, item, f"{path}.{key}", code)
    elif kind == "list":
        for number, item in enumerate(value, 1):
            check(shape.member, item, f"{path}.{number}", code)
    fault = _breach(shape, value)
    if fault:
        shown = "the value" if shape.metadata.get("sensitive") or kind in ("list", "map") else f"Value '{value}'"
        raise AwsError(code, f"1 validation error detected: {shown} at '{path}' failed to satisfy constraint: {fault}")


def _check_members(shape: Any, value: Mapping[str, Any], path: str, code: str) -> None:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if value.get(name) is None:
            raise AwsError(code, f"1 validation error detected: '{prefix}{name}' must not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            check(member, value[name], f"{prefix}{name}", code)


def _breach(shape: Any, value: Any) -> str:
    """What the model wants of a value that it is not, or nothing."""
    enum = getattr(shape, "enum", None)
    if enum and value not in enum:
        return f"Member must satisfy enum value set: [{', '.join(enum)}]"
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    size = value if isinstance(value, int | float) else len(value) if isinstance(value, str | list | dict) else None
    if size is not None and low is not None and size < low:
        return f"Member must have a value or length of at least {low}"
    if size is not None and high is not None and size > high:
        return f"Member must have a value or length of at most {high}"
    pattern = shape.metadata.get("pattern")
    known = _compiled(pattern) if pattern and isinstance(value, str) else None
    if known is not None and not known.fullmatch(value):
        return f"Member must satisfy regular expression pattern: {pattern}"
    return ""


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """None for a pattern that Python does not know the like of (Unicode classes)."""
    try:
        return re.compile(pattern)
    except re.error:
        return None


def answer(call: Call, result: Mapping[str, Any]) -> Reply:
    """The answer to a call that succeeded: ``result`` has the members of the operation's output; None is left out."""
    model = service_model(call.service)
    if call.protocol != "json":
        return query.render(model.operation_model(call.operation), dict(result))
    version = model.metadata.get("jsonVersion", "1.1")
    headers = [("Content-Type", f"application/x-amz-json-{version}"), ("x-amzn-RequestId", str(uuid.uuid4()))]
    return Reply(200, headers, json.dumps(_plain(result)).encode())


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.astimezone(UTC).timestamp() if isinstance(value, datetime) else value
