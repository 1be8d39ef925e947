"""Credlink in the sandbox, changed behind our back with boto3: drift names it, deploy repairs it, adopt accepts it; and
the record lost: recover has it back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.crash.rig import Rig
from tests.crash.subjects import CREDLINK

DEPLOYMENT = "credlink-development"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    change = pytest.MonkeyPatch()
    made = Rig(tmp_path_factory.mktemp("drift"))
    change.setenv("PROVISIONER_ENDPOINTS", made.info.endpoints)
    try:
        yield made
    finally:
        change.undo()
        made.close()


@pytest.fixture(scope="module")
def deployed(rig: Rig) -> Rig:
    """Each test leaves it as the plan says."""
    assert rig.deploy().exit_code == 0
    rig.remember_secrets()
    return rig


def client(rig: Rig, service: str) -> Any:
    session: Any = boto3.session.Session("test", "test", region_name="us-east-1")
    return session.client(service, endpoint_url=rig.info.aws_url)


def verb(rig: Rig, *words: str, by_plan: bool = True) -> tuple[int, dict[str, Any]]:
    """A verb's exit code and JSON object; of ``state adopt`` the steps come after the plan."""
    split = 2 if words[0] == "state" else 1
    named = [str(CREDLINK.path), "-e", "development"] if by_plan else ["--deployment", DEPLOYMENT]
    code, out, err = rig.run(*words[:split], *named, *words[split:], "--sandbox", "--json")
    assert out, err
    return code, json.loads(out)


def drift(rig: Rig, *, by_plan: bool = True) -> dict[str, dict[str, Any]]:
    """Step → what drifted; the exit code must agree."""
    code, told = verb(rig, "drift", by_plan=by_plan)
    found = {one["step"]: one for one in told["objects"] if one["drifted"]}
    assert code == (7 if found else 0), told
    assert (told["unsearched"], told["exit_code"]) == ({}, code)
    assert not any(one["unchecked"] for one in told["objects"])
    return found


def group_id(rig: Rig, step: str) -> str:
    what = [{"Name": "tag:provisioner:owner", "Values": [f"{DEPLOYMENT}/{step}"]}]
    return str(client(rig, "ec2").describe_security_groups(Filters=what)["SecurityGroups"][0]["GroupId"])


def test_what_was_deployed_has_not_drifted_with_the_plan_and_without(deployed: Rig) -> None:
    before = len(deployed.requests())
    assert drift(deployed) == {}
    assert drift(deployed, by_plan=False) == {}
    operations = {call["operation"] for call in deployed.requests()[before:]}
    assert not [name for name in operations if not name.startswith(("Describe", "List", "Get", "Head"))], operations
    assert deployed.leaks() == []


def test_changes_behind_our_back_are_named_and_repaired(deployed: Rig) -> None:
    ec2, rds, s3 = (client(deployed, service) for service in ("ec2", "rds", "s3"))
    wall = group_id(deployed, "db-wall")
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=wall, IpPermissions=[rule])
    rds.modify_db_instance(
        DBInstanceIdentifier=f"{DEPLOYMENT}-db", BackupRetentionPeriod=3, DeletionProtection=True, ApplyImmediately=True
    )
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    s3.delete_public_access_block(Bucket=bucket)
    client(deployed, "logs").delete_log_group(logGroupName=f"/aws/rds/instance/{DEPLOYMENT}-db/upgrade")
    for by_plan in (True, False):
        found = drift(deployed, by_plan=by_plan)
        assert {step: one["kind"] for step, one in found.items()} == {
            "db-wall": "changed", "db": "changed", "proofs": "changed", "db-upgrade-log": "gone",
        }  # fmt: skip
        (ingress,) = found["db-wall"]["fields"]
        (added,) = ingress["added"]
        assert (ingress["field"], added["port"], added["cidr"], ingress["missing"]) == ("ingress", 22, "0.0.0.0/0", [])
        values = {one["field"]: (one["record"], one["cloud"]) for one in found["db"]["fields"]}
        assert values == {"backup_retention_days": (1, 3), "deletion_protection": (False, True)}
        (block,) = found["proofs"]["fields"]
        assert (block["field"], block["record"], block["cloud"]) == ("block_public_access", True, False)
    outcome = deployed.deploy()
    assert (outcome.exit_code, {change.step for change in outcome.changes}) == (0, set(found))
    assert drift(deployed) == {}
    deployed.assert_state_equals_cloud(DEPLOYMENT)


