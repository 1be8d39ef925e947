"""What is recorded of a deployment, told as a plan's outline: so that what is deployed can be priced like a plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provisioner.model import Position
from provisioner.plan.model import Plan, StepDecl
from provisioner.plan.outline import Item, Outline, values_of
from provisioner.resource import Registry
from provisioner.state.records import Record, State


class Recorded(Outline):
    """The steps of a record in its order. Its values are those of the objects, so no reference is left in them:
    which step a field meant is known by the value that the other step handed on."""

    def __init__(self, state: State, registry: Registry, plan: Plan) -> None:
        """``plan``: whose environment and provider it is."""
        self.plan = _like(plan, state)
        self._records = state.steps
        self.items = {record.step: _item(record, registry) for record in state.steps.values()}

    def links(self, item: Item, field: str) -> list[Item]:
        """The steps that this one needs and that handed on what the field holds."""
        texts = set(_texts(item.values.get(field)))
        needs = (self._records[name] for name in self._records[item.step.name].needs if name in self._records)
        return [self.items[other.step] for other in needs if texts & {other.key.name, *_texts(other.outputs)}]

    def users(self, item: Item, *types: str) -> list[Item]:
        """The steps that need this one."""
        needing = [name for name, record in self._records.items() if item.step.name in record.needs]
        return [self.items[name] for name in needing if not types or self.items[name].type in types]


def _like(plan: Plan, state: State) -> Plan:
    return Plan(
        path=plan.path,
        deployment=state.deployment,
        base=plan.base,
        environment=plan.environment,
        provider=state.provider or plan.provider,
        region=state.region or plan.region,
    )


def _item(record: Record, registry: Registry) -> Item:
    cls = registry.type(record.type)
    step = StepDecl(
        name=record.step,
        type=record.type,
        where=Position("state.json"),
        tree=record.spec,
        stage=record.stage,
        adopt=record.adopted,
        protect=record.protect,
    )
    return Item(cls, step, values_of(cls, record.spec), record.key.name, record.key.region)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
