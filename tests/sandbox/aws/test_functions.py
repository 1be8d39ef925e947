"""Lambda in the sandbox refuses what AWS refuses, and takes its time as AWS does."""

from __future__ import annotations

import hashlib
import io
import json
import urllib.error
import urllib.request
import zipfile
from base64 import b64encode
from functools import partial
from typing import Any

import pytest

from tests.sandbox.aws.conftest import Aws, refused

INVALID, CONFLICT = "InvalidParameterValueException", "ResourceConflictException"
VPC_ACCESS = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"


def zipped(text: str = "def handler(event, context): pass", name: str = "handler.py") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def role(aws: Aws, service: str = "lambda.amazonaws.com", name: str = "role", policy: str = VPC_ACCESS) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = str(aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])
    if policy:
        aws.iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    return arn


def wish(aws: Aws, name: str = "f", **more: Any) -> dict[str, Any]:
    made = {"Code": {"ZipFile": zipped()}, "Runtime": "python3.13", "Handler": "handler.handler"} | more
    return {"FunctionName": name, "Role": made.pop("Role", None) or role(aws), **made}


def ready(aws: Aws, name: str = "f", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = aws.client("lambda").create_function(**wish(aws, name, **more))
    aws.pass_time()
    return made


def network(aws: Aws) -> dict[str, list[str]]:
    subnets = aws.subnets()
    vpc = aws.ec2.describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
    group = aws.ec2.create_security_group(GroupName="wall", Description="d", VpcId=vpc)["GroupId"]
    return {"SubnetIds": subnets, "SecurityGroupIds": [group]}


def test_a_function_is_pending_then_active_and_one_change_at_a_time_is_under_way(aws: Aws) -> None:
    api = aws.client("lambda")
    made = api.create_function(**wish(aws))
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    assert refused(lambda: api.update_function_configuration(FunctionName="f", Timeout=9)) == CONFLICT
    assert refused(lambda: api.invoke(FunctionName="f")) == CONFLICT
    aws.pass_time()
    assert api.get_function(FunctionName="f")["Configuration"]["State"] == "Active"
    assert api.update_function_configuration(FunctionName="f", Timeout=9)["LastUpdateStatus"] == "InProgress"
    for change in (
        lambda: api.update_function_code(FunctionName="f", ZipFile=zipped("x = 1")),
        lambda: api.publish_version(FunctionName="f"),
        lambda: api.delete_function(FunctionName="f"),
    ):
        assert refused(change) == CONFLICT
    aws.pass_time()
    assert api.get_function_configuration(FunctionName="f")["LastUpdateStatus"] == "Successful"
    assert refused(lambda: api.create_function(**wish(aws, Role=made["Role"]))) == CONFLICT


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"FunctionName": "f" * 65}, "ValidationException"),
        ({"FunctionName": "no name"}, "ValidationException"),
        ({"MemorySize": 127}, "ValidationException"),
        ({"MemorySize": 32769}, "ValidationException"),
        ({"Timeout": 901}, "ValidationException"),
        ({"EphemeralStorage": {"Size": 511}}, "ValidationException"),
        ({"Runtime": "python2.8"}, "ValidationException"),
        ({"Role": "role"}, "ValidationException"),
        ({"Code": {"ZipFile": b"no zip"}}, INVALID),
        ({"Code": {"ZipFile": zipped(name="../up.py")}}, INVALID),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, INVALID),
        ({"Environment": {"Variables": {"LONG": "x" * 4096}}}, INVALID),
        ({"KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/none"}, INVALID),
        ({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:none:1"]}, INVALID),
        ({"DeadLetterConfig": {"TargetArn": "arn:aws:sns:us-east-1:123456789012:none"}}, INVALID),
        ({"VpcConfig": {"SubnetIds": ["subnet-0"], "SecurityGroupIds": ["sg-0"]}}, INVALID),
        ({"Tags": {"aws:mine": "x"}}, INVALID),
        ({"Code": {"S3Bucket": "bucket", "S3Key": "k"}}, "NotImplemented"),
    ],
)
def test_what_aws_refuses_is_refused_with_its_code(aws: Aws, change: dict[str, Any], code: str) -> None:
    made = {**wish(aws), **change}
    assert refused(lambda: aws.client("lambda").create_function(**made)) == code
    assert aws.client("lambda").list_functions()["Functions"] == []


