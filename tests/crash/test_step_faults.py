"""For the steps of every plan in turn: a create is refused, throttled, or cut off after it took effect.

Of each plan a few steps are struck here, other types in each; ``EVERY_STEP=1`` strikes all of them, one at a time. The
fault matrix (:mod:`tests.crash.matrix`) goes deeper, into each type's further calls.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from provisioner.drivers.typemap import registry
from provisioner.resource import Gate
from tests.crash.rig import CREATES, UNTAGGED, Rig, made_steps, plan_of
from tests.crash.subjects import SUBJECTS, Subject

EVERY = bool(os.environ.get("EVERY_STEP"))
STRUCK = 3
"""Steps of each plan whose create is refused here."""
Step = tuple[str, str]


def _refused() -> Iterator[tuple[str, Step]]:
    """Every step; or of each plan so many, of types that no plan before had, spread over it."""
    known: set[str] = set()
    for name, subject in SUBJECTS.items():
        steps = list(made_steps(subject))
        if not EVERY:
            fresh = {type_: (step, type_) for step, type_ in steps if type_ not in known}
            known |= set(fresh)
            found = list(fresh.values())
            steps = found[:: max(len(found) // STRUCK, 1)][:STRUCK]
        yield from ((name, step) for step in steps)


def _groups() -> Iterator[tuple[str, Sequence[Step]]]:
    """Every step alone; or of each plan a few of them in one run (all at once would wait for a throttled service)."""
    for name, subject in SUBJECTS.items():
        steps = made_steps(subject)
        yield from ((name, [step]) for step in steps) if EVERY else [(name, steps[3 :: len(steps) // 4])]


REFUSED = list(_refused())
GROUPS = list(_groups())


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


def strike(rig: Rig, step: Step, **kind: object) -> None:
    name, type_ = step
    match = "" if type_ in UNTAGGED else f"{rig.subject.deployment}/{name}"
    rig.fault(operation=CREATES[type_], match=match, **kind)


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_every_step_has_a_create_to_strike(subject: Subject) -> None:
    types = registry()
    calls = [step for step in plan_of(subject).steps if not step.adopt and step.type.startswith("aws.")]
    assert [s.name for s in calls if s.type not in CREATES and not issubclass(types.type(s.type), Gate)] == []


@pytest.mark.parametrize(("name", "step"), REFUSED, ids=[f"{name}-{step}" for name, (step, _) in REFUSED])
def test_a_refused_create_ends_with_exit_4_and_an_empty_cloud(rig: Rig, name: str, step: Step) -> None:
    rig.subject = SUBJECTS[name]
    rig.fresh()
    strike(rig, step, error="AccessDenied", times=0)
    outcome = rig.deploy()
    assert rig.struck(), "the fault was meant to strike"
    assert (outcome.exit_code, outcome.result) == (4, "reversed"), outcome.failures
    assert step[0] in {failure.step for failure in outcome.failures}
    assert outcome.failures[0].error.code == "cloud.access-denied"
    assert rig.inventory() == []


@pytest.mark.parametrize(("name", "group"), GROUPS, ids=[f"{name}-{group[0][0]}" for name, group in GROUPS])
@pytest.mark.parametrize(("kind", "times"), [("throttling", 2), ("reset-after", 1)])
def test_throttled_or_cut_off_creates_deploy_all_the_same(
    rig: Rig, name: str, group: Sequence[Step], kind: str, times: int
) -> None:
    rig.subject = SUBJECTS[name]
    rig.fresh()
    for step in group:
        strike(rig, step, kind=kind, times=times)
    outcome = rig.deploy()
    assert rig.struck() == times * len(group)
    assert (outcome.exit_code, outcome.result) == (0, "succeeded"), outcome.failures
    rig.assert_state_equals_cloud(rig.subject.deployment)
    rig.remember_secrets()
    assert rig.canaries
    assert rig.leaks() == []


def test_the_state_of_a_deployment_lives_where_the_home_is(rig: Rig) -> None:
    rig.subject = SUBJECTS["credlink"]
    rig.fresh()
    assert rig.deploy().exit_code == 0
    assert (rig.home / "sandbox-deployments" / "credlink-development" / "state.json").is_file()
    assert rig.destroy().exit_code == 0
    assert rig.inventory() == []
    assert isinstance(rig.home, Path)
