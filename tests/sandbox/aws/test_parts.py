"""The small parts that the control plane is made of, each by itself."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from provisioner.sandbox.aws import windows
from provisioner.sandbox.aws.call import AwsError
from provisioner.sandbox.aws.identify import identify
from provisioner.sandbox.aws.jobs import Jobs
from provisioner.sandbox.aws.lifecycle import Lifecycle, Stage
from provisioner.sandbox.aws.models import service_model
from provisioner.sandbox.aws.query import parse
from provisioner.sandbox.aws.rds.parameter_table import evaluate
from tests.sandbox.aws.fakes import Clock


def test_a_stage_lasts_its_time_and_as_long_as_its_job() -> None:
    clock, job, seen = Clock(), Future[None](), list[str]()
    life = Lifecycle(clock, "new")
    life.follow([Stage("creating", 5, job, lambda: seen.append("up")), Stage("backing-up", 2)], rest="available")
    assert (life.status, life.busy) == ("creating", True)
    clock.advance(6)
    assert life.status == "creating"
    job.set_result(None)
    assert (life.status, seen) == ("backing-up", ["up"])
    clock.advance(1)
    assert (life.status, life.busy) == ("available", False)


def test_a_stage_whose_job_fails_leads_nowhere_else() -> None:
    clock, job = Clock(), Future[None]()
    life = Lifecycle(clock, "new")
    life.follow([Stage("creating", 0, job), Stage("backing-up", 0)], rest="available", failure="failed")
    job.set_exception(OSError("no space"))
    assert (life.status, str(life.error)) == ("failed", "no space")


def test_jobs_of_one_database_keep_their_order_and_a_failed_one_does_not_stop_the_next() -> None:
    jobs, done = Jobs(), list[int]()

    def fail() -> None:
        raise OSError("broken")

    futures = [jobs.do("lane", partial(done.append, number)) for number in range(20)]
    failed = jobs.do("lane", fail)
    last = jobs.do("lane", lambda: done.append(20))
    jobs.settle()
    jobs.close()
    assert done == list(range(21))
    assert isinstance(failed.exception(), OSError)
    assert last.exception() is None and all(f.done() for f in futures)


@pytest.mark.parametrize(
    ("daily", "weekly", "meet"),
    [
        ("03:00-04:00", "mon:04:00-mon:05:00", False),
        ("03:00-04:01", "mon:04:00-mon:05:00", True),
        ("23:30-00:30", "sun:23:45-mon:00:15", True),
        ("23:30-00:30", "mon:00:30-mon:01:30", False),
        ("00:00-00:30", "sun:23:00-mon:00:10", True),
        ("05:00-06:00", "tue:04:00-wed:04:00", True),
    ],
)
def test_windows_meet_where_they_share_a_minute_in_any_week(daily: str, weekly: str, meet: bool) -> None:
    first = windows.daily(daily, least=30, what="backup window")
    second = windows.weekly(weekly, least=30, what="maintenance window")
    assert windows.overlap(first, second) is meet


@pytest.mark.parametrize("start", [f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 30)])
def test_a_default_maintenance_window_never_meets_the_backup_window(start: str) -> None:
    hour, minute = map(int, start.split(":"))
    end = (hour * 60 + minute + 60) % 1440
    span = windows.daily(f"{start}-{end // 60:02d}:{end % 60:02d}", least=30, what="backup window")
    assert not windows.overlap(span, windows.weekly(windows.away_from(span), least=30, what="maintenance window"))


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("{LEAST({DBInstanceClassMemory/9531392},5000)}", "112"),
        ("{DBInstanceClassMemory/32768}", "32768"),
        ("{GREATEST(DBInstanceClassMemory*1024/63963136,65536)}", "65536"),
        ("100", "100"),
    ],
)
def test_a_formula_is_worked_out_over_the_memory_of_the_class(formula: str, value: str) -> None:
    assert evaluate(formula, 1 << 30) == value


def test_a_formula_that_is_none_is_refused() -> None:
    with pytest.raises(AwsError):
        evaluate("{DBInstanceClassStorage/2}", 1 << 30)


def _parse(**form: str) -> dict[str, Any]:
    return parse(
        service_model("rds").operation_model("CreateDBSubnetGroup"), {k.replace("__", "."): v for k, v in form.items()}
    )


def test_lists_and_structures_come_out_of_a_form_in_their_order() -> None:
    common = {"DBSubnetGroupName": "g", "DBSubnetGroupDescription": "d"}
    found = _parse(
        **common, SubnetIds__SubnetIdentifier__2="b", SubnetIds__SubnetIdentifier__1="a", SubnetIds__SubnetIdentifier__10="c",
        Tags__member__1__Key="k", Tags__member__1__Value="v", Action="CreateDBSubnetGroup", Version="2014-10-31",
    )  # fmt: skip
    assert found == {**common, "SubnetIds": ["a", "b", "c"], "Tags": [{"Key": "k", "Value": "v"}]}
    assert _parse(**common, SubnetIds="")["SubnetIds"] == []


@pytest.mark.parametrize(
    "form",
    [
        {"DBSubnetGroupName": "g"},
        {"DBSubnetGroupName": "g", "DBSubnetGroupDescription": "d", "SubnetIds": "a"},
        {"DBSubnetGroupName": "g", "DBSubnetGroupDescription": "d", "SubnetIds": "", "Colour": "red"},
        {"DBSubnetGroupName__x": "g", "DBSubnetGroupDescription": "d", "SubnetIds": ""},
        {"DBSubnetGroupName": "g", "DBSubnetGroupName__x": "g", "DBSubnetGroupDescription": "d", "SubnetIds": ""},
    ],
)
def test_a_form_that_does_not_fit_the_model_is_refused(form: dict[str, str]) -> None:
    with pytest.raises(AwsError):
        _parse(**form)


_SIGNED = "AWS4-HMAC-SHA256 Credential=k/20260101/eu-west-1/{}/aws4_request, SignedHeaders=host, Signature=x"


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "operation"),
    [
        ("GET", "/", "", {}, "ListBuckets"),
        ("PUT", "/bucket", "", {}, "CreateBucket"),
        ("PUT", "/bucket/", "", {}, "CreateBucket"),
        ("PUT", "/bucket", "lifecycle", {}, "PutBucketLifecycleConfiguration"),
        ("GET", "/bucket", "list-type=2&prefix=a", {}, "ListObjectsV2"),
        ("GET", "/bucket", "prefix=a", {}, "ListObjects"),
        ("PUT", "/bucket/a/b/c", "", {}, "PutObject"),
        ("PUT", "/bucket/key", "", {"HTTP_X_AMZ_COPY_SOURCE": "x"}, "CopyObject"),
        ("PUT", "/bucket/key", "partNumber=1&uploadId=x", {}, "UploadPart"),
        ("POST", "/bucket/key", "uploads", {}, "CreateMultipartUpload"),
        ("POST", "/bucket", "delete", {}, "DeleteObjects"),
        ("DELETE", "/bucket/key", "", {}, "DeleteObject"),
        ("HEAD", "/bucket", "", {}, "HeadBucket"),
        ("GET", "/bucket/key", "x-id=GetObject", {}, "GetObject"),
    ],
)
def test_operations_of_s3_are_told_apart(
    method: str, path: str, query: str, headers: dict[str, str], operation: str
) -> None:
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, **headers}
    call = identify({**environ, "HTTP_AUTHORIZATION": _SIGNED.format("s3")}, b"")
    assert (call.service, call.operation, call.region, call.protocol) == ("s3", operation, "eu-west-1", "rest-xml")


def test_the_service_is_the_one_that_boto3_names() -> None:
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm",
        "HTTP_AUTHORIZATION": _SIGNED.format("monitoring"),
    }
    call = identify(environ, b"")
    assert (call.service, call.operation, call.protocol, call.write) == ("cloudwatch", "PutMetricAlarm", "cbor", True)
