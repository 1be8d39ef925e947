"""One PostgreSQL cluster: made from the template or a snapshot, started, configured, copied, removed.

``postgres`` runs directly (not through pg_ctl), so that it is our child and dies with us. Behind the TLS
front it listens on an address of its own, and scram is the only way in.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from provisioner.errors import SandboxError
from provisioner.sandbox.databases import pgparameters, standby
from provisioner.sandbox.databases.addresses import backend
from provisioner.sandbox.databases.binaries import PostgresBinaries
from provisioner.sandbox.databases.pgtemplate import MASTER_ROLE, SUPERUSER, Template, copy_cluster
from provisioner.sandbox.databases.processes import Spawner, run, stop, wait_until
from provisioner.sandbox.databases.rootless import Identity

if TYPE_CHECKING:
    from psycopg import Connection

# Statements that carry a verifier must not reach the server's log or its statement statistics.
_QUIET: Final = " ".join(
    f"-c {setting}"
    for setting in (
        "log_statement=none",
        "log_min_error_statement=panic",
        "log_min_duration_statement=-1",
        "log_min_duration_sample=-1",
        "log_transaction_sample_rate=0",
        "pg_stat_statements.track=none",
        "auto_explain.log_min_duration=-1",
        "default_transaction_read_only=off",
        "statement_timeout=0",
    )
)
_COMPLAINT: Final = re.compile(r"(?:LOG|WARNING):  (.*?)(?: in file \"[^\"]*\" line \d+)?$", re.MULTILINE)
_STATUS_LINE: Final = 7
"""Of postmaster.pid, counted from 0."""
_RELOAD_TIME: Final = 10.0
_RELOAD_POLL: Final = 0.002


@dataclass(frozen=True, slots=True)
class PostgresTools:
    """What every cluster of a sandbox shares."""

    identity: Identity
    binaries: PostgresBinaries
    template: Template
    spawner: Spawner


class PostgresCluster:
    """A cluster in ``directory`` (``data``, ``server.log``). Not thread-safe: the host sees to that."""

    def __init__(self, name: str, directory: Path, tools: PostgresTools) -> None:
        self.name = name
        self.user = ""
        self.backend = backend()
        self._where = f"PostgreSQL {name}"
        self._directory = directory
        self._data = directory / "data"
        self._log = directory / "server.log"
        self._tools = tools
        self._process: subprocess.Popen[bytes] | None = None
        self._parameters: dict[str, str] = {}
        self._primary: PostgresCluster | None = None
        """Whom it follows, while it is a standby."""

    @property
    def running(self) -> bool:
        """Whether the server process lives."""
        return self._process is not None and self._process.poll() is None

    def create(self, *, user: str, password: str, database: str, parameters: Mapping[str, str]) -> None:
        """Make the cluster, its master user and his database, and leave it running."""
        settings = pgparameters.checked(parameters, self._where)
        self._copy(self._tools.template.data)
        self._configure_files(settings)
        self._start_checked()
        self.user = user
        with self._connection() as connection:
            _make_master(connection, user, password, database)

    def create_from(self, snapshot: Path, *, password: str | None, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Make the cluster from a snapshot's directory and leave it running; returns the snapshot's facts."""
        settings = pgparameters.checked(parameters, self._where)
        facts: dict[str, Any] = json.loads((snapshot / "snapshot.json").read_text(encoding="utf-8"))
        self.user = facts["user"]
        self._copy(snapshot / "data")
        self._configure_files(settings)
        self._start_checked()
        if password is not None:
            self.set_password(password)
        return facts

    def create_standby(self, primary: PostgresCluster, *, parameters: Mapping[str, str]) -> None:
        """Make the cluster a standby that follows ``primary``, which runs, and leave it running: read-only.

        Users and passwords are the primary's. It goes on alone while the primary is stopped or gone.
        """
        self._primary, self.user = primary, primary.user
        settings = self._enough(pgparameters.checked(parameters, self._where))
        self._directory.mkdir(mode=0o700)
        self._tools.identity.take(self._directory)
        primary.origin.back_up_to(self._data)
        standby.follow(self._directory, self._data, primary.backend, SUPERUSER, self._tools.template.password)
        self._configure_files(settings)
        self._start_checked()

    @property
    def origin(self) -> PostgresCluster:
        """The server at the head of the chain that this one follows; itself where it follows none."""
        return self._primary.origin if self._primary is not None else self

    def promote(self) -> None:
        """Make a standby a server of its own, which takes writes; returns when it does."""
        with self._connection() as connection:
            row = connection.execute("SELECT pg_promote(true, 30)").fetchone()
        if row is None or not row[0]:
            raise SandboxError("the server was not promoted in time", where=self._where, hint=f"see {self._log}")
        self._primary = None

    def _enough(self, settings: dict[str, str]) -> dict[str, str]:
        """Settings for a standby: of some it must have as much as its primary, or it does not start."""
        if self._primary is None or not self._primary.running:
            return settings
        with self._primary._connection() as connection:
            return standby.enough(connection, settings)

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        if self.running:
            return
        pid_file = self._data / "postmaster.pid"
        pid_file.unlink(missing_ok=True)
        argv = [self._tools.binaries.program("postgres"), "-D", str(self._data)]
        command = self._tools.identity.command(argv, death_signal=signal.SIGQUIT)
        self._process = self._tools.spawner.spawn(command, cwd=self._directory, log=self._log)
        wait_until(lambda: _says_ready(pid_file), self._process, self._where, self._log)

    def _start_checked(self) -> None:
        """The first start: where it fails because of the parameters, the error is about them alone."""
        try:
            self.start()
        except SandboxError:
            self._check_files()
            raise

    def stop(self) -> None:
        """Disconnect everyone and shut down."""
        if self._process is not None:
            stop(self._process, signal.SIGINT, signal.SIGQUIT)
            self._process = None

    def remove(self) -> None:
        """Stop and delete the data. It is throwaway, so nothing waits for a checkpoint."""
        if self._process is not None:
            stop(self._process, signal.SIGQUIT)
            self._process = None
        if self._directory.exists():
            shutil.rmtree(self._directory)

    def set_password(self, password: str) -> None:
        """Give the master user another password."""
        with self._connection() as connection:
            connection.execute(*_with_verifier(connection, "ALTER ROLE {} PASSWORD {}", self.user, password))

    def admits(self, user: str, password: str) -> bool:
        """Whether a user gets in with this password; SandboxError where the server does not answer."""
        import psycopg

        host, port = self.backend
        where: dict[str, Any] = {"host": host, "port": port, "dbname": "postgres", "sslmode": "disable"}
        try:
            psycopg.connect(**where, user=user, password=password, gssencmode="disable", connect_timeout=5).close()
        except psycopg.Error as err:
            said = str(err).partition("\n")[0]
            if "authentication failed" in said:
                return False
            raise SandboxError(said.rpartition("FATAL:  ")[2], where=self._where) from None
        return True

    def configure(self, parameters: Mapping[str, str], *, restart: bool) -> None:
        """Replace the parameters: those that a running server can change it does, others wait for a restart.

        SandboxError when PostgreSQL does not take one of them; it then goes on with those it had.
        """
        settings = self._enough(pgparameters.checked(parameters, self._where))
        before, ran = self._parameters, self.running
        self._configure_parameters(settings)
        try:
            self._check_files()
            if self.running:
                self._reload()
            if restart:
                self.restart()
        except SandboxError:
            self._configure_parameters(before)
            if ran:
                self.start()
            raise

    def restart(self) -> None:
        """Stop, where it runs, and start again at the same address."""
        self.stop()
        self.start()

    def pending_restart(self) -> list[str]:
        """The parameters whose new value waits for a restart, sorted."""
        with self._connection() as connection:
            rows = connection.execute("SELECT name FROM pg_settings WHERE pending_restart ORDER BY name").fetchall()
        return [name for (name,) in rows]

    def copy_to(self, target: Path, **facts: object) -> int:
        """Make a snapshot in ``target`` with ``facts`` beside the master user's name; its size in bytes."""
        target.mkdir(mode=0o700)
        self._tools.identity.take(target)
        if self.running and self._primary is None:
            self.back_up_to(target / "data")
        else:
            self._copy_stopped(target / "data")
        (target / "snapshot.json").write_text(json.dumps({"user": self.user, **facts}), encoding="utf-8")
        return sum(path.stat().st_size for path in (target / "data").rglob("*") if path.is_file())

    def _copy_stopped(self, target: Path) -> None:
        """Copy a server that is stopped, or a standby, which is for as long as it takes.

        A standby cannot be backed up while it runs, for its primary writes no full pages.
        """
        ran = self.running
        self.stop()
        try:
            copy_cluster(self._data, target)
        finally:
            if ran:
                self.start()

    def back_up_to(self, target: Path) -> None:
        """Copy the data directory of a server that runs."""
        host, port = self.backend
        argv = [self._tools.binaries.program("pg_basebackup"), "-D", str(target), "-h", host, "-p", str(port)]
        argv += [
            "-U",
            SUPERUSER,
            "-w",
            "-c",
            "fast",
            "-X",
            "stream",
            "--no-sync",
            "--manifest-checksums=NONE",
        ]
        password = {"PGPASSWORD": self._tools.template.password, "PGSSLMODE": "disable"}
        run(self._tools.identity, argv, cwd=self._directory, **password)

    def _copy(self, data: Path) -> None:
        self._directory.mkdir(mode=0o700)
        copy_cluster(data, self._data)
        standby.forget(self._data)

    def _configure_files(self, settings: dict[str, str]) -> None:
        pgparameters.write_base(self._data, self.backend, self._tools.template.extensions, self._tools.binaries.major)
        standby.include(self._data)
        self._configure_parameters(settings)
        self._tools.identity.take(self._directory)

    def _configure_parameters(self, settings: dict[str, str]) -> None:
        pgparameters.write_parameters(self._data, settings)
        self._parameters = settings

    def _check_files(self) -> None:
        """Have PostgreSQL read its files as at a start; SandboxError with what it says against them."""
        argv = [self._tools.binaries.program("postgres"), "-C", "port", "-D", str(self._data)]
        try:
            run(self._tools.identity, argv, cwd=self._directory)
        except SandboxError as err:
            told = _COMPLAINT.findall(err.message)
            raise SandboxError(
                f"PostgreSQL does not take its parameters: {'; '.join(told) or err.message}",
                where=self._where,
            ) from err

    def _reload(self) -> None:
        """Have the running server read its files again, and wait until it has."""
        with self._connection() as connection:
            row = connection.execute("SELECT pg_conf_load_time(), pg_reload_conf()").fetchone()
            before = row[0] if row else None
            deadline = time.monotonic() + _RELOAD_TIME
            while time.monotonic() < deadline:
                row = connection.execute("SELECT pg_conf_load_time()").fetchone()
                # The server reads first and tells its sessions then: once ours has read, every new one will
                # have.
                if row and row[0] != before:
                    return
                time.sleep(_RELOAD_POLL)
        raise SandboxError("the server did not read its new parameters", where=self._where, hint=f"see {self._log}")

    @contextmanager
    def _connection(self) -> Iterator[Connection[Any]]:
        """A connection as the superuser, in autocommit."""
        if not self.running:
            raise SandboxError("the server is stopped", where=self._where, hint="start it first")
        import psycopg

        try:
            with psycopg.connect(
                host=self.backend.host,
                port=self.backend.port,
                user=SUPERUSER,
                password=self._tools.template.password,
                dbname="postgres",
                sslmode="disable",
                gssencmode="disable",
                connect_timeout=10,
                options=_QUIET,
                autocommit=True,
            ) as connection:
                yield connection
        except psycopg.Error as err:
            # The first line only: the next ones may quote the statement.
            raise SandboxError(str(err).partition("\n")[0], where=self._where) from err


def _says_ready(pid_file: Path) -> bool:
    """The eighth line of postmaster.pid tells the server's state."""
    try:
        lines = pid_file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"


def _make_master(connection: Connection[Any], user: str, password: str, database: str) -> None:
    """The master user as a managed service makes him: no superuser, and owner of his databases."""
    from psycopg import sql

    role = sql.Identifier(user)
    connection.execute(
        *_with_verifier(connection, "CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}", user, password)
    )
    connection.execute(sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(sql.Identifier(MASTER_ROLE), role))
    connection.execute(sql.SQL("ALTER DATABASE postgres OWNER TO {}").format(role))
    if database and database != "postgres":
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), role))


def _with_verifier(connection: Connection[Any], statement: str, user: str, password: str) -> tuple[Any]:
    """``statement`` with the user and his password's verifier: the password never leaves this process."""
    from psycopg import sql

    verifier = connection.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256").decode()
    return (sql.SQL(statement).format(sql.Identifier(user), sql.Literal(verifier)),)
