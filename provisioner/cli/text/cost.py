"""Bills: one, or several side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from provisioner.cli.style import accent, bad, bold, cut, dim, good, pad, plural, table, warn, width
from provisioner.cli.text.money import bar, gauge, number, rounded, signed, usd
from provisioner.cost.bill import Estimate, Line, StepCost
from provisioner.cost.compare import Comparison, Row
from provisioner.cost.limits import Standing

_BAR: Final = 20
_WIDEST: Final = 110
_NOT_KNOWN: Final = "no price known"


def bill_json(bill: Estimate, standing: Standing | None) -> dict[str, Any]:
    """``{deployment, environment, region, currency, monthly, yearly, complete, term, upfront, steps, budget}``."""
    return {
        "deployment": bill.deployment,
        "environment": bill.environment,
        "region": bill.region,
        "currency": "USD",
        "monthly": rounded(bill.monthly),
        "yearly": rounded(bill.monthly * 12),
        "complete": bill.complete,
        "term": {"term": bill.promise.term, "payment": bill.promise.payment} if bill.promise else None,
        "upfront": rounded(bill.upfront),
        "on_demand": rounded(bill.full),
        "steps": [_step_json(step) for step in bill.steps],
        "budget": standing_json(standing),
    }


def _step_json(step: StepCost) -> dict[str, Any]:
    return {
        "step": step.step,
        "type": step.type,
        "stage": step.stage,
        "kind": step.kind,
        "monthly": rounded(step.monthly),
        "known": step.known,
        "lines": [_line_json(line) for line in step.lines],
        "usage": [
            {"name": use.name, "about": use.about, "value": rounded(use.value), "given": use.given} for use in step.uses
        ],
    }


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "what": line.charge.what,
        "price": line.charge.price,
        "region": line.region,
        "quantity": rounded(line.charge.quantity),
        "unit": line.unit,
        "rate": None if line.rate is None else float(line.rate),
        "monthly": rounded(line.monthly),
        "estimate": line.estimate,
        "note": line.note,
        "source": line.source,
        "date": line.date,
    }


def standing_json(standing: Standing | None) -> dict[str, Any] | None:
    """``{level, limit, share, warning, critical, at_least}``; null without a budget."""
    if standing is None:
        return None
    return {
        "level": standing.level,
        "limit": rounded(standing.limit),
        "share": rounded(standing.share),
        **{level: rounded(amount) for level, amount in standing.lines.items()},
        "at_least": standing.at_least,
    }


def bill_text(bill: Estimate, standing: Standing | None, columns: int, everything: bool) -> list[str]:
    """The dearest step first, each with its lines; then the sum, what was assumed, and the budget."""
    steps = sorted((step for step in bill.steps if step.lines or not step.known), key=_dearest, reverse=True)
    most = max((line.monthly or Decimal(0) for line in bill.lines), default=Decimal(0))
    rows = [row for step in steps for row in _step_rows(step, most, everything)]
    total = [(bold("total"), "", bold(_sum(bill)), dim(f"a month; {_yearly(bill)} a year"))]
    lines = [f"{bold(bill.deployment)}  {dim(f'{bill.region}, USD a month, {_prices(bill)}')}", ""]
    body = table([*_aligned([*rows, *total])], gap="  ", indent="  ")
    if body:
        body.insert(len(body) - 1, dim("  " + "─" * min(max(map(width, body)), columns, _WIDEST)))
    lines += body
    lines += _promise(bill)
    lines += _rest(bill, everything)
    lines += _assumed(bill, columns, everything)
    lines += _missing(bill)
    return lines + (["", *standing_text(standing)] if standing is not None else [])


def _dearest(step: StepCost) -> Decimal:
    # What is not known comes first: it may be the dearest of all.
    return step.monthly if step.known else Decimal("Infinity")


def _step_rows(step: StepCost, most: Decimal, everything: bool) -> Iterator[tuple[str, str, str, str]]:
    shown = [line for line in step.lines if everything or not line.known or line.monthly]
    if not step.known and not shown:
        yield accent(step.step), dim(step.type), warn(_NOT_KNOWN), ""
    for index, line in enumerate(shown):
        name = accent(step.step) if index == 0 else ""
        amount = warn(_NOT_KNOWN) if line.monthly is None else ("≈ " if line.estimate else "") + usd(line.monthly)
        note = bar((line.monthly or Decimal(0)) / most, _BAR) if most else ""
        if everything:
            note = dim("; ".join(filter(None, (line.note, f"{line.source} ({line.date})" if line.source else ""))))
        yield name, _what(line), amount, note


def _what(line: Line) -> str:
    what = line.charge.what
    if line.rate is None or line.unit.endswith("hour") or what[:1].isdigit() or line.charge.quantity in (0, 1):
        return what  # it says how much itself
    return f"{what} {dim(f'{number(line.charge.quantity)} {line.unit}')}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Sums of money stand under each other, the cents in one line."""
    widest = max((width(row[2]) for row in rows), default=0)
    for row in rows:
        yield (*row[:2], " " * (widest - width(row[2])) + row[2], *row[3:])


