"""``status``, ``outputs``, ``history``."""

from __future__ import annotations

import json

from provisioner.errors import AccessDeniedError
from provisioner.state.store import Owner, Store
from tests.cli.conftest import CANARY, Desk


def test_status_tells_every_step_and_the_last_run(desk: Desk) -> None:
    desk.deploy()
    made = desk.run("status", desk.plan)
    assert made.code == 0
    assert "complete: everything in the plan is there" in made.out
    assert "3 of 3 objects ready" in made.out
    assert "last run: 1, deploy" in made.out
    result = desk.json("status", desk.plan)
    assert [(step["step"], step["status"]) for step in result["steps"]] == [
        ("net", "ready"),
        ("vault", "ready"),
        ("db", "ready"),
        ("gate", "check"),
    ]
    assert result["progress"] == {"ready": 3, "steps": 3}


def test_status_has_a_word_for_every_standing(desk: Desk) -> None:
    desk.cloud.fail("create", "shop-db", lambda: AccessDeniedError("no"), times=2)
    desk.deploy("--on-failure", "keep")
    assert desk.json("status", desk.plan)["standing"] == "failed"
    desk.deploy()
    assert desk.json("status", desk.plan)["standing"] == "empty"
    desk.deploy("--target", "net")
    assert desk.json("status", desk.plan)["standing"] == "partial"
    with Store.open(desk.record(), "shop", who=Owner(user="ann", command="x")):
        result = desk.json("status", desk.plan)
    assert result["standing"] == "running"
    assert result["owner"].startswith("ann, pid")


def test_status_shows_what_left_the_plan(desk: Desk) -> None:
    desk.deploy()
    desk.plan.write_text(
        desk.plan.read_text()
        .replace("  - {name: net, type: toy.thing, stage: foundation}\n", "")
        .replace(', uses: ["${net.id}"]', "")
    )
    assert "ready (leaving)" in desk.run("status", desk.plan).out


def test_refresh_compares_with_the_cloud_and_exits_7_where_it_differs(desk: Desk) -> None:
    desk.deploy()
    assert desk.run("status", desk.plan, "--refresh").code == 0
    desk.cloud.only("shop-net").spec["colour"] = "blue"
    made = desk.run("status", desk.plan, "--refresh")
    assert made.code == 7
    assert 'colour: "blue" → "red"' in made.out


def test_status_works_with_a_plan_whose_steps_are_broken(desk: Desk) -> None:
    desk.deploy()
    desk.edit("type: toy.vault", "type: toy.volt")
    made = desk.run("status", desk.plan)
    assert made.code == 0
    assert "shop-db" in made.out


def test_outputs_come_from_the_record_and_are_masked(desk: Desk) -> None:
    desk.deploy()
    calls = len(desk.cloud.calls)
    made = desk.run("outputs", desk.plan, "--json")
    assert made.json["outputs"] == {
        "db": "database-3",
        "size": 1,
        "url": "***",
        "nested": {"password": "***", "list": ["***"]},
    }
    assert len(desk.cloud.calls) == calls


def test_raw_is_the_value_and_nothing_else(desk: Desk) -> None:
    desk.deploy()
    assert desk.run("outputs", desk.plan, "--raw", "db").out == "database-3\n"
    assert desk.run("outputs", desk.plan, "--raw", "size").out == "1\n"


def test_a_secret_output_needs_reveal(desk: Desk) -> None:
    desk.deploy()
    made = desk.run("outputs", desk.plan, "--raw", "url")
    assert (made.code, made.out) == (3, "")
    assert "--reveal" in made.err
    assert desk.run("outputs", desk.plan, "--raw", "url", "--reveal").out == f"toy://user:{CANARY}@database-3\n"
    assert desk.json("outputs", desk.plan, "--reveal")["outputs"]["nested"] == {"password": CANARY, "list": [CANARY]}


def test_an_output_that_is_not_there_is_told(desk: Desk) -> None:
    desk.deploy("--target", "net")
    assert desk.run("outputs", desk.plan, "--raw", "nope").code == 2
    assert desk.run("outputs", desk.plan, "--raw", "db").code == 1


def test_history_is_newest_first(desk: Desk) -> None:
    desk.deploy()
    desk.deploy("--param", "size=2")
    made = desk.run("history", desk.plan)
    assert [line.split()[0] for line in made.out.splitlines()] == ["run", "2", "1"]
    assert "1 updated" in made.out
    runs = desk.json("history", desk.plan, "-n", "1")["runs"]
    assert [(run["id"], run["result"], run["exit_code"]) for run in runs] == [(2, "succeeded", 0)]


def test_audit_finds_a_changed_line(desk: Desk) -> None:
    desk.deploy()
    made = desk.run("history", desk.plan, "--audit")
    assert made.code == 0
    assert "each follows from the one before" in made.out
    path = desk.record() / "audit.jsonl"
    lines = path.read_text().splitlines()
    lines[1] = json.dumps({**json.loads(lines[1]), "by": "nobody"})
    path.write_text("\n".join(lines) + "\n")
    made = desk.run("history", desk.plan, "--audit", "--json")
    assert made.code == 8
    assert made.json["broken_at"] == 3


def test_outputs_for_a_program_leave_secrets_out_and_say_which(desk: Desk) -> None:
    desk.deploy()
    made = desk.run("outputs", desk.plan, "--format", "dotenv")
    assert made.out == "DB='database-3'\nSIZE='1'\n"
    assert "left out, for they are secret: url, nested.password, nested.list" in made.err
    made = desk.run("outputs", desk.plan, "--format", "shell", "--reveal")
    assert f"export URL=toy://user:{CANARY}@database-3\nexport PASSWORD={CANARY}\n" in made.out
    assert "left out" not in made.err
    assert desk.run("outputs", desk.plan, "--format", "tfvars").out == 'db = "database-3"\nsize = 1\n'


def test_outputs_in_a_file_are_for_its_owner_alone(desk: Desk) -> None:
    desk.deploy()
    path = desk.directory / ".env"
    assert desk.run("outputs", desk.plan, "--file", path).code == 0
    assert path.read_text() == "# written by provisioner: shop\nDB='database-3'\nSIZE='1'\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert desk.run("outputs", desk.plan, "--file", path, "--reveal").code == 0
    assert CANARY in path.read_text()
    path.write_text("MINE=1\n")
    made = desk.run("outputs", desk.plan, "--file", path)
    assert made.code == 3
    assert path.read_text() == "MINE=1\n"
    assert desk.run("outputs", desk.plan, "--raw", "db", "--file", path).code == 2
