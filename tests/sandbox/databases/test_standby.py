"""A replica of the sandbox is a PostgreSQL that streams from its source, as the managed service's does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors

from provisioner.sandbox.databases.host import DatabaseHost, Endpoint
from tests.sandbox.databases.helpers import DATABASE, PASSWORD, USER, connect, value

Pair = tuple[Endpoint, Endpoint]


@pytest.fixture(scope="module")
def pair(host: DatabaseHost) -> Iterator[Pair]:
    """A source with room for 60 connections, and a replica that asked for 20."""
    source = host.start_postgres(
        "source", user=USER, password=PASSWORD, database=DATABASE, parameters={"max_connections": "60"}
    )
    with connect(host, source) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    yield source, host.replicate_postgres("source", "copy", parameters={"max_connections": "20", "work_mem": "2MB"})
    host.remove("copy")
    host.remove("source")


def _until(connection: psycopg.Connection[Any], statement: str, wanted: object) -> None:
    deadline = time.monotonic() + 10
    while (seen := value(connection, statement)) != wanted:
        assert time.monotonic() < deadline, f"{statement} is still {seen}"
        time.sleep(0.02)


def test_what_is_written_to_the_source_is_read_from_the_replica(host: DatabaseHost, pair: Pair) -> None:
    source, copy = pair
    with connect(host, source) as writer, connect(host, copy) as reader:
        reader.autocommit = True
        assert value(reader, "SELECT count(*) FROM kept WHERE n = 1") == 1
        writer.execute("INSERT INTO kept VALUES (2)")
        writer.commit()
        _until(reader, "SELECT count(*) FROM kept", 2)


def test_it_takes_no_writes_and_says_so(host: DatabaseHost, pair: Pair) -> None:
    with connect(host, pair[1]) as connection, pytest.raises(errors.ReadOnlySqlTransaction):
        connection.execute("INSERT INTO kept VALUES (3)")


def test_it_has_parameters_of_its_own_but_no_less_room_than_its_source(host: DatabaseHost, pair: Pair) -> None:
    with connect(host, pair[1]) as connection:
        assert (value(connection, "SHOW work_mem"), value(connection, "SHOW max_connections")) == ("2MB", "60")
    host.configure_postgres("copy", {"max_connections": "10", "work_mem": "3MB"}, restart=True)
    with connect(host, pair[1]) as connection:
        assert (value(connection, "SHOW work_mem"), value(connection, "SHOW max_connections")) == ("3MB", "60")


def test_nobody_reads_the_password_that_it_follows_with(host: DatabaseHost, pair: Pair) -> None:
    with connect(host, pair[1]) as connection:
        told = str(value(connection, "SELECT setting FROM pg_settings WHERE name = 'primary_conninfo'"))
    assert "passfile" in told and "password" not in told


def test_a_new_password_of_the_source_is_the_replicas_too(host: DatabaseHost, pair: Pair) -> None:
    host.set_postgres_password("source", "another-password")
    deadline = time.monotonic() + 10
    while True:
        try:
            connect(host, pair[1], password="another-password").close()
            break
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
    host.set_postgres_password("source", PASSWORD)


def test_it_goes_on_alone_when_its_source_is_gone_and_takes_writes_once_promoted(host: DatabaseHost) -> None:
    host.start_postgres("short", user=USER, password=PASSWORD, database=DATABASE)
    left = host.replicate_postgres("short", "left")
    host.remove("short")
    with connect(host, left) as connection:
        assert value(connection, "SELECT pg_is_in_recovery()") is True
    host.promote_postgres("left")
    with connect(host, left) as connection:
        connection.execute("CREATE TABLE mine (n int)")
    host.snapshot_postgres("left", "of-left")
    host.remove("left")
    again = host.restore_postgres("of-left", "again")
    with connect(host, again) as connection:
        assert value(connection, "SELECT pg_is_in_recovery()") is False
    host.remove("again")
    host.delete_snapshot("of-left")


def test_a_snapshot_of_a_replica_is_restored_as_a_server_of_its_own(host: DatabaseHost, pair: Pair) -> None:
    host.snapshot_postgres("copy", "of-copy")
    made = host.restore_postgres("of-copy", "restored")
    with connect(host, made) as connection:
        connection.execute("INSERT INTO kept VALUES (4)")
    host.remove("restored")
    host.delete_snapshot("of-copy")
