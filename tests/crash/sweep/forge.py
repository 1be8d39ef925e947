"""A process that has imported everything and forks the processes under test: a run without its second of start-up.

It has one thread, as whoever forks must; it reads orders from its standard input and answers with exit codes, one JSON
line each. What its children inherit besides the modules are botocore's parsed service descriptions.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.crash.sweep.child import Order, live

ROOT: Final = Path(__file__).resolve().parents[3]
PATIENCE: Final = 180.0
"""Seconds after which a run hangs: longer than anything that a run waits for here."""
HUNG: Final = 1000
"""The code of a run that had to be ended."""

_VERBS: Final = ("deploy", "undo")
_MODULES: Final = (
    "boto3",
    "obstore",
    "obstore.store",
    "psycopg",
    "redis",
    "provisioner.cli.live",
    "provisioner.cli.sinks",
    "provisioner.state.remote.backend",
    "provisioner.state.remote.s3",
    "provisioner.state.remote.stores",
    "provisioner.cli.main",
    "provisioner.cli.runs",
    "provisioner.cli.work",
    "provisioner.cli.text.outcome",
    "provisioner.cli.text.preview",
    "provisioner.cli.text.record",
    "provisioner.operations.deploy",
    "provisioner.operations.destroy",
    "provisioner.operations.reversal",
    *(f"provisioner.cli.verbs.{verb}" for verb in _VERBS),
)
_SERVICES: Final = ("ec2", "kms", "iam", "secretsmanager", "sns", "rds", "elasticache", "s3", "logs", "sts")


class Forge:
    """The way to it from the outside: :meth:`run` an order, :meth:`close` at the end."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.sweep.forge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,  # a Ctrl-C is for the sweep, which lets what runs come to its end
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def run(self, order: Order) -> int:
        """The exit code as a shell tells it (137 for SIGKILL), or HUNG."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the fork server is gone"
        return int(answer)

    def close(self) -> None:
        """Ends it; it has no child left then."""
        self._process.communicate()


def _warm() -> None:
    """Imports, and each description parsed once: children share what the loader would read again for every session."""
    for module in _MODULES:
        importlib.import_module(module)
    from provisioner.drivers.typemap import registry
    from provisioner.plan.load import load_plan

    plan = load_plan(ROOT / "plans" / "aws-credlink.yaml", registry(), environment="development")
    for step in plan.steps:
        registry().type(step.type)
    _share_descriptions()
    boto3: Any = importlib.import_module("boto3")
    session = boto3.session.Session("warm", "warm", region_name="us-east-1")
    for service in _SERVICES:
        session.client(service)
    gc.collect()
    gc.freeze()


def _share_descriptions() -> None:
    """What one of botocore's loaders has found and read, all find: each session has a loader of its own."""
    loader: Any = importlib.import_module("botocore.loaders").Loader
    make = loader.__init__
    shared: dict[Any, Any] = {}

    @functools.wraps(make)
    def init(self: Any, *words: Any, **more: Any) -> None:
        make(self, *words, **more)
        self._cache = shared

    loader.__init__ = init


def _raise_one(line: bytes) -> int:
    order = msgspec.json.decode(line, type=Order)
    child = os.fork()
    if child == 0:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        live(order)
    handle = os.pidfd_open(child)
    ended = select.select([handle], [], [], PATIENCE)[0]
    os.close(handle)
    if not ended:
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return (status if status >= 0 else 128 - status) if ended else HUNG


def serve() -> None:
    """Until standard input ends."""
    _warm()
    assert threading.active_count() == 1
    answers = os.dup(1)  # what children print on the way must not be taken for an answer
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        os.write(answers, b"%d\n" % _raise_one(line))


if __name__ == "__main__":
    serve()