def test_tags_that_were_taken_off_are_named_and_put_back_and_nothing_is_made_twice(deployed: Rig) -> None:
    ec2, kms, s3 = (client(deployed, service) for service in ("ec2", "kms", "s3"))
    what = [{"Name": "tag:provisioner:owner", "Values": [f"{DEPLOYMENT}/*"]}]
    vpc = ec2.describe_vpcs(Filters=what)["Vpcs"][0]["VpcId"]
    group = group_id(deployed, "redis-wall")
    owner = "provisioner:owner"
    ec2.delete_tags(Resources=[vpc, group], Tags=[{"Key": owner}])
    number = kms.describe_key(KeyId=f"alias/{DEPLOYMENT}-data-key-alias")["KeyMetadata"]["KeyId"]
    kms.untag_resource(KeyId=number, TagKeys=[owner])
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "by", "Value": "hand"}]})
    rds = client(deployed, "rds")
    database = rds.describe_db_instances()["DBInstances"][0]["DBInstanceArn"]
    rds.remove_tags_from_resource(ResourceName=database, TagKeys=[owner])
    found = drift(deployed)
    stripped = {"vpc", "redis-wall", "data-key", "proofs", "db"}
    assert {step: one["kind"] for step, one in found.items()} == dict.fromkeys(stripped, "untagged")
    outcome = deployed.deploy()
    assert (outcome.exit_code, {change.step for change in outcome.changes}) == (0, stripped)
    assert drift(deployed) == {}
    deployed.assert_state_equals_cloud(DEPLOYMENT)
    assert [one["VpcId"] for one in ec2.describe_vpcs(Filters=what)["Vpcs"]] == [vpc]


def test_a_copy_of_a_security_group_that_carries_our_tag_is_named(deployed: Rig) -> None:
    ec2 = client(deployed, "ec2")
    vpc = ec2.describe_security_groups(GroupIds=[group_id(deployed, "db-wall")])["SecurityGroups"][0]["VpcId"]
    tags = [{"Key": "provisioner:owner", "Value": f"{DEPLOYMENT}/db-wall"}]
    spec = [{"ResourceType": "security-group", "Tags": tags}]
    copy = ec2.create_security_group(GroupName="copy", Description="copy", VpcId=vpc, TagSpecifications=spec)["GroupId"]
    kind = drift(deployed)["db-wall"]["kind"]
    ec2.delete_security_group(GroupId=copy)
    assert kind in ("doubled", "replaced")  # the copy may have the lower id
    assert drift(deployed) == {}


def test_a_password_changed_outside_shows_by_its_fingerprint_alone(deployed: Rig) -> None:
    secrets = client(deployed, "secretsmanager")
    secrets.put_secret_value(SecretId=f"{DEPLOYMENT}-redis-token", SecretString="canary-Token-by-hand-0123456789")
    found = drift(deployed)
    assert {step: [one["field"] for one in told["fields"]] for step, told in found.items()} == {"redis": ["auth_token"]}
    (field,) = found["redis"]["fields"]
    assert (field["secret"], field["record"], field["cloud"], field["plan"]) == (True, "***", "***", "***")
    deployed.remember_secrets()
    assert deployed.leaks() == []
    assert deployed.deploy().exit_code == 0
    assert drift(deployed) == {}


