"""The table says of each goal whether it was reached, and never claims one that nobody could measure."""

from __future__ import annotations

import json
from pathlib import Path

from bench import results
from bench.page import page
from bench.table import Row, number, text


def _row(what: str = "wall", **facts: object) -> Row:
    given = {"section": "credlink", "what": what, "ours": 2.0, "unit": "s", **facts}
    return Row(**given)  # type: ignore[arg-type]


def test_a_ratio_is_held_against_the_goal_and_not_our_number_alone() -> None:
    row = _row(theirs=40.0, compared=True, most=0.1)
    assert (row.value, row.reached) == (0.05, True)
    assert _row(theirs=10.0, compared=True, most=0.1).reached is False


def test_a_number_without_a_rival_is_held_against_the_goal_itself() -> None:
    assert _row(most=2.0).reached is True
    assert _row(most=1.9, theirs=100.0).reached is False


def test_where_terraform_was_not_measured_no_goal_is_claimed_or_missed() -> None:
    row = _row(theirs=None, compared=True, most=0.1, note="terraform: not found")
    assert (row.value, row.reached) == (None, None)
    assert text([row]).splitlines()[-1].endswith("≤ 0.1  terraform: not found")


def test_a_rival_that_did_nothing_is_no_division_by_zero() -> None:
    assert _row(theirs=0.0, compared=True, most=0.1).reached is None


def test_a_missed_goal_is_marked_with_both_numbers_beside_it() -> None:
    line = text([_row(theirs=8.0, compared=True, most=0.1, note="parallelism 50")]).splitlines()[-1]
    assert line.split("  ")[0] == "credlink: wall"
    assert [cell.strip() for cell in line.split("  ") if cell.strip()][1:] == [
        "2 s", "8 s", "0.25", "≤ 0.1", "MISSED, parallelism 50",
    ]  # fmt: skip


def test_numbers_keep_what_can_be_told_of_them() -> None:
    assert [number(value) for value in (None, 0.04567, 1.0, 12.34, 8107.0)] == ["", "0.0457", "1", "12.3", "8107"]


def test_the_page_shows_a_work_in_one_line_and_what_was_missed_in_bold(tmp_path: Path) -> None:
    rows = [
        _row("from nothing", number="wall", ours=3.0, theirs=150.0, compared=True, most=0.1),
        _row("from nothing", number="calls", ours=90.0, theirs=100.0, unit="", compared=True, most=0.5),
        _row("from nothing", number="CPU", ours=1.0, theirs=None, compared=True, note="terraform: not found"),
        _row("no goal at all", number="wall", theirs=9.0, compared=True),
        _row("lag of the database", ours=0.4, theirs=22.0, most=0.3),
    ]
    facts = {"taken": "2026-03-02T10:00", "cpus": 2, "python": "3.11.7", "runs": 3}
    said = page(results.merged(results.load(tmp_path / "none"), "credlink", rows, [], facts), ("credlink",))
    assert "no goal at all" not in said
    assert (
        "| credlink: from nothing | 0.02 ≤ 0.1 (3 / 150 s) | 1 s, terraform: not found |  | **0.9 > 0.5** (90 / 100"
        in said
    )
    assert "| credlink: lag of the database | **0.4 s (Terraform: 22 s)** | ≤ 0.3 s |" in said
    assert said.endswith("credlink: 2026-03-02, 2 CPUs, Python 3.11.7, without Terraform, a full run.")


def test_a_section_that_is_taken_again_replaces_itself_and_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for name, ours in (("cold", 1.0), ("scale", 2.0), ("cold", 3.0)):
        rows = [_row(f"{name} wall", ours=ours)]
        results.save(results.merged(results.load(path), name, rows, [{"wall": ours}], {"taken": "now"}), path)
    found = results.rows_of(results.load(path), ("scale", "cold"))
    assert [(row.what, row.ours) for row in found] == [("scale wall", 2.0), ("cold wall", 3.0)]
    assert json.loads(path.read_text())["sections"]["cold"]["measured"] == [{"wall": 3.0}]


def test_results_of_an_older_kind_are_measured_anew(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    assert results.load(path) == {"sections": {}}
    path.write_text('{"machine": {}, "rows": []}')
    assert results.load(path) == {"sections": {}}
