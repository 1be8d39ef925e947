"""How much of a provider's free allowances a bill takes, and what is left to pay while they last."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from provisioner.cost.bill import Estimate
from provisioner.cost.tables import Allowance, allowances

_ALL: Final = Decimal(100)


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """One allowance: ``planned`` by the plan and ``elsewhere`` in the account, in its unit; ``saved`` in USD a month.

    ``level``: ``within``, ``alert`` (from its share on that one should be told of) or ``over``.
    """

    allowance: Allowance
    planned: Decimal
    elsewhere: Decimal
    saved: Decimal

    @property
    def used(self) -> Decimal:
        return self.planned + self.elsewhere

    @property
    def share(self) -> Decimal:
        """Percent of the limit."""
        return self.used / self.allowance.limit * _ALL

    @property
    def level(self) -> str:
        if self.used > self.allowance.limit:
            return "over"
        return "alert" if self.used >= self.allowance.alert_at else "within"

    @property
    def alert(self) -> Decimal:
        """Percent of the limit from which on one should be told."""
        return self.allowance.alert_at / self.allowance.limit * _ALL


class FreeTier(msgspec.Struct, frozen=True, kw_only=True):
    """All allowances, and the bill with and without them."""

    bill: Estimate
    rows: tuple[Taken, ...]

    @property
    def during(self) -> Decimal:
        """USD a month while the allowances last."""
        return self.bill.monthly - sum((row.saved for row in self.rows), Decimal(0))

    @property
    def always(self) -> Decimal:
        """USD a month once those have ended that do end."""
        lasting = (row.saved for row in self.rows if row.allowance.lasts == "always")
        return self.bill.monthly - sum(lasting, Decimal(0))

    @property
    def after(self) -> Decimal:
        """USD a month at list prices, without any."""
        return self.bill.monthly


def free_tier(bill: Estimate, elsewhere: Mapping[str, Decimal] = {}) -> FreeTier:
    """``elsewhere``: what the rest of the account takes, by the allowance's id."""
    rows = [_taken(each, bill, elsewhere.get(each.id, Decimal(0))) for each in allowances(bill.provider)]
    return FreeTier(bill=bill, rows=tuple(rows))


def _taken(allowance: Allowance, bill: Estimate, elsewhere: Decimal) -> Taken:
    planned = saved = Decimal(0)
    left = max(allowance.limit - elsewhere, Decimal(0))
    for line in bill.lines:
        if line.charge.price not in allowance.covers:
            continue
        quantity = line.charge.quantity * allowance.per
        planned += quantity
        given = min(left, quantity)
        left -= given
        if quantity and line.monthly is not None:
            saved += line.monthly * given / quantity
    return Taken(allowance=allowance, planned=planned, elsewhere=elsewhere, saved=saved)
