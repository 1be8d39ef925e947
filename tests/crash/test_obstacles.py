"""A reverse that cannot finish says why and what to do, and once the obstacle is gone the same command finishes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from provisioner.operations.deploy import deploy
from provisioner.operations.destroy import destroy
from provisioner.operations.reversal import rollback
from provisioner.operations.site import Options
from provisioner.sandbox import supervisor
from tests.crash.obstacles import BACK, OBSTACLES, PLAN, HeldRig, Obstacle


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeldRig]:
    change = pytest.MonkeyPatch()
    made = HeldRig(tmp_path_factory.mktemp("obstacles"))
    change.setenv("PROVISIONER_ENDPOINTS", made.info.endpoints)
    try:
        yield made
    finally:
        change.undo()
        made.close()


@pytest.fixture
def rig(_running: HeldRig) -> HeldRig:
    """An empty cloud, and a plan of all that others can hold."""
    _running.fresh()
    _running.path.write_text(PLAN)
    return _running


@pytest.fixture
def back(rig: HeldRig) -> HeldRig:
    """The same with a plan of what stays for days after it was deleted."""
    rig.path.write_text(BACK)
    return rig


def _ours(rig: HeldRig) -> list[dict[str, Any]]:
    return [thing for thing in rig.inventory() if (thing["owner"] or "").startswith("held/")]


@pytest.mark.parametrize("obstacle", OBSTACLES.values(), ids=OBSTACLES)
def test_what_others_hold_is_listed_with_reason_and_command_and_a_later_rollback_finishes(
    rig: HeldRig, obstacle: Obstacle
) -> None:
    outcome = rig.fails(lambda: obstacle.put(rig), database=str(obstacle.database).lower())
    assert (outcome.exit_code, outcome.result) == (5, "failed")
    tried = {remain.step: remain for remain in outcome.remains if remain.code}
    assert set(tried) == set(obstacle.held)
    for step, (reason, by_hand) in obstacle.held.items():
        assert reason in tried[step].reason and by_hand in tried[step].by_hand
    again = rig.path, "--sandbox"
    code, said = rig.cli("rollback")
    assert code == 5
    assert {remain["step"] for remain in said["remains"] if remain["code"]} == set(obstacle.held)
    for remain in said["remains"]:
        assert remain["command"] == f"provisioner rollback {again[0]} {again[1]}"
        assert remain["let_go"] == f"provisioner state rm {again[0]} {again[1]} {remain['step']}"
    obstacle.take(rig)
    code, said = rig.cli("rollback")
    assert (code, said["remains"]) == (0, [])
    assert rig.inventory() == []


def test_people_are_told_who_is_in_the_way_and_what_to_type(rig: HeldRig) -> None:
    obstacle = OBSTACLES["an interface of others"]
    rig.fails(lambda: obstacle.put(rig))
    code, _, err = rig.run("rollback", str(rig.path), "--sandbox", "--yes")
    assert code == 5
    assert "it is held by network interface eni-" in err
    assert "first, for wall: `aws ec2 describe-network-interfaces" in err
    assert f"try again: provisioner rollback {rig.path} --sandbox" in err
    assert f"or leave it where it is: provisioner state rm {rig.path} --sandbox" in err


def test_a_destroy_lists_it_too_and_finishes_later(rig: HeldRig) -> None:
    assert rig.act(deploy).exit_code == 0
    obstacle = OBSTACLES["a database of others"]
    obstacle.put(rig)
    code, said = rig.cli("destroy")
    tried = {remain["step"]: remain["reason"] for remain in said["remains"] if remain["code"]}
    assert (code, set(tried)) == (5, set(obstacle.held))
    assert all("DB instance theirs" in reason for reason in tried.values())
    held_back = {remain["step"]: remain["reason"] for remain in said["remains"] if not remain["code"]}
    assert held_back["a"] == "not reached: homes must go first"
    obstacle.take(rig)  # it is still going away when the next destroy begins
    assert rig.act(destroy).exit_code == 0
    assert rig.inventory() == []


def test_a_file_of_others_in_a_bucket_that_a_good_run_made_is_never_thrown_away_unasked(rig: HeldRig) -> None:
    assert rig.act(deploy).exit_code == 0
    s3 = rig.client("s3")
    s3.put_object(Bucket="held-files", Key="theirs.txt", Body=b"precious")
    code, said = rig.cli("rollback")
    (remain,) = said["remains"]
    assert (code, remain["step"], remain["code"]) == (5, "files", "cloud.holds-data")
    assert "it holds theirs.txt" in remain["reason"]
    assert "list-object-versions --bucket held-files" in remain["by_hand"]
    for version in s3.list_object_versions(Bucket="held-files")["Versions"]:
        s3.delete_object(Bucket="held-files", Key=version["Key"], VersionId=version["VersionId"])
    assert rig.act(rollback).exit_code == 0
    assert rig.inventory() == []


def test_who_cannot_remove_the_obstacle_lets_go_and_is_done(rig: HeldRig) -> None:
    obstacle = OBSTACLES["a rule of others"]
    rig.fails(lambda: obstacle.put(rig))
    for step in ("wall", "net"):
        assert rig.run("state", "rm", str(rig.path), "--sandbox", step, "--yes")[0] == 0
    assert rig.act(rollback).exit_code == 0
    assert {thing["owner"] for thing in _ours(rig)} == {"held/wall", "held/net"}


def test_what_somebody_removed_by_hand_is_no_obstacle(rig: HeldRig) -> None:
    obstacle = OBSTACLES["an interface of others"]
    rig.fails(lambda: obstacle.put(rig))
    obstacle.take(rig)
    ec2 = rig.client("ec2")
    for group in ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["held-wall"]}])[
        "SecurityGroups"
    ]:
        ec2.delete_security_group(GroupId=group["GroupId"])
    assert rig.act(rollback).exit_code == 0
    assert rig.inventory() == []


def test_names_that_are_still_held_back_after_a_destroy_are_waited_for(rig: HeldRig) -> None:
    everything = Options(allow_data_loss=True)
    assert rig.act(deploy).exit_code == 0
    assert rig.act(destroy, options=everything).exit_code == 0
    rig.fault(service="s3", operation="CreateBucket", error="OperationAborted", times=3)
    rig.fault(service="secretsmanager", operation="CreateSecret", error="InvalidRequestException", times=3)
    assert rig.act(deploy).exit_code == 0
    assert rig.struck() == 6
    assert rig.act(destroy, options=everything).exit_code == 0
    assert rig.inventory() == []


# -- what comes back from deletion --------------------------------------------------------------------------------


def _value(rig: HeldRig) -> str:
    return str(rig.client("secretsmanager").get_secret_value(SecretId="held-password")["SecretString"])


def _key(rig: HeldRig) -> dict[str, Any]:
    kms = rig.client("kms")
    (key,) = [
        found
        for item in kms.list_keys()["Keys"]
        if (found := kms.describe_key(KeyId=item["KeyId"])["KeyMetadata"])["KeyManager"] == "CUSTOMER"
    ]
    return dict(key)


def _scheduled(rig: HeldRig) -> tuple[bool, str]:
    secret = rig.client("secretsmanager").describe_secret(SecretId="held-password")
    return "DeletedDate" in secret, str(_key(rig)["KeyState"])


def _deployed_once(rig: HeldRig) -> tuple[str, str]:
    """A deployment that was, and was destroyed with its recovery windows: its password, and its key's id."""
    assert rig.act(deploy).exit_code == 0
    before = _value(rig), str(_key(rig)["KeyId"])
    assert rig.act(destroy).exit_code == 0
    assert _scheduled(rig) == (True, "PendingDeletion")
    return before


