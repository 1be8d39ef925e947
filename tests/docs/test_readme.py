"""The README's examples, run from top to bottom as a reader would, in one shell and one home."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from provisioner.drivers.typemap import registry
from provisioner.plan.load import load_plan
from provisioner.sandbox import supervisor

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
QUICKSTART = (ROOT / "scripts" / "quickstart").read_text(encoding="utf-8")

NOT_RUN = (
    "pip install",
    "aws sts",
    "./scripts/test",
    "./scripts/bench",
    "./scripts/crash-sweep",
    "./scripts/fault-matrix",
    "./scripts/fuzz",
)
"""They install from a registry, ask a real cloud, or run this very suite."""


def commands(text: str) -> list[tuple[str, int]]:
    """(command, exit code) of every line with a prompt."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                command, _, comment = line[2:].partition("  #")
                code = re.search(r"exit (\d+)", comment)
                found.append((command.strip(), int(code.group(1)) if code else 0))
    return found


def section(title: str) -> str:
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.DOTALL | re.MULTILINE)
    assert match, title
    return match.group(1)


def shown(text: str) -> list[str]:
    """Every line of output that the README shows, from behind the mark where something is left out."""
    blocks = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    return [line.lstrip(" …") for block in blocks for line in block.splitlines() if line.strip(" …")]


class Reader:
    """Somebody who types the README's commands."""

    def __init__(self, home: Path) -> None:
        self.home = home
        bin_directory = Path(sys.executable).parent
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PROVISIONER_"))},
            "PATH": f"{bin_directory}{os.pathsep}{os.environ['PATH']}",
            "PROVISIONER_HOME": str(home),
        }

    def type(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=180,
        )

    def follow(self, text: str) -> str:
        """What the commands printed, together."""
        printed = ""
        for command, code in commands(text):
            if command.startswith(NOT_RUN):
                continue
            if command == "./scripts/quickstart":
                self.quickstart()
                continue
            done = self.type(command)
            assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
            printed += done.stdout
        return printed

    def quickstart(self) -> None:
        """What the script runs once the virtual environment stands."""
        lines = re.findall(r"^\.venv/bin/(provisioner .*)$", QUICKSTART, re.MULTILINE)
        assert len(lines) == 2
        for line in lines:
            done = self.type(line)
            assert done.returncode == 0, done.stderr
        assert "postgresql://" in done.stdout
        assert "rediss://" in done.stdout


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    made = Reader(tmp_path_factory.mktemp("reader"))
    try:
        yield made
    finally:
        supervisor.stop(made.home / "sandbox")


def test_the_sixty_seconds_and_breaking_it_on_purpose_go_as_told(reader: Reader) -> None:
    reader.follow(section("Sixty seconds") + section("Break it on purpose"))


def test_the_commands_about_plans_work(reader: Reader) -> None:
    reader.follow(section("A plan"))


def test_the_checks_before_spending_say_what_is_shown(reader: Reader) -> None:
    text = section("Checks before you spend")
    printed = reader.follow(text)
    assert [line for line in shown(text) if line not in printed] == []


def test_an_alarm_rings_a_password_is_read_and_all_is_handed_on_as_told(reader: Reader) -> None:
    watch, (hand_on, take_down) = section("Watch it"), re.split(r"(?=\$ provisioner destroy)", section("Hand it on"))
    try:
        printed = reader.follow(watch)
        assert [line for line in shown(watch) if line not in printed] == []
        printed = reader.follow(hand_on + "```")
        (example,) = re.findall(r"```python\n(.*?)```", take_down, re.DOTALL)
        arn = re.search(r'^db_credentials_secret_arn = "(.*)"$', printed, re.MULTILINE)
        assert arn
        reader.environment["DB_SECRET_ARN"] = arn.group(1)
        told = reader.type(f'eval "$(provisioner sandbox env)" && python -c {shlex.quote(example)}')
        assert told.stdout == "('realworld_user',)\n", told.stderr
        reader.follow("```console\n" + take_down)
    finally:
        (ROOT / "realworld.env").unlink(missing_ok=True)


def test_the_sandbox_section_works_as_told(reader: Reader) -> None:
    reader.follow(section("The sandbox"))


def test_the_section_about_a_record_in_a_bucket_works_as_told(reader: Reader) -> None:
    started = reader.type("provisioner sandbox start")
    assert started.returncode == 0, started.stderr
    info = supervisor.running(reader.home / "sandbox")
    assert info is not None
    session = boto3.session.Session("test", "test", region_name="us-east-1")
    session.client("s3", endpoint_url=info.aws_url).create_bucket(Bucket="acme-records")
    reader.follow(section("A record for the team"))
    assert reader.type("provisioner sandbox stop").returncode == 0


def test_the_aws_section_works_against_whatever_answers_as_aws(reader: Reader) -> None:
    started = reader.type("provisioner sandbox start --json")
    assert started.returncode == 0, started.stderr
    info = supervisor.running(reader.home / "sandbox")
    assert info is not None
    reader.environment["PROVISIONER_ENDPOINTS"] = info.endpoints
    try:
        for command, _ in commands(section("On AWS")):
            if not command.startswith(NOT_RUN):
                # A reader says yes at a terminal; there is none here.
                done = reader.type(f"{command} --yes" if " deploy " in command else command)
                assert done.returncode == 0, f"{command}\n{done.stderr}"
    finally:
        del reader.environment["PROVISIONER_ENDPOINTS"]


def test_the_plan_in_the_readme_is_a_valid_plan(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "shop.yaml"
    path.write_text(text, encoding="utf-8")
    assert load_plan(path, registry(), environment="production").deployment == "shop-production"


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:aws|check|sql)\.\w+)`", README))))
def test_the_types_that_the_readme_names_are_there(name: str) -> None:
    assert name in registry()


@pytest.mark.parametrize("path", re.findall(r"\]\(((?:plans|docs|provisioner)/[^)]+)\)", README))
def test_the_files_that_the_readme_links_to_are_there(path: str) -> None:
    assert (ROOT / path).exists()
