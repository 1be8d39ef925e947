"""A plan's budget: read with its place, and a bill held against it."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.cost import estimate
from provisioner.cost.limits import stand
from provisioner.errors import PlanError
from provisioner.plan.model import Budget
from tests.unit.cost.plans import HEAD, SECRET, outline, with_db


def _budget(folder: Path, text: str) -> Budget | None:
    return outline(folder, SECRET, head=f"{HEAD}{text}\n").plan.budget


def test_a_budget_has_its_lines_at_half_and_at_four_fifths_unless_it_says_otherwise(tmp_path: Path) -> None:
    assert _budget(tmp_path, "budget: {monthly: 50}") == Budget(monthly=50, warning=50, critical=80)
    assert _budget(tmp_path, "budget: {monthly: 9.5, warning: 10, critical: 20}") == Budget(
        monthly=9.5, warning=10, critical=20
    )
    assert _budget(tmp_path, "") is None


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("budget: {monthly: 0}", "4:19", "monthly: expected a number of USD above 0, got 0"),
        ("budget: {monthly: fifty}", "4:19", "monthly: expected a number of USD above 0, got 'fifty'"),
        ("budget: {monthly: 50, critical: 101}", "4:33", "critical: expected a percentage from 1 to 100, got 101"),
        ("budget: {monthly: 50, warnig: 10}", "4:23", "unknown key 'warnig' in budget; did you mean 'warning'?"),
        ("budget: {warning: 50}", "4:9", "monthly is missing"),
        ("budget: 50", "4:9", "budget: expected a mapping (key: value), got 50"),
        ("budget: {monthly: 50, warning: 90}", "4:32", "budget: warning (90 %) is above critical (80 %)"),
        ("budget: {monthly: '${secret.name}'}", "4:19", "monthly: ${secret.name}: only parameters may be used here"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused_where_it_stands(
    tmp_path: Path, text: str, place: str, message: str
) -> None:
    with pytest.raises(PlanError) as caught:
        _budget(tmp_path, text)
    told = [(f"{one.where.line}:{one.where.column}", one.message) for one in caught.value.findings if one.where]
    assert (place, message) in told


@pytest.mark.parametrize(
    ("limit", "level"), [(15.83, "over"), (15.84, "critical"), (19, "critical"), (25, "warning"), (40, "within")]
)
def test_a_bill_is_over_by_a_cent_and_not_before(tmp_path: Path, limit: float, level: str) -> None:
    assert stand(estimate(outline(tmp_path, with_db())), Budget(monthly=limit)).level == level
