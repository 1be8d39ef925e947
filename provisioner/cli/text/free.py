"""The free allowances and how much of them is taken."""

from __future__ import annotations

import textwrap
from typing import Any, Final

from provisioner.cli.style import bad, bold, dim, table, warn
from provisioner.cli.text.money import gauge, number, rounded, usd
from provisioner.cost.free import FreeTier, Taken

_BAR: Final = 16
_WIDEST: Final = 110


def free_json(found: FreeTier) -> dict[str, Any]:
    """``{deployment, monthly: {with_all, with_lasting, list}, allowances: [{id, limit, used, share, level, …}]}``."""
    return {
        "deployment": found.bill.deployment,
        "currency": "USD",
        "monthly": {
            "with_all": rounded(found.during),
            "with_lasting": rounded(found.always),
            "list": rounded(found.after),
        },
        "allowances": [_row_json(row) for row in found.rows],
        "alerts": [row.allowance.id for row in found.rows if row.level != "within"],
    }


def _row_json(row: Taken) -> dict[str, Any]:
    return {
        "id": row.allowance.id,
        "name": row.allowance.name,
        "unit": row.allowance.unit,
        "limit": rounded(row.allowance.limit),
        "planned": rounded(row.planned),
        "elsewhere": rounded(row.elsewhere),
        "used": rounded(row.used),
        "share": rounded(row.share),
        "alert": rounded(row.alert),
        "alert_at": rounded(row.allowance.alert_at),
        "level": row.level,
        "saved": rounded(row.saved),
        "lasts": row.allowance.lasts,
        "source": row.allowance.source,
        "date": row.allowance.date,
    }


def free_text(found: FreeTier, columns: int) -> list[str]:
    """A line an allowance, fullest first; then the alerts, and the bill with and without them."""
    rows = sorted(found.rows, key=lambda row: row.share, reverse=True)
    used, idle = [row for row in rows if row.used], [row.allowance.name for row in rows if not row.used]
    lines = [f"{bold(found.bill.deployment)}  {dim('free allowances, a month')}", ""]
    lines += table([_cells(row) for row in used], indent="  ")
    if idle:
        said = f"nothing is taken of: {'; '.join(idle)}"
        lines += [
            dim(line)
            for line in textwrap.wrap(said, min(columns, _WIDEST), initial_indent="  ", subsequent_indent="  ")
        ]
    alerts = [row for row in used if row.level != "within"]
    lines += [""] if alerts else []
    for row in alerts:
        mark = bad("over ") if row.level == "over" else warn("alert")
        line = f"{number(row.allowance.alert_at)} {row.allowance.unit} ({row.alert:.0f} %)"
        unit = row.allowance.unit
        text = f"{number(row.used)} of {number(row.allowance.limit)} {unit}, alert from {line} on"
        lines.append(f"  {mark}  {row.allowance.name}: {text}")
    return [*lines, "", *_sums(found)]


def _cells(row: Taken) -> tuple[str, ...]:
    allowance = row.allowance
    return (
        allowance.name,
        f"{number(row.used)} of {number(allowance.limit)} {allowance.unit}",
        f"{gauge(row.share / 100, _BAR, row.level)} {row.share:.0f} %",
        dim("always" if allowance.lasts == "always" else "12 months"),
    )


def _sums(found: FreeTier) -> list[str]:
    lasts = next((row.allowance.lasts for row in found.rows if row.allowance.lasts != "always"), "")
    rows = [
        (usd(found.during), f"while all of them last ({lasts})" if lasts else "while they last"),
        (usd(found.always), "once those have ended that end"),
        (usd(found.after), "at list prices, with none of them"),
    ]
    widest = max(len(amount) for amount, _ in rows)
    return [f"  {bold(amount.rjust(widest))}  {dim(text)}" for amount, text in rows]
