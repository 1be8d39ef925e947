"""What rules found in a plan, for people and for programs; and the table of the rules themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from provisioner.cli.style import accent, bad, bold, dim, good, plural, table, warn
from provisioner.cli.text.findings import findings_json, findings_text
from provisioner.model import Finding
from provisioner.rules.rule import Level, Rule
from provisioner.rules.run import Report, Result

_COLOURS: Final[Mapping[Level, Callable[[str], str]]] = {
    Level.ERROR: bad,
    Level.WARNING: warn,
    Level.HIGH: bad,
    Level.MEDIUM: warn,
    Level.LOW: accent,
}


def report_json(report: Report) -> dict[str, Any]:
    """``{deployment, findings, rules, summary}``: a finding as ``validate`` tells it, with ``level``, ``step``,
    ``waived`` (the reason, null without), ``checked``, ``family`` and ``source``.
    """
    return {
        "deployment": report.deployment,
        "findings": [_json(result) for result in report.results],
        "rules": report.rules,
        "summary": summary(report),
    }


def _json(result: Result) -> dict[str, Any]:
    rule = result.rule
    return {
        **findings_json([result.finding])[0],
        "level": result.level.value,
        "step": result.step or None,
        "waived": result.waived or None,
        "checked": result.checked,
        "family": rule.family if rule is not None else "waiver",
        "source": rule.source if rule is not None else None,
    }


def summary(report: Report) -> dict[str, int]:
    """How many of each level count, and how many are waived."""
    counts = Counter(result.level.value for result in report.unwaived())
    return {**counts, "waived": len(report.waived), "rules": len(report.rules)}


def report_text(report: Report, *, sources: bool, waived: bool = True) -> list[str]:
    """The findings by file, then those that are waived with the reason, a line each."""
    lines = results_text(report.unwaived(), sources=sources)
    if waived and report.waived:
        lines += ["", dim("waived")] if lines else [dim("waived")]
        for result in report.waived:
            where = f"{result.finding.where.line}" if result.finding.where else "-"
            lines.append(dim(f"  {where:<7} {result.finding.id}  {result.step or '-'}: {result.waived}"))
    return lines


def results_text(results: Sequence[Result], *, sources: bool) -> list[str]:
    """Findings with the word of their level."""
    levels = {result.finding: result.level for result in results}

    def mark(finding: Finding) -> str:
        level = levels[finding]
        return _COLOURS[level](level.value)

    return findings_text([result.finding for result in results], sources=sources, mark=mark)


def verdict_text(report: Report, *, clean: str) -> str:
    """The last line: what it comes to."""
    counts = Counter(result.level for result in report.unwaived())
    rules = dim(f"({plural(len(report.rules), 'rule')}{f', {len(report.waived)} waived' if report.waived else ''})")
    if not counts:
        return f"{good('✓')} {bold(report.deployment)} {clean} {rules}"
    worst = min(counts, key=lambda level: level.rank)
    sign = bad("✗") if worst.rank == 0 else warn("!")
    said = ", ".join(f"{number} {level.value}" for level, number in sorted(counts.items(), key=lambda c: c[0].rank))
    return f"{sign} {bold(report.deployment)}: {said} {rules}"


def rules_json(rules: Iterable[Rule], validate: Iterable[tuple[str, tuple[str, ...]]] = ()) -> dict[str, Any]:
    """``{rules: [{id, level, family, online, meaning, hint, source}], validate: [{type, fields}]}``."""
    return {
        "rules": [
            {
                "id": rule.id,
                "level": rule.level.value,
                "family": rule.family,
                "online": rule.online,
                "meaning": rule.meaning,
                "hint": rule.hint,
                "source": rule.source,
            }
            for rule in rules
        ],
        "validate": [{"type": type_, "fields": list(fields)} for type_, fields in validate],
    }


def rules_text(rules: Iterable[Rule], validate: Iterable[tuple[str, tuple[str, ...]]] = ()) -> list[str]:
    """A line a rule, by family; then what ``validate`` catches before any of them is asked."""
    families: dict[str, list[Rule]] = {}
    for rule in rules:
        families.setdefault(rule.family, []).append(rule)
    lines: list[str] = []
    for family, members in families.items():
        lines += ["", bold(family)] if lines else [bold(family)]
        rows = [
            (_COLOURS[rule.level](rule.level.value), rule.id + (dim(" asks") if rule.online else ""), rule.meaning)
            for rule in members
        ]
        lines += table(rows, indent="  ")
    caught: dict[str, list[str]] = {}
    for type_, fields in validate:
        caught.setdefault(type_, []).append(" + ".join(fields))
    if caught:
        lines += ["", bold("caught by validate already"), *table(caught_rows(caught), indent="  ")]
    return lines


def caught_rows(caught: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Type, and the fields that its own rules hold against each other."""
    return [(type_, ", ".join(dict.fromkeys(fields))) for type_, fields in caught.items()]
