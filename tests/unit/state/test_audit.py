"""The audit file: who did what and when, and whether anybody tampered with it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from provisioner.cli.text.audit import read_audit
from provisioner.state.audit import GENESIS, NAME, verify_audit
from tests.unit.state.toys import opened


def lines(directory: Path) -> list[dict[str, object]]:
    return [msgspec.json.decode(line) for line in (directory / NAME).read_bytes().splitlines()]


def test_a_line_that_is_nested_without_end_is_a_broken_chain_and_shown_as_damaged(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.audit("run.started", run=1, kind="deploy")
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes() + b"[" * 100_000 + b"\n")
    assert verify_audit(path.read_bytes()) == 2
    assert read_audit(path.read_bytes())[1].keys() == {"damaged"}
    with opened(tmp_path) as store:
        store.audit("run.started", run=2, kind="deploy")
    assert verify_audit(path.read_bytes()) == 2


def test_each_line_says_when_who_and_what_and_is_chained_to_the_one_before(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.audit("run.started", run=1, kind="deploy")
        store.audit("call", step="db", operation="CreateDBInstance")
    first, second = lines(tmp_path)
    assert first["seq"] == 1
    assert first["at"] == "1970-01-01T00:16:40.000+00:00"
    assert str(first["by"]).startswith("ada@")
    assert (first["event"], first["run"], first["prev"]) == ("run.started", 1, GENESIS)
    assert second["seq"] == 2
    assert verify_audit((tmp_path / NAME).read_bytes()) is None


def test_the_chain_goes_on_over_runs_and_long_lines(tmp_path: Path) -> None:
    for run in range(3):
        with opened(tmp_path) as store:
            store.audit("run.started", run=run, note="x" * 100_000)
            store.audit("run.finished", run=run)
    assert [line["seq"] for line in lines(tmp_path)] == [1, 2, 3, 4, 5, 6]
    assert verify_audit((tmp_path / NAME).read_bytes()) is None


def test_a_line_that_a_crash_cut_short_is_dropped_and_the_chain_stays_whole(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.audit("one")
        store.audit("two")
    path = tmp_path / NAME
    whole = path.read_bytes()
    for end in range(whole.index(b"\n") + 1, len(whole)):
        path.write_bytes(whole[:end])
        assert verify_audit(path.read_bytes()) is None
        with opened(tmp_path) as store:
            store.audit("three")
        assert verify_audit(path.read_bytes()) is None
        assert [line["event"] for line in lines(tmp_path)] == ["one", "three"]


def test_a_changed_removed_inserted_or_moved_line_is_found(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for event in ("one", "two", "three", "four"):
            store.audit(event)
    path = tmp_path / NAME
    one, two, three, four = path.read_bytes().splitlines(keepends=True)
    for content, broken in [
        ([one, two.replace(b"two", b"TWO"), three, four], 3),
        ([one, three, four], 2),
        ([two, three, four], 1),
        ([one, one, two, three, four], 2),
        ([one, three, two, four], 2),
        ([one, b"nonsense\n", two], 2),
    ]:
        path.write_bytes(b"".join(content))
        assert verify_audit(path.read_bytes()) == broken


def test_no_lines_are_no_breach() -> None:
    assert verify_audit(b"") is None


def test_a_fact_cannot_pose_as_a_field_of_the_line(tmp_path: Path) -> None:
    with opened(tmp_path) as store, pytest.raises(TypeError, match="prev, seq"):
        store.audit("call", seq=1, prev="x")
