"""Waivers: what somebody has looked at, with a reason and a day on which somebody looks again."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import PlanError
from provisioner.plan.outline import Outline
from provisioner.preflight.check import known_ids, preflight
from provisioner.rules.rule import Level
from provisioner.rules.run import Report
from provisioner.scan.scan import passed, scan
from tests.unit.rules.bend import TODAY, outline

PUBLIC: dict[str, Any] = {"db.publicly_accessible": True}
WAIVER = {"rule": "sec.rds-public", "steps": ["db"], "reason": "a training course of one day", "until": "2026-12-01"}


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DB_PASSWORD", "kq7-Vd3xR9-mZb2tW4yC8-hJn6")


def _scan(made: Outline, today: date = TODAY) -> Report:
    return scan(made, today, known=known_ids())


def _ids(report: Report) -> list[str]:
    return [result.finding.id for result in report.unwaived()]


def test_what_is_waived_does_not_count_and_is_still_told_with_its_reason(tmp_path: Path) -> None:
    report = _scan(outline(tmp_path, PUBLIC | {"waivers": [WAIVER]}))
    assert passed(report)
    assert [(one.finding.id, one.waived) for one in report.waived] == [
        ("sec.rds-public", "a training course of one day")
    ]


def test_without_a_waiver_it_does_not_pass(tmp_path: Path) -> None:
    assert not passed(_scan(outline(tmp_path, PUBLIC)))


def test_a_waiver_holds_until_its_day_and_not_longer(tmp_path: Path) -> None:
    made = outline(tmp_path, PUBLIC | {"waivers": [WAIVER]})
    assert passed(_scan(made, date(2026, 12, 1)))
    late = _scan(made, date(2026, 12, 2))
    assert not passed(late)
    assert sorted(_ids(late)) == ["sec.rds-public", "waiver.expired"]


def test_a_waiver_is_good_for_its_steps_alone(tmp_path: Path) -> None:
    report = _scan(outline(tmp_path, PUBLIC | {"waivers": [WAIVER | {"steps": ["cache"]}]}))
    assert sorted(_ids(report)) == ["sec.rds-public", "waiver.unused"]


def test_a_waiver_without_steps_is_good_for_all(tmp_path: Path) -> None:
    everything = {name: value for name, value in WAIVER.items() if name != "steps"}
    assert passed(_scan(outline(tmp_path, PUBLIC | {"waivers": [everything]})))
    assert passed(_scan(outline(tmp_path, PUBLIC | {"waivers": [everything | {"steps": "all"}]})))


def test_a_waiver_of_no_use_and_one_of_no_rule_are_told_with_their_place(tmp_path: Path) -> None:
    report = _scan(outline(tmp_path, {"waivers": [WAIVER, WAIVER | {"rule": "sec.rds-pubic"}]}))
    assert sorted(_ids(report)) == ["waiver.unknown-rule", "waiver.unused"]
    assert {one.finding.subject for one in report.unwaived()} >= {"waivers[0]", "waivers[1]"}


def test_a_waiver_for_one_environment_is_none_in_the_others(tmp_path: Path) -> None:
    bent = PUBLIC | {
        "environments": {"test": {}, "production": {}},
        "waivers": [WAIVER | {"environments": ["test"]}],
    }
    assert passed(_scan(outline(tmp_path, bent, environment="test")))
    assert _ids(_scan(outline(tmp_path, bent, environment="production"))) == ["sec.rds-public"]


def test_warnings_of_preflight_can_be_waived_and_errors_cannot(tmp_path: Path) -> None:
    waivers = [WAIVER | {"rule": rule} for rule in ("storage.no-growth", "rds.version-dead")]
    bent = {"db.max_allocated_storage": None, "db.engine_version": "15.4", "waivers": waivers}
    report = preflight(outline(tmp_path, bent), TODAY)
    assert [one.finding.id for one in report.unwaived(Level.ERROR)] == ["rds.version-dead"]
    assert "storage.no-growth" in [one.finding.id for one in report.waived]


def test_a_waiver_of_the_scan_is_no_useless_one_to_preflight(tmp_path: Path) -> None:
    report = preflight(
        outline(tmp_path, {"waivers": [WAIVER | {"rule": "sec.bucket-tls", "steps": ["bucket"]}]}), TODAY
    )
    assert report.unwaived() == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"until": "soon"}, "until: expected a date such as 2027-06-30, got 'soon'"),
        ({"until": None}, "until is missing"),
        ({"reason": "because"}, "reason: 'because' is no reason"),
        ({"reason": ""}, "reason is missing"),
        ({"rule": ""}, "rule is missing"),
        ({"steps": ["dbs"]}, "there is no step 'dbs'; did you mean 'db'?"),
        ({"steps": 3}, "steps: expected all, or a list of names, got 3"),
        ({"environments": ["prod"]}, "the plan has no environment 'prod'"),
        ({"untill": "2027-01-01"}, "unknown key 'untill' in a waiver; did you mean 'until'?"),
    ],
)
def test_a_waiver_that_says_too_little_is_refused(changed: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        outline(tmp_path, {"waivers": [WAIVER | changed]})
    assert [finding.message for finding in caught.value.findings] == [said]


@pytest.mark.parametrize(
    ("application", "said"),
    [
        ({"processes": 0}, "processes: expected an integer from 1 to 100000, got 0"),
        ({"pool_size": "many"}, "pool_size: expected an integer from 1 to 100000, got 'many'"),
        ({"database": "dbs"}, "there is no step 'dbs'; did you mean 'db'?"),
        ({"pools": 3}, "unknown key 'pools' in an application"),
    ],
)
def test_an_application_that_makes_no_sense_is_refused(application: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        outline(tmp_path, {"applications": [application]})
    assert said in caught.value.findings[0].message


def test_an_application_may_take_its_numbers_from_parameters(tmp_path: Path) -> None:
    parameters = {"db_password": {"type": "secret", "env": "SHOP_DB_PASSWORD"}}
    bent = {
        "parameters": parameters | {"workers": {"type": "integer", "default": 4}},
        "applications": [{"processes": "${param.workers}", "pool_size": 20, "max_overflow": 40}],
    }
    assert outline(tmp_path, bent).plan.applications[0].connections == 240


def test_a_waiver_of_what_the_scan_finds_less_grave_is_no_useless_one_to_preflight(tmp_path: Path) -> None:
    zones = {
        f"+zone-{n}": {"type": "aws.default_subnet", "adopt": "existing", "with": {"zone_index": n}} for n in (0, 1)
    }
    group = {"type": "aws.db_subnet_group", "with": {"subnets": ["${zone-0.subnet_id}", "${zone-1.subnet_id}"]}}
    waiver = WAIVER | {"rule": "sec.data-in-public-subnet", "steps": ["public"]}
    made = outline(tmp_path, {**zones, "+public": group, "waivers": [waiver]})
    assert preflight(made, TODAY).unwaived() == []
    assert _scan(made).unwaived() == []
