"""What a cloud bills an object for, in the words of its type: quantities a month, without any money.

A type that knows its charges has a function ``charges`` (:class:`provisioner.powers.CanPrice`); the price lists of
:mod:`provisioner.cost` turn what it says into money. What no plan can know (requests, gigabytes of logs) it asks of
:class:`Uses`, which remembers what was asked and what was taken for granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

HOURS: Final = Decimal(730)
"""Hours of a month: a year's 8,760 by twelve, as AWS's own calculator counts. A month of 30 days has 720."""


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the bill.

    ``price``: which price of the lists, ``aws.rds/single/db.t3.micro``; the part before the first / names the list.
    ``quantity``: a month, in the unit of that price. ``note``: what was assumed, or what one should know.
    ``region``: where it is not the object's.
    """

    price: str
    what: str
    quantity: Decimal
    note: str = ""
    region: str = ""


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked about an object's use: the value that counts, and whether somebody gave it."""

    name: str
    about: str
    value: Decimal
    given: bool


class Uses:
    """How much of an object is used in a month, by name; what nobody said is the default, and is remembered."""

    def __init__(self, given: Mapping[str, Decimal] = {}) -> None:
        self._given = given
        self.asked: dict[str, Use] = {}

    def __call__(self, name: str, about: str, default: Decimal | int | str = 0) -> Decimal:
        """The quantity called ``name``; ``about`` says what it counts, with its unit."""
        value = self._given.get(name, Decimal(default))
        self.asked[name] = Use(name=name, about=about, value=value, given=name in self._given)
        return value


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """Another way to have an object, which may cost less.

    ``changes``: Spec fields with other values; ``drop``: do without the object. ``assumed``: another use of it that
    goes along, by the names that its charges ask for. ``text`` says what to do, ``caution`` what is lost by it.
    """

    id: str
    text: str
    caution: str = ""
    changes: Mapping[str, Any] = {}
    assumed: Mapping[str, Decimal] = {}
    drop: bool = False


def nothing(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """The charges of a type that is free: it says so by this."""
    return []


def hours(price: str, what: str, count: int = 1, *, note: str = "", region: str = "") -> Charge:
    """So many things, all month long."""
    named = f"{count} × {what}" if count != 1 else what
    return Charge(price=price, what=named, quantity=HOURS * count, note=note, region=region)


def months(price: str, what: str, count: Decimal | int = 1, *, note: str = "", region: str = "") -> Charge:
    """So many units of what is billed by the month."""
    return Charge(price=price, what=what, quantity=Decimal(count), note=note, region=region)
