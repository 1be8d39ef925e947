"""A run takes no more memory than it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_MANY_THREADS = """
import sys, threading
from provisioner.cli.memory import share_arenas
if sys.argv[1] == "shared":
    share_arenas()
together = threading.Barrier(16)
def work():
    kept = [bytearray(5000) for _ in range(10)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(sum("---p" in line for line in open("/proc/self/maps")))
"""


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the machine does not tell a process's memory map")
def test_threads_of_a_run_share_their_pools_of_memory() -> None:
    """Each pool of glibc's is a reserved range of its own."""

    def ranges(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", _MANY_THREADS, how], capture_output=True, text=True, check=True)
        return int(done.stdout)

    own = ranges("own")
    if own < 12:
        pytest.skip("this C library has no such pools")
    assert ranges("shared") <= own - 8