def _sum(bill: Estimate) -> str:
    return usd(bill.monthly) if bill.complete else f"≥ {usd(bill.monthly)}"


def _yearly(bill: Estimate) -> str:
    return usd(bill.monthly * 12)


def _prices(bill: Estimate) -> str:
    dates = sorted(line.date for line in bill.lines if line.date)
    kind = "reserved where it can be" if bill.promise else "on demand"
    span = f", of {dates[0]}" + (f" to {dates[-1]}" if dates[-1] != dates[0] else "") if dates else ""
    return f"list prices, {kind}{span}"


def _promise(bill: Estimate) -> list[str]:
    if bill.promise is None:
        return []
    saved = bill.full - bill.monthly
    paid = f", {usd(bill.upfront)} of it at once" if bill.upfront else ""
    words = f"reserved for {bill.promise.term}, {bill.promise.payment} upfront"
    return ["", f"  {words}: {good(usd(saved))} less than {usd(bill.full)} a month on demand{paid}"]


def _rest(bill: Estimate, everything: bool) -> list[str]:
    """The steps that cost nothing, and why."""
    said = []
    for kind, words in (("free", "free"), ("adopted", "adopted, and paid for already"), ("check", "checks")):
        names = [step.step for step in bill.steps if step.kind == kind]
        if names:
            said.append(f"{len(names)} {words}" + (f" ({', '.join(names)})" if everything else ""))
    idle = [step.step for step in bill.steps if step.kind == "priced" and step.known and not step.monthly]
    if idle:
        said.append(f"{len(idle)} billed by use alone ({', '.join(idle)})")
    return ["", dim(f"  not in the sum: {'; '.join(said)}")] if said else []


def _assumed(bill: Estimate, columns: int, everything: bool) -> list[str]:
    """What was taken for granted about the use; of what is taken for 0 only that there is some, unless all is asked."""
    rows: list[tuple[str, str]] = []
    silent = 0
    for step in bill.steps:
        taken = [use for use in step.uses if not use.given and (everything or use.value)]
        silent += sum(1 for use in step.uses if not use.given and not use.value)
        if taken:
            rows.append((step.step, ", ".join(f"{use.name} {number(use.value)}" for use in taken)))
    if not rows and not silent:
        return []
    rest = f"{plural(silent, 'amount')} of use taken for 0" if silent else ""
    lines = [dim("  assumed, for want of --usage:" + (f" {rest}" if rest and not everything else ""))]
    name = max((len(owner) for owner, _ in rows), default=0)
    for owner, text in rows:
        first, *more = textwrap.wrap(text, max(min(columns, _WIDEST) - name - 8, 30))
        lines += [dim(f"    {pad(owner, name)}  {first}"), *(dim(" " * (name + 6) + line) for line in more)]
    return lines


def _missing(bill: Estimate) -> list[str]:
    if bill.complete:
        return []
    names = ", ".join(step.step for step in bill.unknown)
    return ["", f"  {warn('at least:')} no price is known of something in {names}"]


