"""A plan with the values that the cloud reports: the same rules then look at what is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.plan.model import Plan
from provisioner.plan.outline import Item, Outline
from provisioner.resource import Gate, Registry
from provisioner.spec import defaults, plain


def deployed(plan: Plan, registry: Registry, seen: Mapping[str, Mapping[str, Any]]) -> Outline:
    """``seen``: step → what the cloud reports of its Spec; steps that are not in it are not there, and left out.

    What the cloud does not report (a password, a description it forgets) stays as the plan has it: what hangs together
    is known by the plan's references.
    """
    made = Outline(plan, registry)
    for name, item in list(made.items.items()):
        reported = seen.get(name)
        if reported is not None:
            made.items[name] = Item(item.cls, item.step, _over(item, reported), item.name, item.region, reported=True)
        elif not issubclass(item.cls, Gate):
            del made.items[name]
    return made


def _over(item: Item, reported: Mapping[str, Any]) -> dict[str, Any]:
    spec = item.cls.Spec
    usual = defaults(spec)
    values = dict(item.values)
    for field in values:
        if field in reported:
            values[field] = plain(reported[field]) if reported[field] is not None else usual.get(field)
    return values
