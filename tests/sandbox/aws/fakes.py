"""What the tests of the control plane put in place of real databases and real time."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from provisioner.errors import SandboxError
from provisioner.sandbox.databases.pgproxy import ProxyRules

_NOTHING: Mapping[str, str] = {}


class Endpoint(NamedTuple):
    """An address at which nothing listens."""

    host: str
    port: int


class CacheEndpoints(NamedTuple):
    """Addresses at which nothing listens."""

    primary: Endpoint
    reader: Endpoint
    nodes: list[Endpoint]


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


class MemoryDatabases:
    """Remembers what it was asked for. ``failing`` makes starts fail; ``calls`` is every call in order."""

    def __init__(self, directory: Path) -> None:
        self.ca_path = directory / "ca.pem"
        self.failing = False
        self.calls: list[tuple[str, str]] = []
        self.parameters: dict[str, dict[str, str]] = {}
        self.passwords: dict[str, str] = {}
        self.users: dict[str, str] = {}
        self.rules: dict[str, ProxyRules] = {}
        self.tokens: dict[str, list[str]] = {}
        self.snapshots: set[str] = set()
        self.alive: set[str] = set()
        self.closed = False
        self._guard = threading.Lock()

    def _note(self, what: str, ident: str) -> None:
        with self._guard:
            self.calls.append((what, ident))

    def prepare(self) -> None:
        """Nothing to prepare."""

    def _start(self, what: str, ident: str, parameters: Mapping[str, str]) -> None:
        self._note(what, ident)
        if self.failing:
            raise OSError("no space left on device")
        self.alive.add(ident)
        self.parameters[ident] = dict(parameters)

    def start_postgres(
        self,
        ident: str,
        *,
        user: str,
        password: str,
        database: str,
        port: int = 5432,
        parameters: Mapping[str, str] = _NOTHING,
        force_tls: bool = True,
    ) -> Endpoint:
        self._start("start_postgres", ident, parameters)
        self.passwords[ident], self.users[ident] = password, user
        return Endpoint("127.99.0.1", port)

    def set_postgres_password(self, ident: str, password: str) -> None:
        self._note("set_postgres_password", ident)
        self.passwords[ident] = password

    def configure_postgres(self, ident: str, parameters: Mapping[str, str], *, restart: bool) -> None:
        self._note("restart" if restart else "reload", ident)
        self.parameters[ident] = dict(parameters)

    def restart_postgres(self, ident: str) -> None:
        self._note("restart", ident)

    def snapshot_postgres(self, ident: str, snapshot: str) -> int:
        self._note("snapshot_postgres", ident)
        self.snapshots.add(snapshot)
        return 1

    def restore_postgres(
        self,
        snapshot: str,
        ident: str,
        *,
        port: int = 5432,
        password: str | None = None,
        parameters: Mapping[str, str] = _NOTHING,
    ) -> Endpoint:
        assert snapshot in self.snapshots
        self._start("restore_postgres", ident, parameters)
        return Endpoint("127.99.0.2", port)

    def postgres_admits(self, ident: str, user: str, password: str) -> bool:
        self._note("postgres_admits", ident)
        if self.failing:
            raise SandboxError("the server is stopped")
        return self.users[ident] == user and self.passwords[ident] == password

    def start_proxy(self, ident: str, *, port: int = 5432) -> Endpoint:
        self._start("start_proxy", ident, {})
        return Endpoint("127.99.0.3", port)

    def direct_proxy(self, ident: str, target: str, rules: ProxyRules) -> None:
        self._note("direct_proxy", ident)
        self.rules[ident] = rules

    def replicate_postgres(
        self, source: str, ident: str, *, port: int = 5432, parameters: Mapping[str, str] = _NOTHING
    ) -> Endpoint:
        assert source in self.alive
        self._start("replicate_postgres", ident, parameters)
        return Endpoint("127.99.0.3", port)

    def promote_postgres(self, ident: str) -> None:
        self._note("promote_postgres", ident)

    def delete_snapshot(self, snapshot: str) -> None:
        self.snapshots.discard(snapshot)

    def start_valkey(
        self,
        ident: str,
        *,
        port: int = 6379,
        auth_token: str | None,
        tls: bool,
        parameters: Mapping[str, str] = _NOTHING,
        replicas: int = 0,
    ) -> CacheEndpoints:
        self._start("start_valkey", ident, parameters)
        self.tokens[ident] = [auth_token] if auth_token else []
        nodes = [Endpoint(f"127.99.1.{number}", port) for number in range(1 + replicas)]
        return CacheEndpoints(Endpoint("127.99.1.100", port), Endpoint("127.99.1.101", port), nodes)

    def set_valkey_auth(self, ident: str, tokens: Sequence[str]) -> None:
        self._note("set_valkey_auth", ident)
        self.tokens[ident] = list(tokens)

    def configure_valkey(self, ident: str, parameters: Mapping[str, str]) -> None:
        self._note("configure_valkey", ident)
        self.parameters[ident] = dict(parameters)

    def remove(self, ident: str) -> None:
        self._note("remove", ident)
        self.rules.pop(ident, None)
        self.alive.discard(ident)

    def close(self) -> None:
        self.closed = True
