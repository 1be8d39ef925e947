"""An application and its database: credentials from the secret, a rotation in the middle, the examples as they stand."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from provisioner.connect import Credentials, get_db_credentials
from tests.functions.conftest import House

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
FIRST, SECOND = "first: p@ss/w?rd#%", "second & 'quoted' \\ password"


@pytest.fixture
def secret(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The ARN of the secret of a role of its own, in the environment as an application has it."""
    manager = house.client("secretsmanager")
    arn = manager.create_secret(Name=f"app-{uuid.uuid4().hex}", SecretString=_document(house, FIRST))["ARN"]
    _password(house, FIRST, "CREATE")
    monkeypatch.setenv("DB_SECRET_ARN", arn)
    monkeypatch.setenv("DB_SSLMODE", "verify-full")
    monkeypatch.setenv("DB_SSLROOTCERT", str(house.host.ca_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", house.sandbox.aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    yield arn
    manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    with house.connect() as connection:
        connection.execute("DROP ROLE web")


def _document(house: House, password: str) -> str:
    place = {"host": house.place.host, "port": house.place.port, "dbname": "shop", "engine": "postgres"}
    return json.dumps({"username": "web", "password": password, **place})


def _password(house: House, password: str, verb: str = "ALTER") -> None:
    with house.connect() as connection:
        words = sql.SQL("{} ROLE web LOGIN PASSWORD {}").format(sql.SQL(verb), sql.Literal(password))
        connection.execute(words)


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_flask_example_goes_on_through_a_rotation(house: House, secret: str) -> None:
    client = _load("flask_app").create_app().test_client()
    answer = client.get("/health")
    assert (answer.status_code, answer.json["user"]) == (200, "web")
    house.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=_document(house, SECOND))
    _password(house, SECOND)
    assert client.get("/health").status_code == 200


def test_a_password_of_any_characters_opens_the_real_database(house: House, secret: str) -> None:
    tls = {"sslmode": "verify-full", "sslrootcert": str(house.host.ca_path)}
    with Credentials().connect(psycopg.connect, **tls) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("web",)
    assert get_db_credentials(secret)["password"] == FIRST


def test_the_django_example_gives_what_django_wants(house: House, secret: str) -> None:
    settings = _load("django_settings").DATABASES["default"]
    assert (settings["USER"], settings["PASSWORD"], settings["NAME"]) == ("web", FIRST, "shop")
    assert settings["OPTIONS"] == {"sslmode": "verify-full"}


def test_the_sqlalchemy_example_is_at_least_python() -> None:
    """SQLAlchemy is no dependency of ours: here only the syntax is checked."""
    path = EXAMPLES / "sqlalchemy_app.py"
    compile(path.read_text(), str(path), "exec")


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
def test_the_node_example_is_at_least_javascript() -> None:
    made = subprocess.run(["node", "--check", str(EXAMPLES / "node" / "app.mjs")], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
