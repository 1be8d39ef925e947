"""What an extension promises beyond the suite: it says what is missing, keeps what is used, and tells who cannot log in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from provisioner.errors import AccessDeniedError, InvalidRequestError, NotOfferedError, UnavailableError
from provisioner.resource import Registry
from provisioner.secret import Secret
from tests.contract.cases.sql_extension import DATABASE, connect, login
from tests.contract.conftest import REGION
from tests.contract.world import World

TYPE = "sql.extension"


@pytest.fixture(scope="module")
def world(registry: Registry) -> Iterator[World]:
    """A deployment with a database."""
    made = World(registry, REGION)
    try:
        made.make(DATABASE.type, DATABASE.step, DATABASE.spec(made))
        yield made
    finally:
        made.close()


def _create(world: World, **changes: Any) -> Any:
    tree = {**login(world), **changes}
    driver, key = world.driver(TYPE), world.key(TYPE, str(changes["name"]), tree)
    driver.create(key, world.spec(TYPE, tree))
    return driver, key


def test_an_extension_that_the_server_does_not_have_is_told_as_that(world: World) -> None:
    with pytest.raises(NotOfferedError, match="extension pgcrypto is not available on this server") as told:
        _create(world, name="pgcrypto")
    assert told.value.nothing_done and "when" in told.value.hint


def test_a_version_that_the_server_does_not_have_is_told_with_those_that_it_has(world: World) -> None:
    with pytest.raises(NotOfferedError, match=r"in version 99\.0") as told:
        _create(world, name="pg_trgm", version="99.0")
    assert "1.6" in told.value.hint


def test_a_schema_that_is_not_there_is_the_servers_own_complaint_and_leaves_nothing(world: World) -> None:
    with pytest.raises(InvalidRequestError, match='schema "nowhere" does not exist') as told:
        _create(world, name="ltree", schema="nowhere")
    assert told.value.nothing_done
    with connect(world) as connection:
        assert connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'ltree'").fetchone() is None


def test_a_wrong_password_and_a_server_that_is_not_there_are_two_things_and_neither_shows_the_password(
    world: World,
) -> None:
    with pytest.raises(AccessDeniedError) as refused:
        _create(world, name="citext", password=Secret("not-the-one-canary"))
    with pytest.raises(UnavailableError) as silent:
        _create(world, name="citext", port=1)
    for told in (refused, silent):
        assert "canary" not in str(told.value) and told.value.__cause__ is None


def test_one_that_tables_use_stays_with_them_and_is_taken_up_again(world: World) -> None:
    driver, key = _create(world, name="hstore")
    with connect(world) as connection:
        connection.execute("CREATE TABLE bag (h hstore)")
        driver.delete(key)
        assert driver.read(key) is None
        assert driver.lingers(key) == "extension hstore stays in database app, where something uses it"
        connection.execute("INSERT INTO bag VALUES ('a=>1')")
        _create(world, name="hstore")
        assert driver.read(key).owner == key.owner
        connection.execute("DROP TABLE bag")
        driver.delete(key)
        assert connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'hstore'").fetchone() is None
        assert driver.lingers(key) is None


def test_one_that_somebody_else_made_is_shown_as_nobodys_and_not_dropped(world: World) -> None:
    with connect(world) as connection:
        connection.execute("CREATE EXTENSION citext")
        driver, key = _create(world, name="citext")
        assert driver.read(key).owner is None
        driver.delete(key)
        assert connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'citext'").fetchone() == (1,)
        connection.execute("DROP EXTENSION citext")


def test_pgvector_finds_what_is_nearest(world: World) -> None:
    driver, key = _create(world, name="vector")
    with connect(world) as connection:
        connection.execute("CREATE TABLE item (name text, at vector(3))")
        connection.execute("INSERT INTO item VALUES ('far', '[9,9,9]'), ('near', '[1,2,3]')")
        nearest = connection.execute("SELECT name FROM item ORDER BY at <-> '[1,1,1]' LIMIT 1").fetchone()
        assert nearest == ("near",)
        connection.execute("DROP TABLE item")
    driver.delete(key)
