"""Rules over a look at a plan: every finding, and which of them are waived."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from provisioner.errors import ProvisionerError
from provisioner.model import Finding, Position
from provisioner.plan.outline import Outline
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, Rule
from provisioner.rules.waived import Waivers


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One finding. ``step``: empty where it is about none. ``waived``: the reason, empty where it is not waived.

    ``checked`` False: the cloud did not answer, so nobody knows.
    """

    finding: Finding
    level: Level
    step: str = ""
    waived: str = ""
    checked: bool = True
    rule: Rule | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """``results`` in the file's order; ``rules``: the ids that were checked."""

    deployment: str
    results: list[Result]
    rules: list[str]

    def unwaived(self, *levels: Level) -> list[Result]:
        """Those that count, of these levels where some are given."""
        return [r for r in self.results if not r.waived and (not levels or r.level in levels)]

    @property
    def waived(self) -> list[Result]:
        return [result for result in self.results if result.waived]


def run(
    rules: Iterable[Rule],
    look: Look,
    *,
    known: Collection[str],
    waivable: Collection[Level],
    lent: Collection[str] = (),
) -> Report:
    """Checks them all. ``known``: the ids of every rule there is; ``waivable``: the levels that may be waived.

    ``lent``: rules of another book, which are asked here in part: whether their waivers are of use, that book says.
    """
    waivers = Waivers(look.outline.plan, look.today)
    results: list[Result] = []
    checked: list[str] = []
    for rule in rules:
        if rule.online and not look.online:
            continue
        checked.append(rule.id)
        results += _results(rule, look, waivers, waivable)
    for finding in waivers.findings([id_ for id_ in checked if id_ not in lent], known):
        results.append(Result(finding=finding, level=Level.WARNING))
    deployment = look.outline.plan.deployment
    return Report(deployment=deployment, results=sorted(results, key=_place), rules=checked)


def _results(rule: Rule, look: Look, waivers: Waivers, waivable: Collection[Level]) -> list[Result]:
    try:
        hits = [hit for hit in rule.check(look) if rule.online or not _assumed(hit)]
    except ProvisionerError as err:
        if not rule.online:
            raise
        # A question that the cloud does not answer says nothing about the plan.
        finding = Finding(
            id=rule.id, message=f"not checked: {err}", severity=Level.WARNING.severity, hint=err.hint or rule.hint
        )
        return [Result(finding=finding, level=Level.WARNING, checked=False, rule=rule)]
    found: dict[tuple[str, str, str], Result] = {}
    for hit in hits:
        result = _result(rule, look.outline, hit, waivers, waivable)
        found.setdefault((result.step, result.finding.subject, result.finding.message), result)
    return list(found.values())


def _result(rule: Rule, outline: Outline, hit: Hit, waivers: Waivers, waivable: Collection[Level]) -> Result:
    level = hit.level or rule.level
    step = hit.item.step.name if hit.item is not None else ""
    waiver = waivers.of(rule.id, step) if level in waivable else None
    finding = Finding(
        id=rule.id,
        message=hit.message,
        severity=level.severity,
        where=_where(outline, hit),
        subject=_subject(hit),
        hint=hit.hint or rule.hint,
    )
    return Result(finding=finding, level=level, step=step, waived=waiver.reason if waiver else "", rule=rule)


def _assumed(hit: Hit) -> bool:
    """Whether it is about what the plan does not say of an object that others made, and nobody has looked."""
    return hit.item is not None and hit.item.assumed(str(hit.path[0]) if hit.path else "")


def _where(outline: Outline, hit: Hit) -> Position | None:
    if hit.item is None or hit.where is not None:
        return hit.where
    return outline.at(hit.item, *hit.path) if hit.path else hit.item.step.where


def _subject(hit: Hit) -> str:
    if hit.item is None or hit.subject:
        return hit.subject
    text = f"steps.{hit.item.step.name}" + (".with" if hit.path else "")
    for part in hit.path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text


def _place(result: Result) -> tuple[str, int, int, str]:
    where = result.finding.where
    return (where.file, where.line, where.column, result.finding.id) if where else ("", 0, 0, result.finding.id)