def test_a_role_must_trust_lambda_and_for_a_vpc_may_make_interfaces(aws: Aws) -> None:
    api, vpc = aws.client("lambda"), network(aws)
    for arn in (role(aws, "ec2.amazonaws.com", "trusts"), "arn:aws:iam::123456789012:role/none"):
        with pytest.raises(Exception, match="cannot be assumed by Lambda"):
            api.create_function(**wish(aws, Role=arn))
    plain = role(aws, name="plain", policy="")
    with pytest.raises(Exception, match="does not have permissions to call CreateNetworkInterface"):
        api.create_function(**wish(aws, Role=plain, VpcConfig=vpc))
    allow = {"Effect": "Allow", "Action": "ec2:Create*", "Resource": "*"}
    aws.iam.put_role_policy(
        RoleName="plain", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    )
    assert api.create_function(**wish(aws, Role=plain, VpcConfig=vpc))["VpcConfig"]["VpcId"]


def test_the_interfaces_of_a_function_hold_its_security_group_for_a_while_after_it_is_gone(aws: Aws) -> None:
    api, vpc = aws.client("lambda"), network(aws)
    arn = ready(aws, VpcConfig=vpc)["Role"]
    ready(aws, "g", VpcConfig=vpc, Role=arn)
    found = aws.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert len(found) == 2 and all(eni["Description"].startswith("AWS Lambda VPC ENI-") for eni in found)
    for name in ("f", "g"):
        api.delete_function(FunctionName=name)
    delete = partial(aws.ec2.delete_security_group, GroupId=vpc["SecurityGroupIds"][0])
    assert refused(delete) == "DependencyViolation"
    aws.pass_time()
    delete()
    assert aws.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


@pytest.mark.parametrize(
    ("kind", "first", "last"),
    [
        ("failed", "Pending", "Failed"),
        ("never-ready", "Pending", "Pending"),
        ("ready-then-failed", "Pending", "Failed"),
    ],
)
def test_a_function_may_be_told_to_fail(aws: Aws, kind: str, first: str, last: str) -> None:
    api, made = aws.client("lambda"), wish(aws)
    aws.fault(service="lambda", operation="CreateFunction", kind=kind)
    assert api.create_function(**made)["State"] == first
    aws.pass_time()
    found = api.get_function(FunctionName="f")["Configuration"]
    assert found["State"] == last and bool(found.get("StateReason"))


def test_a_change_may_be_told_to_fail_and_the_next_one_mends_it(aws: Aws) -> None:
    api = aws.client("lambda")
    ready(aws)
    aws.fault(service="lambda", operation="UpdateFunctionConfiguration", kind="failed")
    for status in ("Failed", "Successful"):
        api.update_function_configuration(FunctionName="f", Timeout=9)
        aws.pass_time()
        assert api.get_function(FunctionName="f")["Configuration"]["LastUpdateStatus"] == status


def test_a_version_keeps_its_code_and_its_network_until_it_is_deleted(aws: Aws) -> None:
    api, vpc, code = aws.client("lambda"), network(aws), zipped("x = 1")
    ready(aws, VpcConfig=vpc, Code={"ZipFile": code})
    digest = b64encode(hashlib.sha256(code).digest()).decode()
    assert refused(lambda: api.publish_version(FunctionName="f", CodeSha256="other")) == INVALID
    assert api.publish_version(FunctionName="f", CodeSha256=digest)["Version"] == "1"
    assert api.publish_version(FunctionName="f")["Version"] == "1"  # nothing has changed since
    api.update_function_code(FunctionName="f", ZipFile=zipped("x = 2"))
    aws.pass_time()
    api.update_function_configuration(FunctionName="f", VpcConfig={"SubnetIds": [], "SecurityGroupIds": []})
    aws.pass_time()
    delete = partial(aws.ec2.delete_security_group, GroupId=vpc["SecurityGroupIds"][0])
    assert refused(delete) == "DependencyViolation"
    found = api.get_function(FunctionName="f", Qualifier="1")
    assert found["Configuration"]["CodeSha256"] == digest
    with urllib.request.urlopen(found["Code"]["Location"]) as answer:
        assert answer.read() == code
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(found["Code"]["Location"][:-1] + "x")
    api.delete_function(FunctionName="f", Qualifier="1")
    aws.pass_time()
    delete()
    assert refused(lambda: api.get_function(FunctionName="f", Qualifier="1")) == "ResourceNotFoundException"


