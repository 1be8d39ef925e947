"""``preflight`` and ``scan`` at the command line, and preflight as the first part of a deploy; no cloud is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from provisioner.cli.app import App
from provisioner.cli.flight import Flight
from provisioner.cli.main import root
from provisioner.cli.options import Chosen
from provisioner.cli.planfile import read_plan
from provisioner.model import Key
from provisioner.preflight.errors import PreflightError
from provisioner.state.records import PutRecord, Record, Status
from provisioner.state.store import Owner, Store
from tests.cli.conftest import Desk, Result
from tests.unit.rules.bend import bend

PLANS: Final = Path(__file__).resolve().parents[2] / "plans"
OPEN: Final[dict[str, Any]] = {
    "wall.ingress/0/cidr": "0.0.0.0/0",
    "db.engine_version": "15.4",
    "cache.node_type": "cache.t2.micro",
}
WAIVED: Final = {
    "waivers": [
        {"rule": "sec.group-world", "steps": ["wall"], "reason": "a training course of one day", "until": "2999-01-01"}
    ]
}

SARIF: Final[dict[str, tuple[set[str], set[str]]]] = {
    "log": ({"version", "runs"}, {"$schema"}),
    "run": ({"tool"}, {"results", "automationDetails", "columnKind"}),
    "driver": ({"name"}, {"semanticVersion", "rules"}),
    "rule": ({"id"}, {"shortDescription", "defaultConfiguration", "helpUri", "help", "properties"}),
    "result": ({"message"}, {"ruleId", "ruleIndex", "level", "locations", "partialFingerprints", "suppressions"}),
    "region": (set(), {"startLine", "startColumn"}),
    "suppression": ({"kind"}, {"justification"}),
}
"""Of the objects that we write: the properties that the schema of SARIF 2.1.0 requires, and others that it knows."""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROVISIONER_ENDPOINTS", raising=False)
    monkeypatch.setenv("PROVISIONER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SHOP_DB_PASSWORD", "kq7-Vd3xR9-mZb2tW4yC8-hJn6")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "handler.py").write_text("def handler(event, context):\n    return event\n")


def run(*words: str) -> Result:
    made = CliRunner().invoke(root, list(words), obj=App())
    return Result(made.exit_code, made.stdout, made.stderr)


def bent(change: dict[str, Any]) -> str:
    Path("plan.yaml").write_text(json.dumps(bend(change), indent=1))
    return "plan.yaml"


def test_preflight_lists_more_than_forty_rules_without_a_plan() -> None:
    listed = run("preflight", "--rules", "--json").json
    assert len(listed["rules"]) > 40
    assert {"id", "level", "family", "meaning", "hint", "source", "online"} == listed["rules"][0].keys()
    assert {"type": "aws.rds_instance", "fields": ["backup_window", "maintenance_window"]} in listed["validate"]
    assert "rds.version-dead" in run("preflight", "--rules").out


def test_scan_lists_more_than_twenty_five_rules_without_a_plan() -> None:
    assert len(run("scan", "--rules", "--json").json["rules"]) > 25


def test_a_plan_without_errors_passes_preflight_offline() -> None:
    made = run("preflight", bent({}), "--offline")
    assert (made.code, made.out.splitlines()[-1][:24]) == (0, "✓ shop can be deployed (")


def test_errors_of_preflight_are_told_with_their_place_and_exit_3() -> None:
    made = run("preflight", bent(OPEN), "--offline", "--json")
    assert made.code == made.json["exit_code"] == 3
    (dead,) = [one for one in made.json["findings"] if one["id"] == "rds.version-dead"]
    assert (dead["level"], dead["step"], dead["subject"]) == ("error", "db", "steps.db.with.engine_version")
    assert dead["line"] > 1 and dead["hint"].startswith("take 15.15")
    assert made.json["summary"]["error"] == 1


def test_what_the_scan_finds_grave_is_a_warning_of_preflight() -> None:
    found = {one["id"]: one["level"] for one in run("preflight", bent(OPEN), "--offline", "--json").json["findings"]}
    assert found["sec.group-world"] == "warning"


def test_one_rule_alone_can_be_asked_and_one_that_does_not_exist_is_wrong_usage() -> None:
    made = run("preflight", bent(OPEN), "--offline", "--json", "--rule", "cache.node-previous")
    assert [one["id"] for one in made.json["findings"]] == ["cache.node-previous"]
    assert made.code == 0
    assert run("preflight", bent({}), "--offline", "--rule", "rds.nothing").code == 2
    assert run("scan", bent({}), "--rule", "sec.nothing").code == 2


def test_scan_exits_8_for_what_is_grave_unless_it_is_waived() -> None:
    made = run("scan", bent(OPEN))
    assert made.code == 8
    assert "0.0.0.0/0 comes in on port 5432 [sec.group-world]" in made.out
    waived = run("scan", bent(OPEN | WAIVED))
    assert waived.code == 0
    assert "a training course of one day" in waived.out


@pytest.mark.parametrize("form", [("--json",), ("--format", "json")])
def test_scan_as_json(form: tuple[str, ...]) -> None:
    made = run("scan", bent(OPEN | WAIVED), *form)
    (world,) = [one for one in made.json["findings"] if one["id"] == "sec.group-world"]
    assert (world["level"], world["waived"], world["family"]) == ("high", "a training course of one day", "exposure")
    assert made.json["deployed"] is False


def test_annotations_for_a_workflow_have_file_line_and_one_line_each() -> None:
    made = run("scan", bent(OPEN), "--format", "github")
    (world,) = [line for line in made.out.splitlines() if "sec.group-world" in line]
    assert world.startswith("::error file=plan.yaml,line=")
    assert "title=sec.group-world::steps.wall.with.ingress[0]: 0.0.0.0/0 comes in" in world
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in made.out.splitlines())


def _has(what: str, found: dict[str, Any]) -> None:
    required, known = SARIF[what]
    assert required <= found.keys() <= required | known, (what, found.keys())


def test_sarif_is_what_its_schema_says() -> None:
    made = run("scan", bent(OPEN | WAIVED), "--format", "sarif")
    log = made.json
    _has("log", log)
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    made_run = log["runs"][0]
    _has("run", made_run)
    assert made_run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    driver = made_run["tool"]["driver"]
    _has("driver", driver)
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        _has("rule", rule)
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
    assert made_run["results"]
    for result in made_run["results"]:
        _sarif_result(result, ids)


def _sarif_result(result: dict[str, Any], ids: list[str]) -> None:
    _has("result", result)
    assert result["level"] in ("note", "warning", "error")
    assert result["message"].keys() == {"text"}
    assert ids[result["ruleIndex"]] == result["ruleId"]
    for location in result["locations"]:
        place = location["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "plan.yaml"}
        _has("region", place["region"])
        assert place["region"]["startLine"] >= 1 and place["region"]["startColumn"] >= 1
    for suppression in result.get("suppressions", ()):
        _has("suppression", suppression)
        assert suppression["kind"] in ("inSource", "external")
    assert ("suppressions" in result) is (result["ruleId"] == "sec.group-world")


def test_a_finding_keeps_its_fingerprint_when_lines_move() -> None:
    first = run("scan", bent(OPEN), "--format", "sarif").json
    text = Path("plan.yaml").read_text()
    Path("plan.yaml").write_text("# a comment\n\n" + text)
    second = run("scan", "plan.yaml", "--format", "sarif").json
    prints = [[one["partialFingerprints"] for one in log["runs"][0]["results"]] for log in (first, second)]
    assert prints[0] == prints[1]


@pytest.mark.parametrize("plan", sorted(PLANS.glob("*.yaml")), ids=lambda path: path.stem)
def test_our_plans_pass_the_scan_and_preflight_and_production_is_clean_or_waived(plan: Path) -> None:
    from provisioner.plan.yamlfile import load

    environments = list(load(plan).value.get("environments") or [""])
    for environment in environments:
        words = [str(plan), *(["-e", environment] if environment else [])]
        scanned = run("scan", *words, "--json")
        assert scanned.code == 0, scanned.out
        if environment == "production":
            assert [one for one in scanned.json["findings"] if not one["waived"]] == []
        assert run("preflight", *words, "--offline").code == 0


def test_a_deploy_that_would_not_go_well_is_refused_before_anything_is_asked(desk: Desk) -> None:
    made = run("deploy", bent(OPEN), "--yes", "--json")
    assert (made.code, made.json["error"]["code"]) == (3, "preflight")
    assert [one["id"] for one in made.json["error"]["findings"]] == ["rds.version-dead"]
    assert not desk.home.exists()


def test_a_rule_that_is_skipped_or_all_of_them_do_not_stop_a_deploy(desk: Desk) -> None:
    desk.edit("deployment: shop", "deployment: shop\nbudget: {monthly: 1}")
    assert desk.deploy().code == 3
    assert desk.deploy("--skip-preflight", "cost.over-budget").code == 0
    assert desk.deploy("--no-preflight").code == 0
    assert desk.deploy("--skip-preflight", "rds.nothing").code == 2


def test_warnings_of_preflight_are_told_by_a_deploy_once(desk: Desk) -> None:
    desk.edit("  db: ${db.id}", "  db: ${db.id}\n  cache: redis://${db.id}:6379\n  region: us-east-2")
    assert desk.deploy().err.count("it says us-east-2, and the plan is in here") == 1


def _deployed(*steps: tuple[str, str]) -> None:
    """A record in the home, as earlier runs would have left it."""
    owner = Owner(user="ops", command="provisioner deploy")
    with Store.open(App().home.deployment("shop", sandbox=False), "shop", who=owner) as store:
        for step, type_ in steps:
            key = Key(deployment="shop", step=step, name=f"shop-{step}", region="us-east-1")
            store.commit([PutRecord(record=Record(step=step, type=type_, status=Status.READY, key=key))])


def test_a_database_that_is_there_may_be_deployed_again_when_its_version_is_no_longer_sold() -> None:
    old = {"db.engine_version": "15.4"}
    app, chosen = App(), Chosen(path=Path(bent(old)))
    with pytest.raises(PreflightError) as refused:
        Flight(app, chosen, read_plan(app, chosen)).offline()
    assert [one.id for one in refused.value.findings] == ["rds.version-dead"]
    _deployed(("db", "aws.rds_instance"))
    Flight(app, chosen, read_plan(app, chosen)).offline()


def test_a_finding_of_the_scan_that_is_skipped_does_not_stop_a_deploy() -> None:
    app, chosen = App(), Chosen(path=Path(bent({"wall.ingress/0/cidr": "0.0.0.0/0"})))
    with pytest.raises(PreflightError) as refused:
        Flight(app, chosen, read_plan(app, chosen)).offline()
    assert [one.id for one in refused.value.findings] == ["sec.group-world"]
    Flight(app, chosen, read_plan(app, chosen), ["sec.group-world"]).offline()
