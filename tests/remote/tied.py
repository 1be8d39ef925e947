"""``python -m tests.remote.tied COMMAND …``: runs a server that is killed when our stdin ends, so it outlives no test."""

from __future__ import annotations

import subprocess
import sys

if __name__ == "__main__":
    with subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL) as server:
        try:
            sys.stdin.read()
        finally:
            server.kill()
