"""The price lists: files of dated rows, one list a service, loaded when a charge names it.

A row is ``{id, unit, price, source, date}``, in the list's base region or with a ``region`` of its own. A region has
either rows of its own or a factor on the base's prices; with ``estimate`` the factor is rounded, not a list price.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

TABLES: Final = Path(__file__).parent / "tables"


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row: what a unit costs, who says so, and when that was so."""

    id: str
    unit: str
    price: Decimal
    source: str
    date: str
    region: str = ""


class Factor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a region's prices are, by the base region's."""

    region: str
    factor: Decimal
    source: str
    date: str
    estimate: bool = False


class Discount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a promise of years takes off, in percent; ``covers`` is how the ids of the prices begin."""

    covers: str
    term: str
    payment: str
    off: Decimal
    source: str
    date: str


class Allowance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is free a month: ``limit`` in ``unit``, of the prices that it ``covers``; ``lasts`` says for how long.

    ``alert_at``: from how much on one should be told. ``per``: how many units the prices' own unit has.
    """

    id: str
    name: str
    limit: Decimal
    unit: str
    covers: list[str]
    alert_at: Decimal
    lasts: str
    source: str
    date: str
    per: Decimal = Decimal(1)


class PriceList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file."""

    base: str
    currency: str
    prices: list[Price] = []
    regions: list[Factor] = []
    terms: list[Discount] = []
    allowances: list[Allowance] = []


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's price in a region. ``estimate``: it is not a list price."""

    price: Decimal
    unit: str
    source: str
    date: str
    estimate: bool = False


@cache
def price_list(name: str) -> PriceList | None:
    """The list of that name, None where there is none."""
    path = TABLES / f"{name}.json"
    if not name.replace(".", "").isalnum() or not path.is_file():
        return None
    return msgspec.json.decode(path.read_bytes(), type=PriceList)


def names() -> list[str]:
    """Every list that there is."""
    return sorted(path.name.removesuffix(".json") for path in TABLES.glob("*.json"))


@cache
def _rows(name: str) -> dict[tuple[str, str], Price]:
    found = price_list(name)
    return {(row.id, row.region or found.base): row for row in found.prices} if found else {}


@cache
def quote(id_: str, region: str) -> Quote | None:
    """What a unit costs there; None where the lists do not know."""
    name = id_.partition("/")[0]
    listed = price_list(name)
    if listed is None:
        return None
    row = _rows(name).get((id_, region))
    if row is not None:
        return Quote(price=row.price, unit=row.unit, source=row.source, date=row.date)
    row = _rows(name).get((id_, listed.base))
    factor = next((each for each in listed.regions if each.region == region), None)
    if row is None or factor is None:
        return None
    source = f"{row.source}; {region}: × {factor.factor}, {factor.source}"
    oldest = min(row.date, factor.date)
    return Quote(price=row.price * factor.factor, unit=row.unit, source=source, date=oldest, estimate=factor.estimate)


def discount(id_: str, term: str, payment: str) -> Discount | None:
    """What the promise takes off that price; None where it is not to be had."""
    listed = price_list(id_.partition("/")[0])
    fitting = (
        each
        for each in (listed.terms if listed else ())
        if each.term == term and each.payment == payment and id_.startswith(each.covers)
    )
    return next(fitting, None)


def terms(id_: str) -> list[Discount]:
    """Every promise that takes something off that price."""
    listed = price_list(id_.partition("/")[0])
    return [each for each in (listed.terms if listed else ()) if id_.startswith(each.covers)]


def allowances(provider: str) -> list[Allowance]:
    """What a provider gives for nothing; empty where the lists know of nothing."""
    listed = price_list(f"{provider}.free")
    return listed.allowances if listed else []
