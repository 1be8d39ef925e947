"""The process under test: the real command line, from its entry point on, with hooks that count its moments and end it.

Run as ``python -m tests.crash.sweep.child ORDER`` it is a process of its own; the fork server runs :func:`live` in one
that has its imports behind it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import NoReturn

import msgspec

from tests.crash.sweep.hooks import install
from tests.crash.sweep.moments import Death, Moments


class Order(msgspec.Struct, kw_only=True):
    """One run: the words after ``provisioner``, its surroundings, where it dies, and where it leaves its output.

    ``later``: seconds by which its wall clock is ahead, as if its user had come back after so long.
    """

    words: list[str]
    environment: dict[str, str]
    deployment: str
    trail: str
    out: str
    err: str
    name: str = ""
    number: int = 0
    later: float = 0.0


def live(order: Order) -> NoReturn:
    """Never returns: ends as the program does, or dies at its moment."""
    os.environ.update(order.environment)
    for path, fd in ((order.out, 1), (order.err, 2)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, fd)
        os.close(opened)
    from provisioner.cli.main import main
    from provisioner.engine.clock import SystemClock

    SystemClock.wall = lambda self: time.time() + order.later  # type: ignore[method-assign]
    install(Moments(Path(order.trail), Death(order.name, order.number)), order.deployment)
    sys.argv = ["provisioner", *order.words]
    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    live(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Order))
