"""The query protocol by the book of botocore's models: form parameters in, XML out.

``parse`` turns ``Tags.Tag.1.Key=a`` into nested values with the types that the model gives them, and refuses what the
service would refuse before it looks at meaning: parameters that do not exist, that are missing, that have the wrong
type, or that break the model's enum, pattern or bounds. ``render`` writes a result as the service would.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from provisioner.sandbox.aws.call import AwsError, Reply

if TYPE_CHECKING:
    from botocore.model import OperationModel

_NOT_PARAMETERS: Final = re.compile(r"^(Action|Version|X-Amz-.*|AWSAccessKeyId|Signature.*|Timestamp)$")
Tree = dict[str, Any]


def parse(operation: OperationModel, form: dict[str, str]) -> dict[str, Any]:
    """The parameters of a call, typed. AwsError where the form does not fit the model."""
    tree: Tree = {}
    for name, value in form.items():
        if not _NOT_PARAMETERS.match(name):
            _insert(tree, name, value)
    if operation.input_shape is None:
        return {}
    return dict(_structure(operation.input_shape, tree, ""))


def _insert(tree: Tree, name: str, value: str) -> None:
    *parents, leaf = name.split(".")
    for part in parents:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            if inner != "":
                raise AwsError("MalformedInput", f"{name} is both a value and a structure")
            inner = tree[part] = {}
        tree = inner
    tree[leaf] = value


def _structure(shape: Any, tree: Any, path: str) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise AwsError("MalformedInput", f"Unexpected value for {path}")
    names = {m.serialization.get("name", name): name for name, m in shape.members.items()}
    unknown = [part for part in tree if part not in names]
    if unknown:
        raise AwsError("MalformedInput", f"Unknown parameter: {path}{unknown[0]}")
    given = {names[part]: value for part, value in tree.items()}
    for name in shape.required_members:
        if name not in given:
            raise AwsError("MissingParameter", f"The request must contain the parameter {path}{name}.")
    return {name: _value(shape.members[name], value, f"{path}{name}") for name, value in given.items()}


def _value(shape: Any, raw: Any, path: str) -> Any:
    if shape.type_name == "structure":
        return _structure(shape, raw, f"{path}.")
    if shape.type_name == "list":
        return _list(shape, raw, path)
    if not isinstance(raw, str):
        raise AwsError("MalformedInput", f"{path} is not a structure")
    return _scalar(shape, raw, path)


def _list(shape: Any, raw: Any, path: str) -> list[Any]:
    if raw == "":
        return []
    if isinstance(raw, dict) and not all(part.isdigit() for part in raw):
        if len(raw) != 1:
            raise AwsError("MalformedInput", f"{path} is a list")
        raw = next(iter(raw.values()))
    if not isinstance(raw, dict) or not all(part.isdigit() for part in raw):
        raise AwsError("MalformedInput", f"{path} is a list")
    values = [_value(shape.member, raw[i], f"{path}.{i}") for i in sorted(raw, key=int)]
    _bounds(shape, len(values), path, "members")
    return values


def _scalar(shape: Any, raw: str, path: str) -> Any:
    kind = shape.type_name
    if kind == "boolean":
        if raw.lower() not in ("true", "false"):
            raise AwsError("MalformedInput", f"Invalid boolean value for {path}: {raw!r}")
        return raw.lower() == "true"
    if kind in ("integer", "long", "float", "double"):
        try:
            number = int(raw) if kind in ("integer", "long") else float(raw)
        except ValueError:
            raise AwsError("MalformedInput", f"Invalid {kind} value for {path}: {raw!r}") from None
        _bounds(shape, number, path, "")
        return number
    if kind == "timestamp":
        try:
            return datetime.fromisoformat(raw).astimezone(UTC)
        except ValueError:
            raise AwsError("MalformedInput", f"Invalid timestamp for {path}: {raw!r}") from None
    _text(shape, raw, path)
    return raw


def _text(shape: Any, raw: str, path: str) -> None:
    enum = getattr(shape, "enum", None)
    shown = "the value" if shape.metadata.get("sensitive") else repr(raw)
    if enum and raw not in enum:
        raise AwsError("InvalidParameterValue", f"{path}: {shown} is not one of {', '.join(enum)}")
    _bounds(shape, len(raw), path, "characters")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, raw):
        raise AwsError("InvalidParameterValue", f"{path}: {shown} does not match {pattern}")


def _bounds(shape: Any, size: float, path: str, unit: str) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        raise AwsError("InvalidParameterValue", f"{path}: at least {low} {unit}".rstrip())
    if high is not None and size > high:
        raise AwsError("InvalidParameterValue", f"{path}: at most {high} {unit}".rstrip())


def render(operation: OperationModel, result: dict[str, Any]) -> Reply:
    """The answer to a call that succeeded. Keys of ``result`` that the model does not know are left out."""
    name, request_id = operation.name, str(uuid.uuid4())
    namespace = operation.service_model.metadata.get("xmlNamespace", "")
    parts = [f'<{name}Response xmlns="{namespace}">']
    shape = operation.output_shape
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{name}Result")
        _write(parts, shape, result, wrapper)
    parts.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>")
    headers = [("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)]
    return Reply(200, headers, "".join(parts).encode())


def _write(parts: list[str], shape: Any, value: Any, tag: str) -> None:
    kind = shape.type_name
    if kind == "structure":
        parts.append(f"<{tag}>")
        for name, member in shape.members.items():
            if value.get(name) is not None:
                _write(parts, member, value[name], member.serialization.get("name", name))
        parts.append(f"</{tag}>")
    elif kind == "list":
        flat = shape.serialization.get("flattened")
        inner = shape.member.serialization.get("name", "member") if not flat else tag
        if not flat:
            parts.append(f"<{tag}>")
        for item in value:
            _write(parts, shape.member, item, inner)
        if not flat:
            parts.append(f"</{tag}>")
    else:
        parts.append(f"<{tag}>{escape(_plain(kind, value))}</{tag}>")


def _plain(kind: str, value: Any) -> str:
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        moment: datetime = value
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
