"""The sandbox's process: one a directory, found again, stopped without a trace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from provisioner.errors import SandboxError, UsageError
from provisioner.sandbox import supervisor
from provisioner.sandbox.settings import SandboxInfo, SandboxOptions, process_start


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A directory whose sandbox, if any, is stopped in the end."""
    yield tmp_path / "sandbox"
    supervisor.stop(tmp_path / "sandbox")


def _processes_of(directory: Path) -> list[str]:
    """Command lines of processes that have to do with a directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(directory) in line:
            found.append(line)
    return found


def test_a_sandbox_is_started_found_used_reset_and_stopped(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = SandboxOptions.parse(["rds=0.1s"])
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda _: supervisor.start(directory, options), range(2))
    assert one == two == supervisor.running(directory) == supervisor.start(directory, SandboxOptions())
    assert directory.stat().st_mode & 0o777 == 0o700
    endpoints = json.loads(Path(one.endpoints).read_text(encoding="utf-8"))
    assert endpoints["aws"]["url"] == one.aws_url
    assert Path(endpoints["aws"]["ca"]).read_text(encoding="ascii").startswith("-----BEGIN CERTIFICATE-----")

    for name, value in supervisor.environment(one).items():
        monkeypatch.setenv(name, value)
    rds = boto3.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="db", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
        MasterUsername="app", MasterUserPassword="correct-horse-battery",
    )  # fmt: skip
    waiter = rds.get_waiter("db_instance_available")
    waiter.wait(DBInstanceIdentifier="db", WaiterConfig={"Delay": 0, "MaxAttempts": 3000})
    inventory = supervisor.admin(directory, "GET", "/_sandbox/inventory")
    assert [item["name"] for item in inventory["objects"]] == ["db"]
    assert supervisor.admin(directory, "GET", "/_sandbox/options")["provision_time"]["rds"] == 0.1

    supervisor.reset(directory)
    assert supervisor.admin(directory, "GET", "/_sandbox/inventory") == {"objects": []}
    assert rds.describe_db_instances()["DBInstances"] == []
    with pytest.raises(SandboxError, match="is no kind of fault"):
        supervisor.admin(directory, "POST", "/_sandbox/faults", {"kind": "party"})

    assert supervisor.stop(directory) is True
    assert supervisor.running(directory) is None
    assert supervisor.stop(directory) is False
    assert _processes_of(directory) == []
    with pytest.raises(SandboxError, match="no sandbox runs"):
        supervisor.admin(directory, "GET", "/_sandbox/inventory")


def test_a_sandbox_that_was_killed_is_noticed_and_started_anew(directory: Path) -> None:
    first = supervisor.start(directory, SandboxOptions())
    os.kill(first.pid, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    assert supervisor.running(directory) is None
    second = supervisor.start(directory, SandboxOptions())
    assert second.pid != first.pid
    os.kill(second.pid, signal.SIGTERM)
    os.waitpid(second.pid, 0)
    assert not (directory / "sandbox.json").exists()
    assert _processes_of(directory) == []


def test_a_sandbox_ends_when_its_directory_is_removed(directory: Path) -> None:
    info = supervisor.start(directory, SandboxOptions())
    shutil.rmtree(directory)
    _, status = os.waitpid(info.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert _processes_of(directory) == []


def test_a_sandbox_that_cannot_start_shows_the_end_of_its_log(directory: Path) -> None:
    running = supervisor.start(directory, SandboxOptions())
    port = int(running.aws_url.rpartition(":")[2])
    elsewhere = directory.with_name("elsewhere")
    with pytest.raises(SandboxError) as caught:
        supervisor.start(elsewhere, SandboxOptions(port=port))
    assert "ended with code" in caught.value.message
    assert "Address already in use" in caught.value.hint
    assert supervisor.running(elsewhere) is None


def test_a_number_that_another_process_has_now_is_not_the_sandbox(directory: Path) -> None:
    directory.mkdir()
    info = SandboxInfo(os.getpid(), 1.0, str(directory), "http://127.0.0.1:1", "http://127.0.0.1:1", "e", "c", "now")
    (directory / "sandbox.json").write_text(json.dumps(info.to_json()), encoding="utf-8")
    assert process_start(os.getpid()) not in (None, 1.0)
    assert supervisor.running(directory) is None
    assert supervisor.stop(directory) is False


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_damaged_record_counts_as_none(directory: Path, text: str) -> None:
    directory.mkdir()
    (directory / "sandbox.json").write_text(text, encoding="utf-8")
    assert supervisor.running(directory) is None


@pytest.mark.parametrize(
    "change",
    [{"pid": 0, "process_started": None}, {"pid": -1, "process_started": None}, {"pid": 2**60}, {"pid": "1"},
     {"pid": True}, {"process_started": None}, {"admin_url": 1}, {"ca": None}],
)  # fmt: skip
def test_a_record_that_names_everybodys_processes_or_none_is_not_one_of_ours(
    directory: Path, change: dict[str, object]
) -> None:
    """Whoever stops a sandbox kills what its record names."""
    directory.mkdir()
    url = "http://127.0.0.1:1"
    info = SandboxInfo(2**22, 1.0, str(directory), url, url, "e", "c", "now").to_json()
    (directory / "sandbox.json").write_text(json.dumps(info), encoding="utf-8")
    assert SandboxInfo.read(directory) is not None
    (directory / "sandbox.json").write_text(json.dumps(info | change), encoding="utf-8")
    assert SandboxInfo.read(directory) is None
    (directory / "sandbox.json").write_text("[" * 100_000, encoding="utf-8")
    assert SandboxInfo.read(directory) is None


def test_a_record_that_cannot_be_read_is_told(directory: Path) -> None:
    (directory / "sandbox.json").mkdir(parents=True)
    with pytest.raises(SandboxError, match="cannot read it"):
        supervisor.running(directory)
    (directory / "sandbox.json").rmdir()


@pytest.mark.parametrize("text", ["rds", "party=1s", "rds=soon", "rds=-1s"])
def test_a_provisioning_time_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        SandboxOptions.parse([text])


def test_a_directory_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(SandboxError, match="cannot use"):
        supervisor.start(tmp_path / "file" / "sandbox", SandboxOptions())


def test_finding_a_sandbox_loads_no_sdk() -> None:
    code = (
        "import sys; import provisioner.sandbox.supervisor; "
        "print([m for m in ('boto3', 'botocore', 'moto', 'psycopg', 'redis', 'flask') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
