"""A bill against a budget: within it, worth a warning, critical, or over."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from provisioner.cost.bill import CENT, Estimate
from provisioner.plan.model import Budget


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """``level``: ``within``, ``warning``, ``critical`` or ``over``. ``lines``: at how many USD each of these begins.

    ``at_least``: not everything has a price that is known, so it may be worse.
    """

    level: str
    monthly: Decimal
    limit: Decimal
    share: Decimal
    lines: dict[str, Decimal]
    at_least: bool

    @property
    def over(self) -> bool:
        return self.level == "over"


def stand(bill: Estimate, budget: Budget) -> Standing:
    """Where a bill stands in a budget; what is to the cent at the limit is not over it."""
    limit, monthly = Decimal(str(budget.monthly)), bill.monthly.quantize(CENT)
    percents = {"warning": Decimal(str(budget.warning)), "critical": Decimal(str(budget.critical))}
    lines = {level: limit * percent / 100 for level, percent in percents.items()}
    reached = [level for level in ("warning", "critical") if monthly >= lines[level]]
    level = "over" if monthly > limit else reached[-1] if reached else "within"
    return Standing(
        level=level,
        monthly=monthly,
        limit=limit,
        share=monthly / limit * 100,
        lines=lines,
        at_least=not bill.complete,
    )
