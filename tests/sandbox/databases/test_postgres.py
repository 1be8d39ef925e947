"""A PostgreSQL of the sandbox is what the managed service's would be to the one who uses it."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

from provisioner.errors import SandboxError
from provisioner.sandbox.databases.host import DatabaseHost, Endpoint
from tests.sandbox.databases.helpers import DATABASE, PASSWORD, USER, connect, value


def test_it_listens_on_the_port_that_was_asked_for(main: Endpoint) -> None:
    assert main.port == 5432
    assert main.host.startswith("127.")


def test_the_master_user_owns_his_database_and_is_no_superuser(host: DatabaseHost, main: Endpoint) -> None:
    with connect(host, main) as connection:
        role = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert role == (False, True, True, False, False)
        owners = connection.execute("SELECT datname, pg_get_userbyid(datdba) FROM pg_database").fetchall()
        assert {("app", USER), ("postgres", USER), ("template1", "rdsadmin")} <= set(owners)
        for role_name in ("rds_superuser", "pg_monitor", "pg_read_all_data", "pg_signal_backend"):
            assert value(connection, f"SELECT pg_has_role('{role_name}', 'member')"), role_name


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER SYSTEM SET work_mem = '1MB'",
        "CREATE ROLE other SUPERUSER",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
        "ALTER ROLE rdsadmin PASSWORD 'mine'",
        "CREATE EXTENSION file_fdw",
    ],
)
def test_what_only_a_superuser_may_do_is_refused_to_the_master_user(
    host: DatabaseHost, main: Endpoint, statement: str
) -> None:
    with connect(host, main) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_the_master_user_may_make_roles_and_pass_on_what_he_has(host: DatabaseHost, main: Endpoint) -> None:
    with connect(host, main) as connection:
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'read-only-1'")
        connection.execute("GRANT pg_read_all_data TO reader")
        connection.execute("GRANT rds_superuser TO reader")
        with connect(host, main, user="reader", password="read-only-1") as other:
            assert value(other, "SELECT current_user") == "reader"
        connection.execute("DROP ROLE reader")


def test_statement_statistics_can_be_switched_on_read_and_reset(host: DatabaseHost, main: Endpoint) -> None:
    with connect(host, main) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        connection.execute("SELECT 41 + 1")
        assert value(connection, "SELECT count(*) FROM pg_stat_statements WHERE query = 'SELECT $1 + $2'") == 1
        connection.execute("SELECT pg_stat_statements_reset()")


def test_a_wrong_password_is_refused_and_nobody_is_trusted(host: DatabaseHost, main: Endpoint) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(host, main, password="wrong")
    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(host, main, user="rdsadmin", password="", dbname="postgres")


def test_a_changed_password_holds_at_once_for_new_sessions(host: DatabaseHost, main: Endpoint) -> None:
    with connect(host, main) as session:
        host.set_postgres_password("main", "another-1")
        with connect(host, main, password="another-1") as other:
            assert value(other, "SELECT 1") == 1
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(host, main)
        host.set_postgres_password("main", PASSWORD)
        assert value(session, "SELECT 1") == 1


CANCELLING = """
import psycopg, sys, threading
for cancel in (psycopg.Connection.cancel, psycopg.Connection.cancel_safe):
    with psycopg.connect(sys.stdin.readline()) as connection:
        threading.Timer(0.1, cancel, [connection]).start()
        try:
            connection.execute("SELECT pg_sleep(20)")
        except psycopg.errors.QueryCanceled:
            print("cancelled")
