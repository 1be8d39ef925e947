"""Each rule finds what it is for in the shop's plan with that one thing bent, and nothing in the plan as it is.

The golden cases of the reference systems' own mistakes are among them; their ``why`` says which.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.preflight.families import all_rules as preflight_rules
from provisioner.scan.families import all_rules as scan_rules
from tests.unit.rules.bend import every_case, look, outline

PASSWORD = "SHOP_DB_PASSWORD"
STRONG = "kq7-Vd3xR9-mZb2tW4yC8-hJn6"
ONLINE = {rule.id for rule in preflight_rules().values() if rule.online}

DEPLOYED = {"sec.iam-everything"}
"""Refused in a plan already, so only found in what is deployed: see test_deployed."""


def _name(case: dict[str, Any]) -> str:
    return f"{case['rule']}: {case['why']}" if "why" in case else str(case["rule"])


@pytest.mark.parametrize("case", every_case(), ids=_name)
def test_what_is_bent_is_found(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD, case.get("secret", STRONG))
    report = look(outline(tmp_path, case["bent"]))
    found = [result for result in report.results if result.finding.id == case["rule"]]
    assert found, [result.finding.id for result in report.results]
    texts = [f"{result.finding.subject}: {result.finding.message}" for result in found]
    assert any(case.get("says", "") in text for text in texts), texts
    assert any(case.get("hint", "") in result.finding.hint for result in found), [r.finding.hint for r in found]
    assert case.get("level") in (None, *(result.level.value for result in found))
    assert case.get("at") in (None, *(result.finding.subject for result in found))
    assert not any(case["secret"] in text for text in texts if "secret" in case), "a secret is never shown"


def test_a_plan_that_is_as_it_should_be_has_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD, STRONG)
    report = look(outline(tmp_path, {}))
    assert [str(r.finding) for r in report.results] == []


def test_a_function_that_reads_a_secret_through_an_endpoint_is_not_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD, STRONG)
    (function,) = (case["bent"] for case in every_case() if case["rule"] == "lambda.alone")
    for service, alone in (("secretsmanager", False), ("kms", True)):
        wish = {"vpc_id": "${vpc.vpc_id}", "service": service, "subnets": ["${sub-a.subnet_id}"]}
        report = look(outline(tmp_path, {**function, "+way": {"type": "aws.vpc_endpoint", "with": wish}}))
        assert ("lambda.alone" in {result.finding.id for result in report.results}) is alone


def test_every_rule_that_needs_no_cloud_has_a_case() -> None:
    offline = {*preflight_rules(), *scan_rules()} - ONLINE
    assert offline - {case["rule"] for case in every_case()} - DEPLOYED == set()


def test_every_rule_says_what_is_wrong_what_to_do_and_who_says_so() -> None:
    hints = {case["rule"] for case in every_case() if case.get("hint")}
    for rule in [*preflight_rules().values(), *scan_rules().values()]:
        assert rule.source.startswith("https://"), rule.id
        assert rule.meaning.endswith("."), rule.id
        assert rule.hint or rule.id in hints or rule.id in ONLINE, rule.id


def test_there_are_as_many_rules_as_were_asked_for() -> None:
    assert len(preflight_rules()) >= 40
    assert len(scan_rules()) >= 25