def test_a_destroy_says_what_is_kept_for_a_time_and_that_is_no_failure(back: HeldRig) -> None:
    assert back.act(deploy).exit_code == 0
    code, said = back.cli("destroy")
    assert (code, said["remains"]) == (0, [])
    lingers = {linger["step"]: linger["detail"] for linger in said["lingers"]}
    assert set(lingers) == {"key", "password"}
    assert "are kept for 8 days" in lingers["password"]
    assert f"until {_key(back)['DeletionDate']:%Y-%m-%d}" in lingers["key"]


def test_a_deployment_that_comes_back_gets_its_secret_its_key_and_its_alias_back(back: HeldRig) -> None:
    before = _deployed_once(back)
    assert back.act(deploy).exit_code == 0
    assert (_value(back), _key(back)["KeyId"], _key(back)["KeyState"]) == (*before, "Enabled")
    assert back.client("kms").describe_key(KeyId="alias/held-alias")["KeyMetadata"]["KeyId"] == before[1]
    assert back.act(deploy).changes == []


def test_a_run_that_took_them_back_and_failed_schedules_them_again_with_their_own_windows(back: HeldRig) -> None:
    before = _deployed_once(back)
    assert back.fails(lambda: None).exit_code == 4
    assert _scheduled(back) == (True, "PendingDeletion")
    days = (_key(back)["DeletionDate"] - _key(back)["CreationDate"]).days
    assert days >= 8, "the plan's nine days, not the shortest window"
    assert back.inventory() == []
    assert back.act(deploy).exit_code == 0
    assert (_value(back), _key(back)["KeyId"]) == before


