"""``scripts/bench [SECTION …] [--check]``: runs the named sections, or all; with --check a missed goal fails."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.table import Row, document, text

RESULTS = Path(__file__).with_name("results.json")
SECTIONS = ("command", "toy", "sandbox")


def main(words: Sequence[str]) -> int:
    """The exit code: 0, 1 with --check where a goal was missed, 2 for an unknown section."""
    named = [word for word in words if not word.startswith("--")]
    if unknown := [name for name in named if name not in SECTIONS]:
        sys.stderr.write(f"there is no section {unknown[0]!r}; sections: {', '.join(SECTIONS)}\n")
        return 2
    rows: list[Row] = []
    for name in named or SECTIONS:
        sys.stderr.write(f"measuring {name} …\n")
        rows += importlib.import_module(f"bench.{name}").rows()
    sys.stdout.write(f"{text(rows)}\n")
    RESULTS.write_text(json.dumps(document(rows), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return int("--check" in words and not all(row.reached for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
