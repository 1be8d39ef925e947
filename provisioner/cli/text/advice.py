"""Advice on costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from provisioner.cli.style import accent, bold, dim, good, table, warn, width
from provisioner.cli.text.money import rounded, usd
from provisioner.cost.advice import Advice
from provisioner.cost.bill import Estimate


def advice_json(bill: Estimate, found: Sequence[Advice]) -> dict[str, Any]:
    """``{deployment, monthly, advice: [{id, step, text, caution, saves}]}``; ``saves`` in USD a month, null if not
    known."""
    return {
        "deployment": bill.deployment,
        "currency": "USD",
        "monthly": rounded(bill.monthly),
        "advice": [
            {"id": one.id, "step": one.step or None, "text": one.text, "caution": one.caution,
             "saves": rounded(one.saves)} for one in found
        ],
    }  # fmt: skip


def advice_text(bill: Estimate, found: Sequence[Advice], columns: int) -> list[str]:
    """What saves something first; then what saves nothing at the use that was assumed."""
    lines = [f"{bold(bill.deployment)}  {dim(f'{usd(bill.monthly)} USD a month')}", ""]
    paying = [one for one in found if one.saves is None or one.saves > 0]
    idle = [one for one in found if one.saves is not None and one.saves <= 0]
    amounts = [warn("?") if one.saves is None else good(usd(one.saves)) for one in paying]
    widest = max(map(width, amounts), default=0)
    for one, amount in zip(paying, amounts, strict=True):
        where = f"{accent(one.step)}  " if one.step else ""
        lines.append(f"  {' ' * (widest - width(amount))}{amount}  {where}{one.text} {dim(f'[{one.id}]')}")
        if one.caution:
            lines.append(f"  {' ' * widest}  {dim(one.caution)}")
    if not paying:
        lines.append("  nothing that the price lists know would cost less")
    if idle:
        lines += ["", dim("  no money at the use that is known (--usage FILE tells more):")]
        lines += table([(dim(one.step or "plan"), dim(one.text)) for one in idle], indent="    ")
    note = "not to be added up: some exclude each other" if len(paying) > 1 else ""
    return [*lines, *(["", dim(f"  USD a month each, {note}")] if note else [])]
