"""The same rules over what the cloud reports, and over what nobody knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.plan.outline import Outline
from provisioner.preflight.check import known_ids, preflight
from provisioner.rules.run import Report
from provisioner.scan.deployed import deployed
from provisioner.scan.scan import scan
from tests.unit.rules.bend import TODAY, TYPES, outline


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outline:
    monkeypatch.setenv("SHOP_DB_PASSWORD", "kq7-Vd3xR9-mZb2tW4yC8-hJn6")
    return outline(tmp_path, {})


def _scan(shop: Outline, **reported: dict[str, Any]) -> Report:
    seen: dict[str, dict[str, Any]] = {item.step.name: {} for item in shop} | {
        name.replace("_", "-"): spec for name, spec in reported.items()
    }
    return scan(deployed(shop.plan, TYPES, seen), TODAY, known=known_ids())


def _ids(report: Report) -> set[str]:
    return {result.finding.id for result in report.unwaived()}


def test_what_was_changed_behind_the_plan_is_found(shop: Outline) -> None:
    opened = {"ingress": [{"protocol": "tcp", "port": 5432, "cidr": "0.0.0.0/0"}]}
    report = _scan(shop, db={"publicly_accessible": True, "backup_retention_days": 0}, wall=opened)
    assert _ids(report) == {"sec.rds-public", "sec.rds-no-backups", "sec.group-world"}


def test_what_is_deployed_as_planned_has_no_finding(shop: Outline) -> None:
    assert _ids(_scan(shop)) == set()


def test_a_role_that_was_given_everything_is_found(shop: Outline) -> None:
    document = {"Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}
    assert "sec.iam-everything" in _ids(_scan(shop, role={"inline_policies": {"all": document}}))


def test_a_parameter_that_was_changed_in_the_group_counts_for_its_database(shop: Outline) -> None:
    report = _scan(shop, db_parameters={"family": "postgres15", "parameters": {"rds.force_ssl": "0"}})
    assert _ids(report) == {"sec.rds-tls", "sec.rds-no-audit"}


def test_what_is_not_there_is_not_judged(shop: Outline) -> None:
    report = scan(deployed(shop.plan, TYPES, {}), TODAY, known=known_ids())
    assert {one.finding.id for one in report.results} <= {"sec.told-plaintext"}


def test_what_only_the_cloud_can_say_is_no_ground_for_a_finding(shop: Outline) -> None:
    """Every field of every step replaced by something that is not known: no rule stumbles, none guesses."""
    for item in shop:
        item.values = dict.fromkeys(item.values, "${nobody.knows}")
    assert preflight(shop, TODAY).rules
    assert {one.finding.id for one in scan(shop, TODAY, known=known_ids()).results} == set()
