"""The plans that the crash tests deploy, change and take away, and what must hold afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provisioner.plan.model import Plan, StepDecl
from tests.engine.world import World, agree, plan, step


def shop(*, size: int = 2, colour: str = "red", more: tuple[StepDecl, ...] = (), mail: bool = True) -> Plan:
    """Eight steps: an id that the cloud assigns, a secret, things that hang on each other, a database, a gate."""
    steps = [
        step("net", "toy.network"),
        step("pw", "toy.vault"),
        step("subnet", uses=["${net.id}"]),
        step("group", colour=colour),
        step("db", "toy.database", uses=["${subnet.id}"], password="${pw.value}", size=size, colour=colour),
        step("cache", uses=["${subnet.id}", "${group.id}"], password="${pw.value}"),
        step("open", "toy.gate", thing="${db.id}"),
    ]
    if mail:
        steps.append(step("mail", "toy.light", after=("open",), note="to ${db.id}"))
    return plan(*steps, *more, outputs={"url": "toy://${pw.value}@${db.id}"})


FIRST = shop()
SECOND = shop(size=3, colour="blue", mail=False, more=(step("queue", "toy.network", uses=["${group.id}"]),))
"""Updates two steps in place, one of them one way, drops one and adds one."""

ALL_OF_FIRST = ["cache", "db", "group", "mail", "net", "pw", "subnet"]
ALL_OF_SECOND = ["cache", "db", "group", "net", "pw", "queue", "subnet"]


def fresh(directory: Path) -> World:
    world = World(directory)
    world.cloud.provision = {"-db": 12.0, "-cache": 8.0}
    world.cloud.modify = {"-db": 5.0}
    world.cloud.removal = {"-db": 6.0, "-cache": 3.0}
    world.cloud.lag = 2.0
    return world


def complete(world: World, names: list[str]) -> None:
    """All of the plan is there once, ready, and as recorded."""
    agree(world)
    assert world.names() == names
    assert {record.status.value for record in world.state.steps.values()} == {"ready"}


def empty(world: World) -> None:
    """Nothing is left, in the cloud or in the record."""
    assert world.names() == []
    assert world.state.steps == {}


def specs(world: World) -> dict[str, dict[str, Any]]:
    """What is in the cloud, by name, without the ids that differ from one making to the next."""
    return {
        thing.name: {name: value for name, value in thing.spec.items() if name not in ("uses", "note")}
        for thing in world.cloud.live()
    }
