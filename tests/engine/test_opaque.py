"""What the cloud never reports (a password): when it is sent, and that no crash or refusal makes the engine forget it."""

from __future__ import annotations

from typing import Any

import msgspec

from provisioner.errors import AccessDeniedError, ThrottledError
from provisioner.plan.model import Plan
from provisioner.secret import Secret
from provisioner.state.records import Action
from tests.engine.world import World, plan, step


def with_password(password: str, **more: Any) -> Plan:
    made = plan(step("db", "toy.thing", password="${param.pw}", **more))
    return msgspec.structs.replace(made, secrets={"pw": Secret(password)})


def password(world: World) -> object:
    return world.cloud.only("db").spec["password"]


def test_a_password_that_changed_is_sent_and_one_that_did_not_is_not(world: World) -> None:
    world.deploy(with_password("one-1"))
    assert world.deploy(with_password("one-1")).changes == []
    assert [change.action for change in world.deploy(with_password("two-2")).changes] == [Action.UPDATE]
    assert password(world) == "two-2"


def test_a_password_update_that_was_throttled_is_sent_again(world: World) -> None:
    world.deploy(with_password("one-1"))
    world.cloud.fail("update", "db", lambda: ThrottledError("slow down"))
    assert world.deploy(with_password("two-2")).exit_code == 0
    assert password(world) == "two-2"


def test_a_password_update_that_was_refused_is_sent_by_the_next_deploy(world: World) -> None:
    world.deploy(with_password("one-1"))
    world.cloud.fail("update", "db", lambda: AccessDeniedError("no"))
    assert world.deploy(with_password("two-2"), on_failure="keep").exit_code == 4
    assert password(world) == "one-1"
    assert world.deploy(with_password("two-2")).exit_code == 0
    assert password(world) == "two-2"


def test_the_type_is_told_which_fields_differ(world: World) -> None:
    world.deploy(with_password("one-1", size=1))
    world.deploy(with_password("two-2", size=2))
    assert world.cloud.told == [{"password", "size"}]


def test_what_this_run_changed_above_an_object_is_seen_in_the_object(world: World) -> None:
    """The preview saw the object before; what it shows since then must not be missed."""
    made = plan(step("group", colour="red"), step("db", uses=["${group.id}"]))
    world.deploy(made)
    db = world.cloud.only("db")

    def wait_for_restart(when: str, verb: str, name: str) -> None:
        if (when, verb) == ("after", "update") and "group" in name:
            db.spec["size"] = 7  # what the change above did to it

    world.cloud.hooks.append(wait_for_restart)
    changed = plan(step("group", colour="blue"), step("db", uses=["${group.id}"], size=1))
    outcome = world.deploy(changed)
    assert [(change.step, change.action) for change in outcome.changes] == [
        ("group", Action.UPDATE),
        ("db", Action.UPDATE),
    ]
    assert db.spec["size"] == 1
