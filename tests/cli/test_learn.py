"""``types``, ``schema``, ``explain``, ``doctor``, ``version``, ``completion``, ``--help``: swept, so that nothing is left out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from provisioner.cli.app import App
from provisioner.cli.main import SECTIONS, root
from provisioner.drivers.typemap import registry
from provisioner.operations.meanings import error_classes
from tests.cli.conftest import Desk
from tests.cli.shell import ROOT

REAL = registry()


def real(*words: str) -> str:
    made = CliRunner().invoke(root, list(words), obj=App(registry=lambda: REAL))
    assert made.exit_code == 0, made.output
    return made.stdout


@pytest.mark.parametrize("name", REAL.names())
def test_every_type_tells_every_field_and_output(name: str) -> None:
    text = real("types", name)
    cls = REAL.type(name)
    for field in cls.Spec.__struct_fields__:
        assert re.search(rf"^  {field}  ", text, re.MULTILINE), field
    for output in cls.outputs:
        assert re.search(rf"^  {output} ", text, re.MULTILINE), output
    assert "``" not in text


@pytest.mark.parametrize("name", REAL.names())
def test_every_field_says_what_it_is_also_where_it_may_be_left_out(name: str) -> None:
    told = json.loads(real("types", name, "--json"))
    assert [field["name"] for field in told["fields"] if not field["description"]] == []


def test_types_lists_them_all_with_a_summary() -> None:
    lines = real("types").splitlines()
    for name in REAL.names():
        assert any(re.match(rf"{re.escape(name)}  +\S", line) for line in lines), name


def test_an_unknown_type_suggests_the_nearest(desk: Desk) -> None:
    made = desk.run("types", "toy.databse")
    assert made.code == 2
    assert "did you mean 'toy.database'" in made.err


@pytest.mark.parametrize("code", sorted({cls.code for cls in error_classes()}))
def test_every_error_is_explained_with_what_to_do(code: str) -> None:
    assert "Do: " in real("explain", code)


def findings() -> list[str]:
    found: set[str] = set()
    for path in (ROOT / "provisioner" / "plan").glob("*.py"):
        found.update(re.findall(r'"((?:plan|yaml)\.[a-z-]+)"', path.read_text()))
    return sorted(found - {"plan.invalid"})


@pytest.mark.parametrize("code", findings())
def test_every_finding_is_explained_with_what_to_do(code: str) -> None:
    assert "Do: " in real("explain", code)


def test_no_finding_is_explained_that_does_not_exist() -> None:
    from provisioner.operations.meanings import FINDINGS

    assert set(FINDINGS) <= set(findings())


def test_explain_knows_types_exit_codes_and_what_it_does_not_know(desk: Desk) -> None:
    assert "toy.vault" in desk.run("explain", "toy.vault").out
    assert "130  Interrupted" in desk.run("explain", "exit-codes").out
    assert len(desk.json("explain")["topics"]) > 50
    assert desk.run("explain", "nonsense").code == 2


def test_schema_is_json_on_stdout_or_in_a_file(desk: Desk, tmp_path: Path) -> None:
    assert desk.run("schema").json["$schema"].endswith("2020-12/schema")
    assert desk.run("schema", "-o", tmp_path / "s.json").code == 0
    assert (tmp_path / "s.json").read_text().startswith("{")
    assert desk.run("schema", "-o", tmp_path / "no" / "s.json").code == 2


def verbs() -> list[list[str]]:
    found: list[list[str]] = []
    context = click.Context(root)
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        found.append([name])
        if isinstance(command, click.Group):
            found += [[name, *rest] for rest in _below(command)]
    return found


def _below(group: click.Group) -> list[list[str]]:
    found: list[list[str]] = []
    for name, command in group.commands.items():
        found.append([name])
        if isinstance(command, click.Group):
            found += [[name, *rest] for rest in _below(command)]
    return found


@pytest.mark.parametrize("words", verbs(), ids=" ".join)
def test_every_verb_has_help_json_and_an_example_of_neither_stub_nor_silence(words: list[str]) -> None:
    text = real(*words, "--help")
    assert len(text.splitlines()) > 4
    assert "COMMAND" in text or "--json" in text


def test_the_list_of_verbs_is_what_there_is() -> None:
    text = real("--help")
    for section, places in SECTIONS.items():
        assert f"{section}:" in text
        for name, place in places.items():
            assert re.search(rf"^  {name} +{re.escape(place.summary)}$", text, re.MULTILINE), name


def test_doctor_tells_each_thing_and_exits_3_where_something_needed_is_missing(desk: Desk) -> None:
    made = desk.json("doctor")
    assert {check["name"] for check in made["checks"]} >= {
        "python",
        "libraries",
        "home",
        "endpoints",
        "sandbox",
        "terminal",
    }
    assert made["verdict"] in ("ok", "warn")
    desk.home.write_text("in the way")
    made2 = desk.run("doctor")
    assert made2.code == 3
    assert "✗ home" in made2.out
    assert "PROVISIONER_HOME" in made2.out


def test_doctor_reads_the_endpoints_file(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISIONER_ENDPOINTS", str(tmp_path / "none.json"))
    assert "✗ endpoints" in desk.run("doctor").out
    (tmp_path / "none.json").write_text("[" * 100_000)
    assert "✗ endpoints" in desk.run("doctor").out


def test_version_says_the_formats(desk: Desk) -> None:
    assert desk.json("version").keys() >= {"version", "python", "state_format", "events_format"}
    assert desk.run("--version").out.startswith("provisioner ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str) -> None:
    assert "_PROVISIONER_COMPLETE" in real("completion", shell)


def complete(desk: Desk, line: str) -> list[str]:
    words = line.split(" ")
    env = {
        **os.environ,
        "_PROVISIONER_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    env |= {"PROVISIONER_HOME": str(desk.home), "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-m", "provisioner"]
    made = subprocess.run(program, env=env, capture_output=True, text=True, cwd=desk.directory)
    assert made.stderr == ""
    return [word.partition(",")[2] for word in made.stdout.splitlines() if word]


def test_tab_offers_verbs_plans_environments_steps_types_and_codes(desk: Desk) -> None:
    desk.edit("parameters:", "environments: {test: {}, production: {size: 3}}\nparameters:")
    (desk.directory / "notes.txt").write_text("")
    assert complete(desk, "provisioner de") == ["deploy", "destroy"]
    assert "plan.yaml" in complete(desk, "provisioner deploy ")
    assert "notes.txt" not in complete(desk, "provisioner deploy ")
    assert complete(desk, "provisioner deploy plan.yaml -e ") == ["test", "production"]
    assert complete(desk, "provisioner deploy plan.yaml --target v") == ["vault"]
    assert complete(desk, "provisioner types aws.rds_i") == ["aws.rds_instance"]
    assert complete(desk, "provisioner explain lock.") == ["lock.held", "lock.lost"]


def test_tab_offers_what_is_recorded(desk: Desk) -> None:
    desk.deploy()
    assert complete(desk, "provisioner state list --deployment ") == ["shop"]
    assert complete(desk, "provisioner state show plan.yaml d") == ["db"]


def test_tab_is_silent_about_what_it_cannot_read(desk: Desk) -> None:
    desk.plan.write_text(": : :")
    assert complete(desk, "provisioner deploy plan.yaml -e ") == []
    assert complete(desk, "provisioner deploy nowhere.yaml --target ") == []
