"""A plan's preflight: its rules, the scan's gravest ones as warnings, and where a cloud can be asked, those too."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date

import msgspec

from provisioner.errors import CredentialsError, UsageError
from provisioner.plan.outline import Outline
from provisioner.preflight.families import all_rules
from provisioner.preflight.identity import CREDENTIALS
from provisioner.resource import Registry
from provisioner.resource import Rule as SpecRule
from provisioner.rules.look import Fresh, Look
from provisioner.rules.rule import Hit, Level, Rule
from provisioner.rules.run import Report, run
from provisioner.scan.families import all_rules as scan_rules
from provisioner.survey import Survey


def every_rule() -> Mapping[str, Rule]:
    """Preflight's own rules, and the scan's of level high, which are warnings here."""
    grave = {rule.id: _as_warning(rule) for rule in scan_rules().values() if rule.level is Level.HIGH}
    return {**all_rules(), **grave}


def known_ids() -> frozenset[str]:
    """Every id that a waiver may name."""
    return frozenset({*all_rules(), *scan_rules()})


def _as_warning(rule: Rule) -> Rule:
    check = rule.check

    def graver(look: Look) -> Iterator[Hit]:
        for hit in check(look):
            if hit.level in (None, Level.HIGH):
                yield hit._replace(level=Level.WARNING)

    return msgspec.structs.replace(rule, level=Level.WARNING, check=graver)


def preflight(
    outline: Outline,
    today: date,
    *,
    survey: Survey | None = None,
    fresh: Fresh | None = None,
    only: Collection[str] = (),
    skip: Collection[str] = (),
    online_only: bool = False,
) -> Report:
    """The findings. ``only``: these rules; ``skip``: not these; UsageError for an id that there is not.

    ``survey``: whom to ask; without it the rules that ask are left out. ``fresh``: what a deploy would do.
    """
    rules = every_rule()
    for id_ in (*only, *skip):
        if id_ not in rules:
            raise UsageError(f"there is no rule {id_!r}", hint="provisioner preflight --rules lists them all")
    chosen = [
        rule
        for rule in rules.values()
        if rule.id not in skip and (not only or rule.id in only) and (rule.online or not online_only)
    ]
    if fresh is not None and isinstance(fresh.unknown, CredentialsError):
        # Without credentials every other question has the same answer.
        chosen = [rule for rule in chosen if not rule.online or rule.id == CREDENTIALS]
    look = Look(outline, today, survey, fresh)
    return run(chosen, look, known=known_ids(), waivable=(Level.WARNING,), lent=scan_rules())


def caught_by_validate(registry: Registry) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(type, fields) of every rule across fields that ``validate`` holds a plan against already."""
    for name in registry.names():
        rules: Collection[SpecRule] = registry.type(name).rules
        for one in rules:
            yield name, one.fields
