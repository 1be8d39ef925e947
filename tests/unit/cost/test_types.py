"""Every type says what it costs, and every price list is in order."""

from __future__ import annotations

import datetime

import pytest

from provisioner.cost.tables import Price, PriceList, discount, names, price_list, quote
from provisioner.drivers.typemap import registry
from provisioner.powers import CanPrice
from provisioner.resource import Gate

TYPES = registry()
LISTS = {name: listed for name in names() if (listed := price_list(name))}
PRICES = [row for listed in LISTS.values() for row in listed.prices]


@pytest.mark.parametrize("name", TYPES.names())
def test_a_type_says_what_of_it_is_billed_if_only_that_nothing_is(name: str) -> None:
    cls = TYPES.type(name)
    assert issubclass(cls, Gate) or issubclass(cls, CanPrice)


@pytest.mark.parametrize("row", PRICES, ids=lambda row: f"{row.id} {row.region}".strip())
def test_a_price_has_a_source_and_a_date_and_stands_in_its_own_list(row: Price) -> None:
    assert row.price > 0
    assert len(row.source) > 10
    assert datetime.date(2025, 1, 1) <= datetime.date.fromisoformat(row.date) <= datetime.date(2027, 1, 1)
    assert row in LISTS[row.id.partition("/")[0]].prices


@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS.keys())
def test_a_list_says_each_thing_once_and_factors_and_discounts_have_sources(listed: PriceList) -> None:
    keys = [(row.id, row.region or listed.base) for row in listed.prices]
    assert len(keys) == len(set(keys))
    for factor in listed.regions:
        assert factor.factor > 0
        assert factor.source
    for off in listed.terms:
        assert 0 < off.off < 100
        assert off.source
        assert any(row.id.startswith(off.covers) for row in listed.prices)
    for allowance in listed.allowances:
        assert 0 < allowance.alert_at < allowance.limit
        assert all(quote(id_, "us-east-1") for id_ in allowance.covers)


def test_a_standby_costs_as_much_as_the_instance() -> None:
    singles = [row for row in PRICES if row.id.startswith("aws.rds/single/") and not row.region]
    for row in singles:
        standby = quote(row.id.replace("single", "multi"), "us-east-1")
        assert standby is not None
        assert abs(standby.price - 2 * row.price) <= row.price / 25  # list prices are rounded


def test_a_longer_promise_and_more_at_once_never_cost_more() -> None:
    for id_ in ("aws.rds/single/db.t3.micro", "aws.elasticache/redis/cache.t3.micro"):
        offs = [discount(id_, term, payment) for term in ("1y", "3y") for payment in ("none", "partial", "all")]
        percents = [off.off for off in offs if off is not None]
        assert percents == sorted(percents)
        assert len(percents) >= 4
