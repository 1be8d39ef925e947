"""What goes wrong before a run is recorded has changed nothing, and the exit code says so."""

from __future__ import annotations

import json

import pytest

from provisioner.cli.app import App
from provisioner.cli.boundary import guarded
from provisioner.cli.options import Chosen
from provisioner.cli.runs import finish
from provisioner.errors import AccessDeniedError, StepTimeoutError
from provisioner.operations.site import Outcome
from provisioner.secret import Secret
from tests.cli.conftest import Desk


def denied() -> AccessDeniedError:
    return AccessDeniedError("no", cloud_code="AccessDenied", hint="ask for more rights")


def test_a_preview_that_the_cloud_refuses_is_exit_3_and_nothing_was_started(desk: Desk) -> None:
    desk.cloud.fail("read", "shop-net", denied, times=99)
    made = desk.deploy("--json")
    assert made.code == made.json["exit_code"] == 3
    assert made.json["error"]["code"] == "cloud.access-denied"
    assert (made.json["run"], made.json["result"]) == (None, "not-started")
    assert not desk.cloud.writes()


@pytest.mark.parametrize("words", [("plan",), ("status", "--refresh"), ("outputs", "--reveal")], ids=" ".join)
def test_a_look_that_the_cloud_refuses_is_exit_3(desk: Desk, words: tuple[str, ...]) -> None:
    desk.deploy()
    desk.cloud.fail("read", "shop-", denied, times=99)
    verb, *options = words
    made = desk.run(verb, desk.plan, *options, "--json")
    assert made.code == made.json["exit_code"] == 3
    assert made.json["error"]["code"] == "cloud.access-denied"
    assert made.json["result"] == "not-started"


def test_a_destroy_that_cannot_look_is_exit_3(desk: Desk) -> None:
    desk.deploy()
    desk.cloud.fail("read", "shop-db", denied, times=99)
    made = desk.run("destroy", desk.plan, "--yes", "--json")
    assert made.code == made.json["exit_code"] == 3
    assert made.json["result"] == "not-started"


def test_a_wait_that_ends_in_the_preview_is_exit_3_as_well(desk: Desk) -> None:
    desk.cloud.fail("read", "shop-net", lambda: StepTimeoutError("it took too long"), times=99)
    assert desk.deploy("--json").code == 3


def test_an_unexpected_error_stays_exit_1(desk: Desk) -> None:
    desk.cloud.fail("read", "shop-net", lambda: RuntimeError("boom"), times=99)
    assert desk.deploy("--json").code == 1


def test_what_goes_wrong_after_the_run_does_not_say_that_nothing_was_started(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    def fetch() -> str:
        raise denied()

    app = App()
    app.json = True
    app.failed = {"run": None, "result": "not-started"}
    over = Outcome(deployment="shop", run=4, result="succeeded", exit_code=0, outputs={"url": Secret(fetch)})
    code = guarded(app, lambda: finish(app, over, Chosen(desk.plan, None, False), "deploy", reveal=True))
    told = json.loads(capsys.readouterr().out)
    assert code == told["exit_code"] == 1
    assert (told["run"], told["result"]) == (4, "succeeded")


def test_a_record_that_fails_within_a_run_does_not_say_that_nothing_was_started(desk: Desk) -> None:
    def away(when: str, verb: str, name: str) -> None:
        if (when, verb, name) == ("after", "create", "shop-net"):
            desk.record().rename(desk.home / "gone")

    desk.cloud.hooks.append(away)
    made = desk.deploy("--json")
    assert made.code != 0
    assert made.json["result"] != "not-started"
    assert made.json["run"] == 1
