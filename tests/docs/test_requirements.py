"""The table of requirements names files and tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.rules.bend import every_case

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
CASES = {case["rule"] for case in every_case()}
ROWS = [line.split("|") for line in TABLE.splitlines() if re.match(r"\| [A-Z]+-\d+ \|", line)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1].strip())
def test_a_requirement_points_to_code_and_to_a_test(row: list[str]) -> None:
    built, shown = row[3].strip(), row[4].strip()
    if built == "not built":
        assert shown == "–"
        return
    for place in re.findall(r"`([^`]+)`", built):
        assert (ROOT / place).is_file(), place
    tests = re.findall(r"`([^`:]+)::(\w+)`", shown)
    assert tests
    for file, function in tests:
        assert re.search(rf"^def {function}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), function
    assert CASES.issuperset(re.findall(r"case ([\w.-]+)", shown))


def test_no_requirement_stands_there_twice() -> None:
    ids = [row[1].strip() for row in ROWS]
    assert sorted(set(ids)) == sorted(ids)
