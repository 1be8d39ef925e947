"""The sandbox's one background process: ``python -m provisioner.sandbox.server --dir D``.

It opens the ports, writes ``sandbox.json`` and ``endpoints.json`` into its directory, tells whoever started it through
a file descriptor that it is ready, and serves until SIGTERM, SIGINT or the admin API ends it, or until somebody removes
its directory. Databases are the DatabaseHost's business; it sees to it that none outlives this process, however that
ends.
"""

from __future__ import annotations

import argparse
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from provisioner.sandbox.admin import Admin
from provisioner.sandbox.aws.databases import Databases
from provisioner.sandbox.aws.gateway import Gateway
from provisioner.sandbox.aws.models import service_model
from provisioner.sandbox.aws.moto_app import Moto
from provisioner.sandbox.aws.requestlog import RequestLog
from provisioner.sandbox.aws.world import World
from provisioner.sandbox.faults import FaultBook
from provisioner.sandbox.httpd import HttpServer
from provisioner.sandbox.settings import (
    ACCESS_KEY,
    REGION,
    SandboxInfo,
    SandboxOptions,
    process_start,
    write_atomically,
)

_log = logging.getLogger(__name__)
_LOOK_EVERY = 2.0
_WARM = ("ec2", "kms", "secretsmanager", "iam", "s3", "sns", "logs", "sts", "cloudwatch")


class Stop:
    """The wish to end. Safe to ``set`` in a signal handler, unlike threading.Event, whose lock the wait may hold."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        self._set = False

    def set(self) -> None:
        """Ask for the end."""
        self._set = True
        os.write(self._writing, b"!")

    def is_set(self) -> bool:
        """Whether somebody asked."""
        return self._set

    def wait(self, seconds: float) -> bool:
        """Wait for somebody to ask; whether somebody did within the time."""
        ready, _, _ = select.select([self._reading], [], [], seconds)
        return bool(ready)

    def close(self) -> None:
        """Free the pipe; nobody may ask any more."""
        os.close(self._reading)
        os.close(self._writing)


@dataclass(slots=True)
class Sandbox:
    """A control plane and its databases inside this process. Start it, use it, close it."""

    world: World
    gateway: Gateway
    aws: HttpServer
    admin: HttpServer
    stopping: Stop

    @classmethod
    def build(
        cls, options: SandboxOptions, databases: Databases, *, now: Callable[[], float] = time.monotonic
    ) -> Sandbox:
        """Put the parts together on the ports of ``options``; nothing answers yet. ``now`` times every state."""
        gateway = Gateway(World(options, Moto(), databases, now), FaultBook(), RequestLog())
        stopping = Stop()
        admin = HttpServer(Admin(gateway, stopping.set), options.admin_port)
        return cls(gateway.world, gateway, HttpServer(gateway, options.port), admin, stopping)

    def start(self) -> None:
        """Answer on both ports."""
        self.aws.start()
        self.admin.start()

    def warm(self) -> None:
        """Load what the first calls would otherwise wait for; given up as soon as the sandbox is to stop."""
        steps: list[Callable[[], object]] = [
            partial(service_model, service) for service in self.gateway.services.strict
        ]
        steps += [partial(self.world.moto.warm, service, REGION) for service in _WARM]
        for step in (*steps, self.world.databases.prepare):
            if self.stopping.is_set():
                return
            try:
                step()
            except Exception:
                # Whoever needs it later is told again, as the answer to a call; the other services work.
                _log.exception("%s could not be made ready", step)

    def close(self) -> None:
        """Stop answering, then stop every database."""
        self.aws.close()
        self.admin.close()
        self.world.jobs.close()
        self.world.databases.close()
        self.stopping.close()


def write_endpoints(directory: Path, sandbox: Sandbox) -> Path:
    """Write ``endpoints.json``, what clients of the control planes read."""
    path = directory / "endpoints.json"
    aws = {
        "url": sandbox.aws.url,
        "region": REGION,
        "ca": str(sandbox.world.databases.ca_path),
        "access_key_id": ACCESS_KEY,
        "secret_access_key": ACCESS_KEY,
    }
    write_atomically(path, {"aws": aws})
    return path


def describe(directory: Path, sandbox: Sandbox) -> SandboxInfo:
    """What ``sandbox.json`` says."""
    return SandboxInfo(
        pid=os.getpid(),
        process_started=process_start(os.getpid()) or 0.0,
        directory=str(directory),
        aws_url=sandbox.aws.url,
        admin_url=sandbox.admin.url,
        endpoints=str(directory / "endpoints.json"),
        ca=str(sandbox.world.databases.ca_path),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to stop; 0 when that was done in good order."""
    arguments = _parser().parse_args(argv)
    directory: Path = arguments.dir.resolve()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    options = SandboxOptions.parse(
        arguments.provision_time,
        arguments.latency,
        arguments.rate_limit,
        port=arguments.port,
        admin_port=arguments.admin_port,
    )
    sandbox = Sandbox.build(options, _databases(directory))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sandbox.stopping.set())
    info: SandboxInfo | None = None
    try:
        sandbox.start()
        write_endpoints(directory, sandbox)
        info = describe(directory, sandbox)
        write_atomically(directory / "sandbox.json", info.to_json())
        _say_ready(arguments.ready_fd)
        sandbox.warm()
        while not sandbox.stopping.wait(_LOOK_EVERY):
            if SandboxInfo.read(directory) != info:
                _log.warning("%s is gone or somebody else's: this sandbox cannot be found any more", directory)
                break
    finally:
        _log.info("stopping")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        if info is not None and SandboxInfo.read(directory) == info:
            (directory / "sandbox.json").unlink(missing_ok=True)
        sandbox.close()
    return 0


def _databases(directory: Path) -> Databases:
    from provisioner.sandbox.databases.host import DatabaseHost

    return DatabaseHost(directory / "databases")


def _say_ready(descriptor: int | None) -> None:
    if descriptor is not None:
        os.write(descriptor, b"ready")
        os.close(descriptor)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m provisioner.sandbox.server", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="the sandbox's directory; must exist")
    parser.add_argument("--provision-time", action="append", default=[], metavar="SERVICE=DURATION")
    parser.add_argument("--latency", default="0", metavar="DURATION")
    parser.add_argument("--rate-limit", default="0", metavar="CALLS")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--admin-port", type=int, default=0)
    parser.add_argument("--ready-fd", type=int, default=None, help="write here once every port answers")
    return parser


if __name__ == "__main__":
    sys.exit(main())
