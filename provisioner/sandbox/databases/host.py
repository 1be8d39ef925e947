"""The façade: every database of a sandbox by its identifier, whoever's cloud it plays.

A database has an identifier, an endpoint that stays the same until it is removed, and a directory below
``root``::

    root/lock              held while a host lives: two must not share a directory
    root/ca/               the certificate authority; ca.pem is for clients
    root/template/         what new PostgreSQL clusters are copied from
    root/postgres/<ident>/ data and log of one cluster
    root/valkey/<ident>/   the nodes of one cache
    root/snapshots/<name>/ kept copies

The authority and the template outlive the host; databases and snapshots do not: nothing but the control plane
that made them knows what they are, and it forgets too.
"""

from __future__ import annotations

import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Self

from provisioner.errors import SandboxError
from provisioner.sandbox.databases import pgparameters
from provisioner.sandbox.databases.addresses import Endpoint, endpoint_of, listen, listen_again
from provisioner.sandbox.databases.authority import Authority
from provisioner.sandbox.databases.binaries import find_postgres, find_valkey
from provisioner.sandbox.databases.pgproxy import PostgresProxy, ProxyRules
from provisioner.sandbox.databases.pgtemplate import ensure_template
from provisioner.sandbox.databases.postgres import PostgresCluster, PostgresTools
from provisioner.sandbox.databases.premises import Premises
from provisioner.sandbox.databases.processes import Spawner
from provisioner.sandbox.databases.rootless import Identity, find_identity, settle_binaries
from provisioner.sandbox.databases.tlsfront import Front, FrontLoop, Speech
from provisioner.sandbox.databases.valkey import ValkeyGroup

__all__ = ["DatabaseHost", "Endpoint", "ValkeyEndpoints"]

_WHERE: Final = "sandbox databases"
_NONE: Final[Mapping[str, str]] = {}


class ValkeyEndpoints(NamedTuple):
    """Endpoints of a cache: writes, reads (round robin over the replicas, or the primary), and each node."""

    primary: Endpoint
    reader: Endpoint
    nodes: list[Endpoint]


@dataclass(slots=True)
class _Postgres:
    cluster: PostgresCluster
    endpoint: Endpoint
    context: ssl.SSLContext
    force_tls: bool
    front: Front | None = None

    def remove(self, fronts: FrontLoop) -> None:
        self.close_front(fronts)
        self.cluster.remove()

    def close_front(self, fronts: FrontLoop) -> None:
        if self.front is not None:
            fronts.close_front(self.front)
            self.front = None


@dataclass(slots=True)
class _Valkey:
    group: ValkeyGroup
    fronts: list[Front]

    def remove(self, fronts: FrontLoop) -> None:
        while self.fronts:
            fronts.close_front(self.fronts.pop())
        self.group.remove()


