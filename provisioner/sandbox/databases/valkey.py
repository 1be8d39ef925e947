"""One cache: a Valkey and its replicas, with the users that a managed cache has.

=================  =====================================================================================
``default``        what clients are: valid with any of the tokens, or without one; may not administer
``rdsadmin``       what the sandbox is
``replication``    what replicas are to their primary, and allowed nothing else
=================  =====================================================================================

Configuration files carry no token in plain text, only its SHA-256; the two inner passwords are random and lie
in a file that only the owner reads. Weakness: CONFIG GET is allowed to clients, which the managed service
refuses.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provisioner.errors import SandboxError
from provisioner.sandbox.databases.addresses import Endpoint, backend
from provisioner.sandbox.databases.processes import Spawner, stop, wait_until
from provisioner.sandbox.databases.rootless import Identity

if TYPE_CHECKING:
    from redis import Redis

ADMIN: Final = "rdsadmin"
_REFUSED: Final = (
    "acl|deluser",
    "acl|load",
    "acl|save",
    "acl|setuser",
    "bgrewriteaof",
    "bgsave",
    "config",
    "debug",
    "failover",
    "migrate",
    "module",
    "psync",
    "replconf",
    "replicaof",
    "save",
    "shutdown",
    "slaveof",
    "sync",
)
_SERVICE_ONLY: Final = frozenset(
    {
        "close-on-replica-write",
        "close-on-slave-write",
        "reserved-memory",
        "reserved-memory-percent",
        "slave-allow-chains",
    }
)
"""Parameters of the managed service that Valkey does not know and that change nothing here."""
_OURS: Final = frozenset(
    {
        "aclfile",
        "bind",
        "daemonize",
        "dbfilename",
        "dir",
        "include",
        "loadmodule",
        "logfile",
        "masterauth",
        "masteruser",
        "pidfile",
        "port",
        "primaryauth",
        "primaryuser",
        "protected-mode",
        "replicaof",
        "requirepass",
        "slaveof",
        "supervised",
        "syslog-enabled",
        "unixsocket",
        "user",
    }
)
_SYNC_TIME: Final = 30.0
_SYNC_POLL: Final = 0.01


@dataclass(slots=True)
class _Node:
    """One server process."""

    index: int
    backend: Endpoint
    directory: Path
    process: subprocess.Popen[bytes] | None = None


class ValkeyGroup:
    """A primary (node 0) and its replicas in ``directory``. Not thread-safe: the host sees to that."""

    def __init__(self, name: str, directory: Path, binary: Path, spawner: Spawner, *, replicas: int) -> None:
        self.name = name
        self._where = f"Valkey {name}"
        self._directory = directory
        self._binary = binary
        self._spawner = spawner
        self._admin_password = secrets.token_urlsafe(32)
        self._replication_password = secrets.token_urlsafe(32)
        self._tokens: tuple[str, ...] = ()
        self._parameters: dict[str, str] = {}
        self._at_start: dict[str, str] = {}
        self._defaults: dict[str, str] = {}
        self._nodes = [_Node(index, backend(), directory / f"node-{index}") for index in range(1 + replicas)]

    @property
    def backends(self) -> list[Endpoint]:
        """Where the servers listen, the primary first."""
        return [node.backend for node in self._nodes]

    def create(self, tokens: Sequence[str], parameters: Mapping[str, str]) -> None:
        """Start every node, configured, with the replicas in step with the primary."""
        settings = self._checked(parameters)
        self._tokens = tuple(tokens)
        self._directory.mkdir(mode=0o700)
        for node in self._nodes:
            node.directory.mkdir(mode=0o700)
        self._start()
        self._set(settings)
        if self._at_start:
            self.restart()

    def restart(self) -> None:
        """Stop and start every node: its data is gone, as a cache's is, and parameters that waited apply."""
        self.stop()
        self._start()
        self._set(self._parameters)

    def stop(self) -> None:
        """End every process at once: a cache keeps nothing, and a polite end waits for the replicas."""
        for node in self._nodes:
            if node.process is not None:
                stop(node.process)
                node.process = None

    def remove(self) -> None:
        """Stop and delete."""
        self.stop()
        if self._directory.exists():
            shutil.rmtree(self._directory)

    def set_tokens(self, tokens: Sequence[str]) -> None:
        """Let clients in with any of ``tokens``, or without one where there is none."""
        self._tokens = tuple(tokens)
        for node in self._nodes:
            with self._admin(node) as admin:
                admin.execute_command("ACL", "SETUSER", "default", *_client_rules(self._tokens))

    def configure(self, parameters: Mapping[str, str]) -> None:
        """Replace the parameters; what Valkey changes only at a start waits for :meth:`restart`.

        SandboxError when Valkey does not take one of them.
        """
        self._set(self._checked(parameters))

    def _checked(self, parameters: Mapping[str, str]) -> dict[str, str]:
        settings = {name.lower(): value for name, value in parameters.items() if name.lower() not in _SERVICE_ONLY}
        ours = sorted(_OURS & settings.keys())
        if ours:
            raise SandboxError(f"{ours[0]} is decided by the sandbox and cannot be set", where=self._where)
        broken = [name for name, value in settings.items() if not name.isprintable() or not value.isprintable()]
        if broken:
            raise SandboxError(f"the value of {broken[0]!r} has a character that is not printable", where=self._where)
        return settings

    def _set(self, settings: Mapping[str, str]) -> None:
        """Bring every node from the parameters it has to ``settings``; on an error all stays as it was."""
        wanted = {name: self._defaults[name] for name in self._parameters if name not in settings} | dict(settings)
        at_start: dict[str, str] = {}
        with ExitStack() as undo:
            for node in self._nodes:
                with self._admin(node) as admin:
                    for name, value in wanted.items():
                        before = self._known(admin, name)
                        if before != value and self._change(admin, name, value):
                            undo.callback(self._change_node, node, name, before)
                        elif name in settings and (before != value or name in self._at_start):
                            at_start[name] = value
            undo.pop_all()
        self._parameters = dict(settings)
        self._at_start = at_start

    def _known(self, admin: Redis, name: str) -> str:
        """The value that a node has; SandboxError where there is no such parameter."""
        known = {str(key): str(value) for key, value in admin.config_get(name).items()}
        # CONFIG GET takes patterns: only the very name will do.
        if name not in known:
            raise SandboxError(f"Valkey has no parameter {name}", where=self._where)
        self._defaults.setdefault(name, known[name])
        return known[name]

    def _change(self, admin: Redis, name: str, value: str) -> bool:
        """Change one parameter of one node; False when Valkey can change it only at a start."""
        from redis import ResponseError

        try:
            admin.config_set(name, value)
        except ResponseError as err:
            if "immutable" in str(err):
                return False
            raise SandboxError(f"Valkey does not take {name} = {value!r}: {err}", where=self._where) from err
        return True

    def _change_node(self, node: _Node, name: str, value: str) -> None:
        with self._admin(node) as admin:
            self._change(admin, name, value)

    def _start(self) -> None:
        for node in self._nodes:
            # A replica may have kept what its primary sent.
            (node.directory / "dump.rdb").unlink(missing_ok=True)
            self._spawn(node)
        for node in self._nodes:
            process, log = node.process, node.directory / "server.log"
            assert process is not None
            wait_until(partial(_listens, node.backend), process, f"{self._where} node {node.index}", log)
        for node in self._nodes[1:]:
            self._follow(node)

    def _follow(self, node: _Node) -> None:
        """Make a node a replica and wait until it is in step.

        By command, one after the other: one that its file makes a replica waits a second for Valkey's timer,
        and one that comes while another is being served waits for the next turn.
        """
        deadline = time.monotonic() + _SYNC_TIME
        with self._admin(node) as admin:
            admin.execute_command("REPLICAOF", *self._nodes[0].backend)
            while admin.info("replication")["master_link_status"] != "up":
                if time.monotonic() > deadline:
                    raise SandboxError(
                        f"node {node.index} is not in step with the primary after {_SYNC_TIME:g} s",
                        where=self._where,
                        hint=f"see {node.directory / 'server.log'}",
                    )
                time.sleep(_SYNC_POLL)

    def _spawn(self, node: _Node) -> None:
        conf = node.directory / "valkey.conf"
        conf.unlink(missing_ok=True)
        with os.fdopen(os.open(conf, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in self._configuration(node)))
        # Valkey has no objection to root, and a plain process needs nothing from the machine.
        command = Identity().command([str(self._binary), str(conf)], death_signal=signal.SIGKILL)
        node.process = self._spawner.spawn(command, cwd=node.directory, log=node.directory / "server.log")

    def _configuration(self, node: _Node) -> list[str]:
        lines = [
            f"bind {node.backend.host}",
            f"port {node.backend.port}",
            "protected-mode no",
            "dir .",
            "pidfile valkey.pid",
            'save ""',
            "appendonly no",
            # Replicas load what the primary streams at once; by way of a file they wait a second for a timer.
            "repl-diskless-sync-delay 0",
            "repl-diskless-load swapdb",
            "repl-ping-replica-period 1",
            "io-threads 1",
            "always-show-logo no",
            # Its command line names its directory for good: that is how a leftover is known.
            "set-proc-title no",
            f"user default {' '.join(_client_rules(self._tokens))}",
            f"user {ADMIN} on #{_digest(self._admin_password)} ~* &* +@all",
            f"user replication on #{_digest(self._replication_password)} +psync +replconf +ping",
            "primaryuser replication",
            f"primaryauth {self._replication_password}",
        ]
        return lines + [f"{name} {_quoted(value)}" for name, value in self._at_start.items()]

    def _admin(self, node: _Node) -> Redis:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        return Redis(
            host=node.backend.host,
            port=node.backend.port,
            username=ADMIN,
            password=self._admin_password,
            decode_responses=True,
            socket_timeout=10,
            retry=Retry(NoBackoff(), 0),
        )


def _listens(endpoint: Endpoint) -> bool:
    """Whether a server takes connections; Valkey does so only once it is ready."""
    try:
        socket.create_connection(endpoint, timeout=1).close()
    except OSError:
        return False
    return True


def _client_rules(tokens: Sequence[str]) -> list[str]:
    """ACL rules of the user that clients are."""
    secret = [f"#{_digest(token)}" for token in tokens] if tokens else ["nopass"]
    return ["reset", "on", *secret, "~*", "&*", "+@all", *(f"-{name}" for name in _REFUSED), "+config|get"]


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
