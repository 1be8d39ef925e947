"""Field by field: what the plan, the record and the cloud say of it, and who departed from whom.

``compare`` says where the cloud is not as recorded; here that is put beside what the plan says by now. A secret goes
by the fingerprint of what its reference gives today, and is never shown.
"""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from provisioner.engine.compare import compare, fingerprints, masked
from provisioner.engine.sides import Sides
from provisioner.model import Observed
from provisioner.refs import PARAM, refs_in
from provisioner.resource import CanUpdate
from provisioner.secret import Secret
from provisioner.spec import secrets_in


class Cause(enum.Enum):
    """Who departed from what was recorded."""

    OUTSIDE = "outside"
    PLAN = "plan"
    BOTH = "both"
    AGREED = "agreed"
    """The cloud was changed outside, to what the plan says by now or says nothing of."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field three ways, as JSON with secrets as ``***``; None where that side says nothing.

    ``added`` and ``missing``: of a list, what the cloud has beside, and instead of, the recorded items.
    ``replaces``: only a new object can have another value.
    """

    field: str
    plan: Any
    record: Any
    cloud: Any
    cause: Cause
    secret: bool = False
    replaces: bool = False
    added: list[Any] = []
    missing: list[Any] = []


class Fields:
    """The fields of one object."""

    def __init__(self, sides: Sides, seen: Observed, salt: str) -> None:
        self.sides = sides
        self.seen = seen
        self.salt = salt
        self.cls = type(sides.resource)
        self.fixed = (
            self.cls.immutable if issubclass(self.cls, CanUpdate) else frozenset(self.cls.Spec.__struct_fields__)
        )

    def listed(self) -> list[Field]:
        """Those that are not the same three times."""
        sides = self.sides
        outside, turned = self._outside(), self._turned()
        order = dict.fromkeys([*sides.recorded, *sides.planned])
        return [self._field(name, name in outside, name in turned) for name in order if name in outside | turned]

    def _outside(self) -> set[str]:
        """Where the cloud is not as recorded."""
        sides = self.sides
        found = compare(self.cls, sides.recorded, sides.record.spec, self.seen, sides.record, self.salt)
        return {one.field for one in found if not self._accepted(one.field) and not self._other_parameter(one.field)}

    def _accepted(self, name: str) -> bool:
        """A secret document that somebody accepted as it is: then the record has the fingerprint of the whole."""
        value = self.seen.spec.get(name)
        return isinstance(value, Secret) and self.sides.record.fingerprints.get(name) == value.fingerprint(self.salt)

    def _other_parameter(self, name: str) -> bool:
        """A secret that is another only because the user gave another parameter."""
        refs = list(refs_in(self.sides.tree.get(name)))
        told = isinstance(self.seen.spec.get(name), Secret)
        return not told and bool(refs) and all(ref.step == PARAM for ref in refs)

    def _turned(self) -> set[str]:
        """Where the plan is not as recorded, and the cloud not yet as the plan."""
        return {name for name in self.sides.planned if self._differs(name) and not self._fits(name)}

    def _differs(self, name: str) -> bool:
        sides = self.sides
        want, was = sides.planned[name], sides.recorded.get(name)
        if not any(secrets_in(want)) and not any(secrets_in(was)):
            return not self._same(name, want, was)
        if name in sides.unchecked:
            return False
        if sides.frozen.get(name) != sides.record.spec.get(name):
            return True
        return self._other_parameter(name) and not self._as_fingerprinted(name)

    def _as_fingerprinted(self, name: str) -> bool:
        now = fingerprints({name: self.sides.planned[name]}, self.salt)
        known = self.sides.record.fingerprints
        return all(known.get(path) == mark for path, mark in now.items())

    def _fits(self, name: str) -> bool:
        """The cloud has what the plan says."""
        return name in self.seen.spec and self._same(name, self.sides.planned[name], self.seen.spec[name])

    def _same(self, name: str, wanted: Any, other: Any) -> bool:
        same = self.cls.matches.get(name)
        return bool(same(wanted, other)) if same and None not in (wanted, other) else bool(wanted == other)

    def _field(self, name: str, outside: bool, turned: bool) -> Field:
        sides = self.sides
        want, was, have = sides.planned.get(name), sides.recorded.get(name), self.seen.spec.get(name)
        secret = any(any(secrets_in(side)) for side in (want, was, have))
        if name not in self.seen.spec and secret:
            have = Secret("")  # there, and not told
        cause = Cause.BOTH if outside and turned else Cause.OUTSIDE if outside else Cause.PLAN
        if outside and not turned and sides.decl is not None and (want is None or self._fits(name)):
            cause = Cause.AGREED
        added, missing = self._items(name, was, have) if outside else ([], [])
        return Field(
            field=name,
            plan=masked(want),
            record=masked(was),
            cloud=masked(have) if name in self.seen.spec or secret else masked(was),
            cause=cause,
            secret=secret,
            replaces=name in self.fixed,
            added=masked(added),
            missing=masked(missing),
        )

    def _items(self, name: str, was: Any, have: Any) -> tuple[list[Any], list[Any]]:
        """(items of the cloud that were not recorded, recorded items that the cloud has not)."""
        if not isinstance(was, list) or not isinstance(have, list):
            return [], []
        pairs = [(mine, theirs) for mine in was for theirs in have if self._same(name, [mine], [theirs])]
        added = [item for item in have if not any(item is theirs for _, theirs in pairs)]
        return added, [item for item in was if not any(item is mine for mine, _ in pairs)]
