"""What RDS and ElastiCache would refuse is refused here, with a reason a person can act on."""

import re
from typing import Any

import pytest

from provisioner.drivers.aws import cache_rules, rds_rules, s3_rules
from provisioner.drivers.aws.cache_replication_group import CacheReplicationGroup
from provisioner.drivers.aws.db_parameter_group import DbParameterGroup
from provisioner.drivers.aws.parameter_group import complaint
from provisioner.drivers.aws.rds_event_subscription import RdsEventSubscription
from provisioner.drivers.aws.rds_instance import RdsInstance
from provisioner.resource import Resource, StepType
from provisioner.secret import Secret
from provisioner.spec import complaints


def _said(cls: type[StepType], **values: Any) -> list[str]:
    return [message for _, message in complaints(cls, values)]


@pytest.mark.parametrize(
    ("allocated", "most", "fine"),
    [(20, 22, True), (20, 21, False), (100, 110, True), (100, 109, False), (400, 440, True)],
)
def test_autoscaling_needs_ten_percent_of_room(allocated: int, most: int, fine: bool) -> None:
    assert (_said(RdsInstance, allocated_storage=allocated, max_allocated_storage=most) == []) is fine


@pytest.mark.parametrize(
    ("wanted", "seen", "fine"),
    [(20, 20, True), (20, 40, True), (21, 20, False), (22, 20, True), (111, 101, False), (112, 101, True)],
)
def test_storage_grows_by_ten_percent_or_not_at_all(wanted: int, seen: int, fine: bool) -> None:
    assert (rds_rules.growth(wanted, seen) is None) is fine


@pytest.mark.parametrize(
    ("kind", "allocated", "iops", "fine"),
    [
        ("gp3", 20, 3000, False), ("gp3", 399, 12000, False), ("gp3", 400, 12000, True), ("gp3", 400, 3000, False),
        ("gp2", 500, 3000, False), ("io1", 100, 3000, True),
    ],
)  # fmt: skip
def test_gp3_takes_iops_from_400_gib_on(kind: str, allocated: int, iops: int, fine: bool) -> None:
    assert (_said(RdsInstance, storage_type=kind, allocated_storage=allocated, iops=iops) == []) is fine


@pytest.mark.parametrize(
    ("days", "fine"), [(7, True), (31, True), (93, True), (713, True), (731, True), (30, False), (720, False)]
)
def test_insights_are_kept_for_a_week_whole_months_or_two_years(days: int, fine: bool) -> None:
    said = _said(RdsInstance, performance_insights=True, performance_insights_retention_days=days)
    assert (said == []) is fine


def test_monitoring_needs_a_role_and_a_role_alone_does_no_harm() -> None:
    assert _said(RdsInstance, monitoring_interval=60, monitoring_role_arn="")
    assert not _said(RdsInstance, monitoring_interval=0, monitoring_role_arn="arn:aws:iam::1:role/x")


@pytest.mark.parametrize("name", ["admin", "ADMIN", "rdsadmin", "user", "table"])
def test_reserved_users_are_refused(name: str) -> None:
    assert "reserved" in _said(RdsInstance, username=name)[0]


@pytest.mark.parametrize(
    ("value", "fine"),
    [
        ("x" * 8, True), ("x" * 128, True), ("x" * 7, False), ("x" * 129, False), ("with/slash", False),
        ('with"quote', False), ("with@sign", False), ("with space", False), ("with-ümlaut", False), ("a!b#c$d%", True),
    ],
)  # fmt: skip
def test_a_password_that_rds_refuses_is_refused_and_never_shown(value: str, fine: bool) -> None:
    said = _said(RdsInstance, password=Secret(value))
    assert (said == []) is fine
    assert not any(value in message for message in said)


@pytest.mark.parametrize(
    ("value", "fine"),
    [("x" * 16, True), ("x" * 15, False), ("x" * 129, False), ("sixteen_letters_", False), ("a!&#$^<>-bcdefgh", True)],
)
def test_a_token_that_elasticache_refuses_is_refused_and_never_shown(value: str, fine: bool) -> None:
    said = _said(CacheReplicationGroup, auth_token=Secret(value))
    assert (said == []) is fine
    assert not any(value in message for message in said)


def test_generated_secrets_fit_both() -> None:
    from provisioner.drivers.aws.secret import password

    for _ in range(50):
        secret = Secret(password(32))
        assert rds_rules.password(secret) is None and cache_rules.auth_token(secret) is None


@pytest.mark.parametrize(
    ("wanted", "seen", "same"),
    [
        ("15", "15.13", True), ("15", "16.1", False), ("15.13", "15.13", True), ("15.8", "15.13", True),
        ("15.13", "15.8", False), ("1", "15.1", False),
    ],
)  # fmt: skip
def test_a_version_means_itself_and_what_came_after_it(wanted: str, seen: str, same: bool) -> None:
    assert rds_rules.same_version(wanted, seen) is same


def test_a_cache_version_means_its_patches_only() -> None:
    assert cache_rules.same_version("7.0", "7.0.7") and not cache_rules.same_version("7.0", "7.1.0")
    assert not cache_rules.same_version("7.1", "7.10.0")


