"""One child's share of the long form: so many files or stories, and what came of them, as one JSON object on stdout.

A child of its own, so that memory is measured without what went before, and cannot be had without end.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.corpus import images
from tests.fuzz.files import Case, TooMuchWorkError, random_case, read
from tests.fuzz.reduce import failure, literal, reduced
from tests.fuzz.story import Story, stories
from tests.fuzz.teller import tell

_T = TypeVar("_T")

MEMORY = 200
"""Megabytes that reading any file may take, the interpreter included."""

_GUARD = 400 * 2**20
_TOLD = 3
"""So many kinds of violations are made small and told; the others are counted."""


class Share(NamedTuple):
    """Examples from number ``first`` up to ``last``. ``counted``: function calls are bounded, too, which is slow."""

    part: str
    seed: int
    first: int
    last: int
    counted: bool = False


class Findings:
    """What came of a share so far."""

    def __init__(self) -> None:
        self.examples = 0
        self.outcomes: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.first: dict[str, Any] = {}

    def violation(self, kind: str, case: object, message: str) -> None:
        self.kinds[kind] += 1
        self.first.setdefault(kind, (case, message))

    def try_out(self, work: Callable[[_T], None], case: _T) -> None:
        self.examples += 1
        found = failure(work, case)
        if found is not None:
            self.violation(found[0], case, str(found[1]))

    def told(self, work: Callable[[Any], None]) -> list[dict[str, str]]:
        """The kinds with a case each, the first few of them made small."""
        lines = []
        for number, (kind, (case, message)) in enumerate(self.first.items()):
            small = reduced(work, case) if number < _TOLD and failure(work, case) else case
            again = failure(work, small)
            lines.append({"kind": kind, "message": str(again[1])[:2000] if again else message, "case": literal(small)})
        return lines


def megabytes() -> int:
    """The most memory that this process ever had.

    Linux counts in ``ru_maxrss`` what the parent had at the fork, so its own high-water mark is asked for where it is.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)


def files(share: Share, found: Findings) -> list[dict[str, str]]:
    """Reads the files of the share."""
    resource.setrlimit(resource.RLIMIT_DATA, (_GUARD, _GUARD))

    def work(case: Case) -> None:
        try:
            found.outcomes[_outcome(case, read(case, counted=share.counted))] += 1
        except (TooMuchWorkError, MemoryError) as error:
            raise AssertionError(f"{type(error).__name__}: {error}") from error

    for number in range(share.first, share.last):
        case = random_case(share.seed, number)
        found.try_out(work, case)
        if megabytes() > MEMORY and "memory" not in found.first:
            found.violation("memory", case, f"{megabytes()} MB")
    return found.told(work)


def _outcome(case: Case, said: str) -> str:
    known = images()[case.corpus]
    part = next((name for name in ("state", "plan") if any(file.startswith(name) for file in known)), "sandbox")
    if "recovered" in said:
        return f"{part} recovered"
    return f"{part} {'good' if said.startswith('good') else 'refused'}"


def engine(share: Share, found: Findings) -> list[dict[str, str]]:
    """Tells the stories of the share."""

    @seed(share.seed * 1_000_003 + share.first)
    @settings(
        max_examples=share.last - share.first,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(stories)
    def each(story: Story) -> None:
        found.try_out(tell, story)

    each()
    return found.told(tell)


def carry_out(share: Share) -> dict[str, Any]:
    """What the share came to."""
    found = Findings()
    begun = time.process_time()
    violations = {"files": files, "engine": engine}[share.part](share, found)
    return {
        "examples": found.examples,
        "outcomes": dict(found.outcomes),
        "violations": sum(found.kinds.values()),
        "kinds": dict(found.kinds),
        "cases": violations,
        "megabytes": megabytes(),
        "seconds": round(time.process_time() - begun, 1),
    }


if __name__ == "__main__":
    print(json.dumps(carry_out(Share(**json.loads(sys.argv[1])))))
