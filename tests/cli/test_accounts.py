"""A deployment lives in one account; credentials of another are refused, also by verbs that only look."""

from __future__ import annotations

import pytest

from provisioner.state.store import peek
from tests.cli.conftest import CANARY, Desk

LOOKS = [("plan",), ("plan", "--target", "net"), ("status", "--refresh"), ("outputs", "--reveal")]


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_a_look_with_credentials_of_another_account_is_refused_with_exit_3(desk: Desk, words: tuple[str, ...]) -> None:
    desk.deploy()
    desk.cloud.account = "toy:2"
    before = list(desk.cloud.calls)
    verb, *options = words
    made = desk.run(verb, desk.plan, *options, "--json")
    assert made.code == made.json["exit_code"] == 3
    assert made.json["error"]["code"] == "environment.credentials"
    assert "shop lives in toy:1, and these credentials belong to toy:2" in made.json["error"]["message"]
    assert CANARY not in made.out + made.err
    assert desk.cloud.calls == before, "nothing was read in the wrong account"


def test_the_account_of_what_has_left_the_plan_counts_too(desk: Desk) -> None:
    desk.deploy()
    desk.cloud.account = "toy:2"
    desk.plan.write_text("deployment: shop\nprovider: toy\nregion: here\nsteps: [{name: other, type: toy.thing}]\n")
    assert desk.run("plan", desk.plan).code == 3


def test_a_look_before_the_first_deploy_needs_no_account_and_records_none(desk: Desk) -> None:
    desk.cloud.account = "toy:2"
    assert desk.run("plan", desk.plan).code == 0
    assert not desk.home.exists()
    desk.deploy()
    found = peek(desk.record(), "shop")
    assert found is not None
    assert found.accounts == {"toy": "toy:2"}
