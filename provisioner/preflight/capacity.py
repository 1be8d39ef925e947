"""Memory and connections: what the application opens, what the server allows, what the machine holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from provisioner.plan.model import Application
from provisioner.plan.outline import Item, Outline
from provisioner.preflight.book import RDS_GUIDE, rule
from provisioner.preflight.parameters import settings
from provisioner.preflight.rds import group_of
from provisioner.rules.facts import size_of
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, on

_LIMITS: Final = f"{RDS_GUIDE}/CHAP_Limits.html#RDS_Limits.MaxConnections"
_MEMORY: Final = "https://www.postgresql.org/docs/current/runtime-config-resource.html"
_MIB: Final = 1 << 20

DEFAULTS: Final = {
    "max_connections": "{LEAST({DBInstanceClassMemory/9531392},5000)}",
    "shared_buffers": "{DBInstanceClassMemory/32768}",
    "work_mem": "4096",
    "maintenance_work_mem": "65536",
    "superuser_reserved_connections": "3",
    "rds.rds_superuser_reserved_connections": "0",
}
"""What RDS for PostgreSQL sets where a parameter group does not."""


class Room(NamedTuple):
    """What a database has. ``memory`` in bytes, 0 where its class is not known; the rest in the parameters' units."""

    memory: int
    values: dict[str, int]
    own: frozenset[str]
    """The parameters that the plan itself sets."""

    @property
    def connections(self) -> int:
        """The most that there can be; 0 where it is not known."""
        return self.values.get("max_connections", 0)

    @property
    def usable(self) -> int:
        """Those that are left for applications."""
        kept = ("superuser_reserved_connections", "rds.rds_superuser_reserved_connections")
        return self.connections - sum(self.values.get(name, 0) for name in kept)


def room_of(outline: Outline, database: Item) -> Room:
    """By its class and its parameter group."""
    size = size_of(database.get("instance_class", ""))
    memory = size.memory if size is not None else 0
    group = group_of(outline, database)
    own = settings(group) if group is not None else {}
    values = {name: evaluate(own.get(name, default), memory) for name, default in DEFAULTS.items()}
    if "max_connections" not in own and (not memory or (database.sets("parameter_group") and group is None)):
        values["max_connections"] = 0
    return Room(memory, {name: value for name, value in values.items() if value is not None}, frozenset(own))


def evaluate(text: str, memory: int) -> int | None:
    """A value, or what a formula of AWS's comes to on a machine; None where it is not understood.

    >>> evaluate("{LEAST({DBInstanceClassMemory/9531392},5000)}", 1 << 30), evaluate("100", 0), evaluate("{log(x)}", 1)
    (112, 100, None)
    """
    flat = text.replace("{", "").replace("}", "").replace(" ", "")
    function = re.fullmatch(r"(LEAST|GREATEST)\((.+)\)", flat)
    if function is not None:
        found = [evaluate(part, memory) for part in function[2].split(",")]
        numbers = [number for number in found if number is not None]
        if len(numbers) != len(found):
            return None
        return min(numbers) if function[1] == "LEAST" else max(numbers)
    term = re.fullmatch(r"(-?\d+|DBInstanceClassMemory)((?:[*/]\d+)*)", flat)
    if term is None:
        return None
    value = float(memory if term[1].startswith("DB") else int(term[1]))
    for sign, operand in re.findall(r"([*/])(\d+)", term[2]):
        value = value * int(operand) if sign == "*" else value / int(operand)
    return int(value)


def _clients(outline: Outline) -> dict[str, list[Application]]:
    """Database step → the applications that connect to it."""
    databases = [item.step.name for item in outline.of("aws.rds_instance")]
    found: dict[str, list[Application]] = {}
    for application in outline.plan.applications:
        name = application.database or (databases[0] if len(databases) == 1 else "")
        if name in databases:
            found.setdefault(name, []).append(application)
    return found


def _pools(look: Look) -> Iterator[tuple[Item, list[Application], int, Room]]:
    """Each database with its applications, the connections they may open, and what it has for them."""
    for name, applications in _clients(look.outline).items():
        database = look.outline.items[name]
        room = room_of(look.outline, database)
        if room.connections:
            yield database, applications, sum(one.connections for one in applications), room


