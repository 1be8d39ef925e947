"""A spread of the fault matrix, and the sense of its table; ``scripts/fault-matrix`` runs every cell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioner.drivers.typemap import registry
from provisioner.resource import CanUpdate
from tests.crash.matrix.bench import Bench, Cell, cells_of
from tests.crash.matrix.rig import MatrixRig
from tests.crash.matrix.steps import HANDLING
from tests.crash.matrix.table import FAULTS, VERBS, Expected, Senseless, expected
from tests.crash.rig import made_steps

STEPS = dict(made_steps())

SPREAD: dict[str, list[tuple[str, str]]] = {
    "vpc": [
        ("access denied", "deploy"),
        ("throttling", "undo"),
        ("never ready", "deploy"),
    ],
    "db-parameters": [
        ("validation error", "deploy"),
        ("access denied", "update"),
        ("reset after the effect", "back"),
        ("access denied", "undo"),
        ("not seen for 5 s", "deploy"),
    ],
    "redis-secret": [
        ("500", "deploy"),
        ("reset before the effect", "update"),
        ("validation error", "back"),
        ("answer past the timeout", "undo"),
    ],
    "alerts-by-mail": [("throttling", "deploy"), ("500", "undo"), ("reset after the effect", "deploy")],
    "db": [
        ("access denied", "update"),
        ("never ready", "undo"),
        ("ready, then failed", "deploy"),
    ],
}
"""What the suite has time for: each fault and each verb, and those cells that once were wrong."""


def cell(step: str, fault: str, verb: str) -> Cell:
    return next(c for c in cells_of(step, STEPS[step]) if (c.fault, c.verb) == (fault, verb))


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MatrixRig]:
    change = pytest.MonkeyPatch()
    made = MatrixRig(tmp_path_factory.mktemp("matrix"))
    change.setenv("PROVISIONER_ENDPOINTS", made.info.endpoints)
    try:
        yield made
    finally:
        change.undo()
        made.close()


@pytest.mark.parametrize("step", SPREAD)
def test_a_struck_step_ends_as_the_table_says_and_the_next_command_gets_there(rig: MatrixRig, step: str) -> None:
    bench = Bench(rig, step)
    assert bench.begin() == []
    verdicts = [bench.run(cell(step, fault, verb)) for fault, verb in SPREAD[step]]
    assert [(str(v.cell), v.wrong) for v in verdicts if v.wrong] == []


def test_every_cell_of_every_step_is_in_the_table_or_says_why_it_cannot_be() -> None:
    cells = [cell for step, type_ in STEPS.items() for cell in cells_of(step, type_)]
    assert len(cells) == len(STEPS) * len(FAULTS) * len(VERBS)
    plans = [expected(cell.fault, cell.verb, cell.type) for cell in cells]
    assert all(plan.reason if isinstance(plan, Senseless) else plan.struck for plan in plans)
    assert sum(isinstance(plan, Expected) for plan in plans) >= 660


def test_a_type_has_a_change_to_make_exactly_where_it_can_be_updated() -> None:
    for type_, handling in HANDLING.items():
        assert bool(handling.changes) == issubclass(registry().type(type_), CanUpdate), type_


def test_the_spread_of_the_suite_holds_every_fault_and_every_verb() -> None:
    picked = [pick for picks in SPREAD.values() for pick in picks]
    assert {fault for fault, _ in picked} == set(FAULTS)
    assert {verb for _, verb in picked} == set(VERBS)
