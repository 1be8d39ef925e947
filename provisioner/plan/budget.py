"""``budget`` of a plan: ``{monthly: 50, warning: 50, critical: 80}``, in USD and in percent of them."""

from __future__ import annotations

from provisioner.plan.model import Budget
from provisioner.plan.read import Section

KEYS = ("monthly", "warning", "critical")
_MOST = 1e12


def read_budget(root: Section) -> Budget | None:
    """What the plan may cost; None where it says nothing, or nothing that makes sense (which is noted)."""
    if root.raw("budget") is None:
        return None
    section = root.section("budget")
    section.allow(KEYS, "in budget")
    if section.raw("monthly") is None:
        section.missing("monthly", "monthly: what the deployment may cost, in USD")
    found = {key: value for key in KEYS if (value := _number(section, key)) is not None}
    if "monthly" not in found:
        return None
    budget = Budget(**found)
    if budget.warning > budget.critical:
        message = f"budget: warning ({budget.warning:g} %) is above critical ({budget.critical:g} %)"
        section.error("plan.wrong-type", message, ("warning",) if "warning" in found else ("critical",))
    return budget


def _number(section: Section, key: str) -> float | None:
    value = section.filled(key)
    most, wanted = (_MOST, "a number of USD above 0") if key == "monthly" else (100, "a percentage from 1 to 100")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        section.wrong((key,), wanted, value)
        return None
    return float(value)
