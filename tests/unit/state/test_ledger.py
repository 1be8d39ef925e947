"""The state after any sequence of commits, folds and reopenings is what a naive reading of them gives."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.state import snapshot
from provisioner.state.ledger import LISTED_RUNS, WHOLE_RUNS
from provisioner.state.records import DropRecord, Entry, PutChange, PutRecord, PutRun, RunResult, State, Status
from provisioner.state.store import Store, peek
from tests.unit.state.toys import NAME, WHO, opened, put, put_change, put_run

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
STEPS = st.sampled_from("abcd")
ENTRIES: st.SearchStrategy[Entry] = st.one_of(
    st.builds(lambda step, status, value: put(step, status, value=value), STEPS, st.sampled_from(Status), JSON),
    STEPS.map(lambda step: DropRecord(step=step)),
    st.builds(lambda number, result: put_run(number, result=result), st.integers(1, 3), st.sampled_from(RunResult)),
    st.builds(lambda step, undone: put_change(1, step, undone=undone), STEPS, st.booleans()),
)


class Naive:
    """Steps, and changes of run 1 in order, by the most obvious code."""

    def __init__(self) -> None:
        self.steps: dict[str, Any] = {}
        self.changes: list[tuple[str, bool]] = []
        self.results: dict[int, RunResult] = {1: RunResult.RUNNING}

    def take(self, entry: Entry) -> None:
        match entry:
            case PutRecord(record=record):
                self.steps[record.step] = (record.status, record.spec)
            case DropRecord(step=step):
                self.steps.pop(step, None)
            case PutRun(run=run):
                self.results[run.id] = run.result
            case PutChange(change=change):
                known = [step for step, _ in self.changes]
                if change.step in known:
                    self.changes[known.index(change.step)] = (change.step, change.undone)
                else:
                    self.changes.append((change.step, change.undone))

    def agrees(self, state: State) -> bool:
        return (
            list(self.steps.items()) == [(name, (one.status, one.spec)) for name, one in state.steps.items()]
            and self.changes == [(change.step, change.undone) for change in state.runs[0].changes]
            and list(self.results.items()) == [(run.id, run.result) for run in state.runs]
        )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.lists(ENTRIES, min_size=1, max_size=4), st.sampled_from(["fold", "reopen"])), max_size=8))
def test_any_sequence_of_commits_folds_and_reopenings_gives_the_obvious_state(moves: list[Any]) -> None:
    naive = Naive()
    with tempfile.TemporaryDirectory() as place:
        store = Store.open(Path(place), NAME, who=WHO)
        store.commit([put_run(1)])
        for move in moves:
            if move == "fold":
                store.fold()
            elif move == "reopen":
                store.close()
                store = Store.open(Path(place), NAME, who=WHO)
            else:
                store.commit(move)
                for entry in move:
                    naive.take(entry)
            assert naive.agrees(store.state)
            assert peek(Path(place), NAME) == store.state
        store.close()
        assert peek(Path(place), NAME) == store.state


@given(JSON)
def test_any_value_survives_the_snapshot_and_its_checksum(value: Any) -> None:
    state = State(deployment=NAME, lineage="l", salt="s", steps={"a": put("a", value=value).record})
    assert snapshot.decode(snapshot.encode(state), "state.json", {}).state == state


def test_the_last_twenty_runs_keep_their_changes_and_open_ones_keep_them_for_ever(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([put_run(1, result=RunResult.FAILED), put_change(1, "a")])
        for number in range(2, 31):
            store.commit([put_run(number), put_change(number, "a")])
            store.commit([put_run(number, result=RunResult.SUCCEEDED)])
        whole = [run.id for run in store.state.runs if run.changes]
        assert whole == [1, *range(31 - WHOLE_RUNS, 31)]
        store.commit([put_run(1, result=RunResult.ROLLED_BACK)])
        assert not store.state.runs[0].changes
        assert peek(tmp_path, NAME) == store.state


def test_a_state_does_not_grow_with_the_number_of_runs_for_ever(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([put_run(number, result=RunResult.SUCCEEDED) for number in range(LISTED_RUNS + 7)])
        assert len(store.state.runs) == LISTED_RUNS
        assert store.state.runs[-1].id == LISTED_RUNS + 6
        assert peek(tmp_path, NAME) == store.state
