"""``aws.alarms``: do the facts that its words are reckoned with fit what is watched, and does anybody hear."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from provisioner.plan.outline import Item
from provisioner.preflight.book import RDS_GUIDE, WATCH_GUIDE, rule
from provisioner.preflight.capacity import room_of
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, at, on

_WATCHED: Final = ("aws.rds_instance", "aws.rds_read_replica", "aws.cache_replication_group")


def _sets(look: Look) -> Iterator[tuple[Item, Item]]:
    """Each set of alarms with what it watches, where that is a step."""
    for alarms in look.outline.of("aws.alarms"):
        target = look.outline.link(alarms, "target", *_WATCHED)
        if target is not None:
            yield alarms, target


@rule(
    "alarm.other-facts",
    Level.ERROR,
    family="alarm",
    source=f"{WATCH_GUIDE}/AlarmThatSendsEmail.html",
    hint="write the same parameter in both places, or refer to the step",
)
def other_facts(look: Look) -> Iterator[Hit]:
    """Alarms in percent are reckoned with another size than what they watch has."""
    for alarms, target in _sets(look):
        names = ("allocated_storage", "max_allocated_storage", "instance_class")
        own = {name: target.get(name) for name in names if not target.assumed(name)}
        if target.type == "aws.cache_replication_group":
            own = {"instance_class": target.get("node_type"), "nodes": target.get("num_nodes")}
        elif target.type == "aws.rds_instance":
            room = room_of(look.outline, target)
            # What RDS reckons itself is less than its formula gives for the memory that the class has on paper.
            own["max_connections"] = room.connections if "max_connections" in room.own else None
        for name, value in own.items():
            said = alarms.get(name)
            if said is not None and value is not None and said != value:
                yield on(alarms, name, f"it says {said}, and {target.step.name} has {value}")


@rule(
    "alarm.set-silent",
    Level.WARNING,
    family="alarm",
    source=f"{WATCH_GUIDE}/AlarmThatSendsEmail.html",
    hint='topic: "${alerts.arn}"',
)
def silent(look: Look) -> Iterator[Hit]:
    """Nobody is told when one of a set of alarms rings."""
    outline = look.outline
    for alarms in outline.of("aws.alarms"):
        heard = alarms.sets("topic") or alarms.sets("critical_topic")
        if not heard and not outline.users(alarms, "aws.composite_alarm"):
            yield on(alarms, "", "they ring and nobody hears them")


@rule(
    "alarm.set-storage-grows",
    Level.WARNING,
    family="alarm",
    source=f"{RDS_GUIDE}/USER_PIOPS.Autoscaling.html",
    hint="ring well above 10%, or use storage_ceiling, the share of max_allocated_storage",
)
def storage_grows(look: Look) -> Iterator[Hit]:
    """An alarm on free storage rings at the same moment in which the storage grows by itself."""
    for alarms, target in _sets(look):
        thresholds: Any = alarms.values.get("thresholds")
        lines = thresholds.get("storage_free") if isinstance(thresholds, dict) else None
        for name, line in lines.items() if isinstance(lines, dict) and target.sets("max_allocated_storage") else ():
            if isinstance(line, int | float) and line <= 10 and "storage_ceiling" not in thresholds:
                message = f"at {line:g}% free RDS adds storage, up to {target.get('max_allocated_storage')} GiB"
                yield at(alarms, ("thresholds", "storage_free", name), message)
