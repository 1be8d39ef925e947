"""What AWS answers to the questions of checks, from the sandbox; and that asking changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.drivers.aws.permissions import ACTIONS
from provisioner.drivers.aws.session import AwsSession, open_session
from provisioner.errors import CloudError
from provisioner.preflight.check import preflight
from provisioner.resource import Registry, Resource
from provisioner.sandbox import supervisor
from provisioner.survey import CanSurvey, Survey
from tests.contract.conftest import REGION
from tests.contract.world import World
from tests.unit.rules.bend import TODAY, outline


def requests() -> list[dict[str, Any]]:
    """What the sandbox was asked since the last look."""
    sandbox = Path(os.environ["PROVISIONER_ENDPOINTS"]).parent
    found: list[dict[str, Any]] = supervisor.admin(sandbox, "GET", "/_sandbox/requests")["requests"]
    supervisor.admin(sandbox, "DELETE", "/_sandbox/requests")
    return found


@pytest.fixture
def session() -> Iterator[AwsSession]:
    made = open_session(REGION)
    yield made
    made.close()


@pytest.fixture
def survey(session: AwsSession) -> Survey:
    assert isinstance(session, CanSurvey)
    asked: Survey = session.survey()
    return asked


def test_a_whole_preflight_makes_no_write_call(survey: Survey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DB_PASSWORD", "kq7-Vd3xR9-mZb2tW4yC8-hJn6")
    requests()
    report = preflight(outline(tmp_path, {}), TODAY, survey=survey)
    made = requests()
    assert [str(result.finding) for result in report.results] == []
    assert len([rule for rule in report.rules if rule.startswith(("identity", "quota", "name"))]) >= 8
    assert [request["operation"] for request in made if request["write"]] == []
    assert 0 < len(made) <= 20


def test_zones_versions_and_classes_are_what_the_region_offers(survey: Survey) -> None:
    assert survey.zones()[0] == f"{REGION}a"
    assert survey.versions("rds", "postgres", "15")[-1].startswith("15.")
    assert "7.0.7" in survey.versions("cache", "redis")
    offers = survey.offers("db.t3.micro", survey.versions("rds", "postgres", "15")[-1])
    assert {offer.storage_type for offer in offers} >= {"gp3", "gp2"}
    assert survey.offers("db.t3.nano", "15.15") == []


def test_parameters_of_a_family_are_listed_with_what_they_may_be(survey: Survey) -> None:
    assert survey.parameters("rds", "postgres15")["max_connections"] == "6-262143"
    assert "maxmemory-policy" in survey.parameters("cache", "redis7")


def test_quotas_count_what_is_there(survey: Survey, lone_world: World) -> None:
    (before,) = survey.quotas("network", ["VPCs"])
    lone_world.make("aws.vpc", "vpc", {"cidr": "10.0.0.0/16"})
    (after,) = open_session(REGION).survey().quotas("network", ["VPCs"])
    assert (after.used, after.most) == (before.used + 1, before.most)
    assert {quota.what for quota in survey.quotas("rds", ["DBInstances", "AllocatedStorage"])} == {
        "DBInstances",
        "AllocatedStorage",
    }


def test_a_question_is_asked_once(survey: Survey) -> None:
    survey.zones()
    requests()
    survey.zones()
    assert requests() == []


def test_a_bucket_of_our_own_is_told_from_a_free_name(survey: Survey, lone_world: World) -> None:
    key, _ = lone_world.make("aws.s3_bucket", "bucket", {"name": "survey-ours"})
    assert (survey.bucket(key.name), survey.bucket("survey-nobody-has-this")) == ("ours", "free")


def test_a_secret_that_waits_to_be_deleted_is_told_with_its_owner(survey: Survey, lone_world: World) -> None:
    key, _ = lone_world.make("aws.secret", "secret", {"name": "survey-secret", "recovery_days": 7})
    assert survey.deleted_secrets(["survey-secret"]) == {}
    lone_world.driver("aws.secret").delete(key)
    assert survey.deleted_secrets(["survey-secret"])["survey-secret"].owner == key.owner


def test_nothing_is_denied_to_whom_everything_is_allowed(survey: Survey) -> None:
    assert survey.denied(["rds:CreateDBInstance", "s3:CreateBucket"]) == {}


def test_a_refused_question_is_a_cloud_error(survey: Survey) -> None:
    sandbox = Path(os.environ["PROVISIONER_ENDPOINTS"]).parent
    fault = {"service": "rds", "operation": "DescribeAccountAttributes", "error": "AccessDenied", "times": 1}
    supervisor.admin(sandbox, "POST", "/_sandbox/faults", fault)
    with pytest.raises(CloudError):
        survey.quotas("rds", ["DBInstances"])


def test_each_type_says_what_the_caller_must_be_allowed(registry: Registry) -> None:
    silent = {"aws.account", "aws.default_vpc", "aws.default_subnet"}
    made = {name for name in registry.names() if name.startswith("aws.") and issubclass(registry.type(name), Resource)}
    assert made - silent - ACTIONS.keys() == set()
    assert all(":" in action for actions in ACTIONS.values() for action in actions)
