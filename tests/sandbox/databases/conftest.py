"""One host for most tests, with one PostgreSQL that they only read from or that they leave as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.sandbox.databases.host import DatabaseHost, Endpoint
from tests.sandbox.databases.helpers import DATABASE, PASSWORD, USER, servers_below


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sandbox") / "databases"


@pytest.fixture(scope="session")
def host(root: Path) -> Iterator[DatabaseHost]:
    with DatabaseHost(root) as host:
        yield host
    assert servers_below(root) == []
    assert {path.name for path in root.iterdir() if path.is_dir()} <= {"ca", "template"}


@pytest.fixture(scope="session")
def main(host: DatabaseHost) -> Endpoint:
    return host.start_postgres(
        "main",
        user=USER,
        password=PASSWORD,
        database=DATABASE,
        parameters={"shared_preload_libraries": "pg_stat_statements"},
    )


@pytest.fixture(scope="session")
def spare(host: DatabaseHost) -> Endpoint:
    """A second one, named "spare", whose parameters and data are for every test to change."""
    return host.start_postgres("spare", user=USER, password=PASSWORD, database=DATABASE)
