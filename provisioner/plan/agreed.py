"""``waivers`` and ``applications``: what the people behind a plan say about it, for those who check it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, Final

from provisioner.plan.findings import describe
from provisioner.plan.model import Application, Waiver
from provisioner.plan.read import Section

WAIVER_KEYS: Final = ("rule", "steps", "environments", "reason", "until")
APPLICATION_KEYS: Final = ("name", "database", "processes", "pool_size", "max_overflow")
_LEAST_REASON: Final = 10


def read_waivers(root: Section, steps: Collection[str], environment: str | None) -> tuple[Waiver, ...]:
    """Those that hold in this environment. ``steps``: the names of all steps, those that are switched off included."""
    found = []
    for index, value in root.items("waivers"):
        section = Section(root.source, ("waivers", index), value, root.findings, root.scope)
        section.allow(WAIVER_KEYS, "in a waiver")
        waiver = _waiver(section, steps)
        environments = _environments(section, root)
        if waiver is not None and (environments is None or environment in environments):
            found.append(waiver)
    return tuple(found)


def _waiver(section: Section, steps: Collection[str]) -> Waiver | None:
    rule, reason, until = section.text("rule"), section.text("reason"), _until(section)
    for key, text in (("rule", rule), ("reason", reason)):
        if not text and section.raw(key) in (None, ""):
            section.missing(key, {"rule": "rule: the id in []", "reason": "reason: why this is as it should be"}[key])
    if reason and len(reason) < _LEAST_REASON:
        section.error("plan.wrong-type", f"reason: {describe(reason)} is no reason", ("reason",), hint="say why")
    named = _names(section, "steps")
    for name in named or ():
        if name not in steps:
            near = section.findings.near(name, steps)
            section.error("plan.unknown-reference", f"there is no step {describe(name)}{near}", ("steps",))
    if not rule or not reason or until is None:
        return None
    where = section.source.at(section.path)
    return Waiver(rule=rule, steps=named, reason=" ".join(reason.split()), until=until, where=where)


def _until(section: Section) -> date | None:
    text = section.text("until")
    if not text:
        if section.raw("until") in (None, ""):
            section.missing("until", "until: 2027-06-30, the day on which somebody has to look again")
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        section.wrong(("until",), "a date such as 2027-06-30", text)
        return None


def _names(section: Section, key: str) -> tuple[str, ...] | None:
    """A list of names; None for ``all`` or nothing."""
    value = section.filled(key)
    if value is None or value == "all":
        return None
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        section.wrong((key,), "all, or a list of names", value)
        return None
    return tuple(value)


def _environments(section: Section, root: Section) -> tuple[str, ...] | None:
    named = _names(section, "environments")
    known = root.raw("environments")
    for name in named or ():
        if not isinstance(known, dict) or name not in known:
            message = f"the plan has no environment {describe(name)}"
            section.error("plan.unknown-environment", message, ("environments",))
    return named


def read_applications(root: Section, steps: Collection[str]) -> tuple[Application, ...]:
    """What connects to the databases of the plan."""
    found = []
    for index, value in root.items("applications"):
        section = Section(root.source, ("applications", index), value, root.findings, root.scope)
        section.allow(APPLICATION_KEYS, "in an application")
        database = section.text("database")
        if database and database not in steps:
            near = section.findings.near(database, steps)
            message = f"there is no step {describe(database)}{near}"
            section.error("plan.unknown-reference", message, ("database",))
        found.append(
            Application(
                name=section.text("name") or f"application {index + 1}",
                database=database,
                processes=_count(section, "processes", 1, 1),
                pool_size=_count(section, "pool_size", 1, 5),
                max_overflow=_count(section, "max_overflow", 0, 0),
                where=section.source.at(section.path),
            )
        )
    return tuple(found)


def _count(section: Section, key: str, least: int, usual: int) -> int:
    value: Any = section.filled(key)
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 100_000:
        section.wrong((key,), f"an integer from {least} to 100000", value)
        return usual
    return value