RESTORING = [
    ("secretsmanager", "RestoreSecret"),
    ("kms", "CancelKeyDeletion"),
    ("kms", "EnableKey"),
    ("secretsmanager", "TagResource"),
    ("kms", "TagResource"),
    ("kms", "CreateAlias"),
]


def _killed_in(rig: HeldRig, service: str, operation: str) -> None:
    """A deploy that dies when a call has taken effect and before its answer."""
    rig.fault(service=service, operation=operation, kind="hang", delay=3)
    process = rig.start("deploy", str(rig.path), "--sandbox", "--yes")
    while not rig.struck() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.05)
    assert process.poll() is None, "the deploy was over before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    supervisor.admin(rig.sandbox, "DELETE", "/_sandbox/faults")


def _goes_on(rig: HeldRig, before: tuple[str, str]) -> None:
    assert rig.act(deploy).exit_code == 0
    assert (_value(rig), _key(rig)["KeyId"], _key(rig)["KeyState"]) == (*before, "Enabled")


def _returns(rig: HeldRig, before: tuple[str, str]) -> None:
    assert rig.act(rollback).exit_code == 0
    assert (_scheduled(rig), rig.inventory()) == ((True, "PendingDeletion"), [])


def _fails(rig: HeldRig, before: tuple[str, str]) -> None:
    assert rig.fails(lambda: None).exit_code == 4
    assert (_scheduled(rig), rig.inventory()) == ((True, "PendingDeletion"), [])


ENDINGS = {"deploy": _goes_on, "rollback": _returns, "failing-deploy": _fails}
KILLS = [
    pytest.param(service, operation, then, id=f"{service}-{operation}-{name}")
    for service, operation in RESTORING
    for name, then in ENDINGS.items()
    if os.environ.get("EVERY_STEP") or then is _fails or operation in ("RestoreSecret", "CancelKeyDeletion")
]
"""Each call of taking something back, and what comes after a death in it; the long form pairs all with all."""


@pytest.mark.parametrize(("service", "operation", "then"), KILLS)
def test_killed_while_taking_them_back_loses_nothing(
    back: HeldRig, service: str, operation: str, then: Callable[[HeldRig, tuple[str, str]], None]
) -> None:
    before = _deployed_once(back)
    _killed_in(back, service, operation)
    then(back, before)
    if then is not _goes_on:
        _goes_on(back, before)


def test_a_name_that_somebody_elses_scheduled_secret_holds_fails_soon_and_names_the_choices(back: HeldRig) -> None:
    secrets = back.client("secretsmanager")
    secrets.create_secret(Name="held-password", SecretString="theirs")
    secrets.delete_secret(SecretId="held-password", RecoveryWindowInDays=7)
    code, said = back.cli("deploy")
    assert code == 3, "preflight asks, and nothing was begun"
    assert [finding["id"] for finding in said["error"]["findings"]] == ["name.secret-held"]
    code, said = back.cli("deploy", "--no-preflight")
    assert code == 4
    (failure,) = said["failures"]
    assert (failure["step"], failure["code"]) == ("password", "cloud.already-exists")
    assert "choose another name; or restore it and adopt it; or delete it for good" in failure["hint"]
    assert [call["operation"] for call in back.requests()].count("CreateSecret") == 2, "theirs, and one try"
    assert _scheduled(back)[0], "theirs is as it was"
    assert _ours(back) == []
