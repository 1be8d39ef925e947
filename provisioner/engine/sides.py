"""What the record and the plan say of one object, resolved: two of the three sides that :mod:`drift` compares.

The plan's references stand here for what was *recorded* of the steps above, so that something that was replaced shows
once, where it happened, and not again in all that hang on it. Secrets are what their references give today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from provisioner.engine.context import Context
from provisioner.engine.loop import Task
from provisioner.errors import CloudError, InvalidRequestError
from provisioner.model import Observed
from provisioner.plan.model import StepDecl
from provisioner.refs import PARAM, Ref, UnresolvedError, freeze, parse, resolve
from provisioner.resource import Resource
from provisioner.secret import Secret
from provisioner.spec import decode, fields
from provisioner.state.records import Record

Lookup = Callable[[Ref], Any]


class Sides:
    """Field → value. ``unchecked``: field → why it cannot be compared; such fields are in none of the sides."""

    def __init__(self, ctx: Context, resource: Resource, record: Record, decl: StepDecl | None) -> None:
        self.ctx = ctx
        self.resource = resource
        self.record = record
        self.decl = decl
        self.tree: dict[str, Any] = parse(record.spec)
        self.recorded: dict[str, Any] = {}
        self.planned: dict[str, Any] = {}
        self.frozen: dict[str, Any] = {}
        """The plan's side as it would be recorded."""
        self.unchecked: dict[str, str] = {}

    def learn(self, seen: Observed) -> Task:
        """Fetches the secrets that take part, and fills the sides in."""
        record, decl = self.record, self.decl
        yield from self.ctx.ensure(self.tree)
        for name, value in [*self.tree.items(), *(decl.tree.items() if decl is not None else ())]:
            yield from self._try(self.ctx.reveal(value, record.step), name)
        for name, value in seen.spec.items():
            if isinstance(value, Secret):
                alone = msgspec.structs.replace(seen, spec={name: value})
                yield from self._try(self.ctx.unveil(alone, record.step), name)
        self.recorded = self._values(self.tree, self.ctx.lookup, record.adopted)
        if decl is not None:
            self.planned = self._values(decl.tree, self._as_recorded, decl.adopt or record.adopted)
            self.frozen = freeze(decl.tree, self._as_recorded)

    def _try(self, task: Task, name: str) -> Task:
        """A secret that the credentials may not read is told, and stops nothing."""
        try:
            yield from task
        except CloudError as error:
            self.unchecked[name] = str(error)

    def _as_recorded(self, ref: Ref) -> Any:
        record = self.ctx.record(ref.step) if ref.step != PARAM else None
        if record is not None and ref.output in record.outputs:
            return record.outputs[ref.output]
        return self.ctx.lookup(ref)

    def _values(self, tree: Mapping[str, Any], lookup: Lookup, adopted: bool) -> dict[str, Any]:
        """Field → value of all that a tree manages; of what is adopted no defaults."""
        known: dict[str, Any] = {}
        for name, value in tree.items():
            try:
                known[name] = resolve(value, lookup)
            except UnresolvedError as error:
                self.unchecked.setdefault(name, f"the value of {error.ref} is not known here")
        gaps = tree.keys() - known.keys()
        if not adopted:
            known = self._with_defaults(tree, known, lookup)
        return {name: value for name, value in known.items() if name not in gaps | self.unchecked.keys()}

    def _with_defaults(self, tree: Mapping[str, Any], known: dict[str, Any], lookup: Lookup) -> dict[str, Any]:
        try:
            # What is not known is a secret; any will do, to get at the defaults of the other fields.
            return fields(decode(self.resource.Spec, resolve(tree, _whatever(lookup))))
        except InvalidRequestError:  # the record of an earlier version of the type, or a guess for a recovered one
            return known


def _whatever(lookup: Lookup) -> Lookup:
    def value(ref: Ref) -> Any:
        try:
            return lookup(ref)
        except UnresolvedError:
            return Secret("")

    return value
