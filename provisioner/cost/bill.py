"""From a plan's outline to a bill: every step's charges, each with its price, and what is not known of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from provisioner.charge import Charge, Use
from provisioner.cost.tables import discount, quote
from provisioner.cost.usage import Usage
from provisioner.plan.outline import Item, Outline
from provisioner.powers import CanPrice
from provisioner.resource import Gate

CENT: Final = Decimal("0.01")
_NOTHING: Final = Decimal(0)
TERMS: Final = {"1y": 12, "3y": 36}
"""Months of the promises that can be made."""
PAYMENTS: Final = ("none", "partial", "all")
"""How much of them is paid at once: nothing, half of it, everything."""


class Promise(NamedTuple):
    """To keep what is deployed for years, for a lower price: ``1y`` or ``3y``, paid upfront ``none``, ``partial``,
    ``all``."""

    term: str
    payment: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One charge with its price. ``rate`` and ``monthly`` are None where no price is known; both in USD.

    ``upfront``: what of a promise is paid at once; it is in ``monthly`` too, spread over the term.
    ``full``: what the line costs without a promise.
    """

    charge: Charge
    region: str
    rate: Decimal | None = None
    unit: str = ""
    monthly: Decimal | None = None
    full: Decimal | None = None
    upfront: Decimal = _NOTHING
    note: str = ""
    source: str = ""
    date: str = ""
    estimate: bool = False

    @property
    def known(self) -> bool:
        return self.monthly is not None


class StepCost(msgspec.Struct, frozen=True, kw_only=True):
    """What a step costs. ``kind``: ``priced``, ``free``, ``check`` (nothing is made), ``adopted`` (it is there and paid
    for already) or ``unknown`` (its type says nothing about prices).

    ``uses``: what was asked about its use, with the defaults that were taken.
    """

    step: str
    type: str
    stage: str
    kind: str
    lines: tuple[Line, ...] = ()
    uses: tuple[Use, ...] = ()

    @property
    def monthly(self) -> Decimal:
        """USD a month of what is known."""
        return sum((line.monthly for line in self.lines if line.monthly is not None), _NOTHING)

    @property
    def unknown(self) -> tuple[Line, ...]:
        """Charges without a price."""
        return tuple(line for line in self.lines if not line.known)

    @property
    def known(self) -> bool:
        return self.kind != "unknown" and not self.unknown


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment's bill."""

    deployment: str
    environment: str | None
    provider: str
    region: str
    steps: tuple[StepCost, ...]
    promise: Promise | None = None

    @property
    def monthly(self) -> Decimal:
        """USD a month; a lower bound unless ``complete``."""
        return sum((step.monthly for step in self.steps), _NOTHING)

    @property
    def full(self) -> Decimal:
        """The same without a promise."""
        return sum((line.full or _NOTHING for line in self.lines), _NOTHING)

    @property
    def upfront(self) -> Decimal:
        """USD that a promise costs at once."""
        return sum((line.upfront for line in self.lines), _NOTHING)

    @property
    def lines(self) -> Iterator[Line]:
        return (line for step in self.steps for line in step.lines)

    @property
    def unknown(self) -> tuple[StepCost, ...]:
        """Steps of which not everything has a price that is known."""
        return tuple(step for step in self.steps if not step.known)

    @property
    def complete(self) -> bool:
        return not self.unknown


def estimate(outline: Outline, usage: Usage | None = None, promise: Promise | None = None) -> Estimate:
    """What a plan costs a month, from the price lists alone. PlanError where ``usage`` speaks of what is not there."""
    plan = outline.plan
    said = usage or Usage()
    steps = tuple(step_cost(item, outline, said, promise) for item in outline)
    if usage is not None:
        from provisioner.cost.tables import allowances

        asked = {step.step: (step.type, [use.name for use in step.uses]) for step in steps}
        usage.check(asked, plan.skipped, [each.id for each in allowances(plan.provider)])
    return Estimate(
        deployment=plan.deployment,
        environment=plan.environment,
        provider=plan.provider,
        region=plan.region,
        steps=steps,
        promise=promise,
    )


def step_cost(item: Item, outline: Outline, usage: Usage, promise: Promise | None = None) -> StepCost:
    """What one step costs."""
    step, cls = item.step, item.cls
    uses = usage.of(step.name, item.type)
    kind = "unknown"
    lines: tuple[Line, ...] = ()
    if issubclass(cls, Gate):
        kind = "check"
    elif step.adopt:
        kind = "adopted"
    elif issubclass(cls, CanPrice):
        charges = cls.charges(item, outline, uses)
        lines = tuple(lines_of(charges, item.region or outline.plan.region, promise))
        kind = "priced" if lines else "free"
    asked = tuple(uses.asked.values())
    return StepCost(step=step.name, type=item.type, stage=step.stage, kind=kind, lines=lines, uses=asked)


def lines_of(charges: Iterable[Charge], region: str, promise: Promise | None) -> Iterator[Line]:
    """Charges with their prices in a region."""
    for charge in charges:
        yield _line(charge, charge.region or region, promise)


def _line(charge: Charge, region: str, promise: Promise | None) -> Line:
    found = quote(charge.price, region)
    if charge.quantity == 0 and found is not None:
        return _priced(charge, region, found.price, found.unit, found.source, found.date, found.estimate)
    if found is None:
        # A price that nobody knows, of a thing that nobody uses, is no gap in the sum.
        nothing = _NOTHING if charge.quantity == 0 else None
        return Line(charge=charge, region=region, note=charge.note, monthly=nothing, full=nothing)
    line = _priced(charge, region, found.price, found.unit, found.source, found.date, found.estimate)
    return line if promise is None else _promised(line, promise)


def _priced(charge: Charge, region: str, price: Decimal, unit: str, source: str, date: str, rough: bool) -> Line:
    full = price * charge.quantity
    return Line(
        charge=charge,
        region=region,
        rate=price,
        unit=unit,
        monthly=full,
        full=full,
        note=charge.note,
        source=source,
        date=date,
        estimate=rough,
    )


def _promised(line: Line, promise: Promise) -> Line:
    """The line with what a promise takes off; as it is where none is to be had."""
    off = discount(line.charge.price, promise.term, promise.payment)
    if off is None or line.full is None:
        return line
    monthly = line.full * (100 - off.off) / 100
    share = {"none": _NOTHING, "partial": Decimal("0.5"), "all": Decimal(1)}[promise.payment]
    upfront = monthly * TERMS[promise.term] * share
    note = f"reserved {promise.term}, {off.off} % less"
    return msgspec.structs.replace(
        line,
        monthly=monthly,
        upfront=upfront,
        note=f"{line.note}; {note}" if line.note else note,
        source=f"{line.source}; {off.source}",
        date=min(line.date, off.date),
    )
