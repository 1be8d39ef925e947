"""``deploy``: the question, the object, the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provisioner.errors import AccessDeniedError
from provisioner.state.store import Owner, Store
from tests.cli.conftest import CANARY, Desk


def denied() -> AccessDeniedError:
    return AccessDeniedError("no", cloud_code="AccessDenied", hint="ask for more rights")


def test_without_a_terminal_and_without_yes_nothing_happens(desk: Desk) -> None:
    made = desk.run("deploy", desk.plan)
    assert made.code == 2
    assert "no terminal to ask on" in made.err
    assert "--yes" in made.err
    assert not desk.cloud.calls


def test_the_object_has_what_other_programs_rely_on(desk: Desk) -> None:
    made = desk.deploy("--json")
    assert made.code == 0
    result = made.json
    assert result.pop("seconds") >= 0
    assert result == {
        "deployment": "shop",
        "run": 1,
        "result": "succeeded",
        "exit_code": 0,
        "changes": [
            {"step": "net", "type": "toy.thing", "action": "create", "undone": False},
            {"step": "vault", "type": "toy.vault", "action": "create", "undone": False},
            {"step": "db", "type": "toy.database", "action": "create", "undone": False},
        ],
        "outputs": {"db": "database-3", "size": 1, "url": "***", "nested": {"password": "***", "list": ["***"]}},
        "remains": [],
        "lingers": [],
        "failures": [],
    }


def test_progress_stays_on_stderr(desk: Desk) -> None:
    made = desk.deploy("--json")
    assert "data        db     toy.database  created in" in made.err
    assert "access      gate   toy.gate      passed in" in made.err


def test_a_second_deploy_changes_nothing(desk: Desk) -> None:
    desk.deploy()
    writes = len(desk.cloud.writes())
    made = desk.deploy("--json")
    assert made.json["changes"] == []
    assert len(desk.cloud.writes()) == writes


def test_outputs_are_aligned_and_secret_ones_masked(desk: Desk) -> None:
    made = desk.deploy()
    assert "  url     ***" in made.out
    assert "  db      database-3" in made.out
    assert "--reveal shows it" in made.out


def test_reveal_shows_secret_outputs(desk: Desk) -> None:
    assert desk.deploy("--reveal", "--json").json["outputs"]["url"] == f"toy://user:{CANARY}@database-3"


def test_no_secret_is_found_anywhere_without_reveal(desk: Desk, tmp_path: Path) -> None:
    said = ""
    for words in (
        ("plan",), ("deploy", "--yes", "--events", "events"), ("outputs",), ("status", "--refresh"), ("state", "show"),
        ("graph",), ("history", "--audit"), ("deploy", "--yes", "--json"), ("rollback", "--yes"), ("destroy", "--yes"),
    ):  # fmt: skip
        verb, *options = words
        more = [options.pop(0)] if verb == "state" else []
        made = desk.run(verb, *more, desk.plan, *options)
        assert made.code == 0, (words, made)
        said += made.out + made.err
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 4
    for path in files:
        assert CANARY not in path.read_text(errors="replace"), path
    assert CANARY not in said


def test_a_failure_that_was_reversed_is_exit_4(desk: Desk) -> None:
    desk.cloud.fail("create", "shop-db", denied)
    made = desk.deploy("--json")
    assert made.code == made.json["exit_code"] == 4
    assert made.json["result"] == "reversed"
    assert made.json["failures"] == [
        {
            "step": "db",
            "code": "cloud.access-denied",
            "error": "no [AccessDenied]",
            "hint": "ask for more rights",
            "causes": [],
        }
    ]
    assert {change["step"]: change["undone"] for change in made.json["changes"]}["net"] is True
    assert desk.cloud.live() == []


def test_a_failure_says_where_what_and_what_next(desk: Desk) -> None:
    desk.cloud.fail("create", "shop-db", denied)
    made = desk.deploy()
    assert made.out == ""
    assert "╭─ db failed" in made.err
    assert f"where  {desk.plan}:10:" in made.err
    assert "what   no [AccessDenied]" in made.err
    assert "next   ask for more rights" in made.err
    assert "provisioner explain cloud.access-denied" in made.err
    assert "all that this run changed was reversed" in made.err


def test_what_cannot_be_taken_back_is_exit_5_with_the_command_that_tries_again(desk: Desk) -> None:
    desk.cloud.fail("create", "shop-db", denied)
    desk.cloud.fail("delete", "shop-net", denied, times=99)
    made = desk.deploy("--json")
    assert made.code == 5
    (remain,) = made.json["remains"]
    assert remain.pop("let_go").startswith("provisioner state rm ")
    assert (remain.pop("by_hand"), remain.pop("code")) == ("ask for more rights", "cloud.access-denied")
    assert remain == {
        "step": "net",
        "type": "toy.thing",
        "name": "shop-net",
        "reason": "no [AccessDenied]",
        "command": f"provisioner rollback {desk.plan}",
    }
    desk.cloud.faults.clear()
    assert desk.run("rollback", desk.plan, "--yes").code == 0
    assert desk.cloud.live() == []


def test_on_failure_keep_keeps_what_was_made(desk: Desk) -> None:
    desk.cloud.fail("create", "shop-db", denied)
    made = desk.deploy("--on-failure", "keep", "--json")
    assert made.code == 5
    assert {thing.name for thing in desk.cloud.live()} == {"shop-net", "shop-vault"}
    assert desk.deploy("--json").json["result"] == "succeeded"


def test_what_was_kept_is_told_as_kept_with_the_command_that_takes_it_back(desk: Desk) -> None:
    desk.cloud.fail("create", "shop-db", denied)
    made = desk.deploy("--on-failure", "keep")
    assert "2 objects were kept, as asked:" in made.err
    assert f"take them back: provisioner rollback {desk.plan}" in made.err
    assert "could not be removed" not in made.err


def test_on_failure_ask_reverses_where_nobody_can_be_asked(desk: Desk) -> None:
    desk.cloud.fail("create", "shop-db", denied)
    assert desk.deploy("--on-failure", "ask").code == 4


def test_an_error_before_the_run_has_the_whole_shape_and_an_error(desk: Desk) -> None:
    desk.plan.write_text("steps: [")
    made = desk.deploy("--json")
    assert made.code == 3
    result = made.json
    assert result["error"]["code"] == "plan.invalid"
    assert result["error"]["findings"][0]["id"] == "yaml.syntax"
    assert (result["run"], result["result"], result["changes"], result["remains"]) == (None, "not-started", [], [])


def test_a_foreign_object_is_refused_before_anything_is_changed(desk: Desk) -> None:
    desk.cloud.plant("thing", "shop-net", "somebody/else")
    made = desk.deploy("--json")
    assert made.code == 3
    assert made.json["error"]["code"] == "refused"
    assert "somebody/else" in made.json["error"]["message"]
    assert not desk.cloud.writes()


def test_another_run_at_work_is_exit_6_and_names_it(desk: Desk) -> None:
    with Store.open(desk.record(), "shop", who=Owner(user="ann", command="provisioner deploy x")):
        made = desk.deploy()
    assert made.code == 6
    assert "ann, pid" in made.err


def test_events_go_to_a_file_first_to_last(desk: Desk, tmp_path: Path) -> None:
    made = desk.deploy("--events", str(tmp_path / "events"))
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert made.code == 0
    assert events[0]["event"] == "run.started"
    assert events[-1] == events[-1] | {"event": "run.finished", "exit_code": 0}
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)


def test_events_that_cannot_be_written_are_told_before_anything_is_changed(desk: Desk, tmp_path: Path) -> None:
    made = desk.deploy("--events", str(tmp_path / "no" / "events"))
    assert made.code == 2
    assert not desk.cloud.writes()


def test_json_and_events_cannot_share_stdout(desk: Desk) -> None:
    assert desk.deploy("--events", "-", "--json").code == 2


def test_a_bad_word_on_the_command_line_is_exit_2_and_its_value_is_not_repeated(desk: Desk) -> None:
    made = desk.deploy("--param", "hunter2")
    assert made.code == 2
    assert "hunter2" not in made.out + made.err
    assert desk.deploy("--timeout", "db=soon").code == 2
    assert "steps: net, vault, db, gate" in desk.deploy("--timeout", "bd=5s").err
    assert desk.run("nonsense").code == 2


def test_usage_errors_are_objects_too(desk: Desk) -> None:
    made = desk.run("deploy", "--json")
    assert made.code == 2
    assert made.json["error"]["code"] == "usage"


def test_endpoints_that_are_set_are_told_where_nobody_asked_for_the_sandbox(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVISIONER_ENDPOINTS", str(tmp_path / "endpoints.json"))
    assert f"PROVISIONER_ENDPOINTS is set: this talks to the endpoints in {tmp_path}" in desk.deploy().err
    made = desk.run("destroy", desk.plan, "--yes")
    made = desk.deploy("--sandbox")
    assert made.code == 0
    assert "warning" not in made.err
    assert desk.record(sandbox=True).is_dir()
    assert not (desk.home / "sandbox").exists()


def test_a_home_that_cannot_be_written_is_one_clear_error(desk: Desk) -> None:
    desk.home.write_text("in the way")
    made = desk.deploy()
    assert made.code == 1
    assert "error:" in made.err
    assert "do:" in made.err
    assert not desk.cloud.writes()


def test_a_home_where_no_sandbox_can_be_made_names_the_variable_that_moves_it(desk: Desk) -> None:
    desk.home.write_text("in the way")
    made = desk.deploy("--sandbox")
    assert made.code == 3
    assert f"cannot use {desk.home / 'sandbox'}" in made.err
    assert "PROVISIONER_HOME" in made.err
    assert "--dir" not in made.err


def test_an_unexpected_error_is_one_line_and_a_trace_only_with_debug(desk: Desk) -> None:
    def broken() -> Exception:
        return RuntimeError("boom")

    desk.cloud.fail("read", "shop-net", broken, times=9)
    made = desk.deploy()
    assert made.code == 1
    assert "RuntimeError: boom" in made.err
    assert "please report it" in made.err
    assert "Traceback" not in made.err
    assert "Traceback" in desk.deploy("--debug").err