def test_some_concurrency_is_kept_for_functions_that_reserve_none(aws: Aws) -> None:
    api = aws.client("lambda")
    ready(aws)
    reserve = partial(api.put_function_concurrency, FunctionName="f")
    assert refused(partial(reserve, ReservedConcurrentExecutions=901)) == INVALID
    reserve(ReservedConcurrentExecutions=900)
    assert api.get_function(FunctionName="f")["Concurrency"] == {"ReservedConcurrentExecutions": 900}
    api.delete_function_concurrency(FunctionName="f")
    assert "Concurrency" not in api.get_function(FunctionName="f")


def test_a_permission_is_a_statement_of_its_own(aws: Aws) -> None:
    api = aws.client("lambda")
    arn = ready(aws)["FunctionArn"]
    assert refused(lambda: api.get_policy(FunctionName="f")) == "ResourceNotFoundException"
    grant = {"FunctionName": arn, "StatementId": "s", "Action": "lambda:InvokeFunction"}
    api.add_permission(**grant, Principal="secretsmanager.amazonaws.com", SourceAccount="123456789012")
    assert refused(lambda: api.add_permission(**grant, Principal="sns.amazonaws.com")) == CONFLICT
    (statement,) = json.loads(api.get_policy(FunctionName="f")["Policy"])["Statement"]
    assert statement["Condition"] == {"StringEquals": {"AWS:SourceAccount": "123456789012"}}
    api.remove_permission(FunctionName="f", StatementId="s")
    assert refused(lambda: api.remove_permission(FunctionName="f", StatementId="s")) == "ResourceNotFoundException"


def test_functions_are_listed_in_pages_are_in_the_inventory_and_carry_tags(aws: Aws) -> None:
    api, arn = aws.client("lambda"), role(aws)
    for number in range(3):
        made = api.create_function(**wish(aws, f"f{number}", Role=arn, Tags={"provisioner:owner": f"shop/s{number}"}))
    pages = [
        page["Functions"] for page in api.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    ]
    assert [[item["FunctionName"] for item in page] for page in pages] == [["f0", "f1"], ["f2"]]
    functions = [thing for thing in aws.admin("GET", "inventory")["objects"] if thing["service"] == "lambda"]
    assert [(thing["name"], thing["owner"]) for thing in functions] == [(f"f{n}", f"shop/s{n}") for n in range(3)]
    api.tag_resource(Resource=made["FunctionArn"], Tags={"a": "b"})
    api.untag_resource(Resource=made["FunctionArn"], TagKeys=["provisioner:owner"])
    assert api.list_tags(Resource=made["FunctionArn"])["Tags"] == {"a": "b"}
    listed = aws.client("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["lambda:function"])
    assert len(listed["ResourceTagMappingList"]) == 3


def test_a_rotation_needs_rules_a_function_and_the_permission_to_call_it(aws: Aws) -> None:
    sm, arn = aws.secretsmanager, ready(aws)["FunctionArn"]
    sm.create_secret(Name="s", SecretString="x")
    days = {"AutomaticallyAfterDays": 30}
    for code, asked in (
        ("InvalidRequestException", {"RotationRules": days}),
        ("InvalidParameterException", {"RotationLambdaARN": arn}),
        ("InvalidParameterException", {"RotationLambdaARN": arn, "RotationRules": {"AutomaticallyAfterDays": 1001}}),
        (
            "InvalidParameterException",
            {"RotationLambdaARN": arn, "RotationRules": {"ScheduleExpression": "rate(2 hours)"}},
        ),
        ("InvalidParameterException", {"RotationLambdaARN": arn, "RotationRules": {"ScheduleExpression": "daily"}}),
        ("AccessDeniedException", {"RotationLambdaARN": arn, "RotationRules": days}),
        ("AccessDeniedException", {"RotationLambdaARN": arn[:-1] + "x", "RotationRules": days}),
    ):
        assert refused(lambda asked=asked: sm.rotate_secret(SecretId="s", **asked)) == code, asked  # type: ignore[misc]
    assert refused(lambda: sm.cancel_rotate_secret(SecretId="s")) == "InvalidRequestException"
    assert "RotationEnabled" not in sm.describe_secret(SecretId="s")
