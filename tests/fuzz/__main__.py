"""The long form: ``python -m tests.fuzz [--examples N] [--engine N] [--seed S]``; see ``scripts/fuzz``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.fuzz.worker import MEMORY, Share

ROOT = Path(__file__).resolve().parents[2]
SHARES = {"files": 10_000, "engine": 500}
"""Examples a child."""

IMPORTS = {
    "files": "from tests.fuzz.files import Case, Edit, read; from tests.fuzz.mutations import Change",
    "engine": "from tests.fuzz.story import Command, Story, Trouble, Weather, Wish; from tests.fuzz.teller import tell",
}
"""What a pasted case needs."""


def main() -> int:
    """0 where nothing was violated, else 1."""
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz", description="Looks for files and stories that break promises."
    )
    parser.add_argument("--examples", type=int, default=100_000, help="mutated files to read (default 100,000)")
    parser.add_argument("--engine", type=int, default=5_000, help="stories to tell (default 5,000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other files and stories (default 0)")
    wanted = parser.parse_args()
    violations = sum(_part(part, number, wanted.seed) for part, number in _parts(wanted))
    print(f"{violations} violations")
    return 1 if violations else 0


def _parts(wanted: argparse.Namespace) -> list[tuple[str, int]]:
    return [("files", wanted.examples), ("engine", wanted.engine)]


def _part(part: str, number: int, seed: int) -> int:
    """Prints how the examples of one part went; the number of violations."""
    begun = time.monotonic()
    outcomes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    examples, most, seconds = 0, 0, 0.0
    for first in range(0, number, SHARES[part]):
        said = _child(Share(part, seed, first, min(first + SHARES[part], number)))
        examples += said["examples"]
        most, seconds = max(most, said["megabytes"]), seconds + said["seconds"]
        outcomes.update(said["outcomes"])
        for found in said["cases"]:
            if found["kind"] not in kinds:
                print(f"\n{found['kind']}: {found['message']}\n    # {IMPORTS[part]}")
                print(f"    {'tell' if part == 'engine' else 'read'}({found['case']})\n", flush=True)
        kinds.update(said["kinds"])
    told = ", ".join(f"{name} {count:,}" for name, count in sorted(outcomes.items()))
    print(f"{part}: {examples:,} examples, {sum(kinds.values())} violations, at most {most} MB, ", end="")
    print(
        f"{seconds:.0f} s of one processor ({time.monotonic() - begun:.0f} s){f': {told}' if told else ''}", flush=True
    )
    return sum(kinds.values())


def _child(share: Share) -> dict[str, Any]:
    """What a child says; one that died is a violation by itself."""
    command = [sys.executable, "-m", "tests.fuzz.worker", json.dumps(share._asdict())]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode == 0:
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return said
    kind = f"the child ended with code {done.returncode}"
    case = {"kind": kind, "message": f"somewhere in {share}; at most {MEMORY} MB are allowed", "case": "…"}
    return {"examples": 0, "outcomes": {}, "kinds": {kind: 1}, "cases": [case], "megabytes": 0, "seconds": 0.0}


if __name__ == "__main__":
    sys.exit(main())
