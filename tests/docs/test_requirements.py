"""The table of requirements names files and tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
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