"""


def test_a_running_query_can_be_cancelled_with_and_without_tls(host: DatabaseHost, main: Endpoint) -> None:
    # In a process of its own: the client library keeps Python's lock while it cancels, and the front needs it.
    words = {"host": main.host, "user": USER, "password": PASSWORD, "dbname": DATABASE, "sslmode": "require"}
    done = subprocess.run(
        [sys.executable, "-c", CANCELLING],
        input=f"{make_conninfo(**words)}\n" * 2,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.split() == ["cancelled"] * 2, done.stderr


def test_large_results_and_many_sessions_pass_the_front(host: DatabaseHost, main: Endpoint) -> None:
    def read(_: int) -> int:
        with connect(host, main) as connection:
            rows = connection.execute("SELECT repeat('x', 500000) FROM generate_series(1, 4)").fetchall()
            return sum(len(text) for (text,) in rows)

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(read, range(12))) == [2_000_000] * 12


def test_dynamic_parameters_change_at_once_and_static_ones_at_the_restart(host: DatabaseHost, spare: Endpoint) -> None:
    wanted = {"work_mem": "9MB", "max_connections": "37", "rds.force_ssl": "1", "rds.unheard_of": "x"}
    host.configure_postgres("spare", wanted, restart=False)
    with connect(host, spare) as connection:
        assert value(connection, "SHOW work_mem") == "9MB"
        assert value(connection, "SHOW max_connections") == "100"
    assert host.pending_restart("spare") == ["max_connections"]
    host.restart_postgres("spare")
    assert host.pending_restart("spare") == []
    with connect(host, spare) as connection:
        assert value(connection, "SHOW max_connections") == "37"
    host.configure_postgres("spare", {"shared_buffers": "1GB"}, restart=True)
    with connect(host, spare) as connection:
        # What is no longer among the parameters is as it was, and memory has its cap.
        assert value(connection, "SHOW work_mem") == "4MB"
        assert value(connection, "SHOW shared_buffers") == "32MB"


BAD_PARAMETERS = [
    ({"work_memory": "9MB"}, 'unrecognized configuration parameter "work_memory"'),
    ({"work_mem": "a lot"}, 'invalid value for parameter "work_mem"'),
    ({"max_connections": "-1"}, "max_connections"),
    ({"shared_preload_libraries": "no_such_library"}, "no_such_library"),
    ({"listen_addresses": "0.0.0.0"}, "decided by the sandbox"),
    ({"archive_command": "cp %p /tmp"}, "decided by the sandbox"),
    ({"work_mem": "1MB'\nlisten_addresses = '*"}, "line break"),
]


@pytest.mark.parametrize(("parameters", "told"), BAD_PARAMETERS)
def test_a_parameter_that_postgresql_does_not_take_is_named_and_changes_nothing(
    host: DatabaseHost, main: Endpoint, parameters: dict[str, str], told: str
) -> None:
    with pytest.raises(SandboxError, match=told):
        host.configure_postgres("main", parameters, restart=True)
    with connect(host, main) as connection:
        assert value(connection, "SHOW shared_preload_libraries") == "pg_stat_statements"


@pytest.mark.parametrize(("parameters", "told"), BAD_PARAMETERS[3:5])
def test_a_parameter_that_postgresql_does_not_take_leaves_no_database(
    host: DatabaseHost, root: Path, parameters: dict[str, str], told: str
) -> None:
    with pytest.raises(SandboxError, match=told):
        host.start_postgres("bad", user=USER, password=PASSWORD, database=DATABASE, parameters=parameters)
    assert not (root / "postgres" / "bad").exists()


def test_a_stopped_one_refuses_connections_and_starts_again_where_it_was(host: DatabaseHost, spare: Endpoint) -> None:
    with connect(host, spare) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    host.stop_postgres("spare")
    with pytest.raises(psycopg.OperationalError, match="refused"):
        connect(host, spare)
    with pytest.raises(SandboxError, match="stopped"):
        host.set_postgres_password("spare", "another-1")
    assert host.start_postgres("spare", user="other", password="other-1", database="other") == spare
    with connect(host, spare) as connection:
        assert value(connection, "SELECT seven FROM kept") == 7
    host.stop_postgres("spare")
    host.restart_postgres("spare")
    connect(host, spare).close()


def test_a_snapshot_brings_back_what_was_there_when_it_was_taken(host: DatabaseHost, spare: Endpoint) -> None:
    with connect(host, spare) as connection:
        connection.execute("CREATE TABLE entries AS SELECT generate_series(1, 1000) AS number")
        assert host.snapshot_postgres("spare", "first") > 10_000_000
        connection.execute("DROP TABLE entries")
    host.stop_postgres("spare")
    host.snapshot_postgres("spare", "second")
    with pytest.raises(SandboxError, match="already"):
        host.snapshot_postgres("spare", "second")
    host.restart_postgres("spare")

    first = host.restore_postgres("first", "restored-1", password="restored-1", parameters={"work_mem": "5MB"})
    second = host.restore_postgres("second", "restored-2")
    with connect(host, first, password="restored-1") as connection:
        assert value(connection, "SELECT count(*) FROM entries") == 1000
        assert value(connection, "SHOW work_mem") == "5MB"
        connection.execute("INSERT INTO entries VALUES (1001)")
    with connect(host, second) as connection:
        assert value(connection, "SELECT to_regclass('entries')") is None
    host.delete_snapshot("first")
    with pytest.raises(SandboxError, match="no snapshot first"):
        host.restore_postgres("first", "restored-3")
    for ident in ("restored-1", "restored-2", "restored-3"):
        host.remove(ident)


def test_an_identifier_is_used_once_and_free_again_after_its_removal(host: DatabaseHost, main: Endpoint) -> None:
    with pytest.raises(SandboxError, match="already"):
        host.start_postgres("main", user=USER, password=PASSWORD, database=DATABASE)
    with pytest.raises(SandboxError, match="no PostgreSQL unknown"):
        host.restart_postgres("unknown")
    host.remove("unknown")
    # Names of other clouds have characters that a path must not have.
    for _ in range(2):
        host.start_valkey("../project:region/x", auth_token=None, tls=False)
        host.remove("../project:region/x")


def test_a_user_name_that_is_taken_is_an_error_that_leaves_nothing(host: DatabaseHost) -> None:
    with pytest.raises(SandboxError, match='role "rdsadmin" already exists'):
        host.start_postgres("twice", user="rdsadmin", password=PASSWORD, database=DATABASE)
    with pytest.raises(SandboxError, match="no PostgreSQL twice"):
        host.stop_postgres("twice")


def test_several_are_made_at_once_from_threads_that_then_end(host: DatabaseHost) -> None:
    idents = [f"many-{number}" for number in range(3)]
    with ThreadPoolExecutor(4) as pool:
        endpoints = list(
            pool.map(
                lambda ident: host.start_postgres(ident, user=USER, password=PASSWORD, database=DATABASE),
                idents,
            )
        )
    assert len({endpoint.host for endpoint in endpoints}) == len(idents)
    for endpoint in endpoints:
        connect(host, endpoint).close()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(host.remove, idents))
