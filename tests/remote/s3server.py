"""``python -m tests.remote.s3server``: S3 (moto behind the sandbox's gateway) in a process that ends with its stdin."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from provisioner.sandbox.server import Sandbox
from provisioner.sandbox.settings import SandboxOptions
from tests.sandbox.aws.fakes import MemoryDatabases


def main() -> None:
    """Say the URL in one line of JSON, then serve until stdin ends."""
    with tempfile.TemporaryDirectory() as directory:
        sandbox = Sandbox.build(SandboxOptions(), MemoryDatabases(Path(directory)))
        sandbox.start()
        try:
            print(json.dumps({"url": sandbox.aws.url}), flush=True)
            sys.stdin.read()
        finally:
            sandbox.close()


if __name__ == "__main__":
    main()
