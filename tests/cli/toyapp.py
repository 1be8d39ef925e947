"""``python -m tests.cli.toyapp WORDS``: the command line over a toy cloud of its own process.

``TOY_SLOW=db=30`` makes what has ``db`` in its name take 30 seconds; ``TOY_FAIL=db`` refuses to create it;
``TOY_DISK=2000`` lets no file grow beyond so many bytes.
"""

from __future__ import annotations

import os
import resource

from provisioner.cli.app import App
from provisioner.cli.main import root
from provisioner.engine.clock import SystemClock
from provisioner.errors import AccessDeniedError
from tests.engine.toycloud import ToyCloud
from tests.engine.toytypes import registry


def main() -> None:
    cloud = ToyCloud(SystemClock())
    name, _, seconds = os.environ.get("TOY_SLOW", "").partition("=")
    if name:
        cloud.provision[name] = float(seconds)
    refused = os.environ.get("TOY_FAIL")
    if refused:
        cloud.fail("create", refused, lambda: AccessDeniedError("no", cloud_code="AccessDenied"))
    limit = os.environ.get("TOY_DISK")
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    root.main(obj=App(registry=lambda: registry(cloud)))


if __name__ == "__main__":
    main()
