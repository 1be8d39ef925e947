"""The sandbox that both sides work against: one process, told how slow to be, emptied between one measurement and next.

What it counts and knows is asked for through its admin interface, outside of what is measured.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from provisioner.sandbox import supervisor
from provisioner.sandbox.settings import PROVISION_TIMES, SandboxOptions

INSTANT: Final = dict.fromkeys(PROVISION_TIMES, 0.0)
"""Nothing takes longer than the real PostgreSQL and Valkey behind it need to come up."""
SLOW: Final = INSTANT | {"rds": 12.0, "elasticache": 8.0, "rds:modify": 8.0}
"""A database in 12 s, a cache beside it in 8 s, a change of the database in 8 s."""


class Rehearsal:
    """A sandbox in ``directory``, which must be empty; close it, or it goes on running."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True)
        self._info = supervisor.start(directory, SandboxOptions(provision_time=dict(INSTANT)))

    @property
    def url(self) -> str:
        """Where its AWS answers."""
        return self._info.aws_url

    def environment(self) -> dict[str, str]:
        """Variables that lead a client to it."""
        return supervisor.environment(self._info)

    def take(self, *, latency: float = 0.0, times: dict[str, float] = INSTANT, rate_limit: float = 0.0) -> None:
        """From now on: seconds added to every call, seconds that work takes, calls a second and service (0: any)."""
        changes: dict[str, Any] = {"latency": f"{latency}s", "provision_time": {k: f"{v}s" for k, v in times.items()}}
        if self.limits_rates():
            changes["rate_limit"] = rate_limit
        self._admin("PATCH", "options", changes)

    def limits_rates(self) -> bool:
        """Whether this sandbox can be told how many calls a second it allows."""
        return "rate_limit" in self._admin("GET", "options")

    def empty(self) -> None:
        """Everything in it is gone, and the count of its calls begins anew."""
        self._admin("POST", "reset")

    def forget(self) -> None:
        """The count of its calls begins anew."""
        self._admin("DELETE", "requests")

    def requests(self) -> dict[str, Any]:
        """``{"total", "writes", "counts": {service: {operation: n}}}`` since ``forget``."""
        found: dict[str, Any] = self._admin("GET", f"requests?since={10**12}")
        return found

    def arrivals(self) -> dict[str, float]:
        """When each database and cache became ready, Unix time by AWS's word for its kind."""
        return {one["type"]: one["since"] for one in self._admin("GET", "arrivals")["objects"]}

    def close(self) -> None:
        supervisor.stop(self._directory)

    def _admin(self, method: str, path: str, body: object | None = None) -> Any:
        return supervisor.admin(self._directory, method, f"/_sandbox/{path}", body)
