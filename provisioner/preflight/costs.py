"""What it costs, against what it may cost."""

from __future__ import annotations

from collections.abc import Iterator

from provisioner.preflight.book import AWS, rule
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, on


@rule(
    "cost.over-budget",
    Level.ERROR,
    source=f"{AWS}/cost-management/latest/userguide/budgets-managing-costs.html",
    hint="provisioner cost PLAN shows each step; provisioner cost advise what would save",
)
def over_budget(look: Look) -> Iterator[Hit]:
    """The plan costs more a month than its budget."""
    plan = look.outline.plan
    if plan.budget is None:
        return
    from provisioner.cost import estimate

    monthly = float(estimate(look.outline).monthly)
    if monthly > plan.budget.monthly:
        where = plan.source.at(("budget",)) if plan.source is not None else None
        message = f"it costs {monthly:.2f} USD a month without any use, and may cost {plan.budget.monthly:g}"
        yield Hit(None, (), message, subject="budget", where=where)


@rule(
    "cost.two-budgets",
    Level.WARNING,
    source=f"{AWS}/cost-management/latest/userguide/budgets-managing-costs.html",
    hint="let both say the same, by a parameter",
)
def two_budgets(look: Look) -> Iterator[Hit]:
    """The budget that AWS watches is another than the plan's."""
    plan = look.outline.plan
    for item in look.outline.of("aws.budget"):
        limit = item.get("limit")
        monthly = plan.budget.monthly if plan.budget is not None else None
        if (
            monthly is not None
            and isinstance(limit, int | float)
            and item.get("period") == "monthly"
            and limit != monthly
        ):
            yield on(item, "limit", f"AWS watches {limit:g}, and the plan says {monthly:g} a month")
