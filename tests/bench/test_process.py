"""What a command is said to cost is what all of its processes cost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.process import Failed, run
from bench.sampler import Sampler, peak, resident, tree, used

BURN = "import time\nwhile time.process_time() < 0.3: pass"
CHILD = """
import subprocess, sys
held = bytearray(b'x' * 30_000_000)
child = subprocess.Popen([sys.executable, '-c',
    "held = bytearray(b'x' * 50_000_000); print('up', flush=True); input()"], stdin=subprocess.PIPE)
sys.stdin.read()
child.communicate(b'end')
"""


@pytest.fixture
def family() -> Iterator[int]:
    """A process that holds 30 MB, with a child that holds 50."""
    parent = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"up\n"
    yield parent.pid
    parent.communicate()
    assert parent.returncode == 0


def test_the_memory_of_children_counts(family: int) -> None:
    assert len(tree(family)) == 2
    sampler = Sampler(family)
    sampler.look()
    assert sampler.peak >= 80_000_000
    assert sampler.peak == pytest.approx(sum(map(resident, tree(family))), rel=0.05)


def test_a_process_that_is_gone_weighs_nothing() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert (tree(gone.pid), resident(gone.pid), used(gone.pid)) == ([gone.pid], 0, 0.0)


def test_the_peak_of_a_process_is_its_own_and_not_that_of_whoever_started_it() -> None:
    held = bytearray(b"x" * 100_000_000)
    said = subprocess.check_output([sys.executable, "-c", "from bench.sampler import peak; print(peak())"])
    assert int(said) < len(held) < peak()


def test_the_cpu_of_a_child_that_was_waited_for_counts(tmp_path: Path) -> None:
    words = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}])"
    assert run([sys.executable, "-c", words], env=os.environ, cwd=tmp_path).cpu >= 0.3


def test_each_line_is_stamped_in_the_order_in_which_it_was_said(tmp_path: Path) -> None:
    done = run([sys.executable, "-c", "import sys; print('a'); sys.stderr.write('b\\n')"], env=os.environ, cwd=tmp_path)
    assert sorted(line.text for line in done.lines) == ["a", "b"]
    assert done.lines[0].at <= done.lines[1].at


def test_a_command_that_fails_is_no_measurement_and_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no such bucket'); raise SystemExit(7)"]
    with pytest.raises(Failed, match="ended with 7:\nno such bucket"):
        run(command, env=os.environ, cwd=tmp_path)
    assert run(command, env=os.environ, cwd=tmp_path, codes=(0, 7)).code == 7
