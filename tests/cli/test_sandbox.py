"""``sandbox``: one real sandbox for the whole file, and ``--sandbox`` on a plan."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provisioner.cli.app import App
from provisioner.cli.main import root
from provisioner.sandbox import supervisor
from provisioner.sandbox.settings import process_start

Run = Callable[..., Any]

PLAN = """\
deployment: small
provider: aws
region: us-east-1
steps:
  - {name: topic, type: aws.sns_topic}
outputs: {arn: "${topic.arn}"}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("home")
    yield made
    supervisor.stop(made / "sandbox")


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    # setenv first, so that whatever --sandbox sets is taken back at the end
    monkeypatch.setenv("PROVISIONER_ENDPOINTS", "")
    monkeypatch.delenv("PROVISIONER_ENDPOINTS")

    def made(*words: str, code: int = 0) -> Any:
        found = CliRunner(env={"PROVISIONER_HOME": str(home)}).invoke(root, [*words, "--json"], obj=App())
        assert found.exit_code == code, (found.stdout, found.stderr)
        return json.loads(found.stdout)

    return made


@pytest.fixture
def plan(tmp_path: Path) -> str:
    (tmp_path / "plan.yaml").write_text(PLAN)
    return str(tmp_path / "plan.yaml")


def test_start_says_where_endpoints_are_and_a_second_start_changes_times_alone(run: Run, home: Path) -> None:
    first = run("sandbox", "start", "--provision-time", "rds=5s")
    assert first["already_running"] is False
    assert json.loads(Path(first["endpoints"]).read_text())["aws"]["url"] == first["aws_url"]
    again = run("sandbox", "start", "--provision-time", "rds=1s")
    assert (again["already_running"], again["pid"]) == (True, first["pid"])
    assert run("sandbox", "status")["options"]["provision_time"]["rds"] == 1.0
    assert run("sandbox", "start", "--provision-time", "ec2=1s", code=2)["error"]["code"] == "usage"


def test_latency_and_rate_limit_are_told_at_the_start_and_to_one_that_runs_and_taken_back(run: Run, home: Path) -> None:
    run("sandbox", "start", "--latency", "1ms", "--rate-limit", "500")
    for words, options in (
        ([], (0.001, 500.0)),
        (["--latency", "2ms"], (0.002, 500.0)),
        (["--rate-limit", "0.5"], (0.002, 0.5)),
        (["--latency", "0", "--rate-limit", "0"], (0.0, 0.0)),
    ):
        run("sandbox", "start", *words)
        told = run("sandbox", "status")["options"]
        assert (told["latency"], told["rate_limit"]) == options
    assert run("sandbox", "start", "--rate-limit", "-1", code=2)["error"]["code"] == "usage"


def test_env_is_for_eval(run: Run, home: Path) -> None:
    run("sandbox", "start")
    made = CliRunner(env={"PROVISIONER_HOME": str(home)}).invoke(root, ["sandbox", "env"], obj=App())
    exported = dict(shlex.split(line)[1].split("=", 1) for line in made.stdout.splitlines())
    assert exported.keys() >= {"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_REGION", "PROVISIONER_ENDPOINTS"}
    assert all(line.startswith("export ") for line in made.stdout.splitlines())


def test_a_deploy_with_sandbox_is_seen_in_inventory_and_requests_and_gone_after_destroy(run: Run, plan: str) -> None:
    run("sandbox", "start")
    run("sandbox", "requests", "--clear")
    made = run("deploy", plan, "--sandbox", "--yes")
    assert made["outputs"]["arn"].endswith(":small-topic")
    (found,) = run("sandbox", "inventory")["objects"]
    assert found.keys() == {"cloud", "service", "type", "id", "name", "owner"}
    assert (found["service"], found["owner"]) == ("sns", "small/topic")
    assert any(request["operation"] == "CreateTopic" for request in run("sandbox", "requests", "--writes")["requests"])
    run("destroy", plan, "--sandbox", "--yes")
    assert run("sandbox", "inventory", "--all")["objects"] == []


def test_a_fault_strikes_and_is_cleared(run: Run, plan: str) -> None:
    run("sandbox", "start")
    run(
        "sandbox",
        "fault",
        "add",
        "--service",
        "sns",
        "--operation",
        "CreateTopic",
        "--error",
        "AccessDenied",
        "--times",
        "0",
    )
    made = run("deploy", plan, "--sandbox", "--yes", code=4)
    assert made["failures"][0]["code"] == "cloud.access-denied"
    assert run("sandbox", "fault", "list")["faults"][0]["struck"] > 0
    assert run("sandbox", "fault", "clear")["cleared"] == 1
    assert run("sandbox", "fault", "add", "--kind", "nonsense", code=3)["error"]["code"] == "environment.sandbox"


def test_reset_empties_it_and_logs_shows_its_log(run: Run, plan: str) -> None:
    run("sandbox", "start")
    run("deploy", plan, "--sandbox", "--yes")
    run("sandbox", "reset")
    assert run("sandbox", "inventory")["objects"] == []
    assert "lines" in run("sandbox", "logs")


def test_endpoints_that_are_set_already_are_used_and_nothing_is_started(
    run: Run, plan: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = run("sandbox", "start")
    copy = tmp_path / "endpoints.json"
    copy.write_text(Path(info["endpoints"]).read_text())
    monkeypatch.setenv("PROVISIONER_ENDPOINTS", str(copy))
    words = ["deploy", plan, "--sandbox", "--yes"]
    elsewhere = tmp_path / "elsewhere"
    made = CliRunner(env={"PROVISIONER_HOME": str(elsewhere)}).invoke(root, words, obj=App())
    assert made.exit_code == 0, made.output
    assert sorted(path.name for path in elsewhere.iterdir()) == ["sandbox-deployments"]
    assert os.environ["PROVISIONER_ENDPOINTS"] == str(copy)


def test_without_one_status_is_3_and_stop_is_done(run: Run, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "none")
    assert run("sandbox", "status", "--dir", nowhere, code=3)["running"] is False
    assert run("sandbox", "stop", "--dir", nowhere)["stopped"] is False
    assert run("sandbox", "env", "--dir", nowhere, code=3)["error"]["hint"] == "provisioner sandbox start"
    assert run("sandbox", "logs", "--dir", nowhere, code=3)["error"]["code"] == "environment.sandbox"


def test_deploy_starts_a_sandbox_where_none_runs_and_says_so(plan: str, tmp_path: Path) -> None:
    env = {**os.environ, "PROVISIONER_HOME": str(tmp_path / "own")}
    env.pop("PROVISIONER_ENDPOINTS", None)
    words = [sys.executable, "-m", "provisioner", "deploy", plan, "--sandbox", "--yes"]
    try:
        made = subprocess.run(words, env=env, capture_output=True, text=True, cwd=Path(__file__).parents[2])
        assert made.returncode == 0, made.stderr
        assert f"started the sandbox in {tmp_path}/own/sandbox" in made.stderr
    finally:
        supervisor.stop(tmp_path / "own" / "sandbox")


def test_stop_leaves_no_process(run: Run, home: Path) -> None:
    info = run("sandbox", "start")
    assert run("sandbox", "stop")["stopped"] is True
    assert supervisor.running(home / "sandbox") is None
    assert process_start(info["pid"]) is None, "it may be a zombie until its parent looks, but it runs no more"
