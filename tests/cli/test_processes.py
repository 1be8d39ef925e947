"""Real processes: signals, pipes, and how little is imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import PLAN
from tests.cli.shell import ROOT, environment, read_until, start

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def plan(tmp_path: Path) -> str:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return str(path)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[bytes]] = []

    def made(*words: str, **more: str) -> subprocess.Popen[bytes]:
        running.append(start(tmp_path / "home", *words, **more))
        return running[-1]

    yield made
    for process in running:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_in_good_order(started: Start, plan: str, number: signal.Signals) -> None:
    process = started("deploy", plan, "--yes", "--json", TOY_SLOW="db=60")
    read_until(process, b"db     toy.database  creating")
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert json.loads(out)["result"] == "interrupted"


def test_a_second_signal_leaves_at_once(started: Start, plan: str, tmp_path: Path) -> None:
    process = started("deploy", plan, "--yes", TOY_SLOW="db=60")
    read_until(process, b"db     toy.database  creating")
    process.send_signal(signal.SIGSTOP)  # so that both are there before it can end by the first
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"leaving at once" in err
    status = started("status", plan, "--json")
    out, _ = status.communicate(timeout=20)
    assert json.loads(out)["standing"] == "interrupted"


def test_a_record_that_cannot_be_written_stops_the_run_and_is_shown(started: Start, plan: str) -> None:
    process = started("deploy", plan, "--yes", "--json", TOY_DISK="1500")
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert json.loads(out)["error"]["code"] == "state.write"
    assert b"did not reach the disk" in err
    records = [json.loads(line) for line in err.decode().splitlines() if line.startswith("{")]
    assert records


def test_a_reader_that_goes_away_does_not_stop_the_run(started: Start, plan: str) -> None:
    process = started("deploy", plan, "--yes", "--events", "-", TOY_SLOW="net=1")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "run.started"
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert b"Broken" not in err
    assert b"Traceback" not in err


def test_a_result_that_nobody_reads_is_no_error(plan: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = [sys.executable, "-m", "tests.cli.toyapp", "explain"]
    made = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, env=environment(tmp_path))
    os.close(writing)
    assert (made.returncode, made.stderr) == (0, b"")


def test_help_imports_nothing_but_click() -> None:
    program = (
        "import sys; from provisioner.cli.main import root; root.main(['--help'], standalone_mode=False);"
        "heavy = {'rich', 'yaml', 'msgspec', 'boto3', 'botocore', 'moto', 'json', 'provisioner.plan.model'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=ROOT)
    assert made.returncode == 0, made.stderr


def test_validate_imports_no_sdk_and_no_rich(plan: str) -> None:
    program = (
        "import sys; from provisioner.cli.main import root; root.main(sys.argv[1:], standalone_mode=False);"
        "heavy = {'rich', 'boto3', 'botocore', 'moto', 'psycopg', 'redis', 'asyncio'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    words = [sys.executable, "-c", program, "validate", str(ROOT / "plans" / "aws-credlink.yaml"), "-e", "production"]
    made = subprocess.run(words, capture_output=True, cwd=ROOT)
    assert made.returncode == 0, made.stderr


def test_python_m_provisioner_is_provisioner() -> None:
    made = subprocess.run([sys.executable, "-m", "provisioner", "version"], capture_output=True, cwd=ROOT, text=True)
    assert made.returncode == 0
    assert made.stdout.startswith("provisioner ")
