"""Bills beside each other, step by step: environments of a plan, or a plan and what is deployed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from provisioner.cost.bill import Estimate, StepCost


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One step in every bill; None where a bill has no such step."""

    step: str
    type: str
    costs: tuple[StepCost | None, ...]

    @property
    def amounts(self) -> tuple[Decimal, ...]:
        """USD a month; 0 where the step is not there."""
        return tuple(cost.monthly if cost is not None else Decimal(0) for cost in self.costs)

    @property
    def change(self) -> Decimal:
        """From the first bill to the last."""
        return self.amounts[-1] - self.amounts[0]

    @property
    def known(self) -> bool:
        return all(cost is None or cost.known for cost in self.costs)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """``names``: what to call each bill."""

    names: tuple[str, ...]
    bills: tuple[Estimate, ...]
    rows: tuple[Row, ...]

    @property
    def change(self) -> Decimal:
        """USD a month from the first bill to the last."""
        return self.bills[-1].monthly - self.bills[0].monthly

    def below(self, index: int) -> Decimal:
        """By how many percent a bill is below the dearest one."""
        most = max(bill.monthly for bill in self.bills)
        return (most - self.bills[index].monthly) / most * 100 if most else Decimal(0)


def compare(bills: Sequence[tuple[str, Estimate]]) -> Comparison:
    """The bills side by side; steps in the order in which they first come up."""
    steps = {step.step: step.type for _, bill in bills for step in bill.steps}
    costs = [{step.step: step for step in bill.steps} for _, bill in bills]
    rows = tuple(
        Row(step=name, type=type_, costs=tuple(known.get(name) for known in costs)) for name, type_ in steps.items()
    )
    return Comparison(names=tuple(name for name, _ in bills), bills=tuple(bill for _, bill in bills), rows=rows)
