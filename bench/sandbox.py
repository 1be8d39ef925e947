"""Credlink in the sandbox: how much longer a deploy takes than what it waits for, and what a second one calls."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from bench.table import Row

ROOT = Path(__file__).resolve().parents[1]
PLAN = ROOT / "plans" / "aws-credlink.yaml"
TIMES = {"rds": 12.0, "elasticache": 8.0, "rds:modify": 8.0}
NONE = dict.fromkeys(TIMES, 0.0)
CRITICAL = TIMES["rds"]
"""The longest chain of provisioning times: database and cache are made side by side."""


class _Rehearsal:
    """One sandbox and one home, thrown away afterwards."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="provisioner-bench-"))
        self._environment = {**os.environ, "PROVISIONER_HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        self.take(NONE)
        found = json.loads((self.home / "sandbox" / "sandbox.json").read_text(encoding="utf-8"))
        self._admin = str(found["admin_url"])

    def run(self, *words: str) -> Any:
        command = [sys.executable, "-m", "provisioner", *words]
        found = subprocess.run(command, check=False, env=self._environment, capture_output=True, text=True, cwd=ROOT)
        if found.returncode:
            raise SystemExit(f"{' '.join(words)} ended with {found.returncode}:\n{found.stdout}{found.stderr}")
        return json.loads(found.stdout) if "--json" in words else found.stdout

    def take(self, times: dict[str, float]) -> None:
        """Starts the sandbox, or tells the one that runs, how long things take."""
        words = [word for work, seconds in times.items() for word in ("--provision-time", f"{work}={seconds}s")]
        self.run("sandbox", "start", "--json", *words)

    def destroy(self) -> None:
        self.run("destroy", str(PLAN), "-e", "production", "--sandbox", "--yes", "--allow-data-loss")

    def deploy(self) -> float:
        """Seconds from the first call to the last, as the run itself says."""
        outcome = self.run("deploy", str(PLAN), "-e", "production", "--sandbox", "--yes", "--json")
        return float(outcome["seconds"])

    def requests(self) -> dict[str, Any]:
        with urlopen(f"{self._admin}/_sandbox/requests", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def forget(self) -> None:
        with urlopen(Request(f"{self._admin}/_sandbox/requests", method="DELETE"), timeout=10):
            pass

    def close(self) -> None:
        self.run("sandbox", "stop")
        shutil.rmtree(self.home, ignore_errors=True)


def rows() -> Iterator[Row]:
    rehearsal = _Rehearsal()
    try:
        rehearsal.deploy()  # what is loaded when first used, on both sides, is loaded now
        rehearsal.destroy()
        own = rehearsal.deploy()
        rehearsal.destroy()
        rehearsal.take(TIMES)
        rehearsal.forget()
        took = rehearsal.deploy()
        first = rehearsal.requests()["total"]
        rehearsal.forget()
        again = rehearsal.deploy()
        calls = rehearsal.requests()
    finally:
        rehearsal.close()
    yield Row(
        section="credlink", what="deploy with nothing to wait for: the calls' own time", value=round(own, 2), unit="s"
    )
    yield Row(
        section="credlink", what=f"deploy with database {CRITICAL:g} s, cache 8 s", value=round(took, 2), unit="s"
    )
    yield Row(
        section="credlink", what="deploy over its critical path", value=round(took / CRITICAL, 3), unit="×", most=1.02
    )
    both = round(took / (CRITICAL + own), 3)
    yield Row(
        section="credlink", what="the same, with the calls' own time in the path", value=both, unit="×", most=1.02
    )
    yield Row(section="credlink", what="calls of the first deploy", value=first, unit="calls")
    yield Row(section="credlink", what="deploy again", value=round(again, 2), unit="s")
    yield Row(section="credlink", what="deploy again, calls that write", value=calls["writes"], unit="calls", most=0)
    yield Row(section="credlink", what="deploy again, calls", value=calls["total"], unit="calls")
