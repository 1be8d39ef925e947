"""One sandbox for the tests of plans, driven by the command line alone, as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PLANS = Path(__file__).resolve().parents[2] / "plans"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def provisioner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs ``provisioner`` with a home of its own; the sandbox that it starts is stopped in the end."""
    home = tmp_path_factory.mktemp("home")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PROVISIONER_"))}
    environment = {**inherited, "PROVISIONER_HOME": str(home), "NO_COLOR": "1", "PYTHONPATH": str(PLANS.parent)}

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "provisioner", *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=home, check=False, timeout=180
        )
        assert not check or done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    yield run
    run("sandbox", "stop", check=False)


@pytest.fixture(scope="session")
def client(provisioner: Run) -> Callable[[str], Any]:
    """boto3 clients of the sandbox, made from what ``sandbox start`` prints and nothing of provisioner's own."""
    import boto3

    started = json.loads(provisioner("sandbox", "start", "--json").stdout)
    endpoint = json.loads(Path(started["endpoints"]).read_text())["aws"]
    session: Any = boto3.session.Session("test", "test", region_name="us-east-1")
    return lambda service: session.client(service, endpoint_url=endpoint["url"])
