"""Cold start: what a command costs that calls no cloud, or only looks at a few objects that are as they should be."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from bench import light
from bench.hall import Hall
from bench.process import Done, Failed, run
from bench.sides import CREDLINK, NEW, PLAN, ROOT, clean
from bench.table import Row

_PROGRAM = ("-m", "provisioner")
_FORTY = 40
_FEW = 4
_TIMES = 9
_QUICK_TIMES = 3


class _Pair(NamedTuple):
    """A command of ours, and the one of Terraform that does the same; most: ours over theirs, CPU."""

    what: str
    ours: Callable[[], Done]
    theirs: Callable[[], Done] | None
    most: float | None = None


def rows(hall: Hall) -> Iterator[Row]:
    """CPU of each, and wall and memory where there is somebody to compare with."""
    plan = hall.scratch / "forty.yaml"
    plan.write_text(_forty(), encoding="utf-8")
    for name, most, words in (
        ("python -c pass, for comparison", None, ["-c", "pass"]),
        ("--help", 80, [*_PROGRAM, "--help"]),
        (f"validate of {_FORTY} steps", 150, [*_PROGRAM, "validate", str(plan)]),
    ):
        took = min(_python(*words).cpu for _ in range(_TIMES + 1)) * 1000
        yield Row(section="cold", what=f"{name}: CPU", ours=round(took, 1), unit="ms", most=most)
    for pair in _pairs(hall):
        yield from _compared(hall, pair)


def _python(*words: str) -> Done:
    return run([sys.executable, *words], env=clean(), cwd=ROOT)


def _ours(*words: str) -> Done:
    return _python(*_PROGRAM, *words)


def _pairs(hall: Hall) -> Iterator[_Pair]:
    terraform, place, scratch = hall.terraform, hall.stack("credlink"), hall.scratch
    version = (lambda: terraform.run(scratch, "version")) if terraform is not None else None
    yield _Pair("version", lambda: _ours("--version"), version, 0.5)
    validate = (lambda: terraform.run(place, "validate")) if terraform is not None and place is not None else None
    yield _Pair("validate credlink", lambda: _ours("validate", str(CREDLINK), "-e", "production"), validate)
    yield _planned(hall)


def _planned(hall: Hall) -> _Pair:
    """A few objects are deployed on both sides, unmeasured; then each plans."""
    hall.rehearsal.take()
    ours = hall.ours(light.write(hall.scratch, _FEW), "-e", light.ENVIRONMENT)
    ours.do(NEW)
    rival = next(iter(hall.theirs("light", {"size": str(_FEW), "name": "beside-ours"}, all_of=False)), None)
    if rival is not None:
        try:
            rival.do(NEW)
        except Failed as err:
            hall.refuse(err)
            rival = None
    theirs = partial(rival.do, PLAN) if rival is not None else None
    return _Pair(f"plan of {_FEW} resources, nothing to do", lambda: ours.do(PLAN), theirs)


def _compared(hall: Hall, pair: _Pair) -> Iterator[Row]:
    pair.ours()  # what is cached when first used, is cached now
    ours, theirs = [], []
    for _ in range(_QUICK_TIMES if hall.quick else _TIMES):
        ours.append(pair.ours())
        if pair.theirs is not None:
            theirs.append(pair.theirs())
    for number, unit, of, most in (
        ("CPU", "ms", _cpu, pair.most),
        ("wall", "ms", _wall, None),
        ("memory", "MB", _memory, None),
    ):
        yield Row(
            section="cold",
            what=pair.what,
            number=number,
            ours=statistics.median(of(done) for done in ours),
            theirs=statistics.median(of(done) for done in theirs) if theirs else None,
            unit=unit,
            compared=True,
            most=most,
            note="" if theirs else hall.why,
        )


def _cpu(done: Done) -> float:
    return done.cpu * 1000


def _wall(done: Done) -> float:
    return done.wall * 1000


def _memory(done: Done) -> float:
    return done.memory


def _forty() -> str:
    """Secrets, databases and the groups that they need: the types with the most rules."""
    head = ["deployment: forty", "provider: aws", "region: us-east-1", "steps:"]
    return "\n".join([*head, *(line for number in range(_FORTY // 4) for line in _four(number))]) + "\n"


def _four(number: int) -> list[str]:
    return [
        f"  - {{name: secret-{number}, type: aws.secret, with: {{generate: {{length: 32}}}}}}",
        f"  - {{name: topic-{number}, type: aws.sns_topic, with: {{display_name: alerts {number}}}}}",
        f"  - {{name: logs-{number}, type: aws.log_group, with: {{name: /forty/{number}, retention_days: 30}}}}",
        f"  - name: db-{number}",
        "    type: aws.rds_instance",
        "    with:",
        '      engine_version: "15"',
        "      instance_class: db.t3.micro",
        "      allocated_storage: 20",
        "      username: forty_admin",
        f"      password: ${{secret-{number}.value}}",
    ]
