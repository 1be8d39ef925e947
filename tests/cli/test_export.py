"""``export``: everything that the next module needs, and never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.model import Key
from provisioner.operations.handoff import artefact, flat
from provisioner.plan.load import load_plan
from provisioner.secret import MASK
from provisioner.state.records import Record, State, Status
from tests.cli.conftest import CANARY, Desk
from tests.engine.toytypes import registry


@pytest.mark.parametrize("format_", ["json", "hcl", "env", "markdown"])
def test_no_format_holds_a_secret(desk: Desk, format_: str) -> None:
    desk.deploy()
    made = desk.run("export", desk.plan, "--format", format_)
    assert made.code == 0
    assert CANARY not in made.out + made.err
    assert "***" not in made.out
    assert "database-3" in made.out
    assert "left out, for they are secret: url, nested.password, nested.list" in made.err


def test_the_artefact_says_its_format_and_whose_it_is(desk: Desk) -> None:
    desk.deploy()
    found = desk.run("export", desk.plan).json
    assert list(found)[:2] == ["format", "deployment"]
    assert (found["format"], found["deployment"], found["region"]) == (1, "shop", "here")
    assert found["outputs"] == {"db": "database-3", "size": 1}
    assert found["deployed"] > 1_700_000_000


def test_what_was_never_deployed_has_nothing_to_hand_over(desk: Desk) -> None:
    assert desk.run("export", desk.plan).code == 1


def test_a_page_tells_people_what_is_there_and_what_it_costs(desk: Desk) -> None:
    desk.deploy()
    path = desk.directory / "shop.md"
    for _ in range(2):  # what provisioner wrote it may write again
        assert desk.run("export", desk.plan, "--format", "markdown", "--file", path).code == 0
    text = path.read_text()
    assert text.startswith("<!-- written by provisioner: shop -->\n# shop\n")
    assert "| db | toy.database | shop-db | ready | 3.00 |" in text
    assert "- costs: at least 3.00 USD a month, by list prices" in text
    path.write_text("# notes of my own\n")
    assert desk.run("export", desk.plan, "--format", "markdown", "--file", path).code == 3
    assert path.read_text() == "# notes of my own\n"


def _record(step: str, type_: str, **outputs: object) -> Record:
    key = Key(deployment="shop", step=step, name=f"shop-{step}", region="eu")
    return Record(step=step, type=type_, status=Status.READY, key=key, outputs=dict(outputs))


def test_endpoints_credentials_alarms_and_versions_are_told_by_what_objects_hand_on(desk: Desk) -> None:
    records = [
        _record("db", "aws.rds_instance", endpoint="db.x", port=5432, engine_version="15.13", arn="arn:db"),
        _record("redis", "aws.cache_replication_group", primary_endpoint="p.x", reader_endpoint="r.x", port=6379),
        _record("db-secret", "aws.secret", arn="arn:secret", name="shop-db"),
        _record("cpu", "aws.cloudwatch_alarm", arn="arn:cpu", name="shop-cpu"),
        _record("mail", "aws.sns_topic", arn="arn:mail"),
        _record("net", "aws.vpc", vpc_id="vpc-1"),
    ]
    state = State(deployment="shop", lineage="x", salt="y", steps={record.step: record for record in records})
    found = artefact(state, load_plan(desk.plan, registry(desk.cloud)))
    assert set(found.endpoints) == {"db", "redis"}
    assert found.endpoints["redis"]["reader_endpoint"] == "r.x"
    assert found.credentials == {
        "db-secret": {"type": "aws.secret", "name": "shop-db", "region": "eu", "arn": "arn:secret"}
    }
    assert {kind: list(steps) for kind, steps in found.monitoring.items()} == {"alarms": ["cpu"], "topics": ["mail"]}
    assert found.versions == {"db": "15.13"}
    reached = {name: value for name, value in flat(found).items() if value != MASK}
    assert reached == {
        "db_endpoint": "db.x",
        "db_port": 5432,
        "redis_primary_endpoint": "p.x",
        "redis_reader_endpoint": "r.x",
        "redis_port": 6379,
        "db-secret_arn": "arn:secret",
    }


def test_what_the_environment_format_says_can_be_sourced(desk: Desk, tmp_path: Path) -> None:
    desk.deploy()
    path = tmp_path / "shop.env"
    assert desk.run("export", desk.plan, "--format", "env", "--file", path).code == 0
    assert path.read_text() == "# written by provisioner: shop\nDB=database-3\nSIZE=1\n"
    assert path.stat().st_mode & 0o777 == 0o600
