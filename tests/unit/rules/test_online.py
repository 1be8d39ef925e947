"""The rules that ask, against a region whose answers are made up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import AccessDeniedError, CredentialsError
from provisioner.preflight.check import preflight
from provisioner.preflight.families import all_rules
from provisioner.rules.look import Fresh
from provisioner.rules.rule import Level
from provisioner.rules.run import Report
from provisioner.survey import Deleted, Offer, Quota
from tests.unit.rules.bend import TODAY, outline

ZONES = ("us-east-1a", "us-east-1b")


class Region:
    """A region that has all that the shop wants; each answer can be another. An exception is raised."""

    def __init__(self, **answers: Any) -> None:
        self._answers: dict[str, Any] = {
            "caller": "arn:aws:iam::123456789012:user/ops",
            "account": "123456789012",
            "zones": ZONES,
            "versions": {"rds": ["15.13", "15.15"], "cache": ["7.0.7", "7.1.0"]},
            "offers": [Offer("gp3", True, ZONES)],
            "parameters": {"auto_explain.log_wal": ""},
            "quotas": [],
            "bucket": "free",
            "deleted_secrets": {},
            "denied": {},
        } | answers
        self.asked: list[str] = []

    def _answer(self, question: str) -> Any:
        self.asked.append(question)
        answer = self._answers[question]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def caller(self) -> str:
        return str(self._answer("caller"))

    def account(self) -> str:
        return str(self._answer("account"))

    def zones(self) -> Sequence[str]:
        return list(self._answer("zones"))

    def versions(self, service: str, engine: str, major: str = "") -> Sequence[str]:
        return [version for version in self._answer("versions")[service] if version.startswith(major)]

    def offers(self, instance_class: str, version: str) -> Sequence[Offer]:
        return list(self._answer("offers"))

    def parameters(self, service: str, family: str) -> Mapping[str, str]:
        return dict(self._answer("parameters"))

    def quotas(self, service: str, names: Collection[str]) -> Sequence[Quota]:
        return [quota for quota in self._answer("quotas") if quota.what in names]

    def bucket(self, name: str) -> str:
        self.asked.append(name)
        return str(self._answer("bucket"))

    def deleted_secrets(self, names: Collection[str]) -> Mapping[str, Deleted]:
        return dict(self._answer("deleted_secrets"))

    def denied(self, actions: Collection[str]) -> Mapping[str, bool]:
        return dict(self._answer("denied"))

    def actions(self, type_name: str) -> Sequence[str]:
        return {"aws.rds_instance": ["rds:CreateDBInstance"], "aws.vpc": ["ec2:CreateVpc"]}.get(type_name, [])


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DB_PASSWORD", "kq7-Vd3xR9-mZb2tW4yC8-hJn6")


def ask(tmp_path: Path, region: Region, bent: dict[str, Any] | None = None, fresh: Fresh | None = None) -> Report:
    return preflight(outline(tmp_path, bent or {}), TODAY, survey=region, fresh=fresh)


CASES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("region.zones", {"zones": ["us-east-1a"]}, {}, "us-east-1 has 1 zones; there is no index 1"),
    ("rds.version-offered", {"versions": {"rds": ["15.13"], "cache": ["7.0.7"]}}, {"db.engine_version": "15.15"},
     "us-east-1 does not offer PostgreSQL 15.15"),
    ("rds.version-offered", {"versions": {"rds": ["17.5"], "cache": ["7.0.7"]}}, {}, "does not offer PostgreSQL 15"),
    ("cache.version-offered", {"versions": {"rds": ["15.13"], "cache": ["7.1.0"]}}, {}, "does not offer redis 7.0"),
    ("rds.class-orderable", {"offers": []}, {}, "db.t3.small cannot be had in us-east-1 with PostgreSQL 15.15"),
    ("rds.class-orderable", {"offers": [Offer("gp2", True, ZONES)]}, {}, "it can with gp2"),
    ("rds.class-orderable", {"offers": [Offer("gp3", False, ZONES)]}, {}, "cannot have a standby"),
    ("rds.class-zones", {"offers": [Offer("gp3", True, ("us-east-1a",))]}, {}, "is offered in 1"),
    ("param.not-offered", {}, {"db-parameters.parameters/auto_explain.log_wall": "1"},
     "has no parameter 'auto_explain.log_wall'; did you mean 'auto_explain.log_wal'?"),
    ("quota.rds", {"quotas": [Quota("DBInstances", 40, 40)]}, {}, "DBInstances: 40 of 40 are used, and this makes 1"),
    ("quota.storage", {"quotas": [Quota("AllocatedStorage", 99_990, 100_000)]}, {}, "99990 of 100000 GiB are used"),
    ("quota.network", {"quotas": [Quota("VPCs", 5, 5, "L-F678F1CE")]}, {}, "VPCs: 5 of 5 are used"),
    ("name.bucket-taken", {"bucket": "taken"}, {}, "shop-files-123456789012 belongs to another account"),
    ("name.secret-held", {"deleted_secrets": {"shop-db-credentials": Deleted("shop2/db", "2026-11-19")}}, {},
     "was deleted on 2026-11-19, which belongs to shop2/db"),
    ("name.secret-held", {"deleted_secrets": {"shop-db-credentials": Deleted(None, "2026-11-19")}}, {},
     "carries no owner's tag"),
    ("identity.permissions", {"denied": {"rds:CreateDBInstance": True}}, {}, "user/ops may not rds:CreateDBInstance"),
    ("identity.credentials", {"caller": "arn:aws:iam::123456789012:root"}, {}, "credentials of arn:aws:iam::1234567"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "answers", "bent", "says"), CASES)
def test_what_the_region_does_not_have_is_found(
    rule: str, answers: dict[str, Any], bent: dict[str, Any], says: str, tmp_path: Path
) -> None:
    report = ask(tmp_path, Region(**answers), bent)
    found = [one.finding.message for one in report.results if one.finding.id == rule]
    assert any(says in message for message in found), [str(one.finding) for one in report.results]


def test_a_region_that_has_it_all_is_no_ground_for_a_finding(tmp_path: Path) -> None:
    assert [str(one.finding) for one in ask(tmp_path, Region()).results] == []


def test_every_rule_that_asks_has_a_case() -> None:
    asking = {rule.id for rule in all_rules().values() if rule.online}
    assert asking - {rule for rule, *_ in CASES} == {"name.foreign"}


def test_a_secret_of_the_deployment_itself_can_be_taken_back(tmp_path: Path) -> None:
    held = {"shop-db-credentials": Deleted("shop/db-secret", "2026-11-19")}
    assert ask(tmp_path, Region(deleted_secrets=held)).results == []


def test_what_may_not_be_asked_is_told_as_not_checked_and_stops_nothing(tmp_path: Path) -> None:
    refused = AccessDeniedError("not authorized to perform iam:SimulatePrincipalPolicy", where="iam")
    report = ask(tmp_path, Region(denied=refused, quotas=refused))
    assert {one.finding.id for one in report.results} == {"identity.permissions", "quota.rds", "quota.storage",
                                                          "quota.network"}  # fmt: skip
    for one in report.results:
        assert (one.checked, one.level) == (False, Level.WARNING)
        assert one.finding.message.startswith("not checked: ")


def test_without_credentials_one_error_says_so_and_nothing_else_is_asked(tmp_path: Path) -> None:
    nobody = Fresh(unknown=CredentialsError("no credentials", hint="set AWS_PROFILE"))
    region = Region()
    report = ask(tmp_path, region, fresh=nobody)
    assert [one.finding.id for one in report.unwaived(Level.ERROR)] == ["identity.credentials"]
    assert region.asked == []


def test_what_belongs_to_somebody_else_is_told_with_its_step(tmp_path: Path) -> None:
    fresh = Fresh(problems={"db": "shop-db exists already, and it belongs to another/db"})
    (found,) = ask(tmp_path, Region(), fresh=fresh).results
    assert (found.finding.id, found.step) == ("name.foreign", "db")


def test_nothing_is_asked_about_what_is_there_already(tmp_path: Path) -> None:
    region = Region()
    ask(tmp_path, region, fresh=Fresh())
    assert set(region.asked) <= {"caller"}


def test_a_changed_class_is_asked_about_and_names_are_not(tmp_path: Path) -> None:
    region = Region()
    ask(tmp_path, region, fresh=Fresh(changed=frozenset({"db"})))
    assert "offers" in region.asked
    assert not {"bucket", "deleted_secrets", "denied", "quotas"} & set(region.asked)


def test_who_may_do_it_to_some_objects_alone_is_not_refused(tmp_path: Path) -> None:
    (found,) = ask(tmp_path, Region(denied={"rds:CreateDBInstance": False})).results
    assert (found.finding.id, found.level) == ("identity.permissions", Level.WARNING)


def test_a_database_on_a_version_that_is_no_longer_sold_can_still_be_changed(tmp_path: Path) -> None:
    old = Region(versions={"rds": ["15.15"], "cache": ["7.0.7"]})
    bent = {"db.engine_version": "15.4"}
    refused = {one.finding.id for one in ask(tmp_path, old, bent).unwaived(Level.ERROR)}
    assert {"rds.version-dead", "rds.version-offered"} <= refused
    there = Fresh(changed=frozenset({"db"}))
    assert ask(tmp_path, old, bent, there).unwaived(Level.ERROR) == []
    ended = {"db.engine_version": "13", "db-parameters.family": "postgres13"}
    assert ask(tmp_path, old, ended, there).unwaived(Level.ERROR) == []
