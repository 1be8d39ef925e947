"""Parameters of databases and caches: names, units, ranges, and what some values bring with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final

from provisioner.plan.outline import Item, unknown
from provisioner.preflight.book import AWS, CACHE_GUIDE, RDS_GUIDE, rule
from provisioner.preflight.rds import group_of
from provisioner.rules.facts import Parameter, parameters_of
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, at, on

GROUPS: Final = ("aws.db_parameter_group", "aws.cache_parameter_group")
_GUIDE: Final = f"{RDS_GUIDE}/Appendix.PostgreSQL.CommonDBATasks.Parameters.html"
_LOGGING: Final = "https://www.postgresql.org/docs/current/runtime-config-logging.html"
_QUANTITY: Final = re.compile(r"(-?\d+(?:\.\d+)?)\s*(B|kB|8kB|MB|GB|TB|us|ms|s|min|h|d)")
_BYTES: Final = {"B": 1, "kB": 1 << 10, "8kB": 1 << 13, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_LIBRARIES: Final = ("auto_explain", "pg_stat_statements", "pgaudit", "pg_cron", "pglogical")
_SWITCHES: Final = {"on": "1", "off": "0", "true": "1", "false": "0", "yes": "1", "no": "0"}


def settings(group: Item) -> dict[str, str]:
    """The parameters that a group sets, as far as they are known."""
    values = group.values.get("parameters")
    if not isinstance(values, dict):
        return {}
    return {name: value for name, value in values.items() if isinstance(value, str) and not unknown(value)}


def converted(value: str, unit: str) -> str | None:
    """A quantity with a unit as a number in another one; None where it is no such quantity, or does not come out even.

    >>> converted("64MB", "kB"), converted("1min", "ms"), converted("12kB", "8kB"), converted("12", "kB")
    ('65536', '60000', None, None)
    """
    found = _QUANTITY.fullmatch(value.strip())
    scale = _BYTES if unit in _BYTES else _SECONDS
    if found is None or found[2] not in scale or unit not in scale:
        return None
    number = float(found[1]) * scale[found[2]] / scale[unit]
    return str(round(number)) if abs(number - round(number)) < 1e-9 else None


def fits(parameter: Parameter, value: str) -> bool:
    """Whether a parameter may have a value; a formula of AWS's may be anything."""
    if not parameter.allowed or value.startswith("{"):
        return True
    if parameter.kind in ("integer", "float"):
        try:
            number = int(value) if parameter.kind == "integer" else float(value)
        except ValueError:
            return False
        return any(_within(number, part) for part in parameter.allowed.split(","))
    words = parameter.allowed.split(",")
    if parameter.kind == "list":
        return all(word.strip() in words for word in value.split(",") if word.strip())
    return value in words


def _within(number: float, part: str) -> bool:
    found = re.fullmatch(r"(-?\d+)(?:(-)(\d*))?", part)
    if found is None:
        return True
    low, dash, high = found.groups()
    return number == int(low) if not dash else int(low) <= number and (not high or number <= int(high))


def _set(look: Look) -> Iterator[tuple[Item, Parameter | None, str, str]]:
    """Each parameter that is set: its group, what is known of it, its name and value."""
    for group in look.outline.of(*GROUPS):
        known = parameters_of(group.get("family", "")) if group.get("family") else {}
        for name, value in settings(group).items() if known else ():
            yield group, known.get(name), name, value


@rule(
    "param.unknown",
    Level.WARNING,
    source=_GUIDE,
    hint="check its spelling; preflight without --offline asks AWS for the whole list",
)
def unheard(look: Look) -> Iterator[Hit]:
    """A parameter is set that is not among those that are known of its family."""
    for group, parameter, name, _ in _set(look):
        if parameter is None:
            near = get_close_matches(name, parameters_of(group.get("family")), n=1, cutoff=0.8)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            yield at(
                group, ("parameters", name), f"{group.get('family')} has no parameter {name!r} that is known{meant}"
            )


@rule("param.unit", Level.ERROR, source=_GUIDE)
def unit(look: Look) -> Iterator[Hit]:
    """A value is written with a unit, where AWS takes a bare number in the parameter's own."""
    for group, parameter, name, value in _set(look):
        if parameter is None or parameter.kind not in ("integer", "float") or not _QUANTITY.fullmatch(value):
            continue
        number = converted(value, parameter.unit)
        own = f"its unit is {parameter.unit}" if parameter.unit else "it has no unit"
        hint = f'write "{number}"' if number else "write a number"
        yield at(group, ("parameters", name), f"{name}: {value} has a unit; {own}", hint=hint)