def test_what_is_accepted_is_no_drift_and_the_plan_says_what_it_would_still_change(deployed: Rig) -> None:
    rds = client(deployed, "rds")
    name = f"{DEPLOYMENT}-db"
    rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=3, ApplyImmediately=True)
    code, told = verb(deployed, "state", "adopt", "db.backup_retention_days", "--yes")
    assert (code, told["result"], [one["taken"] for one in told["accepted"]]) == (
        0, "succeeded", [["backup_retention_days"]],
    )  # fmt: skip
    assert drift(deployed) == {}
    code, planned = verb(deployed, "plan")
    changed = {one["step"]: one["differences"] for one in planned["changes"] if one["action"] != "keep"}
    assert {step: [(d["field"], d["before"], d["after"]) for d in found] for step, found in changed.items()} == {
        "db": [("backup_retention_days", 3, 1)]
    }
    assert deployed.run(*deployed.verb("rollback"))[0] == 0
    assert [one["field"] for one in drift(deployed)["db"]["fields"]] == ["backup_retention_days"]
    assert deployed.deploy().exit_code == 0
    assert drift(deployed) == {}


@pytest.mark.parametrize("plan", ["whole", "without its monitoring"])
def test_a_lost_record_is_had_back_and_everything_works_as_before(rig: Rig, tmp_path: Path, plan: str) -> None:
    rig.fresh()
    assert rig.deploy().exit_code == 0
    rig.remember_secrets()
    # Every object once; a version is listed as its secret. Drift searches the types of the plan, recover searches all.
    count = len(rig.inventory()) + 1 - (0 if plan == "whole" else 2)
    shutil.rmtree(rig.home)
    path = CREDLINK.path
    if plan != "whole":
        path = tmp_path / "plan.yaml"
        text = CREDLINK.path.read_text()
        path.write_text(text[: text.index("  # -- monitoring")] + "\n" + text[text.index("\noutputs:") :])
    named = [str(path), "-e", "development", "--sandbox", "--json"]
    before = len(rig.requests())
    code, out, err = rig.run("drift", *named)
    assert (code, json.loads(out)["summary"]) == (7, {"unrecorded": count}), err
    code, out, err = rig.run("state", "recover", *named, "--yes")
    told = json.loads(out)
    assert (code, told["result"], told["blocked"], told["unsearched"]) == (0, "succeeded", {}, {}), err
    assert {one["step"] for one in told["found"] if not one["planned"]} == (
        set() if plan == "whole" else {"alerts-by-mail", "db-events"}
    )
    operations = {call["operation"] for call in rig.requests()[before:]}
    assert not [name for name in operations if not name.startswith(("Describe", "List", "Get", "Head"))], operations
    rig.assert_state_equals_cloud(DEPLOYMENT)
    assert json.loads(rig.run("drift", *named)[1])["drifted"] is False
    code, out, err = rig.run("deploy", *named, "--yes")
    assert code == 0, err
    assert {one["action"] for one in json.loads(out)["changes"]} == (set() if plan == "whole" else {"delete"})
    assert rig.run("destroy", *named, "--yes", "--allow-data-loss")[0] == 0
    assert rig.inventory() == []
    assert rig.leaks() == []


def test_without_record_and_plan_s_steps_a_destroy_after_recover_leaves_nothing(rig: Rig, tmp_path: Path) -> None:
    """Of the plan only its name, provider and one step are left: everything is found by its tag alone."""
    rig.fresh()
    assert rig.deploy().exit_code == 0
    shutil.rmtree(rig.home)
    path = tmp_path / "plan.yaml"
    path.write_text(
        "deployment: credlink\nprovider: aws\nregion: us-east-1\nenvironments: {development: {}}\n"
        "steps:\n  - {name: account, type: aws.account, adopt: existing}\n"
    )
    named = [str(path), "--sandbox", "--json", "--yes"]
    code, out, err = rig.run("state", "recover", *named)
    assert code == 0, err
    found = {one["step"]: one for one in json.loads(out)["found"]}
    assert [step for step, one in found.items() if one["planned"]] == ["account"]
    needs = {step: set(one["needs"]) for step, one in found.items()}
    assert {"vpc"} <= needs["private-a"] and {"vpc"} <= needs["db-wall"]
    assert {"db-subnets", "db-wall", "db-parameters", "data-key"} <= needs["db"]
    assert {"private-a", "private-b"} <= needs["db-subnets"]
    assert {"data-key"} <= needs["data-key-alias"] and {"alerts"} <= needs["alerts-by-mail"]
    code, out, err = rig.run("destroy", *named, "--allow-data-loss")
    assert code == 0, err
    assert rig.inventory() == []