@pytest.mark.parametrize(
    ("parameter", "value", "fine"),
    [
        ({"AllowedValues": "6-8388607", "DataType": "integer"}, "100", True),
        ({"AllowedValues": "6-8388607", "DataType": "integer"}, "5", False),
        ({"AllowedValues": "6-8388607", "DataType": "integer"}, "many", False),
        ({"AllowedValues": "6-8388607", "DataType": "integer"}, "{DBInstanceClassMemory/9531392}", True),
        ({"AllowedValues": "6-8388607", "DataType": "integer"}, "LEAST({DBInstanceClassMemory/9531392},5000)", True),
        ({"AllowedValues": "-1-2147483647", "DataType": "integer"}, "-1", True),
        ({"AllowedValues": "-1-2147483647", "DataType": "integer"}, "-2", False),
        ({"AllowedValues": "0,20-", "DataType": "integer"}, "0", True),
        ({"AllowedValues": "0,20-", "DataType": "integer"}, "300", True),
        ({"AllowedValues": "0,20-", "DataType": "integer"}, "10", False),
        ({"AllowedValues": "0-1", "DataType": "float"}, "0.5", True),
        ({"AllowedValues": "none,ddl,mod,all", "DataType": "string"}, "ddl", True),
        ({"AllowedValues": "none,ddl,mod,all", "DataType": "string"}, "dll", False),
        ({"AllowedValues": "0,1", "DataType": "boolean"}, "1", True),
        ({"AllowedValues": "a,b,c", "DataType": "list"}, "a,c", True),
        ({"AllowedValues": "a,b,c", "DataType": "list"}, "a,d", False),
        ({"AllowedValues": "", "DataType": "string"}, "anything at all", True),
        ({"DataType": "string"}, "anything at all", True),
        ({"IsModifiable": False}, "1", False),
    ],
)
def test_a_parameter_is_judged_by_the_clouds_own_description(parameter: dict[str, Any], value: str, fine: bool) -> None:
    assert (complaint(parameter, value) is None) is fine


def test_lifecycle_rules_come_back_as_they_went_out() -> None:
    rule = s3_rules.LifecycleRule(
        id="proofs",
        prefix="p/",
        transitions=[s3_rules.Transition(days=90, storage_class="GLACIER")],
        expiration_days=365,
        noncurrent_expiration_days=30,
        abort_multipart_days=7,
    )
    from provisioner.spec import plain

    assert s3_rules.lifecycle_plain(s3_rules.lifecycle_request([rule])) == [plain(rule)]


def test_a_filter_that_a_plan_cannot_say_is_a_difference() -> None:
    seen = s3_rules.lifecycle_plain(
        [{"ID": "x", "Status": "Enabled", "Filter": {"ObjectSizeGreaterThan": 5}, "Expiration": {"Days": 1}}]
    )
    assert not s3_rules.same_lifecycle(
        [{"id": "x", "enabled": True, "prefix": "", "transitions": [], "expiration_days": 1}], seen
    )


@pytest.mark.parametrize(
    ("cls", "longest"),
    [(RdsInstance, 63), (CacheReplicationGroup, 40), (DbParameterGroup, 255), (RdsEventSubscription, 254)],
)
def test_names_are_what_aws_takes_and_are_judged_in_no_time(cls: type[Resource], longest: int) -> None:
    def fits(name: str) -> bool:
        return re.fullmatch(cls.name_pattern, name) is not None

    assert fits("a") and fits("a-b-1") and fits("a" * longest)
    wrong = ("", "1a", "-a", "a-", "a--b", "A", "a_b", "a" * (longest + 1))
    assert not any(fits(name) for name in wrong)
    assert not fits("a" * longest + "_")  # a pattern that backtracks would still be at it


@pytest.mark.parametrize("cls", [RdsInstance, CacheReplicationGroup])
@pytest.mark.parametrize("field", ["subnet_group", "parameter_group"])
def test_names_that_aws_stores_in_lower_case_are_the_same_in_capitals(cls: type[Resource], field: str) -> None:
    assert cls.matches[field]("App-Group", "app-group") and not cls.matches[field]("app-group", "app-groups")


def test_what_goes_along_with_a_change_goes_as_it_is_there() -> None:
    from provisioner.drivers.aws.rds_changes import changes

    spec = RdsInstance.Spec(
        engine_version="15",
        instance_class="db.t3.micro",
        allocated_storage=40,
        username="boss",
        password=Secret("x" * 8),
    )
    seen = {
        "engine_version": "15.8", "instance_class": "db.m5.large", "allocated_storage": 20, "storage_type": "io1",
        "iops": 3000, "port": 5433, "multi_az": False, "log_exports": ["upgrade"],
    }  # fmt: skip
    assert changes(spec, seen, {"allocated_storage"}, RdsInstance.matches) == {
        "AllocatedStorage": 40,
        "StorageType": "io1",
    }
    assert changes(spec, seen, {"tags"}, RdsInstance.matches) == {}
    assert {"DBInstanceClass", "MultiAZ", "DBPortNumber"} <= changes(spec, seen, (), RdsInstance.matches).keys()
