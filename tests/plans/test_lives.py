"""A life of each larger plan: deployed, deployed again, changed, rolled back, destroyed; boto3 alone looks at the cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.subjects import DATABASE_UNIT, REALWORLD, Subject
from tests.plans.conftest import Run

Story = dict[str, Any]

LIVES = {
    "realworld-development": REALWORLD._replace(
        environment="development", variants={"a": (), "b": ("log_days=14", "backup_days=2")}
    ),
    "realworld-production": REALWORLD,
    "database-unit-production": DATABASE_UNIT,
}


@pytest.fixture(scope="module", params=LIVES)
def life(request: pytest.FixtureRequest, provisioner: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """What each verb of a whole life told, and what boto3 saw while all was there."""
    subject: Subject = LIVES[request.param]
    events = tmp_path_factory.mktemp("life") / "events.jsonl"

    def tell(verb: str, variant: str, *more: str) -> Any:
        words = [*subject.words(variant), "--sandbox", "--yes", *more]
        return json.loads(provisioner(verb, *words, "--json").stdout)

    story: Story = {"subject": subject, "deployed": tell("deploy", "a", "--events", str(events))}
    story["events"] = [json.loads(line) for line in events.read_text().splitlines()]
    story["again"] = tell("deploy", "a")
    started = json.loads(provisioner("sandbox", "start", "--json").stdout)
    yield {**story, "tell": tell, "endpoints": started["endpoints"]}
    tell("destroy", "a", "--allow-data-loss")


def _client(life: Story, service: str, region: str = "") -> Any:
    import boto3

    url = json.loads(Path(life["endpoints"]).read_text(encoding="utf-8"))["aws"]["url"]
    session: Any = boto3.session.Session("test", "test", region_name=region or life["subject"].region)
    return session.client(service, endpoint_url=url)


def test_a_second_deploy_changes_nothing(life: Story) -> None:
    assert life["deployed"]["exit_code"] == life["again"]["exit_code"] == 0
    assert life["deployed"]["changes"]
    assert life["again"]["changes"] == []


def test_what_was_looked_at_is_told_first_and_then_every_step_of_every_stage_once(life: Story) -> None:
    told = [event for event in life["events"] if event["event"] in ("check.passed", "step.finished")]
    assert [event["step"] for event in told[:4]] == ["validate", "plan", "security_scan", "cost_estimation"]
    assert [event["stage"] for event in told[:4]] == ["validate"] * 4
    steps = [event["step"] for event in told[4:]]
    begun = {event["step"]: event["stage"] for event in life["events"] if event["event"] == "step.started"}
    assert sorted(steps) == sorted(set(steps)) == sorted(begun)
    post = {"post"} if life["subject"] is DATABASE_UNIT else set()
    assert set(begun.values()) == {"foundation", "data", "access", "monitoring"} | post


def test_a_change_is_made_in_place_and_rolled_back(life: Story) -> None:
    changed = life["tell"]("deploy", "b")
    assert changed["exit_code"] == 0
    assert {change["action"] for change in changed["changes"]} == {"update"}
    back = life["tell"]("rollback", "b")
    assert back["exit_code"] == 0
    assert life["tell"]("deploy", "a")["changes"] == []


def test_the_database_is_as_designed(life: Story) -> None:
    name = f"{life['subject'].deployment}-db"
    found = _client(life, "rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    wanted = {
        "StorageType": "gp3",
        "AllocatedStorage": 20,
        "StorageEncrypted": True,
        "PubliclyAccessible": False,
        "DeletionProtection": False,
        "EnabledCloudwatchLogsExports": ["postgresql", "upgrade"],
    }
    assert {field: found[field] for field in wanted} == wanted
    assert found["EngineVersion"].startswith("15.") and found["EngineVersion"] != "15.4"
    production = life["subject"].deployment == "realworld-production"
    assert found["MultiAZ"] is production
    assert bool(found.get("ReadReplicaDBInstanceIdentifiers")) is production


def test_the_database_unit_is_as_its_document_says(life: Story) -> None:
    if life["subject"] is not DATABASE_UNIT:
        pytest.skip("of the unit")
    name = DATABASE_UNIT.deployment
    target = _client(life, "rds").describe_db_proxy_targets(DBProxyName=f"{name}-proxy")["Targets"][0]
    assert target["TargetHealth"]["State"] == "AVAILABLE"
    functions = {
        one["FunctionName"].removeprefix(f"{name}-"): (one["MemorySize"], one["Timeout"])
        for one in _client(life, "lambda").list_functions()["Functions"]
    }
    assert functions == {
        "data-export": (512, 300),
        "data-deletion": (256, 300),
        "audit-logging": (128, 300),
        "secret-rotation": (128, 60),
    }
    watch = _client(life, "cloudwatch")
    boards = [board["DashboardName"] for board in watch.list_dashboards()["DashboardEntries"]]
    assert len(boards) == 4
    bodies = [json.loads(watch.get_dashboard(DashboardName=board)["DashboardBody"]) for board in boards]
    assert sum(len(body["widgets"]) for body in bodies) == 17
    alarms = {alarm["AlarmName"]: alarm for alarm in watch.describe_alarms()["MetricAlarms"]}
    assert alarms[f"{name}-db-alarms-cpu-critical"]["Threshold"] == 90
    assert alarms[f"{name}-db-alarms-connections-warning"]["Threshold"] == 70
    account = "123456789012"
    budget = _client(life, "budgets").describe_budget(AccountId=account, BudgetName=f"{name}-budget")["Budget"]
    assert float(budget["BudgetLimit"]["Amount"]) == 50
    lists = _client(life, "ec2").describe_network_acls(
        Filters=[{"Name": "tag:provisioner:owner", "Values": [f"{name}/subnets-acl"]}]
    )
    entries = {(e["RuleNumber"], e["Egress"]): e["CidrBlock"] for e in lists["NetworkAcls"][0]["Entries"]}
    assert entries[100, False] == entries[110, False] == "172.31.0.0/16"


def test_no_secret_is_in_what_was_told(life: Story) -> None:
    client = _client(life, "secretsmanager")
    told = json.dumps([life["deployed"], life["again"], life["events"]])
    values = [
        client.get_secret_value(SecretId=one["ARN"])["SecretString"] for one in client.list_secrets()["SecretList"]
    ]
    secrets = [json.loads(text)["password"] if text.startswith("{") else text for text in values]
    assert secrets
    assert not [secret for secret in secrets if secret in told]
