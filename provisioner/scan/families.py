"""Reads every family once, so that the book is full."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.rules.rule import Rule
from provisioner.scan import access, encryption, exposure, resilience, traces, transport
from provisioner.scan.book import BOOK

_FAMILIES = (encryption, transport, exposure, access, resilience, traces)


def all_rules() -> Mapping[str, Rule]:
    """Every rule by its id."""
    assert _FAMILIES
    return BOOK.rules