def standing_text(standing: Standing, name: str = "") -> list[str]:
    """The budget as a gauge, with the lines that were crossed."""
    prefix = f"{name}: " if name else ""
    share = standing.share / 100
    head = f"{gauge(share, _BAR, standing.level)} {standing.share:.0f} % of {usd(standing.limit)}"
    lines = [f"  {prefix}budget {head}"]
    for level in ("warning", "critical"):
        if standing.monthly >= standing.lines[level]:
            mark = warn("warning") if level == "warning" else bad("critical")
            lines.append(f"    {mark}  {usd(standing.monthly)} is at or above {usd(standing.lines[level])}")
    if standing.over:
        over = usd(standing.monthly - standing.limit)
        lines.append(f"    {bad('✗ over budget')} by {over}: provisioner cost advise PLAN says what would cost less")
    elif standing.at_least:
        lines.append(f"    {warn('it may be more')}: not every price is known")
    return lines


def beside_json(found: Comparison, standings: Sequence[Standing | None]) -> dict[str, Any]:
    """``{currency, bills: [{name, …a bill}], rows: [{step, type, monthly: {name: USD}, change}], change}``."""
    named = zip(found.names, found.bills, standings, strict=True)
    return {
        "currency": "USD",
        "bills": [{"name": name, **bill_json(bill, standing)} for name, bill, standing in named],
        "rows": [
            {
                "step": row.step,
                "type": row.type,
                "monthly": {
                    name: None if cost is None else rounded(cost.monthly)
                    for name, cost in zip(found.names, row.costs, strict=True)
                },
                "change": rounded(row.change),
                "known": row.known,
            }
            for row in found.rows
        ],
        "change": rounded(found.change),
    }


def beside_text(found: Comparison, standings: Sequence[Standing | None], columns: int) -> list[str]:
    """A column a bill, a line a step that costs anything anywhere, and by how much they differ."""
    rows = [row for row in found.rows if any(row.amounts) or not row.known]
    rows.sort(key=lambda row: max(row.amounts) if row.known else Decimal("Infinity"), reverse=True)
    two = len(found.bills) == 2
    cells = [_beside_row(row, two) for row in rows]
    sums = [_sum(bill) for bill in found.bills]
    cells.append([bold("total"), *map(bold, sums), *([bold(signed(found.change))] if two else [])])
    head = ["step", *found.names, *(["change"] if two else [])]
    bases = {bill.deployment for bill in found.bills}
    title = ", ".join(sorted(bases))
    lines = [f"{bold(title)}  {dim(f'{found.bills[0].region}, USD a month, {_prices(found.bills[0])}')}", ""]
    body = table(_right([[dim(title) for title in head], *cells]), indent="  ")
    body.insert(len(body) - 1, dim("  " + "─" * max(map(width, body))))
    lines += [*body, "", *_savings(found)]
    if any(not bill.complete for bill in found.bills):
        names = sorted({step.step for bill in found.bills for step in bill.unknown})
        lines.append(f"  {warn('at least:')} no price is known of something in {cut(', '.join(names), columns)}")
    for name, standing in zip(found.names, standings, strict=True):
        lines += standing_text(standing, name) if standing is not None else []
    return lines


def _beside_row(row: Row, two: bool) -> list[str]:
    cells = [
        dim("–") if cost is None else (usd(cost.monthly) if cost.known else warn(f"≥ {usd(cost.monthly)}"))
        for cost in row.costs
    ]
    return [accent(row.step), *cells, *([signed(row.change)] if two else [])]


def _right(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [[row[0], *(" " * (widths[i] - width(cell)) + cell for i, cell in enumerate(row) if i > 0)] for row in rows]


def _savings(found: Comparison) -> list[str]:
    """Who costs how much less than the dearest."""
    most = max(bill.monthly for bill in found.bills)
    dearest = next(name for name, bill in zip(found.names, found.bills, strict=True) if bill.monthly == most)
    lines = []
    for index, (name, bill) in enumerate(zip(found.names, found.bills, strict=True)):
        if bill.monthly < most:
            less = f"{usd(most - bill.monthly)} ({found.below(index):.0f} %)"
            lines.append(f"  {name} costs {good(less)} less than {dearest}")
    return lines or [dim(f"  {plural(len(found.bills), 'bill')}, the same sum")]
