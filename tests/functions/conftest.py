"""The functions that the plans deploy, on a real PostgreSQL behind a control plane: one of each for the whole run."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from provisioner.sandbox.databases.host import DatabaseHost
from provisioner.sandbox.server import Sandbox
from provisioner.sandbox.settings import PROVISION_TIMES, SandboxOptions
from tests.functions.deployed import FUNCTIONS, Functions

PASSWORD = "correct-horse-battery"
SCHEMA = """
CREATE SCHEMA app;
CREATE TABLE app.person (id int PRIMARY KEY, name text, email text);
CREATE TABLE app.message (id int, person_id int REFERENCES app.person, text text);
CREATE TABLE app.invoice (id int, person_id int REFERENCES app.person, name text, address text, euros numeric);
"""
PERSONAL_DATA = {
    "person": {"table": "app.person", "column": "id", "action": "anonymise", "set": {"name": "deleted", "email": None}},
    "tables": [
        {"table": "app.message", "column": "person_id", "action": "delete"},
        {
            "table": "app.invoice",
            "column": "person_id",
            "action": "anonymise",
            "set": {"name": "deleted", "address": None},
        },
    ],
}


class House:
    """A control plane, a database in it, and a secret with which functions open the database."""

    def __init__(self, directory: Path) -> None:
        options = SandboxOptions(provision_time=dict.fromkeys(PROVISION_TIMES, 0.0))
        self.host = DatabaseHost(directory / "databases")
        self.sandbox = Sandbox.build(options, self.host)
        self.sandbox.start()
        self.place = self.host.start_postgres("people", user="app", password=PASSWORD, database="shop")
        document: dict[str, str | int] = {
            "engine": "postgres",
            "username": "app",
            "password": PASSWORD,
            "dbname": "shop",
        }
        document |= {"host": self.place.host, "port": self.place.port}
        self.secret = self.client("secretsmanager").create_secret(Name="people", SecretString=json.dumps(document))[
            "ARN"
        ]

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
        make: Any = boto3.client
        return make(service, region_name="us-east-1", endpoint_url=self.sandbox.aws.url, **keys)

    def connect(self, user: str = "app", password: str = PASSWORD) -> psycopg.Connection[Any]:
        """A connection of the tests' own; every statement stands for itself."""
        return psycopg.connect(
            host=self.place.host,
            port=self.place.port,
            user=user,
            password=password,
            dbname="shop",
            sslmode="verify-full",
            sslrootcert=str(self.host.ca_path),
            autocommit=True,
        )


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("functions"))
    change = pytest.MonkeyPatch()
    settings = {
        "AWS_ENDPOINT_URL": made.sandbox.aws.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "DB_SECRET_ARN": made.secret,
        "DB_CA_FILE": str(made.host.ca_path),
        "PERSONAL_DATA": json.dumps(PERSONAL_DATA),
    }
    for name, value in settings.items():
        change.setenv(name, value)
    change.syspath_prepend(str(FUNCTIONS / "shared"))
    try:
        yield made
    finally:
        change.undo()
        for name in ("audit", "db", "people"):
            sys.modules.pop(name, None)
        made.sandbox.close()


@pytest.fixture(scope="session")
def module(house: House) -> Any:
    """``module("data_export")``: a function's handler, or what it shares with others, as it is imported in Lambda."""

    def load(name: str) -> Any:
        path = FUNCTIONS / name / "handler.py"
        if not path.exists():
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(f"{name}_handler", path)
        assert spec is not None and spec.loader is not None
        found = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
        return found

    return load


@pytest.fixture(scope="session")
def _tables(house: House) -> Iterator[psycopg.Connection[Any]]:
    with house.connect() as connection:
        connection.execute(SCHEMA)
        yield connection


@pytest.fixture
def people(_tables: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Ada (42) and Bob (43) with their data, and no ledger yet."""
    _tables.execute("DROP TABLE IF EXISTS gdpr_audit; TRUNCATE app.person, app.message, app.invoice")
    _tables.execute("INSERT INTO app.person VALUES (42, 'Ada', 'ada@example.org'), (43, 'Bob', NULL)")
    _tables.execute("INSERT INTO app.message VALUES (1, 42, 'hello'), (2, 42, 'it''s me'), (3, 43, 'hi')")
    _tables.execute("INSERT INTO app.invoice VALUES (1, 42, 'Ada', 'Elm 1', 9.50), (2, 43, 'Bob', 'Oak 2', 1)")
    return _tables


@pytest.fixture(scope="session")
def functions(house: House) -> Functions:
    return Functions(house)