def _sum(applications: list[Application], total: int) -> str:
    one = applications[0]
    if len(applications) == 1:
        return f"{one.processes} × ({one.pool_size} + {one.max_overflow}) = {total} connections"
    return f"{' and '.join(app.name for app in applications)} open {total} connections"


@rule(
    "capacity.pool",
    Level.ERROR,
    source=_LIMITS,
    hint="fewer processes, smaller pools, a larger max_connections, or a proxy in between",
)
def pool(look: Look) -> Iterator[Hit]:
    """The pools of all processes together open more connections than the database has."""
    for database, applications, total, room in _pools(look):
        if total > room.usable:
            message = (
                f"{_sum(applications, total)} at most, and {database.step.name} has {room.usable} "
                f"({room.connections} less {room.connections - room.usable} that are reserved)"
            )
            yield Hit(database, (), message, where=applications[0].where, subject="applications")


@rule(
    "capacity.pool-tight",
    Level.WARNING,
    source=_LIMITS,
    hint="migrations, backups and people connect too: leave a fifth free",
)
def pool_tight(look: Look) -> Iterator[Hit]:
    """The pools of all processes together leave hardly a connection free."""
    for database, applications, total, room in _pools(look):
        if room.usable * 0.8 < total <= room.usable:
            message = f"{_sum(applications, total)} at most, of {room.usable} that {database.step.name} has"
            yield Hit(database, (), message, where=applications[0].where, subject="applications")


@rule(
    "capacity.max-connections",
    Level.WARNING,
    source=_LIMITS,
    hint="each connection is a process of some MB; take a larger class, or a proxy",
)
def max_connections(look: Look) -> Iterator[Hit]:
    """max_connections is far above what RDS would set for a machine of this size."""
    for item in look.outline.of("aws.rds_instance"):
        room = room_of(look.outline, item)
        usual = evaluate(DEFAULTS["max_connections"], room.memory) or 0
        if "max_connections" in room.own and usual and room.connections > 2 * usual:
            yield on(item, "instance_class", f"{room.connections} connections, where RDS would allow {usual}")


@rule(
    "capacity.memory", Level.WARNING, source=_MEMORY, hint="lower work_mem or max_connections, or take a larger class"
)
def memory(look: Look) -> Iterator[Hit]:
    """shared_buffers and a work_mem for every connection are more than the machine has."""
    for item in look.outline.of("aws.rds_instance"):
        room = room_of(look.outline, item)
        if not room.memory or not {"shared_buffers", "work_mem"} <= room.values.keys():
            continue
        buffers = room.values["shared_buffers"] * 8192
        work = room.connections * room.values["work_mem"] * 1024
        if buffers + work > room.memory:
            message = (
                f"{buffers // _MIB} MiB of shared_buffers + {room.connections} × {room.values['work_mem']} kB of "
                f"work_mem = {(buffers + work) // _MIB} MiB, and {item.get('instance_class')} has {room.memory // _MIB}"
            )
            yield on(item, "instance_class", message)


@rule(
    "capacity.shared-buffers",
    Level.ERROR,
    source=_MEMORY,
    hint="in blocks of 8 kB; RDS takes a quarter of the memory by itself",
)
def shared_buffers(look: Look) -> Iterator[Hit]:
    """shared_buffers takes so much of the machine's memory that PostgreSQL will not start."""
    for item in look.outline.of("aws.rds_instance"):
        room = room_of(look.outline, item)
        buffers = room.values.get("shared_buffers", 0) * 8192
        if "shared_buffers" in room.own and room.memory and buffers > room.memory * 0.75:
            message = f"{buffers // _MIB} MiB of {room.memory // _MIB} that {item.get('instance_class')} has"
            yield on(item, "parameter_group", message)


@rule("capacity.maintenance", Level.WARNING, source=_MEMORY, hint="a quarter of the memory at most")
def maintenance(look: Look) -> Iterator[Hit]:
    """One VACUUM or CREATE INDEX may take most of the machine's memory."""
    for item in look.outline.of("aws.rds_instance"):
        room = room_of(look.outline, item)
        work = room.values.get("maintenance_work_mem", 0) * 1024
        if "maintenance_work_mem" in room.own and room.memory and work > room.memory / 4:
            yield on(item, "parameter_group", f"maintenance_work_mem is {work // _MIB} MiB of {room.memory // _MIB}")
