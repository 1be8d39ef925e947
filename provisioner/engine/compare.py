"""How far an object is from what the plan asks for, field by field.

A field that the cloud reports is compared with the cloud. One that it does not (a password) is compared with the
record: by value, or by fingerprint where it is secret. A field that is None in the plan is not managed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from provisioner.engine.decide import Gap
from provisioner.model import Observed
from provisioner.resource import CanUpdate, Resource
from provisioner.secret import MASK, Secret
from provisioner.spec import secrets_in
from provisioner.state.records import Record

UNKNOWN: Final = "(known after deploy)"


class Difference(msgspec.Struct, frozen=True):
    """One field, for people: values as JSON, secrets as ``***``. ``replaces``: only a new object can have it."""

    field: str
    before: Any
    after: Any
    replaces: bool = False


def compare(
    cls: type[Resource],
    wanted: Mapping[str, Any],
    frozen: Mapping[str, Any],
    seen: Observed,
    record: Record | None,
    salt: str,
    *,
    unsure: bool = False,
) -> list[Difference]:
    """Differences of the known fields ``wanted`` (decoded, plain) from what is there.

    ``frozen`` is the same spec as it would be recorded. Fields that are still unknown are not in ``wanted``.
    ``unsure``: an update was announced and may not have been carried out; then what the cloud does not report and an
    update can change counts as different, so that it is sent again.
    """
    fixed = cls.immutable if issubclass(cls, CanUpdate) else frozenset(cls.Spec.__struct_fields__)
    found = [
        Difference(name, before, after, replaces=name in fixed)
        for name, before, after in _differing(cls, wanted, frozen, seen, record, salt)
    ]
    if unsure:
        told = {difference.field for difference in found} | set(seen.spec) | fixed
        found += [Difference(name, None, masked(want)) for name, want in wanted.items() if name in frozen.keys() - told]
    return found


def gap(differences: Sequence[Difference]) -> Gap:
    if any(d.replaces for d in differences):
        return Gap.REPLACE
    return Gap.CHANGE if differences else Gap.NONE


def fingerprints(wanted: Mapping[str, Any], salt: str) -> dict[str, str]:
    """Path → fingerprint of every secret in a decoded spec."""
    return {path: secret.fingerprint(salt) for path, secret in secrets_in(dict(wanted))}


def masked(value: Any) -> Any:
    """The value with every secret as ``***``, for people and events."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Mapping):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


def _differing(
    cls: type[Resource],
    wanted: Mapping[str, Any],
    frozen: Mapping[str, Any],
    seen: Observed,
    record: Record | None,
    salt: str,
) -> Iterator[tuple[str, Any, Any]]:
    for name, want in wanted.items():
        if name in seen.spec:
            have = seen.spec[name]
            same = cls.matches.get(name)
            if not (same(want, have) if same and have is not None else want == have):
                yield name, masked(have), masked(want)
        elif record is not None and name in frozen and not _as_recorded(name, want, frozen, record, salt):
            yield name, masked(_shown(record.spec.get(name), want)), masked(want)


def _as_recorded(name: str, want: Any, frozen: Mapping[str, Any], record: Record, salt: str) -> bool:
    secret = fingerprints({name: want}, salt)
    if not secret:
        return bool(record.spec.get(name) == frozen[name])
    known = {path: mark for path, mark in record.fingerprints.items() if _under(path, name)}
    return known == secret and _without_secrets(frozen[name]) == _without_secrets(record.spec.get(name))


def _under(path: str, name: str) -> bool:
    return path == name or path.startswith((f"{name}.", f"{name}["))


def _without_secrets(frozen: Any) -> Any:
    """A frozen value without its reference texts: two references to the same value are not a difference."""
    if isinstance(frozen, str):
        return None if "${" in frozen.replace("$${", "") else frozen
    if isinstance(frozen, Mapping):
        return {key: _without_secrets(value) for key, value in frozen.items()}
    if isinstance(frozen, list):
        return [_without_secrets(value) for value in frozen]
    return frozen


def _shown(before: Any, want: Any) -> Any:
    return MASK if isinstance(want, Secret) else before
