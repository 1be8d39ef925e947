"""``drift``, ``state adopt`` and ``state recover``: what they say and what they exit with, by plan and by name."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from provisioner.cli.style import width
from provisioner.cli.text.drift import drift_text
from provisioner.engine.drift import Finding, Kind
from provisioner.engine.fields import Cause, Field
from provisioner.errors import AccessDeniedError
from provisioner.operations.drift import Report
from provisioner.state.store import Owner, Store
from tests.cli.conftest import CANARY, Desk
from tests.cli.shell import Terminal


def test_without_drift_it_says_so_and_exits_0(desk: Desk) -> None:
    desk.deploy()
    made = desk.run("drift", desk.plan)
    assert (made.code, made.out.splitlines()[-1]) == (0, "No drift.")
    told = desk.json("drift", desk.plan)
    assert (told["drifted"], told["summary"], told["exit_code"]) == (False, {"same": 3}, 0)


def test_drift_names_field_and_values_and_exits_7(desk: Desk) -> None:
    desk.deploy()
    desk.cloud.only("shop-net").spec["colour"] = "blue"
    for words in ([desk.plan], ["--deployment", "shop"]):
        made = desk.run("drift", *words)
        assert made.code == 7
        assert 'colour: "red" → "blue"' in made.out
        assert "deploy brings" in made.out and "state adopt" in made.out
        told = desk.json("drift", *words)
        (net,) = [one for one in told["objects"] if one["drifted"]]
        assert (net["step"], net["kind"], told["exit_code"]) == ("net", "changed", 7)
        (field,) = net["fields"]
        assert (field["field"], field["record"], field["cloud"], field["cause"]) == ("colour", "red", "blue", "outside")
        assert field["plan"] == ("red" if words == [desk.plan] else None)
    assert desk.deploy().code == 0
    assert desk.run("drift", desk.plan).code == 0


def test_a_change_of_the_plan_is_shown_and_is_no_drift(desk: Desk) -> None:
    desk.deploy()
    made = desk.run("drift", desk.plan, "--param", "size=4")
    assert made.code == 0
    assert "not drift" in made.out and "size: 1 → 4" in made.out
    assert desk.json("drift", desk.plan, "--param", "size=4")["summary"] == {"same": 2, "planned": 1}


def test_a_broken_plan_is_told_and_the_record_alone_is_compared(desk: Desk) -> None:
    desk.deploy()
    desk.cloud.lose("shop-db")
    desk.edit("toy.database", "toy.databaze")
    made = desk.run("drift", desk.plan)
    assert (made.code, "gone" in made.out) == (7, True)
    assert "going on from the record" in made.err


def test_a_secret_is_never_shown(desk: Desk) -> None:
    desk.deploy()
    desk.cloud.only("shop-vault").spec["value"] = "canary-by-hand"
    for words in ([], ["--json"]):
        made = desk.run("drift", desk.plan, *words)
        assert made.code == 7
        assert "password" in made.out
        assert "canary" not in made.out + made.err
        assert CANARY not in made.out + made.err


def test_what_was_never_deployed_and_what_nobody_can_read_is_an_error(desk: Desk) -> None:
    made = desk.run("drift", desk.plan)
    assert (made.code, "nothing was ever deployed" in made.err) == (1, True)
    assert desk.run("drift", "--deployment", "other").code == 1
    assert desk.run("drift", "--deployment", "../shop").code == 2
    assert desk.run("drift").code == 2
    assert not desk.record().exists()
    desk.deploy()
    desk.cloud.fail("read", "net", lambda: AccessDeniedError("no"), times=9)
    assert desk.run("drift", desk.plan).code == 3


def test_objects_in_no_record_are_drift_even_where_the_whole_record_is_lost(desk: Desk) -> None:
    desk.deploy()
    shutil.rmtree(desk.home)
    made = desk.run("drift", desk.plan)
    assert made.code == 7
    assert "3 in no record" in made.out and "state recover" in made.out
    assert not desk.home.exists()


# -- the width of a terminal ----------------------------------------------------------------------------------


def _report() -> Report:
    long = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
    facts: Any = {"type": "aws.rds_instance", "name": "credlink-production-" + "x" * 60}
    fields = [
        Field(field="backup_retention_days", plan=30, record=30, cloud=1, cause=Cause.OUTSIDE),
        Field(field="subnets", plan=long, record=long, cloud=long[:2], cause=Cause.OUTSIDE, missing=long[2:]),
        Field(field="description", plan="a" * 90, record="b" * 90, cloud="c" * 90, cause=Cause.BOTH, replaces=True),
    ]
    findings = [
        Finding(step="db", kind=Kind.CHANGED, fields=fields, unchecked={"password": "the value is not known"}, **facts),
        Finding(step="vpc", kind=Kind.REPLACED, detail="vpc_id was vpc-1 and is vpc-2", **facts),
        Finding(step="old", kind=Kind.UNRECORDED, **facts),
    ]
    return Report(deployment="credlink-production", findings=findings, missing=["new"])


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 1000])
def test_it_fits_the_terminal_and_says_the_same(columns: int) -> None:
    lines = drift_text(_report(), columns)
    assert max(map(width, lines)) <= columns
    text = " ".join(" ".join(lines).split())
    for word in ("backup_retention_days", "30", "subnet-0123456789", "vpc-2", "in no record", "password", "new"):
        assert word in text


def test_a_narrow_terminal_is_respected_by_the_verb(desk: Desk, tmp_path: Path) -> None:
    made = Terminal(desk.home, "drift", str(desk.plan), columns=50)
    try:
        made.until("nothing was ever")
        assert made.end() == 1
    finally:
        made.kill()


# -- adopt ----------------------------------------------------------------------------------------------------


def test_adopt_shows_the_difference_asks_and_writes_it_down(desk: Desk) -> None:
    desk.deploy()
    desk.cloud.only("shop-net").spec |= {"colour": "blue", "size": 3}
    made = desk.run("state", "adopt", desk.plan, "net")
    assert made.code == 2  # it asks, and nobody is there
    assert 'colour: "red" → "blue"' in made.err
    made = desk.run("state", "adopt", desk.plan, "net.colour", "--yes", "--json")
    assert (made.code, made.json["run"], made.json["result"]) == (0, 2, "succeeded")
    assert [(one["step"], one["taken"]) for one in made.json["accepted"]] == [("net", ["colour"])]
    told = desk.json("drift", "--deployment", "shop")
    assert [field["field"] for one in told["objects"] for field in one["fields"]] == ["size"]
    made = desk.run("state", "adopt", "--deployment", "shop", "--all", "--yes")
    assert (made.code, "accepted what the cloud has of 1 object" in made.out) == (0, True)
    assert desk.run("drift", desk.plan).code == 0
    assert desk.run("plan", desk.plan, "--detailed-exitcode").code == 7
    history = desk.run("history", desk.plan).out
    assert "adopt" in history and "1 accepted" in history
    assert desk.run("rollback", desk.plan, "--yes").code == 0
    assert desk.run("drift", desk.plan).code == 7


def test_adopt_wants_to_know_what(desk: Desk) -> None:
    desk.deploy()
    assert desk.run("state", "adopt", desk.plan, "--yes").code == 2
    assert desk.run("state", "adopt", desk.plan, "net", "--all", "--yes").code == 2
    assert desk.run("state", "adopt", desk.plan, "nope", "--yes").code == 2
    made = desk.run("state", "adopt", desk.plan, "net", "--yes")
    assert (made.code, "nothing to accept" in made.err) == (2, True)
    made = desk.run("state", "adopt", desk.plan, "--all")
    assert (made.code, made.out.strip()) == (0, "nothing to accept")


def test_adopt_refuses_somebody_elses_object_and_names_the_plan_s_own_way(desk: Desk) -> None:
    desk.deploy()
    desk.cloud.only("shop-net").owner = "other/net"
    made = desk.run("state", "adopt", desk.plan, "net", "--yes")
    assert (made.code, "adopt: existing" in made.err) == (3, True)
    made = desk.run("state", "adopt", desk.plan, "--all", "--yes", "--json")
    assert (made.code, made.json["accepted"], made.json["run"]) == (0, [], None)
    assert made.json["refused"][0]["step"] == "net"


# -- recover --------------------------------------------------------------------------------------------------


def test_recover_has_a_lost_record_back(desk: Desk) -> None:
    desk.deploy()
    desk.cloud.plant("thing", "shop-old", "shop/old", uses=[desk.cloud.only("shop-net").ident])
    shutil.rmtree(desk.home)
    made = desk.run("state", "recover", desk.plan)
    assert made.code == 2
    assert "not in the plan" in made.err and "shop-db" in made.err
    made = desk.run("state", "recover", desk.plan, "--yes", "--json")
    assert (made.code, made.json["result"], made.json["run"]) == (0, "succeeded", 1)
    found = {one["step"]: (one["planned"], one["needs"]) for one in made.json["found"]}
    assert found == {"net": (True, []), "vault": (True, []), "db": (True, ["net", "vault"]), "old": (False, ["net"])}
    assert desk.run("drift", desk.plan).code == 0
    assert "recover" in desk.run("history", desk.plan).out
    assert desk.run("destroy", desk.plan, "--yes", "--allow-data-loss").code == 0
    assert desk.cloud.live() == []


def test_recover_mends_the_files_first_and_then_asks_the_cloud(desk: Desk) -> None:
    desk.deploy()
    with Store.open(desk.record(), "shop", who=Owner(user="x", command="x")) as store:
        store.commit([])
    for path in desk.record().iterdir():
        if path.name.startswith(("state.json", "journal")):
            path.write_text("{ not a record")
    made = desk.run("state", "recover", desk.plan, "--yes", "--json")
    assert (made.code, made.json["recovered"], made.json["result"]) == (0, True, "succeeded")
    assert {one["step"] for one in made.json["found"]} == {"net", "vault", "db"}
    assert desk.deploy("--json").json["changes"] == []


def test_recover_offline_asks_no_cloud(desk: Desk) -> None:
    desk.deploy()
    with Store.open(desk.record(), "shop", who=Owner(user="x", command="x")) as store:
        from provisioner.state.records import DropRecord

        store.commit([DropRecord(step="db")])
    desk.cloud.calls.clear()
    made = desk.run("state", "recover", desk.plan, "--offline")
    assert (made.code, "the record is whole" in made.out) == (0, True)
    assert desk.cloud.calls == []
    made = desk.run("state", "recover", desk.plan, "--yes")
    assert (made.code, "recorded 1 object" in made.out) == (0, True)
    made = desk.run("state", "recover", desk.plan)
    assert (made.code, "nothing in the cloud" in made.err) == (0, True)


def test_recover_needs_a_plan_where_there_is_no_record(desk: Desk) -> None:
    assert desk.run("state", "recover", "--deployment", "shop").code == 1
    assert desk.run("state", "recover", desk.plan, "--offline").code == 1
    desk.edit("toy.database", "toy.databaze")
    assert desk.run("state", "recover", desk.plan).code == 1
    assert not desk.record().exists()
