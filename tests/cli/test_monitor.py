"""``monitor`` and ``sandbox inbox``: from a deployed plan to a message that somebody reads; one sandbox for the file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provisioner.cli.app import App
from provisioner.cli.main import root
from provisioner.drivers.aws.session import open_session
from provisioner.sandbox import supervisor
from provisioner.sandbox.settings import SandboxOptions

Run = Callable[..., Any]
PLAN = """\
deployment: watched
provider: aws
region: us-east-1
steps:
  - {name: alerts, type: aws.sns_topic}
  - name: mail
    type: aws.sns_subscription
    with: {topic_arn: "${alerts.arn}", protocol: email, endpoint: ops@example.com}
  - name: db
    type: aws.alarms
    with:
      kind: rds
      target: app-db
      thresholds: {cpu: {warning: 70, critical: 90}, connections: {critical: 80}}
      max_connections: 100
      topic: ${alerts.arn}
  - name: trouble
    type: aws.composite_alarm
    with: {any_of: "${db.critical}", alarm_actions: ["${alerts.arn}"]}
  - name: page
    type: aws.cloudwatch_dashboard
    with:
      widgets:
        - {type: alarm, alarms: "${db.arns}"}
        - type: metric
          metrics: [{namespace: AWS/RDS, metric: CPUUtilization, dimensions: {DBInstanceIdentifier: app-db}}]
  - name: bill
    type: aws.budget
    with:
      limit: 50
      notifications:
        - {above: 50, emails: [ops@example.com]}
        - {above: 80, emails: [ops@example.com], topic: "${alerts.arn}"}
  - name: all-quiet
    type: aws.alarms_quiet
    timeout: 1s
    with: {alarms: ["${trouble.name}"], watch: 0s}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("home")
    yield made
    supervisor.stop(made / "sandbox")


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Types a command; each test begins with an empty sandbox."""
    info = supervisor.start(home / "sandbox", SandboxOptions())
    supervisor.reset(home / "sandbox")
    monkeypatch.setenv("PROVISIONER_ENDPOINTS", info.endpoints)

    def made(*words: str | Path, code: int = 0) -> Any:
        typed = [*(str(word) for word in words), "--json"]
        found = CliRunner(env={"PROVISIONER_HOME": str(home)}).invoke(root, typed, obj=App())
        assert found.exit_code == code, (found.stdout, found.stderr)
        return json.loads(found.stdout)

    yield made
    for record in home.glob("*deployments/*/*"):
        record.unlink()


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


def _busy(value: float = 97) -> None:
    """Data of the last minutes and, so that nobody need hurry, of the next ones."""
    now = time.time()
    place = [{"Name": "DBInstanceIdentifier", "Value": "app-db"}]
    points = [
        {"MetricName": "CPUUtilization", "Dimensions": place, "Value": value, "Timestamp": now - 60 * back}
        for back in range(-15, 7)
    ]
    open_session("us-east-1").client("cloudwatch").put_metric_data(Namespace="AWS/RDS", MetricData=points)


def _standing(report: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for check in report["checks"]:
        found.setdefault(check["step"], set()).add(check["standing"])
    return found


def test_a_plan_whose_topic_reaches_nobody_is_found_out_and_one_that_does_rings_for_somebody(
    run: Run, plan: Path
) -> None:
    assert run("monitor", "verify", plan, code=1)["error"]["code"] == "state"
    run("deploy", plan, "--yes")
    deaf = run("monitor", "verify", plan, code=8)
    assert _standing(deaf) == {"db": {"failed"}, "trouble": {"failed"}, "page": {"ok"}, "bill": {"ok"}}
    assert "ops@example.com has not confirmed" in deaf["checks"][0]["detail"]

    assert run("sandbox", "inbox", "--confirm", "ops@example.com")["confirmed"] == 1
    run("sandbox", "requests", "--clear")
    heard = run("monitor", "verify", plan)
    assert _standing(heard) == {"db": {"warning"}, "trouble": {"ok"}, "page": {"ok"}, "bill": {"ok"}}
    assert "no data yet of DatabaseConnections" in heard["checks"][0]["detail"]
    assert run("sandbox", "requests", "--writes")["requests"] == []

    _busy()
    letters = run("sandbox", "inbox", "--since", "1", "--clear")["letters"]
    rang = {json.loads(letter["message"])["AlarmName"] for letter in letters}
    assert rang == {"watched-db-cpu-warning", "watched-db-cpu-critical", "watched-trouble"}
    assert {letter["endpoint"] for letter in letters} == {"ops@example.com"}
    assert _standing(run("monitor", "verify", plan))["db"] == {"ok", "warning"}

    tried = run("monitor", "test", plan, "--alarm", "trouble", "--yes", "--wait", "5s")
    assert [check["detail"][:21] for check in tried["checks"]] == ["Successfully executed"] * len(tried["checks"])
    assert "a test by provisioner" in run("sandbox", "inbox")["letters"][-1]["message"]
    assert run("monitor", "test", plan, "--alarm", "page", "--yes", code=2)["error"]["code"] == "usage"
    assert run("monitor", "test", plan, "--alarm", "trouble", code=2)["error"]["code"] == "usage"

    run("destroy", plan, "--yes")
    assert run("sandbox", "inventory")["objects"] == []


def test_an_alarm_that_rings_at_the_end_of_a_deployment_takes_all_of_it_back(run: Run, plan: Path) -> None:
    _busy()
    outcome = run("deploy", plan, "--yes", code=4)
    [failure] = outcome["failures"]
    assert failure["step"] == "all-quiet" and "watched-trouble rings" in str(failure)
    assert run("sandbox", "inventory")["objects"] == []


def test_an_alarm_leaves_a_plan_in_one_deploy_though_a_composite_alarm_named_it(run: Run, plan: Path) -> None:
    run("deploy", plan, "--yes")
    plan.write_text(PLAN.replace(", connections: {critical: 80}", ""))
    run("deploy", plan, "--yes")
    alarms = {one["name"] for one in run("sandbox", "inventory")["objects"] if one["type"] == "alarm"}
    assert alarms == {"watched-db-cpu-warning", "watched-db-cpu-critical", "watched-trouble"}
    assert run("plan", plan, "--detailed-exitcode")["exit_code"] == 0
