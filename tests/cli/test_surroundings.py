"""Surroundings that fail a run on the way: readers that go away, disks that fill up, homes that cannot be written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.shell import COMMAND, ROOT, environment
from tests.cli.test_signals import ALL, VERBS, Desk, desk, ends_well

__all__ = ["desk"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_reader_that_takes_one_line_and_leaves_does_not_stop_the_run(desk: Desk, verb: str) -> None:
    desk.prepare(verb)
    words = " ".join([*COMMAND, *desk.words(verb), "--events", "-"])
    script = f"set -o pipefail; {words} 2>/dev/null | head -n 1"
    shell = subprocess.run(
        ["bash", "-c", script], env=environment(desk.home, TOY_CLOUD=str(desk.file)), cwd=ROOT, capture_output=True
    )
    assert json.loads(shell.stdout)["event"] == "run.started"
    assert shell.returncode == 0
    assert desk.there() == VERBS[verb][1]
    assert desk.state.runs[-1].exit_code == 0


@pytest.mark.parametrize("verb", VERBS)
def test_output_that_nobody_can_take_does_not_stop_the_run(desk: Desk, verb: str) -> None:
    """Both streams and the file of events on a full disk."""
    desk.prepare(verb)
    with Path("/dev/full").open("wb") as full:
        words = [*COMMAND, *desk.words(verb), "--events", "/dev/full"]
        done = subprocess.run(words, env=environment(desk.home, TOY_CLOUD=str(desk.file)), stdout=full, stderr=full)
    assert done.returncode == 0
    assert desk.there() == VERBS[verb][1]
    assert desk.state.runs[-1].exit_code == 0


@pytest.mark.parametrize("verb", VERBS)
def test_a_record_that_may_grow_no_further_stops_the_run_before_its_next_call(desk: Desk, verb: str) -> None:
    """Whatever it is that fills up first, the journal or the audit file; with room again the next run goes on."""
    desk.prepare(verb)
    stopped = 0
    for room in range(600, 60_000, 1200):
        process = desk.start(verb, "--json", TOY_DISK=str(room))
        out, err = process.communicate(timeout=20)
        if process.returncode == 0 or not (desk.state.steps or verb == "deploy"):
            break
        stopped += 1
        assert process.returncode == 1
        assert json.loads(out)["error"]["code"] == "state.write"
        assert b"Traceback" not in err
    assert stopped
    if desk.there() != VERBS[verb][1]:
        assert desk.run(verb) == 0
    assert desk.there() == VERBS[verb][1] == sorted(f"shop-{step}" for step in desk.state.steps)


def test_on_a_disk_that_is_really_full_nothing_is_lost(tmp_path: Path) -> None:
    """A file system of 160 KiB of its own, filled up but for one page; root alone may mount one."""
    if os.geteuid() or not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"]).returncode:
        pytest.skip("needs the right to mount a file system")
    made = Desk(tmp_path)
    made.home.mkdir()
    run = " ".join([*COMMAND, *made.words("{}"), ">/dev/null", "2>>", str(tmp_path / "said")])
    script = f"""
    mount -t tmpfs -o size=160k none {made.home}
    head -c 1000000 /dev/zero > {made.home}/filler 2>/dev/null
    {run.format("deploy")}; echo $?
    truncate -s -20480 {made.home}/filler
    {run.format("deploy")}; echo $?
    rm {made.home}/filler
    {run.format("deploy")}; echo $?
    head -c 1000000 /dev/zero > {made.home}/filler 2>/dev/null
    {run.format("destroy")}; echo $?
    rm {made.home}/filler
    {run.format("destroy")}; echo $?
    """
    shell = subprocess.run(
        ["unshare", "-m", "bash", "-c", script],
        env=environment(made.home, TOY_CLOUD=str(made.file)), cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    said = (tmp_path / "said").read_text()
    full, cramped, roomy, doomed, gone = map(int, shell.stdout.split())
    assert (full, cramped, roomy, doomed, gone) == (1, 1, 0, 1, 0), said
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert made.there() == []


@pytest.mark.parametrize("verb", VERBS)
def test_a_home_that_cannot_be_written_is_told_before_anything_is_changed(desk: Desk, verb: str) -> None:
    desk.prepare(verb)
    desk.home.mkdir(exist_ok=True)
    places = [desk.home, *(path for path in desk.home.rglob("*"))]
    modes = {path: path.stat().st_mode for path in places}
    for path in places:
        path.chmod(0o500 if path.is_dir() else 0o400)
    process = desk.start(verb, "--json", TOY_HUMBLE="1")
    out, err = process.communicate(timeout=20)
    for path, mode in modes.items():
        path.chmod(mode)
    error = json.loads(out)["error"]
    assert process.returncode == 1
    assert error["code"] == "state.write"
    assert "PROVISIONER_HOME" in error["hint"]
    assert b"Traceback" not in err
    assert desk.there() == ([] if verb == "deploy" else ALL)
    ends_well(desk, verb)
