"""What IAM roles promise beyond the suite."""

from __future__ import annotations

import msgspec

from tests.contract.world import World, differing, settle

MONITORING = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"


def test_a_role_without_its_policies_shows_the_difference_and_an_update_completes_it(
    lone_world: World,
) -> None:
    tree = {"services": ["monitoring.rds.amazonaws.com"], "managed_policies": [MONITORING]}
    driver, key = lone_world.driver("aws.iam_role"), lone_world.key("aws.iam_role", "monitoring", tree)
    spec = lone_world.spec("aws.iam_role", tree)
    lone_world.watch(driver, key)
    driver.create(key, msgspec.structs.replace(spec, managed_policies=[]))
    assert differing(driver, spec, settle(driver, key)) == {"managed_policies"}
    driver.update(key, spec)
    assert differing(driver, spec, settle(driver, key)) == set()


def test_a_role_goes_with_policies_that_others_attached(lone_world: World) -> None:
    key, _ = lone_world.make("aws.iam_role", "monitoring", {"services": ["rds.amazonaws.com"]})
    lone_world.session().client("iam").attach_role_policy(RoleName=key.name, PolicyArn=MONITORING)
    driver = lone_world.driver("aws.iam_role")
    driver.delete(key)
    assert driver.read(key) is None


def test_a_trust_policy_that_lets_others_in_is_a_difference(lone_world: World) -> None:
    tree = {"services": ["rds.amazonaws.com"]}
    key, _ = lone_world.make("aws.iam_role", "monitoring", tree)
    opened = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}'
    )
    lone_world.session().client("iam").update_assume_role_policy(RoleName=key.name, PolicyDocument=opened)
    driver = lone_world.driver("aws.iam_role")
    assert differing(driver, lone_world.spec("aws.iam_role", tree), settle(driver, key)) == {"services"}


def test_an_update_touches_what_it_is_told_and_nothing_else(lone_world: World) -> None:
    own = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    made = {
        "services": ["rds.amazonaws.com"],
        "description": "theirs",
        "max_session_seconds": 7200,
        "managed_policies": [MONITORING],
        "inline_policies": {"precious": own},
    }
    key, before = lone_world.make("aws.iam_role", "corp", made)
    driver = lone_world.driver("aws.iam_role")
    spec = lone_world.spec("aws.iam_role", {"services": ["monitoring.rds.amazonaws.com"], "description": "ours"})
    driver.update(key, spec, {"description"})
    assert driver.read(key).spec == {**before.spec, "description": "ours"}
    driver.update(key, spec, {"services"})
    expected = {**before.spec, "description": "ours", "services": ["monitoring.rds.amazonaws.com"]}
    assert driver.read(key).spec == expected
