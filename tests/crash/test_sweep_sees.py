"""The crash sweep would see it: each thing that must never happen is made to happen, and each check complains."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from provisioner.model import OWNER_TAG
from tests.crash.subjects import CREDLINK
from tests.crash.sweep import checks
from tests.crash.sweep.checks import Complaint
from tests.crash.sweep.house import House
from tests.crash.sweep.moments import Death
from tests.crash.sweep.points import Counted, Point, parse
from tests.crash.sweep.report import Head, Results, table
from tests.crash.sweep.stories import Outcome, Stage

DEPLOYMENT = CREDLINK.deployment


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    try:
        assert made.run("deploy").code == 0
        yield made
    finally:
        made.close()


def kinds(complaints: Iterable[Complaint]) -> list[str]:
    return [complaint.kind for complaint in complaints]


def test_a_deployment_that_is_well_gives_no_complaint(house: House) -> None:
    house.listen()
    state = house.state()
    assert state is not None
    found = [*checks.agrees(house), *checks.whole(house, len(state.steps), "a"), *checks.opens(house)]
    assert [*found, *checks.silent(house, set(house.secrets().values()))] == []


def test_an_object_that_no_record_knows_is_an_orphan(house: House) -> None:
    logs = house.client("logs")
    logs.create_log_group(logGroupName="/left/behind", tags={OWNER_TAG: f"{DEPLOYMENT}/left"})
    try:
        assert kinds(checks.agrees(house)) == ["orphan"]
    finally:
        logs.delete_log_group(logGroupName="/left/behind")


def test_a_second_object_of_one_owner_is_a_duplicate(house: House) -> None:
    sns = house.client("sns")
    made = sns.create_topic(Name="twin", Tags=[{"Key": OWNER_TAG, "Value": f"{DEPLOYMENT}/alerts"}])
    try:
        assert kinds(checks.agrees(house)) == ["duplicate"]
    finally:
        sns.delete_topic(TopicArn=made["TopicArn"])


def test_a_deployment_that_is_there_is_not_gone(house: House) -> None:
    found = kinds(checks.gone(house, copies=True))
    assert set(found) == {"missing", "orphan", "data"}
    assert found.count("data") == len(CREDLINK.copies)


def test_a_password_that_is_not_the_secret_s_is_found(house: House) -> None:
    rds = house.client("rds")
    name = f"{DEPLOYMENT}-db"
    own = house.secrets()[f"{DEPLOYMENT}-db-credentials"]
    rds.modify_db_instance(DBInstanceIdentifier=name, MasterUserPassword="another-password", ApplyImmediately=True)
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig={"Delay": 0.1})
    try:
        assert kinds(checks.opens(house)) == ["secret"]
    finally:
        rds.modify_db_instance(DBInstanceIdentifier=name, MasterUserPassword=own, ApplyImmediately=True)
        rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig={"Delay": 0.1})
    looks = (list(checks.opens(house)) for _ in range(20))  # the server takes it a moment after RDS says so
    assert next((found for found in looks if not found), None) == []


def test_a_secret_in_a_file_or_on_the_screen_is_a_leak(house: House) -> None:
    place = house.home / "note.txt"
    place.write_text("the password is canary")
    try:
        assert kinds(checks.silent(house, {"canary"})) == ["leak"]
    finally:
        place.unlink()
    house.listen()
    house.run("deploy")
    assert kinds(checks.silent(house, {"rds_endpoint"})) == ["leak"]  # it is among the outputs


def test_a_deploy_that_still_does_something_is_no_no_op(house: House) -> None:
    house.client("logs").put_retention_policy(
        logGroupName=f"/aws/rds/instance/{DEPLOYMENT}-db/upgrade", retentionInDays=1
    )
    state = house.state()
    assert state is not None
    assert kinds(checks.whole(house, len(state.steps), "a")) == ["not a no-op"]
    assert kinds(checks.whole(house, len(state.steps) + 1, "a")) == ["missing"]


def test_a_command_that_does_not_come_to_a_good_end_is_a_dead_end(house: House) -> None:
    ran = house.run("deploy", "--target", "no-such-step")
    assert kinds(checks.finished(ran)) == ["dead end"]
    assert kinds(checks.killed(ran)) == ["exit code"]


def test_what_is_another_one_now_or_gone_is_told() -> None:
    assert kinds(checks.kept({"a": "1", "b": "2"}, {"b": "3"}, "the object", "data")) == ["data", "data"]


def test_a_process_dies_at_its_moment_and_not_before(house: House) -> None:
    ran = house.run("deploy", death=Death(name="after ec2.DescribeVpcs vpc 1"))
    assert (ran.code, ran.died) == (checks.KILLED, "after ec2.DescribeVpcs vpc 1")
    assert "before ec2.DescribeVpcs vpc 1" in ran.trail
    again = house.run("deploy", "--json", death=Death(name="after ec2.CreateVpc vpc 1"))
    assert (again.code, again.died) == (0, "")
    assert json.loads(again.out)["changes"] == []


def test_a_moment_that_does_not_come_is_not_taken_for_survived(house: House) -> None:
    stage = Stage(house, 24)
    stage.at, stage.first = "a", True
    outcome = stage.play(Point(verb="update", name="before rds.CreateDBInstance db 1"))
    assert (outcome.reached, outcome.complaints) == (False, [])
    assert table([outcome]).splitlines()[1].split()[:4] == ["update", "1", "0", "1"]
    stage.go("a")


def test_results_survive_a_death_of_the_sweep_itself(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    first = Results(path)
    first.begin(Head(counted=Counted(moments={"deploy": ["before open lock 1"]}, steps=1), chosen={"seed": "1"}))
    wrong = Outcome(point="deploy: before sync journal.jsonl 1", complaints=[Complaint("orphan", "one")])
    first.write(wrong)
    first.write(Outcome(point="destroy: before open lock 1", died=["before open lock 1"]))
    with path.open("ab") as file:
        file.write(b'{"point": "torn')
    again = Results(path)
    assert (again.head, again.outcomes) == (first.head, first.outcomes)
    again.write(Outcome(point=wrong.point, died=["before sync journal.jsonl 1"]))
    assert again.outcomes[wrong.point] == wrong  # what went wrong once did go wrong


@pytest.mark.parametrize("key", ["deploy: after write lock 1", "destroy: sent rds.DeleteDBInstance db 1, then 17"])
def test_a_point_is_had_again_from_its_name(key: str) -> None:
    assert parse(key).key == key
