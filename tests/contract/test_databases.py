"""What a database instance does beyond the contract: one restart, the final snapshot, protection, the real thing behind."""

import os
import re
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from provisioner.errors import BusyError, InUseError, InvalidRequestError
from provisioner.model import Phase
from provisioner.sandbox import supervisor
from provisioner.secret import Secret
from tests.contract.world import World, gone, patiently, settle

_DB: dict[str, Any] = {
    "engine_version": "15",
    "instance_class": "db.t3.micro",
    "multi_az": False,
    "username": "boss",
    "db_name": "app",
    "deletion_protection": False,
}


def _spec(world: World, **more: Any) -> dict[str, Any]:
    return {**_DB, "password": Secret("the-first-password"), **more}


def _show(seen: Any, parameter: str, password: str = "the-first-password") -> str:
    address = {"host": seen.outputs["endpoint"], "port": seen.outputs["port"], "dbname": "app", "user": "boss"}
    with psycopg.connect(**address, password=password, sslmode="require") as connection:
        row = connection.execute(f"SHOW {parameter}").fetchone()
        assert row is not None
        return str(row[0])


def _writes(world: World, service: str) -> list[str]:
    """Records the names of the calls that the world's session makes from now on."""
    made: list[str] = []
    client = world.session().client(service)
    client.meta.events.register("before-call.*.*", lambda model, **_: made.append(model.name))
    return made


@pytest.fixture
def tuned(lone_world: World) -> World:
    """A database with a parameter group of its own."""
    lone_world.make(
        "aws.db_parameter_group", "settings", {"family": "postgres15", "parameters": {"max_connections": "50"}}
    )
    lone_world.make("aws.rds_instance", "db", _spec(lone_world, parameter_group=lone_world["settings"]["name"]))
    return lone_world


def test_a_static_parameter_takes_one_restart_and_then_it_is_in_force(tuned: World) -> None:
    groups, driver = tuned.driver("aws.db_parameter_group"), tuned.driver("aws.rds_instance")
    tree = {"family": "postgres15", "parameters": {"max_connections": "60"}}
    groups.update(tuned.key("aws.db_parameter_group", "settings", tree), tuned.spec("aws.db_parameter_group", tree))
    db = _spec(tuned, parameter_group=tuned["settings"]["name"])
    key, spec = tuned.key("aws.rds_instance", "db", db), tuned.spec("aws.rds_instance", db)

    before = settle(driver, key)
    assert before.spec["parameters_applied"] is False and _show(before, "max_connections") == "50"
    calls = _writes(tuned, "rds")
    patiently(lambda: driver.update(key, spec, {"parameters_applied"}))
    after = settle(driver, key)
    assert after.spec["parameters_applied"] is True and _show(after, "max_connections") == "60"
    assert calls.count("RebootDBInstance") == 1


def test_a_changed_password_and_a_restart_in_one_update_both_happen(tuned: World) -> None:
    groups, driver = tuned.driver("aws.db_parameter_group"), tuned.driver("aws.rds_instance")
    tree = {"family": "postgres15", "parameters": {"max_connections": "70"}}
    groups.update(tuned.key("aws.db_parameter_group", "settings", tree), tuned.spec("aws.db_parameter_group", tree))
    db = {**_spec(tuned, parameter_group=tuned["settings"]["name"]), "password": Secret("the-second-password")}
    key, spec = tuned.key("aws.rds_instance", "db", db), tuned.spec("aws.rds_instance", db)
    patiently(lambda: driver.update(key, spec, {"password", "parameters_applied"}))
    assert settle(driver, key).spec["parameters_applied"] is False, "one thing at a time"
    patiently(lambda: driver.update(key, spec, {"parameters_applied"}))
    assert _show(settle(driver, key), "max_connections", "the-second-password") == "70"


