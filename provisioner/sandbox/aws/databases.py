"""What the control plane asks of the databases behind it: the part of DatabaseHost that it uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from provisioner.sandbox.databases.pgproxy import ProxyRules


class Address(Protocol):
    """Where a database listens."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


class CacheAddresses(Protocol):
    """Where a cache and its replicas listen."""

    @property
    def primary(self) -> Address: ...
    @property
    def reader(self) -> Address: ...
    @property
    def nodes(self) -> Sequence[Address]: ...


class Databases(Protocol):
    """Real databases by ident. Every method blocks and may be called from several threads at once."""

    @property
    def ca_path(self) -> Path: ...

    def prepare(self) -> None: ...

    def start_postgres(
        self, ident: str, *, user: str, password: str, database: str, port: int = ...,
        parameters: Mapping[str, str] = ..., force_tls: bool = ...,
    ) -> Address: ...  # fmt: skip

    def set_postgres_password(self, ident: str, password: str) -> None: ...

    def configure_postgres(self, ident: str, parameters: Mapping[str, str], *, restart: bool) -> None: ...

    def restart_postgres(self, ident: str) -> None: ...

    def snapshot_postgres(self, ident: str, snapshot: str) -> int: ...

    def restore_postgres(
        self, snapshot: str, ident: str, *, port: int = ..., password: str | None = ...,
        parameters: Mapping[str, str] = ...,
    ) -> Address: ...  # fmt: skip

    def postgres_admits(self, ident: str, user: str, password: str) -> bool: ...

    def start_proxy(self, ident: str, *, port: int = ...) -> Address: ...

    def direct_proxy(self, ident: str, target: str, rules: ProxyRules) -> None: ...

    def replicate_postgres(
        self, source: str, ident: str, *, port: int = ..., parameters: Mapping[str, str] = ...
    ) -> Address: ...

    def promote_postgres(self, ident: str) -> None: ...

    def delete_snapshot(self, snapshot: str) -> None: ...

    def start_valkey(
        self, ident: str, *, port: int = ..., auth_token: str | None, tls: bool,
        parameters: Mapping[str, str] = ..., replicas: int = ...,
    ) -> CacheAddresses: ...  # fmt: skip

    def set_valkey_auth(self, ident: str, tokens: Sequence[str]) -> None: ...

    def configure_valkey(self, ident: str, parameters: Mapping[str, str]) -> None: ...

    def remove(self, ident: str) -> None: ...

    def close(self) -> None: ...
