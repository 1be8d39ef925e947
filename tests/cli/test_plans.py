"""``validate`` and ``plan``."""

from __future__ import annotations

from pathlib import Path

from provisioner.state.store import Owner, Store
from tests.cli.conftest import Desk

BAD = """\
deployment: shop
provider: toy
region: here
steps:
  - {name: db, type: toy.databse}
  - name: thing
    type: toy.thing
    with: {size: 0, colr: red}
"""


def test_a_valid_plan_is_told_with_its_steps(desk: Desk) -> None:
    made = desk.run("validate", desk.plan)
    assert made.code == 0
    assert made.out == "✓ shop is valid: 4 steps (toy, here)\n"


def test_every_finding_comes_at_once_with_its_place_and_exit_3(desk: Desk) -> None:
    desk.plan.write_text(BAD)
    made = desk.run("validate", desk.plan)
    assert made.code == 3
    assert made.out == ""
    assert [line.split()[0] for line in made.err.splitlines() if "error" in line and ":" in line] == [
        "5:22", "8:18", "8:21", "✗",
    ]  # fmt: skip
    assert "did you mean 'toy.database'" in made.err


def test_findings_as_json_have_every_field(desk: Desk) -> None:
    desk.plan.write_text(BAD)
    made = desk.run("validate", desk.plan, "--json")
    assert made.code == 3
    assert made.json["valid"] is False
    first = made.json["findings"][0]
    assert first | {"message": "", "hint": ""} == {
        "id": "plan.unknown-type",
        "severity": "error",
        "file": str(desk.plan),
        "line": 5,
        "column": 22,
        "message": "",
        "hint": "",
        "subject": "steps.db.type",
    }


def test_without_e_every_environment_is_checked(desk: Desk) -> None:
    desk.edit("parameters:", "environments: {test: {}, production: {size: 3}}\nparameters:")
    made = desk.run("validate", desk.plan, "--json")
    assert [one["deployment"] for one in made.json["deployments"]] == ["shop-test", "shop-production"]
    desk.edit("{size: 3}", "{size: big}")
    made = desk.run("validate", desk.plan)
    assert made.code == 3
    assert "big" in made.err


def test_a_plan_that_is_not_there_or_a_directory_is_a_finding(desk: Desk, tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        made = desk.run("validate", path, "--json")
        assert made.code == 3
        assert [one["id"] for one in made.json["findings"]] == ["yaml.unreadable"]


def test_plan_shows_what_deploy_would_do_and_leaves_nothing_behind(desk: Desk) -> None:
    made = desk.run("plan", desk.plan)
    assert made.code == 0
    assert "  + db     toy.database  shop-db" in made.out
    assert made.out.endswith("Plan: 3 to create, 0 to change, 0 to replace, 0 to delete.\n")
    assert not desk.home.exists()
    assert not desk.cloud.writes()


def test_plan_tells_fields_before_and_after_and_what_cannot_be_undone(desk: Desk) -> None:
    desk.deploy()
    made = desk.run("plan", desk.plan, "--param", "size=5")
    assert "size: 1 → 5" in made.out
    assert "note: size can only be changed one way" in made.out
    assert "= 2 unchanged" in made.out
    assert "1 to change" in made.out


def test_plan_marks_the_field_that_forces_a_replacement(desk: Desk) -> None:
    desk.deploy()
    desk.edit("{name: net, type: toy.thing, stage: foundation}", "{name: net, type: toy.thing, with: {shape: flat}}")
    made = desk.run("plan", desk.plan)
    assert 'shape: "round" → "flat"  forces replacement' in made.out
    assert "-/+ net" in made.out


def test_detailed_exitcode_is_7_only_where_there_is_something_to_do(desk: Desk) -> None:
    assert desk.run("plan", desk.plan, "--detailed-exitcode").code == 7
    desk.deploy()
    assert desk.run("plan", desk.plan, "--detailed-exitcode").code == 0
    made = desk.run("plan", desk.plan, "--detailed-exitcode", "--json", "--param", "size=2")
    assert made.code == made.json["exit_code"] == 7
    assert made.json["summary"]["update"] == 1


def test_plan_can_be_asked_while_a_run_holds_the_lock(desk: Desk) -> None:
    desk.deploy()
    with Store.open(desk.record(), "shop", who=Owner(user="ann", command="provisioner deploy x")):
        assert desk.run("plan", desk.plan).code == 0


def test_target_takes_the_step_and_what_it_needs(desk: Desk) -> None:
    made = desk.run("plan", desk.plan, "--target", "net", "--json")
    assert [change["step"] for change in made.json["changes"]] == ["net"]
    made = desk.run("plan", desk.plan, "--target", "nett")
    assert made.code == 2
    assert "steps: net, vault, db, gate" in made.err