def test_a_dynamic_parameter_is_in_force_without_a_restart(tuned: World) -> None:
    groups, driver = tuned.driver("aws.db_parameter_group"), tuned.driver("aws.rds_instance")
    tree = {"family": "postgres15", "parameters": {"max_connections": "50", "log_min_duration_statement": "250"}}
    groups.update(tuned.key("aws.db_parameter_group", "settings", tree), tuned.spec("aws.db_parameter_group", tree))
    seen = settle(driver, tuned.key("aws.rds_instance", "db", _spec(tuned)))
    assert seen.spec["parameters_applied"] is True
    end = time.monotonic() + 10
    while _show(seen, "log_min_duration_statement") != "250ms":  # a reload reaches the server in its own time
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_parameter_group_in_use_is_not_deleted(tuned: World) -> None:
    key = tuned.key("aws.db_parameter_group", "settings", {"family": "postgres15"})
    with pytest.raises(InUseError):
        tuned.driver("aws.db_parameter_group").delete(key)


def test_an_unknown_parameter_is_named_with_the_nearest_known(lone_world: World) -> None:
    tree = {"family": "postgres15", "parameters": {"max_conections": "100"}}
    key = lone_world.key("aws.db_parameter_group", "settings", tree)
    driver = lone_world.driver("aws.db_parameter_group")
    lone_world.watch(driver, key)
    with pytest.raises(InvalidRequestError, match=r"max_conections.*max_connections"):
        driver.create(key, lone_world.spec("aws.db_parameter_group", tree))


def test_a_parameter_group_cut_off_after_its_first_call_is_completed_by_the_same_create(lone_world: World) -> None:
    """The first create fails on a value; the group is there by then, and the second one goes on with it."""
    driver = lone_world.driver("aws.db_parameter_group")
    wrong = {"family": "postgres15", "parameters": {"max_connections": "1"}}
    right = {"family": "postgres15", "parameters": {f"autovacuum_{name}": "10" for name in ("naptime", "max_workers")}}
    key = lone_world.key("aws.db_parameter_group", "settings", wrong)
    lone_world.watch(driver, key)
    with pytest.raises(InvalidRequestError, match="must be"):
        driver.create(key, lone_world.spec("aws.db_parameter_group", wrong))
    assert driver.read(key).spec["parameters"] == {}
    driver.create(key, lone_world.spec("aws.db_parameter_group", right))
    assert driver.read(key).spec["parameters"] == right["parameters"]


def test_more_than_twenty_parameters_are_set_and_reset(lone_world: World) -> None:
    driver = lone_world.driver("aws.db_parameter_group")
    empty = {"family": "postgres15"}
    key, _ = lone_world.make("aws.db_parameter_group", "settings", empty)
    known = lone_world.session().pages("rds", "describe_db_parameters", "Parameters", DBParameterGroupName=key.name)
    switches = [p["ParameterName"] for p in known if p["DataType"] == "boolean" and p["IsModifiable"]]
    assert len(switches) > 20
    wanted = dict.fromkeys(switches, "1")
    driver.update(key, lone_world.spec("aws.db_parameter_group", {**empty, "parameters": wanted}))
    assert driver.read(key).spec["parameters"] == dict(sorted(wanted.items()))
    driver.update(key, lone_world.spec("aws.db_parameter_group", empty))
    assert driver.read(key).spec["parameters"] == {}


def test_a_deleted_database_leaves_a_final_snapshot_of_a_name_of_its_own(lone_world: World) -> None:
    key, _ = lone_world.make("aws.rds_instance", "db", _spec(lone_world))
    driver, rds = lone_world.driver("aws.rds_instance"), lone_world.session().client("rds")
    driver.delete(key)
    gone(driver, key)
    left = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    names = [s["DBSnapshotIdentifier"] for s in left if s["DBInstanceIdentifier"] == key.name]
    assert len(names) == 1 and names[0].startswith(f"{key.name}-final-2")
    rds.delete_db_snapshot(DBSnapshotIdentifier=names[0])


