"""Gates against a real PostgreSQL and a real Valkey: each stage that can fail is named, and no secret is shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from provisioner.drivers.check.postgres import Postgres
from provisioner.drivers.check.redis import Redis
from provisioner.drivers.check.session import CheckSession, open_session
from provisioner.drivers.check.tcp import Tcp
from provisioner.errors import GateError, InvalidRequestError, SandboxError
from provisioner.resource import Registry, Verdict
from provisioner.secret import Secret
from tests.contract.conftest import REGION
from tests.contract.world import World

_PASSWORD, _TOKEN = "the-gates-own-password", "the-gates-own-token-01"


@pytest.fixture(scope="module")
def world(registry: Registry) -> Iterator[World]:
    made = World(registry, REGION)
    try:
        made.make(
            "aws.rds_instance",
            "db",
            {
                "engine_version": "15", "instance_class": "db.t3.micro", "multi_az": False, "username": "boss",
                "db_name": "app", "password": Secret(_PASSWORD), "deletion_protection": False,
            },
        )  # fmt: skip
        made.make(
            "aws.cache_replication_group",
            "redis",
            {
                "engine_version": "7.0", "node_type": "cache.t3.micro", "num_nodes": 1, "automatic_failover": False,
                "multi_az": False, "auth_token": Secret(_TOKEN), "snapshot_retention_days": 0,
            },
        )  # fmt: skip
        made.make(
            "aws.cache_replication_group",
            "open",
            {
                "engine_version": "7.0", "node_type": "cache.t3.micro", "num_nodes": 1, "automatic_failover": False,
                "multi_az": False, "transit_encryption": False, "snapshot_retention_days": 0,
            },
        )  # fmt: skip
        yield made
    finally:
        made.close()


def _postgres(world: World, session: CheckSession | None = None, **more: Any) -> Verdict:
    db = world["db"]
    address = {"host": db["endpoint"], "port": db["port"], "database": "app", "username": "boss"}
    spec = Postgres.Spec(**{**address, "password": Secret(_PASSWORD), **more})
    return Postgres(session or open_session()).check(spec)


def _redis(world: World, session: CheckSession | None = None, step: str = "redis", **more: Any) -> Verdict:
    cache = world[step]
    address = {"host": cache["primary_endpoint"], "port": cache["port"], "auth_token": Secret(_TOKEN)}
    return Redis(session or open_session()).check(Redis.Spec(**{**address, **more}))


def test_a_database_that_answers_passes_with_its_certificate_verified(world: World) -> None:
    passed, detail, _ = _postgres(world)
    assert passed and detail.startswith("PostgreSQL ") and "certificate verified" in detail


def test_without_a_known_authority_require_encrypts_and_verify_refuses(world: World) -> None:
    passed, detail, _ = _postgres(world, CheckSession())
    assert passed and "verified" not in detail
    assert _postgres(world, CheckSession(), tls="verify").detail.startswith("tls: ")
    passed, detail, _ = _redis(world, CheckSession())
    assert passed and "verified" not in detail
    assert _redis(world, CheckSession(), tls="verify").detail.startswith("tls: ")


def test_several_authorities_are_tried_together(world: World, tmp_path: Path) -> None:
    anchors = open_session().anchors
    assert _postgres(world, CheckSession([*anchors, *anchors])).passed
    assert _redis(world, CheckSession([*anchors, *anchors])).passed
    (tmp_path / "ca.pem").write_bytes(Path(anchors[0]).read_bytes())
    assert _postgres(world, CheckSession(), tls="verify", ca_file=str(tmp_path / "ca.pem")).passed


@pytest.mark.parametrize(
    ("more", "stage"),
    [
        ({"host": "nowhere.invalid"}, "name"),
        ({"port": 1}, "connection"),
        ({"tls": "off"}, "tls"),
        ({"ca_file": "/nonexistent.pem"}, "tls"),
        ({"password": Secret("not-the-password")}, "password"),
        ({"database": "nothing"}, "answer"),
        ({"parameters": {"max_connections": "7"}}, "answer"),
        ({"parameters": {"no_such": "7"}}, "answer"),
        ({"extensions": ["no_such"]}, "answer"),
    ],
)
def test_a_database_that_fails_is_told_by_stage(world: World, more: dict[str, Any], stage: str) -> None:
    passed, detail, _ = _postgres(world, **more)
    assert not passed and detail.startswith(f"{stage}: ")
    assert _PASSWORD not in detail and "not-the-password" not in detail


def test_parameters_are_compared_as_rds_and_as_postgresql_write_them(world: World) -> None:
    settings = {"autovacuum": "1", "log_min_duration_statement": "-1", "ssl": "0", "statement_timeout": "0"}
    passed, detail, _ = _postgres(world, parameters=settings)
    assert passed, detail
    assert _postgres(world, parameters={"autovacuum": "off"}).detail == "answer: autovacuum is on, not off"


def test_a_cache_that_answers_passes_and_says_that_a_token_is_required(world: World) -> None:
    passed, detail, _ = _redis(world)
    assert passed and "token required" in detail and "certificate verified" in detail


@pytest.mark.parametrize(
    ("more", "stage"),
    [
        ({"host": "nowhere.invalid"}, "name"),
        ({"port": 1}, "connection"),
        ({"tls": "off"}, "connection"),
        ({"ca_file": "/nonexistent.pem"}, "tls"),
        ({"auth_token": Secret("not-the-token")}, "password"),
        ({"auth_token": None}, "password"),
        ({"maxmemory_policy": "allkeys-lfu"}, "answer"),
    ],
)
def test_a_cache_that_fails_is_told_by_stage(world: World, more: dict[str, Any], stage: str) -> None:
    passed, detail, _ = _redis(world, **more)
    assert not passed and detail.startswith(f"{stage}: ")
    assert _TOKEN not in detail and "not-the-token" not in detail


def test_a_cache_that_lets_anyone_in_fails_where_a_token_is_expected(world: World) -> None:
    passed, detail, _ = _redis(world, step="open", tls="off")
    assert not passed and "answers without a token" in detail
    assert _redis(world, step="open", tls="off", auth_token=None).passed


def test_a_port_that_accepts_passes_and_one_that_does_not_fails(world: World) -> None:
    gate = Tcp(CheckSession())
    assert gate.check(Tcp.Spec(host=world["db"]["endpoint"], port=world["db"]["port"])).passed
    assert gate.check(Tcp.Spec(host=world["db"]["endpoint"], port=1)).detail.startswith("connection: ")


def test_an_endpoints_file_that_cannot_be_read_is_an_error_not_a_missing_anchor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVISIONER_ENDPOINTS", str(tmp_path / "gone.json"))
    with pytest.raises(SandboxError):
        open_session()
    monkeypatch.delenv("PROVISIONER_ENDPOINTS")
    assert open_session().anchors == ()


def _asked(world: World, text: str) -> None:
    with psycopg.connect(
        host=world["db"]["endpoint"], port=world["db"]["port"], dbname="app", user="boss", password=_PASSWORD,
        sslmode="require", autocommit=True,
    ) as connection:  # fmt: skip
        connection.execute(text)


def _spec(world: World) -> Postgres.Spec:
    db = world["db"]
    return Postgres.Spec(
        host=db["endpoint"], port=db["port"], database="app", username="boss", password=Secret(_PASSWORD)
    )


def test_the_slowest_statements_are_told_without_anybodys_values(world: World) -> None:
    gate = Postgres(open_session())
    with pytest.raises(InvalidRequestError, match="pg_stat_statements is not installed"):
        gate.slowest(_spec(world), 5)
    _asked(world, "CREATE EXTENSION pg_stat_statements")
    _asked(world, "CREATE ROLE reader PASSWORD 'canary-of-a-role'")
    _asked(world, "SELECT count(*), 'canary-of-a-query' FROM generate_series(1, 400000)")
    found = gate.slowest(_spec(world), 50)
    assert [one["total_ms"] for one in found] == sorted((one["total_ms"] for one in found), reverse=True)
    texts = " ".join(one["query"] for one in found)
    assert "generate_series($" in texts and "canary" not in texts
    _asked(world, "DROP ROLE reader")


def test_a_baseline_says_how_busy_a_database_was_between_its_samples(world: World) -> None:
    gate = Postgres(open_session())
    samples = [gate.sample(_spec(world)) for _ in range(3)]
    told = gate.baseline(samples)
    assert told["samples"] == 3 and told["latency_ms"]["p95"] >= told["latency_ms"]["p50"] > 0
    assert told["transactions_per_second"] >= 0 and told["connections"]["allowed"] > 0


def test_a_database_that_does_not_answer_is_not_measured_and_its_password_not_told(world: World) -> None:
    wrong = Postgres.Spec(**{**_spec_tree(world), "password": Secret("not-the-password")})
    with pytest.raises(GateError, match="password: FATAL") as refused:
        Postgres(open_session()).sample(wrong)
    assert "not-the-password" not in str(refused.value)


def _spec_tree(world: World) -> dict[str, Any]:
    spec = _spec(world)
    return {name: getattr(spec, name) for name in spec.__struct_fields__}
