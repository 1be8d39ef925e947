"""``scripts/bench [SECTION …] [--quick] [--check] [--table]``: the named sections, or all, in one table."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from bench import results
from bench.hall import Hall
from bench.page import page
from bench.process import Failed
from bench.table import Row, text

SECTIONS: Final = {
    "cold": "bench.cold:rows",
    "toy": "bench.toy:rows",
    "throttle": "bench.scale:throttled",
    "waiting": "bench.credlink:waiting",
    "credlink": "bench.credlink:rows",
    "scale": "bench.scale:rows",
}
"""In the order in which they are run: what takes long comes last."""


def main(words: Sequence[str]) -> int:
    """The exit code: 0, 1 where a section failed or, with --check, a goal was missed, 2 for an unknown section."""
    said = _parser().parse_args(words)
    if unknown := [name for name in said.sections if name not in SECTIONS]:
        sys.stderr.write(f"there is no section {unknown[0]!r}; sections: {', '.join(SECTIONS)}\n")
        return 2
    document = results.load()
    if said.table:
        sys.stdout.write(f"{page(document, tuple(SECTIONS))}\n")
        return 0
    for number in (signal.SIGTERM, signal.SIGINT):  # the sandbox and what is measured are ended first
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    rows: list[Row] = []
    broken = False
    for name in said.sections or SECTIONS:
        sys.stderr.write(f"measuring {name} …\n")
        try:
            found, measured, facts = _taken(name, quick=said.quick)
        except Failed as err:
            sys.stderr.write(f"{name}: {err}\n")
            broken = True
            continue
        rows += found
        document = results.merged(results.load(), name, found, measured, facts)
        results.save(document)  # at once: whoever stops a long run keeps what is done
    sys.stdout.write(f"{text(rows)}\n")
    return int(broken or (said.check and any(row.reached is False for row in rows)))


def _taken(name: str, *, quick: bool) -> tuple[list[Row], list[dict[str, object]], dict[str, object]]:
    """A section's rows, its single measurements, and when and with what it was taken."""
    begun = datetime.now(UTC)
    module, _, function = SECTIONS[name].partition(":")
    measure: Callable[[Hall], Iterator[Row]] = getattr(importlib.import_module(module), function)
    with Hall(quick=quick) as hall:
        rows = [msgspec.structs.replace(row, taken=begun.date().isoformat()) for row in measure(hall)]
        facts: dict[str, object] = {**results.machine(), "taken": begun.isoformat(timespec="seconds")}
        facts |= {"minutes": round((datetime.now(UTC) - begun).total_seconds() / 60, 1), "runs": hall.runs}
        if hall.terraform is not None and hall.terraform.provider:
            facts |= {"terraform": hall.terraform.version, "provider": hall.terraform.provider}
    return rows, hall.measured, facts


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures speed and memory against the goals.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; left out: all")
    parser.add_argument("--quick", action="store_true", help="each once, and of Terraform less: minutes, not hours")
    parser.add_argument("--check", action="store_true", help="a missed goal is exit code 1")
    parser.add_argument("--table", action="store_true", help="measure nothing: what results.json has, in Markdown")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
