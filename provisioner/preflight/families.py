"""Reads every family once, so that the book is full."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.preflight import (
    alarms,
    cache,
    capacity,
    costs,
    functions,
    identity,
    network,
    offers,
    parameters,
    proxy,
    quotas,
    rds,
    region,
    reserved,
    secrets,
    storage,
    thresholds,
)
from provisioner.preflight.book import BOOK
from provisioner.rules.rule import Rule

_FAMILIES = (
    network,
    region,
    rds,
    storage,
    proxy,
    cache,
    functions,
    parameters,
    capacity,
    secrets,
    alarms,
    thresholds,
    costs,
    identity,
    offers,
    quotas,
    reserved,
)


def all_rules() -> Mapping[str, Rule]:
    """Every rule by its id."""
    assert _FAMILIES
    return BOOK.rules
