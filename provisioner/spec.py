"""From a resolved tree to a type's frozen Spec and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec

from provisioner.errors import InvalidRequestError
from provisioner.resource import Spec, StepType
from provisioner.secret import Secret

_S = TypeVar("_S", bound=Spec)


def decode(cls: type[_S], tree: Mapping[str, Any]) -> _S:
    """The Spec that a resolved tree describes; InvalidRequestError names the field (values are never shown)."""
    try:
        return msgspec.convert(tree, cls, dec_hook=keep_secret)
    except msgspec.ValidationError as err:
        raise InvalidRequestError(
            f"{err}", hint="a referenced value does not fit the field; see: provisioner types"
        ) from err


def keep_secret(wanted: type, value: Any) -> Any:
    """msgspec hook: a Secret is taken as it is, text is not turned into one."""
    if wanted is Secret and isinstance(value, Secret):
        return value
    raise ValueError(
        f"expected a reference to a secret, not {type(value).__name__}" if wanted is Secret else f"unsupported {wanted}"
    )


def values(spec: Spec) -> dict[str, Any]:
    """Field name → plain value of every field, None where it is not set: what rules are asked about."""
    return {name: plain(getattr(spec, name)) for name in spec.__struct_fields__}


def fields(spec: Spec) -> dict[str, Any]:
    """Field name → plain value (nested structs as dicts, Secrets as they are), without those that are None."""
    return {name: value for name, value in values(spec).items() if value is not None}


@cache
def defaults(cls: type[Spec]) -> dict[str, Any]:
    """Field name → default of the fields that have a literal one; for reading only."""
    return {f.name: f.default for f in msgspec.structs.fields(cls) if f.default is not msgspec.NODEFAULT}


def plain(value: Any) -> Any:
    """Structs, tuples and enums as dicts, lists and values; Secrets stay."""
    if isinstance(value, msgspec.Struct):
        return {
            name: plain(getattr(value, name)) for name in value.__struct_fields__ if getattr(value, name) is not None
        }
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Secret | str | int | float | bool | None):
        return value
    return msgspec.to_builtins(value)


def secrets_in(tree: Any, path: str = "") -> Iterator[tuple[str, Secret]]:
    """Every secret of a tree with its path."""
    if isinstance(tree, Secret):
        yield path, tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from secrets_in(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from secrets_in(value, f"{path}[{index}]")


def complaints(cls: type[StepType], known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, complaint) of each of the type's cross-field rules whose fields are all among ``known``."""
    for rule in cls.rules:
        if all(name in known for name in rule.fields):
            message = rule.check(*(known[name] for name in rule.fields))
            if message:
                yield rule.fields[-1], message