def test_a_final_snapshot_whose_name_is_taken_gets_another(lone_world: World) -> None:
    key, _ = lone_world.make("aws.rds_instance", "db", _spec(lone_world))
    driver, rds = lone_world.driver("aws.rds_instance"), lone_world.session().client("rds")
    fault = {"service": "rds", "operation": "DeleteDBInstance", "error": "DBSnapshotAlreadyExists", "times": 1}
    supervisor.admin(Path(os.environ["PROVISIONER_ENDPOINTS"]).parent, "POST", "/_sandbox/faults", fault)
    driver.delete(key)
    gone(driver, key)
    left = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    (name,) = [s["DBSnapshotIdentifier"] for s in left if s["DBInstanceIdentifier"] == key.name]
    assert re.fullmatch(rf"{key.name}-final-\d{{14}}-[0-9a-f]{{8}}", name)
    rds.delete_db_snapshot(DBSnapshotIdentifier=name)


def test_discarding_switches_protection_off_and_leaves_nothing(lone_world: World) -> None:
    key, seen = lone_world.make("aws.rds_instance", "db", _spec(lone_world, deletion_protection=True))
    driver, rds = lone_world.driver("aws.rds_instance"), lone_world.session().client("rds")
    assert seen.protected
    with pytest.raises(InvalidRequestError):
        driver.delete(key)
    patiently(lambda: driver.discard(key))
    gone(driver, key)
    assert not [s for s in rds.describe_db_snapshots()["DBSnapshots"] if s["DBInstanceIdentifier"] == key.name]


def test_an_update_of_what_is_not_ready_says_that_it_is_busy(lone_world: World) -> None:
    driver = lone_world.driver("aws.rds_instance")
    tree = _spec(lone_world)
    key, spec = lone_world.key("aws.rds_instance", "db", tree), lone_world.spec("aws.rds_instance", tree)
    lone_world.watch(driver, key)
    driver.create(key, spec)
    assert driver.read(key).phase is Phase.PENDING and driver.read(key).owner == key.owner
    with pytest.raises(BusyError, match="creating"):
        driver.update(key, spec)
    settle(driver, key)


def test_storage_that_grew_by_itself_is_no_difference_and_is_not_sent(lone_world: World) -> None:
    tree = _spec(lone_world)
    key, _ = lone_world.make("aws.rds_instance", "db", tree)
    driver, rds = lone_world.driver("aws.rds_instance"), lone_world.session().client("rds")
    rds.modify_db_instance(DBInstanceIdentifier=key.name, AllocatedStorage=40, ApplyImmediately=True)
    assert settle(driver, key).spec["allocated_storage"] == 40
    assert driver.matches["allocated_storage"](20, 40)
    driver.update(key, lone_world.spec("aws.rds_instance", {**tree, "storage_type": "gp3", "backup_retention_days": 3}))
    assert settle(driver, key).spec["allocated_storage"] == 40


def test_the_password_reaches_no_error(lone_world: World) -> None:
    tree = _spec(lone_world, instance_class="db.nonsense.huge")
    key = lone_world.key("aws.rds_instance", "db", tree)
    driver = lone_world.driver("aws.rds_instance")
    with pytest.raises(InvalidRequestError) as caught:
        driver.create(key, lone_world.spec("aws.rds_instance", tree))
    assert "the-first-password" not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"


def test_a_change_that_somebody_scheduled_keeps_no_other_session_waiting(lone_world: World) -> None:
    key, _ = lone_world.make("aws.rds_instance", "db", _spec(lone_world))
    rds = lone_world.session().client("rds")
    rds.modify_db_instance(DBInstanceIdentifier=key.name, DBInstanceClass="db.t3.small", ApplyImmediately=False)
    other = type(lone_world.driver("aws.rds_instance"))(lone_world.registry.open_session("aws", lone_world.region))
    seen = other.read(key)
    assert seen.phase is Phase.READY and "scheduled: DBInstanceClass" in seen.detail
