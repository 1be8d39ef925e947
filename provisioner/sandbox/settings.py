"""What a sandbox is told when it starts, and what it says about itself once it runs.

Imported by the command line: nothing here may import a cloud SDK.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from provisioner.errors import SandboxError, UsageError
from provisioner.model import Pid, parse_duration

REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"
ACCESS_KEY: Final = "sandbox"

PROVISION_TIMES: Final[Mapping[str, float]] = {
    "rds": 0.6,
    "rds:modify": 0.3,
    "rds:reboot": 0.2,
    "rds:delete": 0.3,
    "rds:snapshot": 0.2,
    "rds:proxy": 0.4,
    "elasticache": 0.4,
    "elasticache:modify": 0.2,
    "elasticache:delete": 0.2,
    "ec2:nat": 0.3,
    "ec2:nat-delete": 0.2,
    "ec2:endpoint": 0.3,
    "ec2:endpoint-delete": 0.2,
    "lambda": 0.2,
    "lambda:update": 0.1,
    "lambda:interfaces": 1.0,
}
"""Seconds that each kind of work takes when nobody says otherwise: long enough to be seen, short enough to like."""


@dataclass(slots=True)
class SandboxOptions:
    """How slow and how forgiving the sandbox is.

    ``provision_time``: seconds by ``service`` or ``service:work`` (the keys of PROVISION_TIMES).
    ``latency``: seconds added to every call. ``rate_limit``: calls a second that each service takes, 0 is any number.
    ``name_release``: seconds that the names of a bucket, and of a secret that was deleted by force, stay taken, as the
    cloud's own deletion is not immediate. ``port``, ``admin_port``: 0 is any free one.
    """

    provision_time: dict[str, float] = field(default_factory=dict)
    latency: float = 0.0
    rate_limit: float = 0.0
    name_release: float = 0.5
    port: int = 0
    admin_port: int = 0

    def seconds(self, work: str) -> float:
        """How long ``work`` takes (a key of PROVISION_TIMES)."""
        return self.provision_time.get(work, PROVISION_TIMES[work])

    def set_provision_time(self, work: str, duration: str | float) -> None:
        """Change one time; UsageError when there is no such work or ``duration`` is none."""
        if work not in PROVISION_TIMES:
            raise UsageError(
                f"there is no provisioning time for {work!r}", hint=f"one of: {', '.join(PROVISION_TIMES)}"
            )
        self.provision_time[work] = _seconds(duration, f"provision time of {work}")

    def set_latency(self, duration: str | float) -> None:
        """Change the time added to every call; UsageError when ``duration`` is none."""
        self.latency = _seconds(duration, "latency")

    def set_rate_limit(self, rate: object) -> None:
        """Change the calls a second that each service takes; UsageError when ``rate`` is no number from 0."""
        try:
            limit = float(str(rate))
        except ValueError as err:
            raise UsageError(f"{rate!r} is no rate limit", hint="calls a second: 10, or 0 for none") from err
        if isinstance(rate, bool) or not 0 <= limit < math.inf:
            raise UsageError(f"{rate!r} is no rate limit", hint="calls a second: 10, or 0 for none")
        self.rate_limit = limit

    def set_name_release(self, duration: str | float) -> None:
        """Change how long names stay taken; UsageError when ``duration`` is none."""
        self.name_release = _seconds(duration, "name release")

    @classmethod
    def parse(
        cls,
        provision_times: Iterable[str] = (),
        latency: str | float = 0.0,
        rate_limit: str | float = 0.0,
        *,
        port: int = 0,
        admin_port: int = 0,
    ) -> SandboxOptions:
        """Options from the command line's words: ``["rds=12s", "rds:modify=1s"]`` and ``"50ms"``."""
        options = cls(port=port, admin_port=admin_port)
        options.set_latency(latency)
        options.set_rate_limit(rate_limit)
        for text in provision_times:
            work, equals, duration = text.partition("=")
            if not equals:
                raise UsageError(f"{text!r} is not SERVICE=DURATION", hint="for example rds=12s")
            options.set_provision_time(work, duration)
        return options


def _seconds(duration: str | float, what: str) -> float:
    try:
        return parse_duration(duration)
    except ValueError as err:
        raise UsageError(f"{what}: {err}", hint="for example 12s, 250ms or 1m30s") from err


@dataclass(frozen=True, slots=True)
class SandboxInfo:
    """A running sandbox, as ``sandbox.json`` in its directory tells it.

    ``process_started`` is the process's own start time from the kernel: with ``pid`` it names one process for
    good, also after the number was given to another. ``endpoints`` and ``ca`` are paths; ``started`` is UTC.
    """

    pid: Pid
    process_started: float
    directory: str
    aws_url: str
    admin_url: str
    endpoints: str
    ca: str
    started: str

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON."""
        return asdict(self)

    @classmethod
    def read(cls, directory: Path) -> SandboxInfo | None:
        """What ``directory``/sandbox.json says; None when there is none or it is not one of ours.

        Whoever ends a sandbox kills the process that this names, so nothing is taken on trust: 0 and -1 would be
        everybody's processes. SandboxError where the file cannot be read.
        """
        path = directory / "sandbox.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
            return None
        except OSError as err:
            hint = "see whose it is (ls -l), or start the sandbox in another directory"
            raise SandboxError(f"cannot read it: {err.strerror}", where=str(path), hint=hint) from err


def write_atomically(path: Path, data: object, *, mode: int = 0o600) -> None:
    """Write ``data`` as JSON so that a reader sees the old file or the whole new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=2)
            file.write("\n")
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def process_start(pid: int) -> float | None:
    """When the process began (clock ticks since boot on Linux), or None where it does not live or cannot be told."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return _alive_elsewhere(pid)
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else float(fields[19])


def _alive_elsewhere(pid: int) -> float | None:
    """Systems without /proc: liveness alone, told as start time 0."""
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except PermissionError:
        return 0.0
    return 0.0
