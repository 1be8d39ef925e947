"""For every step of credlink in turn: its create is refused, throttled, or cut off after it took effect."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.rig import CREATES, UNTAGGED, Rig, made_steps

STEPS = made_steps()


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    change = pytest.MonkeyPatch()
    made = Rig(tmp_path_factory.mktemp("faults"))
    change.setenv("PROVISIONER_ENDPOINTS", made.info.endpoints)
    try:
        yield made
    finally:
        change.undo()
        made.close()


def strike(rig: Rig, step: str, type_: str, **kind: object) -> None:
    match = "" if type_ in UNTAGGED else f"credlink-development/{step}"
    rig.fault(operation=CREATES[type_], match=match, **kind)


def test_every_step_of_credlink_has_a_create_to_strike() -> None:
    assert {type_ for _, type_ in STEPS} <= set(CREATES)


@pytest.mark.parametrize(("step", "type_"), STEPS, ids=[step for step, _ in STEPS])
def test_a_refused_create_ends_with_exit_4_and_an_empty_cloud(rig: Rig, step: str, type_: str) -> None:
    rig.fresh()
    strike(rig, step, type_, error="AccessDenied", times=0)
    outcome = rig.deploy()
    assert rig.struck(), "the fault was meant to strike"
    assert (outcome.exit_code, outcome.result) == (4, "reversed"), outcome.failures
    assert step in {failure.step for failure in outcome.failures}
    assert outcome.failures[0].error.code == "cloud.access-denied"
    assert rig.inventory() == []


GROUPS = [STEPS[start::6] for start in range(6)]
"""Each test strikes a sixth of the steps; one at a time is what the long form does."""
if os.environ.get("EVERY_STEP"):
    GROUPS = [[each] for each in STEPS]


@pytest.mark.parametrize("group", GROUPS, ids=["+".join(step for step, _ in group) for group in GROUPS])
@pytest.mark.parametrize(("kind", "times"), [("throttling", 3), ("reset-after", 1)])
def test_a_throttled_or_cut_off_create_deploys_all_the_same(
    rig: Rig, group: list[tuple[str, str]], kind: str, times: int
) -> None:
    rig.fresh()
    for step, type_ in group:
        strike(rig, step, type_, kind=kind, times=times)
    outcome = rig.deploy()
    assert rig.struck() == times * len(group)
    assert (outcome.exit_code, outcome.result) == (0, "succeeded"), outcome.failures
    rig.assert_state_equals_cloud("credlink-development")
    rig.remember_secrets()
    assert len(rig.canaries) >= 2
    assert rig.leaks() == []


def test_the_state_of_a_deployment_lives_where_the_home_is(rig: Rig) -> None:
    rig.fresh()
    assert rig.deploy().exit_code == 0
    assert (rig.home / "sandbox-deployments" / "credlink-development" / "state.json").is_file()
    assert rig.destroy().exit_code == 0
    assert rig.inventory() == []
    assert isinstance(rig.home, Path)
