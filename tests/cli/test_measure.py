"""``monitor top-sql`` and ``monitor baseline``: a plan's own check of its database says where and as whom to ask."""

from __future__ import annotations

from tests.cli.conftest import CANARY, Desk


def test_the_slowest_statements_are_asked_for_through_the_check_of_the_plan(desk: Desk) -> None:
    desk.deploy()
    told = desk.json("monitor", "top-sql", desk.plan)
    [statement] = told["statements"]
    assert (told["check"], statement["total_ms"], statement["query"][:14]) == ("gate", 1500.0, "SELECT * FROM ")
    text = desk.run("monitor", "top-sql", desk.plan)
    assert "1500" in text.out and "75%" in text.out and CANARY not in text.out


def test_a_baseline_takes_samples_for_as_long_as_asked(desk: Desk) -> None:
    desk.deploy()
    told = desk.json("monitor", "baseline", desk.plan, "--for", "0s")
    assert (told["check"], told["baseline"]["samples"]) == ("gate", 2)
    assert "p95 2" in desk.run("monitor", "baseline", desk.plan, "--for", "0s").out


def test_what_cannot_be_asked_is_said_before_anything_is_called(desk: Desk) -> None:
    refused = desk.run("monitor", "top-sql", desk.plan, "--check", "db")
    assert refused.code == 2 and "gate" in refused.err
    undeployed = desk.run("monitor", "top-sql", desk.plan)
    assert undeployed.code != 0 and "db" in undeployed.err
