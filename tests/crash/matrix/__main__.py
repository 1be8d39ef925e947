"""The whole matrix: ``scripts/fault-matrix``. Exit 1 if a cell came to anything else than the table says."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from provisioner.endpoints import ENDPOINTS
from tests.crash.matrix.bench import Bench, Cell, Verdict, cells_of
from tests.crash.matrix.rig import MatrixRig
from tests.crash.matrix.table import FAULTS, VERBS, Senseless, expected
from tests.crash.rig import made_steps

_TITLES = {"deploy": "deploy", "update": "update", "back": "undo (update)", "undo": "undo (create)"}


class Wish(NamedTuple):
    """Which cells to run; empty is all."""

    steps: tuple[str, ...]
    faults: tuple[str, ...]
    verbs: tuple[str, ...]
    every_call: bool
    cell: str

    def cells(self) -> Iterator[Cell]:
        for step, type_ in made_steps():
            for cell in cells_of(step, type_, every_call=self.every_call or bool(self.cell)):
                if self._wants(cell):
                    yield cell

    def _wants(self, cell: Cell) -> bool:
        chosen = (cell.step, self.steps), (cell.fault, self.faults), (cell.verb, self.verbs)
        return all(not only or value in only for value, only in chosen) and self.cell in ("", str(cell))


def run_step(step: str, cells: Sequence[Cell]) -> list[Verdict]:
    """A step's cells in a sandbox of their own."""
    with tempfile.TemporaryDirectory(prefix="fault-matrix-") as directory:
        rig = MatrixRig(Path(directory))
        os.environ[ENDPOINTS] = rig.info.endpoints
        try:
            return list(_verdicts(Bench(rig, step), cells))
        finally:
            rig.close()


def _verdicts(bench: Bench, cells: Sequence[Cell]) -> Iterator[Verdict]:
    wrong = _begun(bench)
    for cell in cells:
        if wrong:
            yield Verdict(cell, tuple(wrong))
            continue
        try:
            yield bench.run(cell)
        except Exception:
            yield Verdict(cell, (traceback.format_exc(),))
            wrong = _begun(bench)


def _begun(bench: Bench) -> list[str]:
    try:
        return bench.begin()
    except Exception:
        return [traceback.format_exc()]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/fault-matrix", description=__doc__)
    parser.add_argument("--step", default="", help="these steps alone, by commas")
    parser.add_argument("--fault", default="", help="these faults alone, by semicolons")
    parser.add_argument("--verb", default="", help=f"these verbs alone, by commas: {','.join(VERBS)}")
    parser.add_argument("--cell", default="", help="one cell: 'STEP / VERB / CALL / FAULT'")
    parser.add_argument("--every-call", action="store_true", help="also the further writes that a verb takes")
    parser.add_argument("--workers", type=int, default=2, help="sandboxes at once")
    parser.add_argument(
        "--results", type=Path, help="a line of JSON for each verdict; what came out right is not run again"
    )
    return parser.parse_args()


def _split(text: str, at: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(at) if part.strip())


def main() -> int:
    given = _arguments()
    wish = Wish(
        _split(given.step, ","), _split(given.fault, ";"), _split(given.verb, ","), given.every_call, given.cell
    )
    begun = time.monotonic()
    cells = list(wish.cells())
    if not cells:
        print("no such cell")
        return 2
    senseless = [cell for cell in cells if isinstance(expected(cell.fault, cell.verb, cell.type), Senseless)]
    verdicts = [verdict for verdict in _right(given.results) if verdict.cell in cells]
    known = {verdict.cell for verdict in verdicts}
    by_step: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell not in senseless and cell not in known:
            by_step.setdefault(cell.step, []).append(cell)
    with ProcessPoolExecutor(given.workers) as pool:
        for done in as_completed([pool.submit(run_step, step, cells) for step, cells in by_step.items()]):
            verdicts += done.result()
            _tell(done.result(), given.results)
    print(f"\n{_table(verdicts, senseless)}\n\n{time.monotonic() - begun:.0f} s with {given.workers} workers")
    return 1 if any(verdict.wrong for verdict in verdicts) else 0


def _right(results: Path | None) -> Iterator[Verdict]:
    """The verdicts of earlier runs that found nothing wrong."""
    lines = results.read_text(encoding="utf-8").splitlines() if results is not None and results.exists() else []
    for told in map(json.loads, lines):
        if not told.pop("wrong"):
            yield Verdict(Cell(**told), ())


def _tell(verdicts: Sequence[Verdict], results: Path | None) -> None:
    """A line a step, and what reproduces each cell that went wrong."""
    wrong = [verdict for verdict in verdicts if verdict.wrong]
    if verdicts:
        print(f"{verdicts[0].cell.step}: {len(verdicts)} cells, {len(wrong)} wrong", flush=True)
    told: set[tuple[str, ...]] = set()
    for verdict in wrong:
        if verdict.wrong in told:
            continue  # what the whole step needs went wrong
        told.add(verdict.wrong)
        print(f"  scripts/fault-matrix --cell '{verdict.cell}'")
        print("".join(f"    {line}\n" for line in verdict.wrong), end="", flush=True)
    if results is not None:
        with results.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps({**v.cell._asdict(), "wrong": v.wrong}) + "\n" for v in verdicts)


def _table(verdicts: Sequence[Verdict], senseless: Sequence[Cell]) -> str:
    """Rows are faults, columns verbs; a field is ``cells run / wrong / cells that cannot be``."""
    ran = Counter((v.cell.fault, v.cell.verb) for v in verdicts)
    wrong = Counter((v.cell.fault, v.cell.verb) for v in verdicts if v.wrong)
    none = Counter((cell.fault, cell.verb) for cell in senseless)
    lines = [f"{'cells / wrong / senseless':27}" + "".join(f"{_TITLES[verb]:>17}" for verb in VERBS)]
    for fault in FAULTS:
        fields = [f"{ran[fault, v]} / {wrong[fault, v]} / {none[fault, v]}" for v in VERBS]
        lines.append(f"{fault:27}" + "".join(f"{field:>17}" for field in fields))
    total = f"{len(verdicts)} cells, {sum(wrong.values())} wrong; {len(senseless)} cannot be"
    reasons = Counter(_reason(cell) for cell in senseless)
    return "\n".join([*lines, "", total, *(f"  {number}: {why}" for why, number in reasons.most_common())])


def _reason(cell: Cell) -> str:
    plan = expected(cell.fault, cell.verb, cell.type)
    assert isinstance(plan, Senseless)
    return plan.reason


if __name__ == "__main__":
    sys.exit(main())
