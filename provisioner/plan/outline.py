"""A plan as far as it is known before anything is made: what checks, the scan and the price list look at.

Most references can be followed without a cloud: ``${db-subnets.name}`` is the name that the step's object will have,
``${private-a.cidr}`` a field that its step sets. What only a cloud can say (an id, an address) stays in place as its
own text, ``${vpc.vpc_id}``; :func:`unknown` tells it from a value, :meth:`Outline.links` says which step it stands for.

Weakness: an output is taken for the field of the same name where its step sets one. A type whose output of that name
said something else would be misread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import msgspec

from provisioner.model import Finding, Position, Severity
from provisioner.plan.model import Plan, StepDecl
from provisioner.plan.speccheck import fields_of
from provisioner.refs import PARAM, Ref, UnresolvedError, freeze, refs_in
from provisioner.resource import Registry, Resource, StepType
from provisioner.secret import Secret
from provisioner.spec import keep_secret, plain


def unknown(value: Any) -> bool:
    """Whether a value is, or anywhere holds, something that only the cloud can say, or a secret.

    >>> unknown("${vpc.vpc_id}"), unknown(["a", {"cidr": "${vpc.cidr}"}]), unknown("10.0.0.0/16"), unknown(None)
    (True, True, False, False)
    """
    if isinstance(value, str):
        return "${" in value
    if isinstance(value, dict):
        return any(unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(unknown(item) for item in value)
    return isinstance(value, Secret)


class Item:
    """One step of a plan, or one object of a deployment.

    ``values`` has every field of the Spec: its value with defaults, nested structs as dicts, None where it is not set,
    and text with ``${`` in it where only the cloud can say. ``name`` and ``region`` are the object's. ``reported``: the
    values are what the cloud says.
    """

    def __init__(
        self,
        cls: type[StepType],
        step: StepDecl,
        values: Mapping[str, Any],
        name: str,
        region: str,
        *,
        reported: bool = False,
    ) -> None:
        self.cls = cls
        self.step = step
        self.values = values
        self.name = name
        self.region = region
        self.reported = reported

    @property
    def type(self) -> str:
        return self.cls.type

    def get(self, field: str, default: Any = None) -> Any:
        """The value of a field; ``default`` where it is not set or not known. A list or dict may hold unknown parts."""
        value = self.values.get(field)
        if value is None or isinstance(value, Secret) or (isinstance(value, str) and unknown(value)):
            return default
        return value

    def assumed(self, field: str) -> bool:
        """Whether a field's value is a default of an object that others made: then it is nobody's wish, nor known."""
        return self.step.adopt and not self.reported and field not in self.step.tree

    def sets(self, field: str) -> bool:
        """Whether the field has a value, be it known yet or not."""
        return self.values.get(field) not in (None, "", [], {})


class Outline:
    """The steps of a plan in its order, each with what is known of it."""

    def __init__(self, plan: Plan, registry: Registry) -> None:
        self.plan = plan
        self.items: dict[str, Item] = {}
        for step in plan.steps:
            self.items[step.name] = self._item(step, registry.type(step.type))

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items.values())

    def of(self, *types: str) -> Iterator[Item]:
        """The items of these types, in the plan's order."""
        return (item for item in self.items.values() if item.type in types)

    def links(self, item: Item, field: str) -> list[Item]:
        """The items that a field refers to, in the field's order, each once."""
        refs = refs_in(item.step.tree.get(field))
        return [self.items[name] for name in dict.fromkeys(ref.step for ref in refs) if name in self.items]

    def link(self, item: Item, field: str, *types: str) -> Item | None:
        """The first item that a field refers to, of these types where some are given."""
        found = (other for other in self.links(item, field) if not types or other.type in types)
        return next(found, None)

    def users(self, item: Item, *types: str) -> list[Item]:
        """The items that refer to this one anywhere, of these types where some are given."""
        return [
            other
            for other in (self.of(*types) if types else self)
            if any(ref.step == item.step.name for ref in refs_in(other.step.tree))
        ]

    def at(self, item: Item, *path: str | int) -> Position:
        """Where the plan's file has a field of a step, or the nearest thing around it."""
        return self.plan.at(item.step, "with", *path)

    def finding(
        self,
        id_: str,
        item: Item,
        field: str,
        message: str,
        *,
        hint: str = "",
        severity: Severity = Severity.ERROR,
    ) -> Finding:
        """A finding about a field of a step; about the step itself where ``field`` is empty."""
        where = self.at(item, field) if field else item.step.where
        subject = f"steps.{item.step.name}" + (f".with.{field}" if field else "")
        return Finding(id=id_, message=message, severity=severity, where=where, subject=subject, hint=hint)

    def _item(self, step: StepDecl, cls: type[StepType]) -> Item:
        tree = {field: freeze(value, self._lookup) for field, value in step.tree.items()}
        values = values_of(cls, tree)
        name = region = ""
        if issubclass(cls, Resource):
            key = cls.key(self.plan.deployment, step.name, SimpleNamespace(**values), self.plan.region)
            name, region = key.name, key.region
        return Item(cls, step, values, name, region)

    def _lookup(self, ref: Ref) -> Any:
        item = self.items.get(ref.step)
        if ref.step == PARAM or item is None:
            raise UnresolvedError(ref)
        if ref.output == "name" and item.name and not unknown(item.name):
            return item.name
        value = item.values.get(ref.output)
        if value is None or unknown(value):
            raise UnresolvedError(ref)
        return value

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """The plan's outputs as far as they are known; the rest as text with references in it."""
        return {name: freeze(output.tree, self._lookup) for name, output in self.plan.outputs.items()}


def values_of(cls: type[StepType], tree: Mapping[str, Any]) -> dict[str, Any]:
    """Every field of a type's Spec by what a ``with`` sets, as :class:`Item` has it."""
    return {field.name: _value(field, tree) for field in fields_of(cls.Spec)}


def _value(field: Any, tree: Mapping[str, Any]) -> Any:
    if field.encode_name not in tree:
        if field.default is not msgspec.NODEFAULT:
            return plain(field.default)
        return plain(field.default_factory()) if field.default_factory is not msgspec.NODEFAULT else None
    value = _unescaped(tree[field.encode_name])
    try:
        # For the defaults of nested structs; what is not known yet need not fit, and stays as it is.
        return plain(msgspec.convert(value, field.type, dec_hook=keep_secret))
    except msgspec.ValidationError:
        return value


def _unescaped(tree: Any) -> Any:
    """``$${`` as the ``${`` that it means, in text without any reference; what has one stays marked."""
    if isinstance(tree, str):
        return tree.replace("$${", "${") if "${" not in tree.replace("$${", "") else tree
    if isinstance(tree, list):
        return [_unescaped(item) for item in tree]
    if isinstance(tree, dict):
        return {key: _unescaped(item) for key, item in tree.items()}
    return tree
