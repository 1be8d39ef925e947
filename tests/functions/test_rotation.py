"""A password is rotated for real: by the plans' own function, in the four steps of Secrets Manager, on a PostgreSQL."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from tests.functions.conftest import House
from tests.functions.deployed import Functions

OLD = "correct-horse-battery-0"


class Vault:
    """A user of the database, and the secret with its password."""

    def __init__(self, house: House, functions: Functions) -> None:
        self.house, self.functions = house, functions
        self.user = f"u{uuid.uuid4().hex[:8]}"
        with house.connect() as connection:
            connection.execute(f"CREATE ROLE {self.user} LOGIN PASSWORD '{OLD}'".encode())
        self.api = house.client("secretsmanager")
        document: dict[str, str | int] = {"username": self.user, "password": OLD, "dbname": "shop"}
        document |= {"host": house.place.host, "port": house.place.port}
        self.arn = self.api.create_secret(Name=self.user, SecretString=json.dumps(document))["ARN"]

    def password(self, label: str = "AWSCURRENT") -> str:
        value = self.api.get_secret_value(SecretId=self.arn, VersionStage=label)["SecretString"]
        return str(json.loads(value)["password"])

    def labels(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = self.api.describe_secret(SecretId=self.arn)["VersionIdsToStages"]
        return found

    def opens(self, password: str) -> bool:
        try:
            self.house.connect(self.user, password).close()
        except psycopg.OperationalError as err:
            assert "authentication failed" in str(err)
            return False
        return True

    def rotate(self, function: str, **more: Any) -> str:
        """Begins a rotation and lets it end; the new version."""
        answer = self.api.rotate_secret(
            SecretId=self.arn, RotationLambdaARN=function, RotationRules={"AutomaticallyAfterDays": 30}, **more
        )
        self.house.sandbox.world.jobs.settle()
        return str(answer["VersionId"])


@pytest.fixture
def vault(house: House, functions: Functions) -> Vault:
    return Vault(house, functions)


@pytest.fixture(scope="session")
def rotates(house: House, functions: Functions) -> str:
    """The plans' function, which Secrets Manager may call."""
    arn = functions.deploy("secret_rotation", memory=128, DB_CA_FILE=str(house.host.ca_path))
    functions.api.add_permission(
        FunctionName=arn,
        StatementId="secretsmanager",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        SourceAccount="123456789012",
    )
    return arn


def test_after_a_rotation_the_old_password_is_rejected_and_the_new_one_works(vault: Vault, rotates: str) -> None:
    assert vault.opens(OLD)
    version = vault.rotate(rotates)
    new = vault.password()
    assert new != OLD and len(new) == 32 and new.isalnum()
    assert vault.opens(new) and not vault.opens(OLD)
    assert vault.labels()[version] == ["AWSCURRENT"] and vault.password("AWSPREVIOUS") == OLD
    assert not any(new in line or OLD in line for line in vault.functions.logged("secret_rotation"))


def test_a_rotation_that_is_only_set_up_tests_the_password_and_changes_nothing(vault: Vault, rotates: str) -> None:
    before = vault.labels()
    vault.rotate(rotates, RotateImmediately=False)
    assert vault.labels() == before and vault.password() == OLD and vault.opens(OLD)
    described = vault.api.describe_secret(SecretId=vault.arn)
    assert described["RotationEnabled"] and described["RotationRules"] == {"AutomaticallyAfterDays": 30}
    vault.api.cancel_rotate_secret(SecretId=vault.arn)
    assert not vault.api.describe_secret(SecretId=vault.arn)["RotationEnabled"]


def _steps(module: Any) -> Any:
    return module("secret_rotation").handler


def _begin(vault: Vault) -> str:
    """A version that waits for its value, as RotateSecret leaves it to the function."""
    with vault.house.sandbox.world.moto.lock("secretsmanager"):
        secret = vault.house.sandbox.world.moto.backend("secretsmanager", "us-east-1").secrets[vault.arn]
        token = str(uuid.uuid4())
        secret.rotation_requested = secret.rotation_enabled = True
        secret.versions[token] = {"createdate": 1, "version_id": token, "version_stages": ["AWSPENDING"]}
    return token


def test_every_step_may_be_called_again_and_again(vault: Vault, module: Any) -> None:
    token = _begin(vault)

    def step(name: str) -> None:
        _steps(module)({"SecretId": vault.arn, "ClientRequestToken": token, "Step": name}, None)

    step("createSecret")
    pending = vault.password("AWSPENDING")
    step("createSecret")
    assert vault.password("AWSPENDING") == pending and vault.opens(OLD)
    for _ in range(2):
        step("setSecret")
        assert vault.opens(pending) and not vault.opens(OLD)
    step("testSecret")
    assert vault.password() == OLD
    for _ in range(2):
        step("finishSecret")
        assert vault.password() == pending and vault.labels()[token] == ["AWSCURRENT"]


def test_a_step_before_its_time_and_a_version_that_is_not_pending_are_refused(vault: Vault, module: Any) -> None:
    token = _begin(vault)
    event = {"SecretId": vault.arn, "ClientRequestToken": token}
    with pytest.raises(ValueError, match="createSecret comes first"):
        _steps(module)({**event, "Step": "setSecret"}, None)
    with pytest.raises(ValueError, match="no version"):
        _steps(module)({**event, "ClientRequestToken": "x" * 32, "Step": "createSecret"}, None)
    _steps(module)({**event, "Step": "createSecret"}, None)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        _steps(module)({**event, "Step": "testSecret"}, None)
    assert vault.opens(OLD) and vault.password() == OLD


def test_a_password_that_somebody_changed_by_hand_stops_the_rotation(vault: Vault, module: Any) -> None:
    event = {"SecretId": vault.arn, "ClientRequestToken": _begin(vault)}
    with vault.house.connect() as connection:
        connection.execute(f"ALTER ROLE {vault.user} PASSWORD 'by-hand'".encode())
    _steps(module)({**event, "Step": "createSecret"}, None)
    with pytest.raises(ValueError, match="no version's password opens the database"):
        _steps(module)({**event, "Step": "setSecret"}, None)
    assert vault.opens("by-hand")


def test_a_rotation_that_failed_waits_and_lets_no_other_begin(
    vault: Vault, functions: Functions, tmp_path: Any
) -> None:
    arn = functions.deploy("fails", functions.source(tmp_path, "def handler(event, context):\n    raise OSError\n"))
    refused: Callable[[], Any] = lambda: vault.rotate(arn)  # noqa: E731
    with pytest.raises(ClientError, match="cannot invoke the specified Lambda function"):
        refused()
    functions.api.add_permission(
        FunctionName=arn,
        StatementId="may",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        SourceArn=vault.arn,
    )
    version = vault.rotate(arn)
    assert vault.labels()[version] == ["AWSPENDING"] and vault.password() == OLD
    with pytest.raises(ClientError, match="previous rotation isn't complete"):
        refused()


def test_a_function_notices_that_the_password_was_rotated(
    people: Any, house: House, functions: Functions, vault: Vault, rotates: str, module: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("DB_SECRET_ARN", vault.arn)
    db = module("db")
    db.connect().close()
    token = _begin(vault)
    for name in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        _steps(module)({"SecretId": vault.arn, "ClientRequestToken": token, "Step": name}, None)
    with db.connect() as connection:
        assert connection.execute("SELECT session_user").fetchone() == (vault.user,)
