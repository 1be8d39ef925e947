"""``verify``: the checklists of what is deployed, over the toy cloud."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.drivers.aws import checklists
from provisioner.drivers.typemap import registry
from provisioner.errors import AccessDeniedError
from provisioner.powers import CanVerify
from tests.cli.conftest import CANARY, Desk


def _points(made: Any, step: str) -> dict[str, str]:
    return {one["title"]: one["state"] for one in made.json["points"] if one["step"] == step}


def test_every_point_of_a_sound_deployment_is_ticked_or_says_why_not(desk: Desk) -> None:
    desk.deploy()
    before = len(desk.cloud.writes())
    made = desk.run("verify", desk.plan, "--json")
    assert made.code == 0
    assert _points(made, "db") == {
        "it is available": "ok",
        "as large as planned": "ok",
        "protected": "off",
        "reached through its network": "ok",
        "it answers": "ok",
        "somebody likes it": "open",
    }
    assert _points(made, "vault") == {"its value can be read": "ok"}
    assert _points(made, "net") == {"it is there, as planned": "ok"}
    assert _points(made, "gate") == {"it passes": "ok"}
    assert made.json["summary"] == {"ok": 7, "failed": 0, "off": 1, "open": 1}
    assert len(desk.cloud.writes()) == before
    assert CANARY not in made.out + made.err
    assert "✓ everything is as it should be; 1 point left to a person" in desk.run("verify", desk.plan).out


def test_what_was_changed_outside_fails_its_point_and_nothing_else(desk: Desk) -> None:
    desk.deploy()
    thing = desk.cloud.named("database", "shop-db")
    assert thing is not None
    thing.spec["size"] = 7
    made = desk.run("verify", desk.plan, "--json")
    assert made.code == made.json["exit_code"] == 8
    failed = [(one["title"], one["detail"]) for one in made.json["points"] if one["state"] == "failed"]
    assert failed == [("as large as planned", "size is not as planned")]
    assert "✗ as large as planned" in desk.run("verify", desk.plan).out


def test_what_decides_who_gets_in_must_be_as_planned_too(desk: Desk) -> None:
    desk.deploy()
    thing = desk.cloud.named("thing", "shop-net")
    assert thing is not None
    thing.spec["colour"] = "blue"
    made = desk.run("verify", desk.plan, "--json")
    assert _points(made, "db")["reached through its network"] == "failed"
    assert _points(made, "net") == {"it is there, as planned": "failed"}


def test_what_is_gone_fails_and_so_does_the_check_that_looks_at_it(desk: Desk) -> None:
    desk.deploy()
    thing = desk.cloud.named("database", "shop-db")
    assert thing is not None
    desk.cloud.remove(thing)
    made = desk.run("verify", desk.plan, "--json")
    assert made.code == 8
    assert _points(made, "db") == {"it is available": "failed"}
    assert _points(made, "gate") == {"it passes": "failed"}


def test_a_value_that_may_not_be_read_is_a_point_that_fails_with_the_reason(desk: Desk) -> None:
    desk.deploy()
    desk.cloud.fail("fetch", "shop-vault", lambda: AccessDeniedError("not for you"), times=99)
    made = desk.run("verify", desk.plan, "--json")
    assert made.code == 8
    told = {one["title"]: one["detail"] for one in made.json["points"] if one["step"] == "vault"}
    assert "not for you" in told["its value can be read"]


def test_what_was_never_deployed_cannot_be_verified(desk: Desk) -> None:
    made = desk.run("verify", desk.plan)
    assert made.code == 1
    assert "nothing was ever deployed" in made.err


@pytest.mark.parametrize(
    ("type_", "points"),
    [("aws.rds_instance", 8), ("aws.cache_replication_group", 8), ("aws.s3_bucket", 7), ("aws.secret", 4)],
)
def test_the_lists_of_our_reference_systems_are_whole_and_name_fields_that_exist(type_: str, points: int) -> None:
    cls = registry().type(type_)
    assert issubclass(cls, CanVerify)
    listed = cls.points()
    assert len(listed) == points
    fields = set(cls.Spec.__struct_fields__)
    for point in listed:
        assert fields.issuperset(point.fields + ((point.walls,) if point.walls else ()))
        assert not point.fetches or point.fetches in cls.outputs
    assert listed in (checklists.rds(), checklists.redis(), checklists.bucket(), checklists.secret())
