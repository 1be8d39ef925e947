"""A program that has many files open may start a sandbox, too."""

from __future__ import annotations

import fcntl
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.sandbox import supervisor

FAR = 1100
"""Beyond what select() takes."""


@pytest.fixture
def far() -> Iterator[int]:
    """The reading end of a pipe with a number that high; what stands in it says that a sandbox is ready."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard <= FAR:
        pytest.skip("the machine allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FAR + 100), hard))
    reading, writing = os.pipe()
    high = fcntl.fcntl(reading, fcntl.F_DUPFD_CLOEXEC, FAR)
    os.write(writing, b"ready")
    try:
        yield high
    finally:
        for number in (reading, writing, high):
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_sandbox_is_waited_for_however_many_files_are_open(far: int, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        supervisor._await_ready(process, far, tmp_path, timeout=10)
