"""GetResources tells what carries tags in a region, whichever service keeps it, in pages that stay what they were."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.sandbox.aws.conftest import Aws, refused

OWNED = [{"Key": "provisioner:owner", "Value": "deployment/step"}]
OTHER = [{"Key": "provisioner:owner", "Value": "other/step"}, {"Key": "team", "Value": "data"}]


def _arns(aws: Aws, **wish: Any) -> list[str]:
    listed = aws.resourcegroupstaggingapi.get_resources(**wish)["ResourceTagMappingList"]
    return [found["ResourceARN"] for found in listed]


def _kinds(aws: Aws, **wish: Any) -> set[str]:
    return {":".join(arn.split(":")[2:3] + arn.replace("/", ":").split(":")[5:6]) for arn in _arns(aws, **wish)}


def _furnish(aws: Aws) -> None:
    spec = [{"ResourceType": "security-group", "Tags": OWNED}]
    aws.ec2.create_security_group(GroupName="g", Description="d", TagSpecifications=spec)
    aws.sns.create_topic(Name="t", Tags=OWNED)
    aws.kms.create_key(Tags=[{"TagKey": "provisioner:owner", "TagValue": "deployment/step"}])
    aws.secretsmanager.create_secret(Name="s", SecretString="x", Tags=OTHER)
    aws.s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"Tags": OWNED})
    aws.logs.create_log_group(logGroupName="/g", tags={"provisioner:owner": "deployment/step"})
    aws.cloudwatch.put_metric_alarm(
        AlarmName="a", MetricName="m", Namespace="n", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold", Tags=OWNED,
    )  # fmt: skip
    aws.role()
    aws.iam.tag_role(RoleName="monitoring", Tags=OWNED)
    aws.ready_database(Tags=OWNED)
    aws.ready_cache(Tags=OWNED)
    aws.sns.create_topic(Name="untagged")


def test_everything_with_tags_is_told_but_what_belongs_to_no_region(aws: Aws) -> None:
    _furnish(aws)
    assert _kinds(aws) == {
        "ec2:security-group", "sns:t", "kms:key", "secretsmanager:secret", "s3:bucket", "logs:log-group",
        "cloudwatch:alarm", "rds:db", "elasticache:replicationgroup", "elasticache:cluster",
    }  # fmt: skip
    (found,) = aws.resourcegroupstaggingapi.get_resources(ResourceTypeFilters=["secretsmanager"])[
        "ResourceTagMappingList"
    ]
    assert sorted(found["Tags"], key=lambda tag: str(tag["Key"])) == OTHER


def test_filters_narrow_the_list(aws: Aws) -> None:
    _furnish(aws)
    owner = {"Key": "provisioner:owner", "Values": ["other/step", "nobody"]}
    assert _kinds(aws, TagFilters=[owner]) == {"secretsmanager:secret"}
    assert _kinds(aws, TagFilters=[owner | {"Values": ["deployment/step"]}, {"Key": "team"}]) == set()
    assert _kinds(aws, TagFilters=[{"Key": "team"}]) == {"secretsmanager:secret"}
    assert _kinds(aws, ResourceTypeFilters=["ec2:vpc", "rds", "sns:topic"]) == {"rds:db", "sns:t"}
    (topic,) = _arns(aws, ResourceTypeFilters=["sns:topic"])
    assert _arns(aws, ResourceARNList=[topic, f"{topic}-not"]) == [topic]


def test_what_is_gone_or_in_another_region_is_not_told(aws: Aws) -> None:
    aws.client("sns", "eu-west-1").create_topic(Name="far", Tags=OWNED)
    near = aws.sns.create_topic(Name="near", Tags=OWNED)["TopicArn"]
    aws.ready_database(Tags=OWNED)
    aws.rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    aws.pass_time()
    assert _arns(aws) == [near]
    aws.sns.delete_topic(TopicArn=near)
    assert _arns(aws) == []


def test_a_list_that_was_begun_stays_what_it_was_while_others_write(aws: Aws) -> None:
    made = [aws.sns.create_topic(Name=f"t-{number:03}", Tags=OWNED)["TopicArn"] for number in range(130)]
    api = aws.resourcegroupstaggingapi
    first = api.get_resources(ResourcesPerPage=100)
    assert [found["ResourceARN"] for found in first["ResourceTagMappingList"]] == made[:100]
    aws.sns.create_topic(Name="t-000-more", Tags=OWNED)
    second = api.get_resources(ResourcesPerPage=100, PaginationToken=first["PaginationToken"])
    assert [found["ResourceARN"] for found in second["ResourceTagMappingList"]] == made[100:]
    assert second["PaginationToken"] == ""
    assert len(_arns(aws)) == 50
    assert refused(lambda: api.get_resources(PaginationToken="x")) == "PaginationTokenExpiredException"


def test_a_page_ends_before_a_resource_that_would_bring_too_many_tags(aws: Aws) -> None:
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(40)]
    for name in "abc":
        aws.secretsmanager.create_secret(Name=name, SecretString="x", Tags=tags)
    assert len(_arns(aws, TagsPerPage=100)) == 2


@pytest.mark.parametrize(
    "wish",
    [
        {"ResourcesPerPage": 101},
        {"TagsPerPage": 99},
        {"TagFilters": [{"Key": "k", "Values": ["v"] * 21}]},
        {"TagFilters": [{"Values": ["v"]}]},
        {"ResourceARNList": ["arn:aws:sns:us-east-1:123456789012:t"], "ResourcesPerPage": 5},
        {"ResourceARNList": ["arn:aws:sns:us-east-1:123456789012:t"], "TagFilters": [{"Key": "k"}]},
    ],
)
def test_what_the_cloud_would_not_list_is_refused(aws: Aws, wish: dict[str, Any]) -> None:
    assert refused(partial(aws.resourcegroupstaggingapi.get_resources, **wish)) == "InvalidParameterException"