@rule("param.range", Level.ERROR, source=_GUIDE, hint="AWS refuses it")
def out_of_range(look: Look) -> Iterator[Hit]:
    """A parameter has a value that is outside its range, or not one of those that it can have."""
    for group, parameter, name, value in _set(look):
        if parameter is None or _QUANTITY.fullmatch(value) or fits(parameter, value):
            continue
        meant = _SWITCHES.get(value.lower())
        hint = f'write "{meant}"' if parameter.allowed == "0,1" and meant else ""
        yield at(group, ("parameters", name), f"{name} cannot be {value!r}: it takes {parameter.allowed}", hint=hint)


@rule("param.fixed", Level.ERROR, source=_GUIDE, hint="take it out")
def fixed(look: Look) -> Iterator[Hit]:
    """A parameter is set that nobody can change."""
    for group, parameter, name, _ in _set(look):
        if parameter is not None and parameter.apply == "fixed":
            yield at(group, ("parameters", name), f"{name} cannot be changed")


@rule("param.log-everything", Level.WARNING, source=_LOGGING, hint="1000 logs what takes a second or more")
def log_everything(look: Look) -> Iterator[Hit]:
    """log_min_duration_statement=0 logs every statement with its values."""
    for group in look.outline.of("aws.db_parameter_group"):
        if settings(group).get("log_min_duration_statement") == "0":
            yield at(group, ("parameters", "log_min_duration_statement"), "0 logs every statement, passwords included")


@rule(
    "param.not-preloaded",
    Level.ERROR,
    source=f"{RDS_GUIDE}/USER_ConnectToPostgreSQLInstance.html",
    hint="add it to shared_preload_libraries",
)
def not_preloaded(look: Look) -> Iterator[Hit]:
    """A parameter of a library is set, or its extension wanted, and the library is not loaded."""
    for group in look.outline.of("aws.db_parameter_group"):
        values = settings(group)
        loaded = [name.strip() for name in values.get("shared_preload_libraries", "pg_stat_statements").split(",")]
        for name in values:
            library = name.partition(".")[0]
            if "." in name and library in _LIBRARIES and library not in loaded:
                yield at(group, ("parameters", name), f"{name} has no effect: {library} is not loaded")


@rule(
    "param.check-contradicts",
    Level.ERROR,
    source=f"{AWS}/cli/latest/reference/rds/describe-db-parameters.html",
    hint="the check would fail: write the same value in both places",
)
def check_contradicts(look: Look) -> Iterator[Hit]:
    """A check expects another value than the parameter group sets."""
    outline = look.outline
    for check in outline.of("check.postgres"):
        database = outline.link(check, "host", "aws.rds_instance")
        group = group_of(outline, database) if database is not None else None
        values = settings(group) if group is not None else {}
        wanted = check.values.get("parameters") or {}
        for name, value in wanted.items() if isinstance(wanted, dict) else ():
            own = values.get(name)
            if own is not None and isinstance(value, str) and not unknown(value) and _plain(own) != _plain(value):
                yield at(check, ("parameters", name), f"it expects {value}, and the parameter group sets {own}")


def _plain(value: Any) -> str:
    return _SWITCHES.get(str(value).lower(), str(value))


@rule(
    "param.no-restart",
    Level.WARNING,
    source=f"{RDS_GUIDE}/USER_WorkingWithParamGroups.html",
    hint="parameters_applied: true restarts once; the maintenance window does not",
)
def no_restart(look: Look) -> Iterator[Hit]:
    """Static parameters are set, and the restart that they wait for is switched off."""
    for item in look.outline.of("aws.rds_instance"):
        group = group_of(look.outline, item)
        if group is None or item.get("parameters_applied", True) or not group.get("family"):
            continue
        known = parameters_of(group.get("family"))
        static = [name for name in settings(group) if name in known and known[name].apply == "static"]
        if static:
            yield on(item, "parameters_applied", f"{', '.join(static)} take effect only after a restart")


@rule(
    "param.reserved-memory",
    Level.WARNING,
    source=f"{CACHE_GUIDE}/redis-memory-management.html",
    hint="25 is AWS's default; less leaves no room for a snapshot",
)
def reserved_memory(look: Look) -> Iterator[Hit]:
    """A cache keeps too little memory aside for snapshots and failovers."""
    for group in look.outline.of("aws.cache_parameter_group"):
        value = settings(group).get("reserved-memory-percent", "25")
        if value.isdigit() and int(value) < 20:
            yield at(group, ("parameters", "reserved-memory-percent"), f"{value}% is less than a snapshot may take")