class DatabaseHost:
    """Real databases for a sandbox, below the directory ``root``. Every method may be called from any thread.

    Calls about one identifier wait for each other; calls about different ones run side by side. Errors are
    SandboxError, or MissingExtraError where a library or a server is not installed. Usable as a context
    manager.
    """

    def __init__(self, root: Path, *, identity: Identity | None = None) -> None:
        """``identity``: who servers run as; found out when the first is started, unless given."""
        self._identity = identity
        self._premises = Premises(root)
        try:
            self._authority = Authority(self._premises.root / "ca")
        except BaseException:
            self._premises.leave()
            raise
        self.ca_path = self._authority.ca_path
        self._spawner = Spawner()
        self._fronts = FrontLoop()
        self._guard = threading.Lock()
        self._tools_guard = threading.Lock()
        self._locks: dict[str, threading.RLock] = {}
        self._databases: dict[str, _Postgres | _Valkey | PostgresProxy] = {}
        self._tools: PostgresTools | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def prepare(self) -> None:
        """Make what the first database would otherwise wait for (0.6 s, once for a directory). Optional."""
        self._postgres_tools()

    def start_postgres(
        self,
        ident: str,
        *,
        user: str,
        password: str,
        database: str,
        port: int = 5432,
        parameters: Mapping[str, str] = _NONE,
        force_tls: bool = True,
    ) -> Endpoint:
        """Make a PostgreSQL and return when it takes connections (about 0.4 s).

        ``parameters``: values in PostgreSQL's own syntax; ``rds.force_ssl`` among them goes before
        ``force_tls``. A stopped one of that identifier is started again, with these parameters, at the
        endpoint that it had and with its own data, user and password.
        """
        with self._exclusive(ident):
            known = self._databases.get(ident)
            if isinstance(known, _Postgres) and not known.cluster.running:
                known.cluster.configure(parameters, restart=True)
                known.force_tls = pgparameters.forces_tls(parameters, force_tls)
                self._serve(known)
                return known.endpoint
            cluster = self._new_cluster(ident)
            force = pgparameters.forces_tls(parameters, force_tls)
            with _undone(cluster.remove):
                cluster.create(user=user, password=password, database=database, parameters=parameters)
                return self._publish(ident, cluster, port, force)

    def restore_postgres(
        self,
        snapshot: str,
        ident: str,
        *,
        port: int = 5432,
        password: str | None = None,
        parameters: Mapping[str, str] = _NONE,
    ) -> Endpoint:
        """Make a PostgreSQL from a snapshot, with its master user and, unless given, his password."""
        with self._exclusive(ident), self._exclusive(_snapshot_key(snapshot)):
            kept = self._premises.directory("snapshots", snapshot)
            if not kept.is_dir():
                raise SandboxError(f"there is no snapshot {snapshot}", where=_WHERE)
            cluster = self._new_cluster(ident)
            with _undone(cluster.remove):
                forced = bool(cluster.create_from(kept, password=password, parameters=parameters)["force_tls"])
                return self._publish(ident, cluster, port, pgparameters.forces_tls(parameters, forced))

    def replicate_postgres(
        self, source: str, ident: str, *, port: int = 5432, parameters: Mapping[str, str] = _NONE
    ) -> Endpoint:
        """Make a PostgreSQL that follows ``source``, read-only and with its users (about 0.6 s)."""
        with self._exclusive(ident), self._postgres(source) as followed:
            cluster = self._new_cluster(ident)
            with _undone(cluster.remove):
                cluster.create_standby(followed.cluster, parameters=parameters)
                forced = pgparameters.forces_tls(parameters, followed.force_tls)
                return self._publish(ident, cluster, port, forced)

    def promote_postgres(self, ident: str) -> None:
        """Let a PostgreSQL follow nobody any more; it takes writes then."""
        with self._postgres(ident) as database:
            database.cluster.promote()

    def set_postgres_password(self, ident: str, password: str) -> None:
        """Give the master user another password; sessions go on."""
        with self._postgres(ident) as database:
            database.cluster.set_password(password)

    def configure_postgres(self, ident: str, parameters: Mapping[str, str], *, restart: bool) -> None:
        """Replace all parameters: dynamic ones at once, static ones with a restart, now or later."""
        with self._postgres(ident) as database:
            database.cluster.configure(parameters, restart=restart and database.cluster.running)
            database.force_tls = pgparameters.forces_tls(parameters, database.force_tls)
            if database.front is not None:
                database.front.force = database.force_tls

    def restart_postgres(self, ident: str) -> None:
        """Restart the server, or start a stopped one; the endpoint stays."""
        with self._postgres(ident) as database:
            database.cluster.restart()
            self._serve(database)

    def pending_restart(self, ident: str) -> list[str]:
        """Names of the parameters whose new value waits for a restart."""
        with self._postgres(ident) as database:
            return database.cluster.pending_restart()

    def stop_postgres(self, ident: str) -> None:
        """Stop the server: its endpoint refuses connections, its data stays."""
        with self._postgres(ident) as database:
            database.close_front(self._fronts)
            database.cluster.stop()

    def snapshot_postgres(self, ident: str, snapshot: str) -> int:
        """Keep a consistent copy of a running or stopped PostgreSQL; its size in bytes."""
        with self._postgres(ident) as database, self._exclusive(_snapshot_key(snapshot)):
            target = self._premises.directory("snapshots", snapshot)
            if target.exists():
                raise SandboxError(f"there is a snapshot {snapshot} already", where=_WHERE)
            partial = target.with_name(f".{target.name}")
            with _undone(lambda: shutil.rmtree(partial, ignore_errors=True)):
                size = database.cluster.copy_to(partial, force_tls=database.force_tls)
                partial.rename(target)
            return size

    def delete_snapshot(self, snapshot: str) -> None:
        """Delete a kept copy; unknown is no error."""
        with self._exclusive(_snapshot_key(snapshot)):
            if self._premises.directory("snapshots", snapshot).is_dir():
                shutil.rmtree(self._premises.directory("snapshots", snapshot))

    def postgres_admits(self, ident: str, user: str, password: str) -> bool:
        """Whether the server lets a user in with this password; SandboxError where it cannot be asked."""
        with self._postgres(ident) as database:
            return database.cluster.admits(user, password)

    def start_proxy(self, ident: str, *, port: int = 5432) -> Endpoint:
        """Open an endpoint that refuses everybody until :meth:`direct_proxy` says whom it lets through."""
        with self._exclusive(ident):
            self._refuse_known(ident)
            proxy = self._databases[ident] = PostgresProxy(self._fronts, self._authority, port)
            return proxy.endpoint

    def direct_proxy(self, ident: str, target: str, rules: ProxyRules) -> None:
        """Let those whom ``rules`` admit through to the PostgreSQL ``target``; unknown or stopped ones: nobody."""
        with self._exclusive(ident):
            proxy, database = self._databases.get(ident), self._databases.get(target)
            backend = database.cluster.backend if isinstance(database, _Postgres) and database.front else None
            if isinstance(proxy, PostgresProxy):
                proxy.direct(backend, rules)

    def start_valkey(
        self,
        ident: str,
        *,
        port: int = 6379,
        auth_token: str | None,
        tls: bool,
        parameters: Mapping[str, str] = _NONE,
        replicas: int = 0,
    ) -> ValkeyEndpoints:
        """Make a Valkey and return when all its nodes are in step (0.1 s; 1 s with replicas)."""
        with self._exclusive(ident):
            self._refuse_known(ident)
            directory = self._premises.directory("valkey", ident)
            group = ValkeyGroup(ident, directory, find_valkey(), self._spawner, replicas=replicas)
            database = _Valkey(group, [])
            with _undone(lambda: database.remove(self._fronts)):
                group.create([auth_token] if auth_token else [], parameters)
                backends = group.backends
                for targets in (backends[:1], backends[1:] or backends, *([one] for one in backends)):
                    database.fronts.append(self._open_cache(port, tls, targets))
                self._databases[ident] = database
            primary, reader, *nodes = (front.endpoint for front in database.fronts)
            return ValkeyEndpoints(primary, reader, nodes)

    def set_valkey_auth(self, ident: str, tokens: Sequence[str]) -> None:
        """The tokens that let a client in: several while they rotate, one, or none for no authentication."""
        with self._valkey(ident) as group:
            group.set_tokens(tokens)

    def configure_valkey(self, ident: str, parameters: Mapping[str, str]) -> None:
        """Replace all parameters; what Valkey reads only at its start waits for :meth:`restart_valkey`."""
        with self._valkey(ident) as group:
            group.configure(parameters)

    def restart_valkey(self, ident: str) -> None:
        """Restart every node: the data is gone, the endpoints stay."""
        with self._valkey(ident) as group:
            group.restart()

    def remove(self, ident: str) -> None:
        """Stop a database of either kind and delete its data; unknown is no error."""
        with self._exclusive(ident):
            self._remove(ident)

    def close(self) -> None:
        """Remove every database and end every process and thread. May be called again."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
        with ThreadPoolExecutor(max_workers=8, thread_name_prefix="database-close") as pool:
            done = [pool.submit(self._remove_last, ident) for ident in tuple(self._locks)]
        self._fronts.close()
        self._spawner.close()
        self._premises.leave()
        for one in done:
            one.result()

    def _remove_last(self, ident: str) -> None:
        with self._locks[ident]:
            self._remove(ident)

    def _remove(self, ident: str) -> None:
        database = self._databases.pop(ident, None)
        if database is not None:
            database.remove(self._fronts)

    def _new_cluster(self, ident: str) -> PostgresCluster:
        self._refuse_known(ident)
        tools = self._postgres_tools()
        return PostgresCluster(ident, self._premises.directory("postgres", ident), tools)

    def _publish(self, ident: str, cluster: PostgresCluster, port: int, force_tls: bool) -> Endpoint:
        """Open the public endpoint of a cluster that runs, and know it from now on."""
        sock = listen(port)
        with _undone(sock.close):
            endpoint = endpoint_of(sock)
            context = self._authority.server_context(endpoint.host)
            database = _Postgres(cluster, endpoint, context, force_tls)
            self._serve(database, sock)
        self._databases[ident] = database
        return endpoint

    def _serve(self, database: _Postgres, sock: socket.socket | None = None) -> None:
        """Open the public endpoint of a cluster, where it was before unless ``sock`` is given."""
        if database.front is None:
            database.front = self._fronts.open(
                sock or listen_again(database.endpoint),
                Speech.POSTGRES,
                [database.cluster.backend],
                context=database.context,
                force=database.force_tls,
            )

    def _open_cache(self, port: int, tls: bool, targets: Sequence[Endpoint]) -> Front:
        sock = listen(port)
        with _undone(sock.close):
            context = self._authority.server_context(endpoint_of(sock).host) if tls else None
            return self._fronts.open(sock, Speech.TLS if tls else Speech.PLAIN, targets, context=context)

    def _postgres_tools(self) -> PostgresTools:
        with self._tools_guard:
            if self._tools is None:
                identity = self._identity or find_identity()
                home = self._premises.settle(identity)
                binaries = settle_binaries(identity, find_postgres(), home)
                template = ensure_template(home, identity, binaries)
                self._tools = PostgresTools(identity, binaries, template, self._spawner)
            return self._tools

    @contextmanager
    def _exclusive(self, key: str) -> Iterator[None]:
        """Hold the lock of an identifier or snapshot; SandboxError once the host is closed."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.RLock())
        with lock:
            if self._closed:
                raise SandboxError("the sandbox's databases are closed", where=_WHERE)
            yield

    @contextmanager
    def _postgres(self, ident: str) -> Iterator[_Postgres]:
        with self._exclusive(ident):
            database = self._databases.get(ident)
            if not isinstance(database, _Postgres):
                raise SandboxError(f"there is no PostgreSQL {ident}", where=_WHERE)
            yield database

    @contextmanager
    def _valkey(self, ident: str) -> Iterator[ValkeyGroup]:
        with self._exclusive(ident):
            database = self._databases.get(ident)
            if not isinstance(database, _Valkey):
                raise SandboxError(f"there is no Valkey {ident}", where=_WHERE)
            yield database.group

    def _refuse_known(self, ident: str) -> None:
        if ident in self._databases:
            raise SandboxError(f"there is a database {ident} already", where=_WHERE)


@contextmanager
def _undone(undo: Callable[[], None]) -> Iterator[None]:
    """Run ``undo`` where the body fails, and let its error through."""
    try:
        yield
    except BaseException:
        undo()
        raise


def _snapshot_key(snapshot: str) -> str:
    # Identifiers of databases have no blank, so the two never share a lock.
    return f"snapshot {snapshot}"
