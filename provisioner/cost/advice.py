"""What would cost less: every alternative that the types know, priced by the same lists, and what is owed to the plan.

An alternative is tried, not guessed: the step is priced again with its other values, and the difference is the money.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from provisioner.charge import Alternative
from provisioner.cost.bill import TERMS, Estimate, Promise, StepCost, estimate, step_cost
from provisioner.cost.tables import terms
from provisioner.cost.usage import Usage
from provisioner.plan.outline import Item, Outline
from provisioner.powers import CanSave

RESERVED: Final = "cost.reserved-term"
UNUSED: Final = "plan.unused-parameter"


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """``saves``: USD a month; None where the lists do not know. ``step`` is empty where it is about the whole plan."""

    id: str
    step: str
    text: str
    caution: str = ""
    saves: Decimal | None = Decimal(0)


def advise(outline: Outline, usage: Usage | None = None) -> list[Advice]:
    """Everything that is worth a thought, what saves most first."""
    said = usage or Usage()
    bill = estimate(outline, usage)
    found = [*_alternatives(outline, said, bill), *_reserved(bill), *_unused(outline)]
    return sorted(found, key=lambda each: each.saves or Decimal(0), reverse=True)


def _alternatives(outline: Outline, usage: Usage, bill: Estimate) -> Iterator[Advice]:
    costs = {step.step: step for step in bill.steps}
    for item in outline:
        if not issubclass(item.cls, CanSave) or item.step.adopt:
            continue
        for other in item.cls.savings(item, outline, usage.of(item.step.name, item.type)):
            saves = _saves(costs[item.step.name], item, outline, usage, other)
            yield Advice(id=other.id, step=item.step.name, text=other.text, caution=other.caution, saves=saves)


def _saves(now: StepCost, item: Item, outline: Outline, usage: Usage, other: Alternative) -> Decimal | None:
    """USD a month; None where either way has no price that is known."""
    if other.drop:
        return now.monthly if now.known else None
    changed = Item(item.cls, item.step, {**item.values, **other.changes}, item.name, item.region)
    steps = {**usage.steps, item.step.name: {**usage.steps.get(item.step.name, {}), **other.assumed}}
    then = step_cost(changed, outline, Usage(steps, usage.types))
    return now.monthly - then.monthly if now.known and then.known else None


def _reserved(bill: Estimate) -> Iterator[Advice]:
    """The cheapest and the easiest promise for what can be reserved."""
    for term, payment in _promises(bill):
        promise = Promise(term, payment)
        saved = upfront = Decimal(0)
        for line in bill.lines:
            off = next((each for each in terms(line.charge.price) if (each.term, each.payment) == promise), None)
            if off is not None and line.full is not None:
                saved += line.full * off.off / 100
                share = {"none": Decimal(0), "partial": Decimal("0.5"), "all": Decimal(1)}[payment]
                upfront += line.full * (100 - off.off) / 100 * TERMS[term] * share
        if saved:
            paid = f"{upfront:,.2f} USD at once" if upfront else "nothing at once"
            text = f"reserve what runs all the time for {term}: --term {term} --payment {payment} ({paid})"
            yield Advice(id=RESERVED, step="", text=text, caution="it is paid for, used or not", saves=saved)


def _promises(bill: Estimate) -> list[tuple[str, str]]:
    """One a term: with nothing to pay at once where that is to be had, else the least."""
    offered = {(each.term, each.payment) for line in bill.lines for each in terms(line.charge.price)}
    order = ("none", "partial", "all")
    return [
        (term, next(payment for payment in order if (term, payment) in offered))
        for term in TERMS
        if any(known == term for known, _ in offered)
    ]


def _unused(outline: Outline) -> Iterator[Advice]:
    for finding in outline.plan.warnings:
        if finding.id == UNUSED:
            yield Advice(
                id=UNUSED, step="", text=f"{finding.message}: it changes nothing, and no price", saves=Decimal(0)
            )
