"""The scan of a plan, or of what is deployed by it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from provisioner.errors import UsageError
from provisioner.plan.outline import Outline
from provisioner.rules.look import Look
from provisioner.rules.rule import Level
from provisioner.rules.run import Report, run
from provisioner.scan.families import all_rules


def scan(
    outline: Outline, today: date, *, known: Collection[str], only: Collection[str] = (), skip: Collection[str] = ()
) -> Report:
    """The findings. ``known``: the ids that a waiver may name; ``only``: these rules, UsageError for an unknown one.

    ``skip``: not these.
    """
    rules = all_rules()
    for id_ in only:
        if id_ not in rules:
            raise UsageError(f"there is no rule {id_!r}", hint="provisioner scan --rules lists them all")
    chosen = [rule for rule in rules.values() if rule.id not in skip and (not only or rule.id in only)]
    return run(chosen, Look(outline, today), known=known, waivable=(Level.HIGH, Level.MEDIUM, Level.LOW))


def passed(report: Report) -> bool:
    """Whether nothing of level high is left that nobody waived."""
    return not report.unwaived(Level.HIGH)
