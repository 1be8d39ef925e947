"""CPU time of the command line where nothing is called: start-up and reading a plan."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.table import Row

RUNS = 9
PROGRAM = ["-m", "provisioner"]
STEPS = 40


def rows() -> Iterator[Row]:
    yield Row(section="command", what="python -c pass, CPU, for comparison", value=_cpu(["-c", "pass"]), unit="ms")
    yield Row(section="command", what="provisioner --help, CPU", value=_cpu([*PROGRAM, "--help"]), unit="ms", most=80)
    with tempfile.TemporaryDirectory() as directory:
        plan = Path(directory) / "forty.yaml"
        plan.write_text(_plan(), encoding="utf-8")
        took = _cpu([*PROGRAM, "validate", str(plan)])
    yield Row(section="command", what=f"validate of {STEPS} steps, CPU", value=took, unit="ms", most=150)


def _plan() -> str:
    """Secrets, databases and the groups that they need: the types with the most rules."""
    head = ["deployment: forty", "provider: aws", "region: us-east-1", "steps:"]
    return "\n".join([*head, *(line for number in range(STEPS // 4) for line in _four(number))]) + "\n"


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


def _cpu(words: list[str]) -> float:
    """Milliseconds of user and system time of one command; the best of a few, after one that warms the caches."""
    took = [_once(words) for _ in range(RUNS + 1)]
    return round(min(took[1:]) * 1000, 1)


def _once(words: list[str]) -> float:
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    complaint = process.stderr.read().decode()
    process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}: {complaint}")
    return usage.ru_utime + usage.ru_stime
